"""``nsctl policy``: the rules that differ by contract and registry, as data with their sources."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.app import App
from cli.command import Command, Group, did_you_mean
from cli.output import count, emit, print_table, put
from zones.errors import DNSError

if TYPE_CHECKING:
    from registrar.policy import Policies

policy = Group("policy", help="Contracts and registries: the rules that registrations are under.")


def load(app: App) -> Policies:
    """Return the policies in force: the shipped ones, and those of the settings over them."""
    from registrar import policy_files

    return policy_files.load(app.settings(quiet=True).desk.policies)


@policy.command("list", cls=Command, example="nsctl policy list")
@click.pass_obj
def list_(app: App) -> None:
    """List the contracts, the profiles of registries, and the catalogues of products."""
    own = _own_files(app)
    data = [
        {
            "policy": name,
            "kind": model.kind,
            "title": model.title,
            "source": model.source,
            "changed": f"{name}.toml" in own,
        }
        for name, model in _models(load(app)).items()
    ]
    rows = [
        (one["policy"], one["title"], "your own" if one["changed"] else "shipped") for one in data
    ]
    emit(app, data, lambda: print_table(("Policy", "Title", "File"), rows))


@policy.command(
    "show",
    cls=Command,
    example="""nsctl policy show contract-h
    nsctl policy show tld-de""",
)
@click.argument("name", metavar="POLICY")
@click.pass_obj
def show(app: App, name: str) -> None:
    """Show every value of POLICY with its source."""
    models = _models(load(app))
    if name not in models:
        close = did_you_mean(name, models)
        raise DNSError(f"there is no policy {name!r}{close}; nsctl policy list has them all")
    data = models[name].model_dump(mode="json")
    emit(app, data, lambda: _print(name, data))


@policy.command(
    "check",
    cls=Command,
    example="""nsctl policy check
    nsctl policy check ./policies/contract-h.toml ./policies/tld-de.toml""",
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.pass_obj
def check(app: App, files: tuple[Path, ...]) -> None:
    """Check FILES laid over the shipped policies; without any, those of the settings.

    A directory stands for the .toml files in it. Every fault is told with file and line.
    """
    from registrar import policy_files, policy_text

    over = _read(files) if files else _own_files(app)
    texts = policy_files.shipped() | {path.name: text for path, text in over.values()}
    paths = {name: str(path) for name, (path, _text) in over.items()}
    faults = policy_text.faults(
        policy_files.shipped(), {name: text for name, (_path, text) in over.items()}
    )
    told = [
        {
            "file": paths.get(fault.file, fault.file),
            "line": _line(texts.get(fault.file, ""), fault.key, fault.sentence),
            "key": fault.key,
            "fault": fault.sentence,
        }
        for fault in faults
    ]
    data = {"files": list(paths.values()), "ok": not told, "faults": told}
    emit(app, data, lambda: _tell(told, len(texts), len(over)))
    if told:
        raise click.exceptions.Exit(1)


def _tell(told: list[dict[str, Any]], files: int, own: int) -> None:
    for one in told:
        place = f"{one['file']}:{one['line']}"
        key = f"{one['key']}: " if one["key"] else ""
        click.secho(f"{place}: {key}{one['fault']}", fg="red")
    own_files = f", {own} of them your own" if own else ""
    sum_of = count(len(told), "fault") if told else "all is well"
    click.secho(
        f"{count(files, 'policy file')}{own_files}: {sum_of}", fg="red" if told else "green"
    )


def _models(policies: Policies) -> dict[str, Any]:
    """Return all policies by the names of their files, without the ending."""
    groups: list[tuple[str, dict[str, Any]]] = [
        ("contract", dict(policies.contracts)),
        ("tld", dict(policies.tlds)),
        ("products", dict(policies.catalogues)),
    ]
    return {
        f"{kind}-{number}": model for kind, models in groups for number, model in models.items()
    }


def _own_files(app: App) -> dict[str, tuple[Path, str]]:
    directory = app.settings(quiet=True).desk.policies
    return _read([directory]) if directory else {}


def _read(paths: tuple[Path, ...] | list[Path]) -> dict[str, tuple[Path, str]]:
    """Return path and text of each file by its name; raises ``DNSError`` with every reason."""
    found, reasons = {}, []
    for path in paths:
        for file in sorted(path.glob("*.toml")) if path.is_dir() else [path]:
            try:
                found[file.name] = file, file.read_text(encoding="utf-8")
            except (OSError, UnicodeError) as error:
                reasons.append(f"{file}: {getattr(error, 'strerror', None) or error}")
    if reasons:
        raise DNSError("\n".join(reasons))
    return found


def _line(text: str, key: str, sentence: str) -> int:
    """Return the line of a key, or of the nearest around it; 1 where a file has none of them."""
    import re

    from nameserver.settings_sources import key_lines

    if not key and (at := re.search(r"at line (\d+)", sentence)):
        return int(at[1])
    if "end of document" in sentence:
        return max(1, len(text.splitlines()))
    lines = key_lines(text)
    path = tuple(key.split("."))
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def _print(name: str, data: dict[str, Any]) -> None:
    from rich.table import Table
    from rich.text import Text

    put(Text(f"{name}  {data['title']}", style="bold"))
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in ("Rule", "Value", "Source"):
        table.add_column(column, overflow="fold")
    for key, value, source in rules_of(data):
        table.add_row(key, Text(value), Text(source, style="dim"))
    put(table)


def rules_of(data: dict[str, Any], above: str = "") -> list[tuple[str, str, str]]:
    """Return key, value and source of each rule of a policy, those in tables included."""
    found = []
    source = str(data.get("source", ""))
    for key, value in data.items():
        name = f"{above}{key}"
        if key in ("id", "kind", "title", "source"):
            continue
        if isinstance(value, dict) and "value" in value:
            found.append((name, shown(value["value"]), str(value["source"])))
        elif isinstance(value, dict):
            found += rules_of(value, f"{name}.")
        elif value not in (None, [], "") and not (value == 0 and name.startswith("notice.")):
            found.append((name, shown(value), source if above else ""))
    return found


def shown(value: object) -> str:
    """Return a value of a policy as people write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(shown(one) for one in value) or "none"
    if isinstance(value, dict):
        return " ".join(str(one) for one in value.values())
    return str(value)
