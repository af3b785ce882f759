"""Policy files in TOML: read, laid over each other, and checked, with every fault told at once.

A file of the operator's that has the name of a shipped one is laid over it, table by table; a
value with its source is replaced whole. ``base`` names the file that another one starts from.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import idna
from pydantic import ValidationError

from registrar.errors import PolicyError
from registrar.policy import Catalogue, Contract, Data, Policies, Tld
from zones import rdata
from zones.errors import ZoneError
from zones.name import ROOT

KINDS: Final[dict[str, type[Data]]] = {
    "contract": Contract,
    "tld": Tld,
    "products": Catalogue,
}
BASES: Final = 8  # files that may stand on each other

Table = dict[str, Any]
Place = tuple[str, str]  # a key, and what is wrong there


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong in a file; ``key`` is where, its parts joined by dots, empty for the file."""

    file: str
    key: str
    sentence: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.key, self.sentence) if part)


@dataclass(slots=True)
class Reading:
    """What came of reading files: the parsed models by file, and the faults."""

    models: dict[str, Data] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def add(self, file: str, key: str, sentence: str) -> None:
        """Keep a fault."""
        self.faults.append(Fault(file, key, sentence))


def parse(files: Mapping[str, str], overrides: Mapping[str, str] | None = None) -> Policies:
    """Return the policies in files given by name; raises ``PolicyError`` with every fault."""
    reading = _read(files, overrides or {})
    if reading.faults:
        raise PolicyError(map(str, reading.faults))
    return _gather(reading.models.values())


def check(files: Mapping[str, str], overrides: Mapping[str, str] | None = None) -> list[str]:
    """Return every fault of policy files as ``file: key: fault``; none is good."""
    return [str(fault) for fault in faults(files, overrides)]


def faults(files: Mapping[str, str], overrides: Mapping[str, str] | None = None) -> list[Fault]:
    """Return every fault of policy files; none is good."""
    return _read(files, overrides or {}).faults


def _read(files: Mapping[str, str], overrides: Mapping[str, str]) -> Reading:
    reading = Reading()
    tables = _load(files, reading)
    own = _load(overrides, reading)
    for name, table in own.items():
        tables[name] = _lay_over(tables.get(name, {}), table)
    for name in sorted(tables, key=lambda name: (len(_bases(name, tables)), name)):
        _validate(name, tables, reading)
    if not reading.faults:
        reading.faults += _check_together(reading.models)
    return reading


def _load(files: Mapping[str, str], reading: Reading) -> dict[str, Table]:
    tables = {}
    for name, text in files.items():
        try:
            tables[name] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            reading.add(name, "", str(error))
    return tables


def _lay_over(below: Table, above: Table) -> Table:
    """Return the table with another one's values in it; a sourced value is never mixed."""
    if "source" in above and "kind" not in above and "title" not in above:
        return above
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if isinstance(value, dict) and isinstance(under, dict) and "value" not in value:
            merged[key] = _lay_over(under, value)
        else:
            merged[key] = value
    return merged


def _with_base(name: str, tables: Mapping[str, Table], depth: int = 0) -> Table:
    """Return a file's table over that of its base; raises ``ValueError``."""
    table = dict(tables[name])
    base = table.pop("base", None)
    if base is None:
        return table
    below = f"{base}.toml"
    if below not in tables:
        raise ValueError(f"there is no file {below}")
    if depth == BASES:
        raise ValueError("the files stand on each other in a circle")
    return _lay_over(_with_base(below, tables, depth + 1), table)


def _validate(name: str, tables: Mapping[str, Table], reading: Reading) -> None:
    try:
        table = _with_base(name, tables)
    except ValueError as error:
        reading.add(name, "base", str(error))
        return
    kind = table.get("kind")
    model = KINDS.get(kind) if isinstance(kind, str) else None
    if model is None:
        reading.add(name, "kind", f"{kind!r} is none of {', '.join(KINDS)}")
        return
    expected = name.removesuffix(".toml").removeprefix(f"{kind}-")
    if table.get("id") != expected:
        reading.add(name, "id", f"it has to be {expected!r}, as the file is named")
    try:
        # By way of JSON: there, strict models take the words of an enumeration.
        reading.models[name] = model.model_validate_json(json.dumps(table, default=str))
    except ValidationError as error:
        inherited = {
            (one.key, one.sentence) for one in reading.faults if one.file in _bases(name, tables)
        }
        reading.faults += [
            fault for fault in _faults(name, error) if (fault.key, fault.sentence) not in inherited
        ]


