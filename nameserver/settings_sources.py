"""Where settings come from, and how what is wrong with them is told.

Each value keeps its origin, so that a reason names the file and line, or the variable.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from zones.errors import DNSError

PREFIX = "NSCTL_"
# Read by the command line itself.
OTHER_VARIABLES = frozenset({"NSCTL_CONFIG", "NSCTL_ACTOR", "NSCTL_DEBUG", "NSCTL_REHEARSAL"})
INTERNAL = frozenset({"warnings"})

Model = TypeVar("Model", bound=BaseModel)
KeyPath = tuple[str, ...]


class SettingsError(DNSError):
    """Settings that a server cannot start with; ``reasons`` has every reason."""

    def __init__(self, reasons: list[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("\n".join(reasons))


@dataclass(slots=True)
class Sources:
    """The merged values, and where each was found."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[KeyPath, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def put(self, path: KeyPath, value: object, origin: str) -> None:
        """Set one value, over what an earlier source said."""
        table = self.values
        for key in path[:-1]:
            inner = table.get(key)
            if not isinstance(inner, dict):
                inner = table[key] = {}
            table = inner
        table[path[-1]] = value
        self.origins[path] = origin

    def origin(self, path: KeyPath) -> str:
        """Return where the value at ``path``, or the nearest around it, comes from."""
        while path and path not in self.origins:
            path = path[:-1]
        return self.origins.get(path, "default")


def read_sources(
    model: type[BaseModel],
    config: Path | None,
    environ: Mapping[str, str],
    overrides: Mapping[str, object],
) -> Sources:
    """Return the values of all sources, the strongest last; raises ``SettingsError``."""
    sources = Sources()
    if config is not None:
        _read_file(config, sources)
    known = {variable(path): path for path in setting_paths(model)}
    for name in sorted(environ):
        if name in known:
            sources.put(known[name], environ[name], f"variable {name}")
        elif name.startswith(PREFIX) and name not in OTHER_VARIABLES:
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
            hint = f"; did you mean {close[0]}?" if close else ""
            sources.warnings.append(f"variable {name} is not a setting and is ignored{hint}")
    for key, value in overrides.items():
        if value is not None:
            option = "--" + key.replace("_", "-")
            sources.put(tuple(key.split(".")), value, f"option {option}")
    return sources


def with_sources(model: type[Model], sources: Sources) -> Model:
    """Return the validated model; raises ``SettingsError`` with every reason."""
    values = {**sources.values, "warnings": tuple(sources.warnings)}
    wrong = [
        f"{sources.origin((key,))}: unknown setting {key!r}"
        for key in INTERNAL.intersection(sources.values)
    ]
    try:
        validated = model.model_validate(values)
        if not wrong:
            return validated
    except ValidationError as error:
        wrong += [_reason(model, details, sources) for details in error.errors()]
    raise SettingsError(sorted(dict.fromkeys(wrong), key=_by_line))


def setting_paths(model: type[BaseModel], above: KeyPath = ()) -> Iterator[KeyPath]:
    """Yield the path of every setting: ``("udp_limit",)``, ``("tcp", "idle_timeout")``."""
    for name, info in model.model_fields.items():
        if name in INTERNAL:
            continue
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from setting_paths(kind, (*above, name))
        else:
            yield (*above, name)


def variable(path: KeyPath) -> str:
    """Return the variable of a setting: ``NSCTL_TCP_IDLE_TIMEOUT``; ``NSCTL_RRL`` switches."""
    if len(path) > 1 and path[-1] == "enabled":
        path = path[:-1]
    return PREFIX + "_".join(path).upper()


def _read_file(config: Path, sources: Sources) -> None:
    try:
        text = config.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError([f"{config}: {error.strerror or error}"]) from error
    except UnicodeDecodeError as error:
        raise SettingsError([f"{config}: not UTF-8 text ({error})"]) from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([_syntax_reason(config, text, str(error))]) from error
    lines = key_lines(text)
    sources.origins |= {path: f"{config}:{line}" for path, line in lines.items()}
    for path, value in _leaves(values):
        while path not in lines and len(path) > 1 and path[:-1] in lines:
            lines[path] = lines[path[:-1]]
        sources.put(path, value, f"{config}:{lines.get(path, 1)}")


def _syntax_reason(config: Path, text: str, message: str) -> str:
    at = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", message)
    line = (at and at[1]) or text.count("\n") + (not text.endswith("\n"))
    return f"{config}:{line}: {message[: at.start()] if at else message}"


def _leaves(table: Mapping[str, Any], above: KeyPath = ()) -> Iterator[tuple[KeyPath, object]]:
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*above, key))
        else:
            yield (*above, key), value


_HEADER = re.compile(r"\s*\[\[?\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*[A-Za-z0-9_"'-]+)*)\s*=""")


def key_lines(text: str) -> dict[KeyPath, int]:
    """Return the line, from 1, of every key of a TOML text; the standard parser tells none."""
    found: dict[KeyPath, int] = {}
    table: KeyPath = ()
    for number, line in enumerate(text.splitlines(), 1):
        if match := _KEY.match(line):
            found.setdefault(table + _split(match[1]), number)
        elif match := _HEADER.match(line):
            table = _split(match[1])
            found.setdefault(table, number)
    return found


def _split(dotted: str) -> KeyPath:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _reason(model: type[BaseModel], details: ErrorDetails, sources: Sources) -> str:
    path = tuple(str(part) for part in details["loc"])
    keys = tuple(part for part in details["loc"] if isinstance(part, str))
    name = ".".join(keys)
    origin = sources.origin(path if path in sources.origins else keys)
    if details["type"] == "extra_forbidden":
        known = [".".join(path) for path in setting_paths(model)]
        known += [path.split(".")[0] for path in known if "." in path]
        close = difflib.get_close_matches(name, known, n=1)
        return f"{origin}: unknown setting {name!r}" + (
            f"; did you mean {close[0]!r}?" if close else ""
        )
    message = details["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    message = message.partition(", unable to parse")[0]
    given = details["input"]
    shown = f", not {given!r}" if isinstance(given, str | int | float) else ""
    if details["type"] == "value_error":
        shown = ""
    return f"{origin}: {name}: {message}{shown}"


def _by_line(reason: str) -> tuple[str, int, str]:
    """Order reasons by file, then by line as a number."""
    match = re.match(r"(.*?):(\d+): ", reason)
    return (match[1], int(match[2]), reason) if match else (reason, 0, reason)
