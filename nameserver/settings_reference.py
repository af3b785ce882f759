"""What every setting is, read from the models and the texts below their fields.

``python -m nameserver.settings_reference`` writes docs/settings.md.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel, IPvAnyNetwork
from pydantic.fields import FieldInfo

from nameserver.address import Address
from nameserver.settings import Settings
from nameserver.settings_sources import INTERNAL, KeyPath, variable

KINDS: Final = {
    str: "text",
    Path: "path",
    float: "seconds",
    Address: "`ADDR@PORT`",
    IPvAnyNetwork: "net",
    bytes: "32 hexadecimal digits",
    bool: "`true`, `false`",
}
MADE: Final = "this machine's"  # a default that is found out at the start

HEAD: Final = """\
# Settings

Every setting stands in the settings file, `nsctl.toml`, which `--config` or `NSCTL_CONFIG` names,
or is a variable: `idle_timeout` below `[tcp]` is `NSCTL_TCP_IDLE_TIMEOUT`, and `NSCTL_RRL=off`
stands for `enabled` below `[rrl]`. Lists are separated by commas or spaces in a variable. Options
of the command line win over variables, variables over the file. `nsctl settings` shows what holds,
and where each value comes from.

This page is made from the program: `python -m nameserver.settings_reference > docs/settings.md`.
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: where it stands, what it may be, what it is if nobody says, what it does.

    ``values`` and ``text`` are Markdown, ``default`` is TOML. The value of a ``secret`` one is
    shown nowhere.
    """

    path: KeyPath
    values: str
    default: str
    text: str
    secret: bool

    @property
    def name(self) -> str:
        """Return the name with its table: ``tcp.idle_timeout``."""
        return ".".join(self.path)

    @property
    def variable(self) -> str:
        """Return the variable that sets it."""
        return variable(self.path)


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the file: its name, empty for what stands on top, what it is for, its settings."""

    name: str
    text: str
    settings: tuple[Setting, ...]


def sections() -> list[Section]:
    """Return every table of the file in the order of the model."""
    below = [
        Section(name, _told(kind), tuple(_settings_of(kind, (name,))))
        for name, kind in _tables(Settings)
    ]
    return [Section("", _told(Settings), tuple(_settings_of(Settings, ()))), *below]


def in_toml(value: object) -> str:
    """Return a value as the file has it."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case int() | float():
            return f"{value:.15g}"
        case tuple():
            return f"[{', '.join(map(in_toml, value))}]"
        case _:
            return json.dumps(str(value), ensure_ascii=False)


def markdown() -> str:
    """Return docs/settings.md."""
    return "\n".join([HEAD, *(line for section in sections() for line in _lines(section))])


def _lines(section: Section) -> Iterator[str]:
    yield f"## `[{section.name}]`" if section.name else "## The server"
    yield ""
    yield from textwrap.wrap(section.text, 100, break_long_words=False, break_on_hyphens=False)
    yield ""
    yield "| setting | value | default | what it does |"
    yield "|---|---|---|---|"
    for one in section.settings:
        default = one.default if one.default in ("", MADE) else f"`{one.default}`"
        yield f"| `{one.path[-1]}` | {one.values} | {default} | {one.text} |"
    yield ""


def _tables(model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    for name, info in model.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield name, kind


def _settings_of(model: type[BaseModel], above: KeyPath) -> Iterator[Setting]:
    texts = _field_texts(model)
    tables = dict(_tables(model))
    for name, info in model.model_fields.items():
        if name in tables or name in INTERNAL:
            continue
        made = info.default_factory is not None
        yield Setting(
            path=(*above, name),
            values=_values(info),
            default=MADE if made else in_toml(info.default),
            text=texts[name],
            secret=not info.repr,
        )


def _told(model: type[BaseModel]) -> str:
    """Return the docstring of a table as one text, without the name that begins it."""
    text = " ".join((inspect.getdoc(model) or "").split())
    text = text.partition("``: ")[2] if text.startswith("``[") else text
    text = text.replace("``", "`")
    return text[:1].upper() + text[1:]


def _field_texts(model: type[BaseModel]) -> dict[str, str]:
    """Return the text that stands below each field in the source."""
    body = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0]
    assert isinstance(body, ast.ClassDef)
    found: dict[str, str] = {}
    last = ""
    for statement in body.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name)):
                last = name
            case ast.Expr(value=ast.Constant(value=str() as text)) if last:
                found[last] = " ".join(text.split())
    return found


def _values(info: FieldInfo) -> str:
    kind: Any = info.annotation
    if type(None) in get_args(kind):
        kind = next(one for one in get_args(kind) if one is not type(None))
    if get_origin(kind) is Literal:
        return ", ".join(f"`{one}`" for one in get_args(kind))
    bounds = _bounds(info.metadata)
    if get_origin(kind) is tuple:
        most = f", at most {bounds['max_length']}" if "max_length" in bounds else ""
        return f"list: {KINDS[_bare(get_args(kind)[0])]}{most}"
    if kind is int:
        return _numbers(bounds)
    return KINDS[_bare(kind)]


def _bare(kind: Any) -> Any:
    """Return a type without what is annotated to it."""
    return _bare(get_args(kind)[0]) if hasattr(kind, "__metadata__") else kind


def _bounds(metadata: list[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in metadata:
        for name in ("gt", "ge", "lt", "le", "max_length"):
            if getattr(one, name, None) is not None:
                found[name] = getattr(one, name)
    return found


def _numbers(bounds: dict[str, Any]) -> str:
    least = bounds.get("ge", bounds.get("gt", -1) + 1)
    most = bounds.get("le", bounds.get("lt", 0) - 1)
    return f"{least} to {most}" if most > 0 else f"{least} or more"


if __name__ == "__main__":
    sys.stdout.write(markdown())