def _bases(name: str, tables: Mapping[str, Table]) -> set[str]:
    """Return the files that a file stands on."""
    found: set[str] = set()
    while (base := tables.get(name, {}).get("base")) and (name := f"{base}.toml") not in found:
        found.add(name)
    return found


def _faults(name: str, error: ValidationError) -> Iterator[Fault]:
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        key = ".".join(map(str, detail["loc"]))
        message = detail["msg"].removeprefix("Value error, ")
        if detail["type"] == "extra_forbidden":
            message = "there is no such key"
        elif detail["type"] == "missing":
            message = "it is missing"
        yield Fault(name, key, message)


def _gather(models: Iterable[Data]) -> Policies:
    found = list(models)
    return Policies(
        contracts={model.id: model for model in found if isinstance(model, Contract)},
        tlds={model.id: model for model in found if isinstance(model, Tld)},
        catalogues={model.id: model for model in found if isinstance(model, Catalogue)},
    )


def _check_together(models: Mapping[str, Data]) -> Iterator[Fault]:
    """Yield what single values do not show: names that lead nowhere, TLDs claimed twice."""
    claimed: dict[str, str] = {}
    for name, model in models.items():
        if isinstance(model, Tld):
            for fault in _check_tld(model, claimed):
                yield Fault(name, *fault)
            claimed.update(dict.fromkeys(model.tlds, model.id))
        elif isinstance(model, Catalogue):
            for fault in _check_catalogue(model):
                yield Fault(name, *fault)
    for name, model in models.items():
        if isinstance(model, Contract):
            for tld in sorted(model.term_months_of.keys() - claimed.keys()):
                yield Fault(name, f"term_months_of.{tld}", "no profile has this TLD")


def _check_tld(tld: Tld, claimed: Mapping[str, str]) -> Iterator[Place]:
    for name in tld.tlds:
        if name in claimed:
            yield "tlds", f"{name} stands in profile {claimed[name]} too"
        try:
            idna.encode(name)
        except idna.IDNAError as error:
            yield "tlds", f"{name!r} is no A-label: {error}"
        if name != name.lower() or not name.isascii():
            yield "tlds", f"{name!r} is written as an A-label in lower case"
    if tld.names.min_length.value > tld.names.max_length.value:
        yield "names.min_length", "it is above max_length"
    low, *_, high = (*tld.transfer.code_length.value, 0, 0)[:2]
    if not 0 < low <= high:
        yield "transfer.code_length", "two lengths are wanted, the shorter one first"


def _check_catalogue(catalogue: Catalogue) -> Iterator[Place]:
    for name in catalogue.record_types.value:
        yield from _check_type(name, "record_types")
    for number, product in catalogue.products.items():
        yield from _unknown(product.options, catalogue.options, f"products.{number}.options")
        yield from _unknown(product.presets, catalogue.presets, f"products.{number}.presets")
    for number, option in catalogue.options.items():
        preset = [option.preset] if option.preset else []
        yield from _unknown(preset, catalogue.presets, f"options.{number}.preset")
        for key in ("includes", "excludes", "needs"):
            yield from _unknown(getattr(option, key), catalogue.options, f"options.{number}.{key}")
    for number, preset_data in catalogue.presets.items():
        for position, record in enumerate(preset_data.records):
            place = f"presets.{number}.records.{position}"
            try:
                rdata.from_text(rdata.type_from_text(record.type), record.rdata, ROOT)
            except ZoneError as error:
                yield place, str(error)


def _check_type(name: str, place: str) -> Iterator[Place]:
    try:
        rdata.type_from_text(name)
    except ZoneError as error:
        yield place, str(error)


def _unknown(wanted: Iterable[str], known: Mapping[str, object], place: str) -> Iterator[Place]:
    for name in wanted:
        if name not in known:
            yield place, f"there is no {name!r}"
