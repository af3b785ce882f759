"""The command line as such: help, unknown commands, errors, common options, start-up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from cli.command import Group
from cli.main import LAZY, cli
from tests.unit.cli_fixtures import Nsctl, nsctl

__all__ = ["nsctl"]


def commands(
    group: Group, path: tuple[str, ...] = ()
) -> list[tuple[tuple[str, ...], click.Command]]:
    """Return every command below a group with its path."""
    found: list[tuple[tuple[str, ...], click.Command]] = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, Group):
            found += commands(command, (*path, name))
        else:
            found.append(((*path, name), command))
    return found


ALL = commands(cli)


@pytest.mark.parametrize("path", [path for path, _ in ALL], ids=" ".join)
def test_every_command_explains_itself(path: tuple[str, ...], nsctl: Nsctl) -> None:
    """Each command has a help of at most 100 columns with an example that names the command."""
    help_text = nsctl(*path, "--help").stdout
    assert f"Usage: nsctl {' '.join(path)}" in help_text
    assert "Example" in help_text
    assert f"nsctl {' '.join(path)}" in help_text.partition("Example")[2]
    assert max(map(len, help_text.splitlines())) <= 100


@pytest.mark.parametrize(
    "arguments", [["zone", "list"], ["secondary", "list"], ["key", "list"], ["peer", "list"]]
)
def test_json_before_or_after_the_command(arguments: list[str], nsctl: Nsctl) -> None:
    """``--json`` means the same wherever it stands."""
    group, name = arguments
    for line in (["--json", group, name], [group, "--json", name], [group, name, "--json"]):
        assert json.loads(nsctl(*line).stdout) == []


def test_database_after_the_command(nsctl: Nsctl, tmp_path: Path) -> None:
    """``--database`` may follow the command, and wins over the variable."""
    other = f"sqlite:///{tmp_path}/other.db"
    nsctl("zone", "add", "example.org", "--database", other)
    assert nsctl.json("zone", "list") == []
    assert nsctl.json("--database", other, "zone", "list")[0]["zone"] == "example.org"


def test_every_option_says_what_it_is_for() -> None:
    """No command has an option without a word about it, and every group has one."""
    silent = [
        f"nsctl {' '.join(path)} {param.opts[0]}"
        for path, command in ALL
        for param in command.params
        if isinstance(param, click.Option) and not param.hidden and not param.help
    ]
    assert not silent


def test_every_command_takes_the_common_options() -> None:
    """Each command knows ``--json``, ``--database``, ``--config`` and ``--debug`` after its name."""
    common = {"--json", "--database", "--config", "--debug", "--actor"}
    lacking = {
        " ".join(path): missing
        for path, command in ALL
        if (missing := common - {name for param in command.params for name in param.opts})
    }
    assert not lacking


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["zoen"], "no such command 'zoen'; did you mean 'zone'?"),
        (["zone", "lsit"], "no such command 'lsit'; did you mean 'list'?"),
        (["zone", "add"], "missing argument 'ZONE...'"),
        (["zone", "list", "--mdoe", "x"], "no such option"),
        (["zone", "add", "a..b"], "'a..b' is not a domain name"),
        (["secondary", "add", "example.org", "--primary", "ns1"], "is not an address"),
        (["secondary", "add", "example.org", "--primary", "192.0.2.1@x"], "is not a port"),
        (["secondary", "add", "example.org"], "missing option '--primary'"),
    ],
)
def test_usage_errors(arguments: list[str], told: str, nsctl: Nsctl) -> None:
    """A wrong command line is told in a line, with the way to the help; the exit code is 2."""
    done = nsctl(*arguments, code=2)
    assert told in done.stderr.lower() or told in done.stderr
    assert "--help' for help" in done.stderr
    assert done.stdout == ""


def test_wrong_settings_exit_with_2(nsctl: Nsctl) -> None:
    """All wrong settings are told with file and line, whatever the command."""
    path = nsctl.file("nsctl.toml", "workers = 0\nlisten = ['x']\n")
    for command in (["zone", "list"], ["serve"], ["status"]):
        done = nsctl("--config", path, *command, code=2)
        assert f"{path}:1: workers" in done.stderr
        assert f"{path}:2: listen" in done.stderr


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mysql://x/y", "is not supported"),
        ("sqlite:////proc/no/such.db", "cannot be created or opened"),
        ("sqlite:////etc/hostname", "not a SQLite database"),
    ],
)
def test_a_broken_database_is_a_reason(url: str, told: str, nsctl: Nsctl) -> None:
    """A database that cannot be opened is told in one line; nothing is changed."""
    done = nsctl("--database", url, "zone", "list", code=1)
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_unexpected_error_is_one_line(nsctl: Nsctl, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug shows as a line and a hint; the traceback is shown with ``--debug`` only."""
    monkeypatch.setattr("storage.zones.list_zones", lambda *_, **__: 1 / 0)
    done = nsctl("zone", "list", code=1)
    assert "unexpected ZeroDivisionError" in done.stderr
    assert "--debug" in done.stderr


def test_unknown_zone_with_a_guess(nsctl: Nsctl) -> None:
    """Every command that names a zone tells an unknown one, and what may have been meant."""
    nsctl("zone", "add", "example.org")
    for command in ("zone show", "record list", "secondary status", "zone history", "zone export"):
        done = nsctl(*command.split(), "example.ogr", code=1)
        assert done.stderr == "nsctl: no such zone example.ogr; did you mean example.org?\n"


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def test_help_imports_nothing_heavy() -> None:
    """The help is there at once: it loads neither the store nor the settings nor rich."""
    code = (
        "import sys\nfrom cli.main import cli\n"
        "try: cli.main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'sqlalchemy', 'pydantic', 'rich', 'dns', 'asyncio', 'cryptography'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(module.startswith("cli.") for module, _ in LAZY.values())


def test_a_reader_who_goes_away(tmp_path: Path) -> None:
    """A closed pipe ends a command without a word."""
    url = f"sqlite:///{tmp_path}/nsctl.db"
    names = "".join(f"zone{number}.example\n" for number in range(3000))
    (tmp_path / "names").write_text(names)
    run("secondary", "add", "--file", f"{tmp_path}/names", "--primary", "192.0.2.1",
        NSCTL_DATABASE=url)  # fmt: skip
    done = subprocess.run(
        ["/bin/sh", "-c", f"'{sys.executable}' -m cli zone list | head -1"],
        env={**os.environ, "NSCTL_DATABASE": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("Zone")
    assert done.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str, nsctl: Nsctl) -> None:
    """There is a completion script for each shell."""
    assert "_NSCTL_COMPLETE" in nsctl("completion", shell).stdout


def test_zone_names_are_completed(tmp_path: Path) -> None:
    """Zone names are completed from the database in use, be it given by an option."""
    url = f"sqlite:///{tmp_path}/nsctl.db"
    run("zone", "add", "example.org", "other.example", NSCTL_DATABASE=url)
    words = f"nsctl --database {url} zone show exa"
    done = run(_NSCTL_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD="5")
    assert done.stdout == "plain,example.org\n"
