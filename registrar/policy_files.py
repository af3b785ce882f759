"""Where policy files are: those that are shipped, and a directory of the operator's."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path

from registrar import policy_text
from registrar.errors import PolicyError
from registrar.policy import Policies


@cache
def shipped() -> dict[str, str]:
    """Return the texts of the shipped policy files by name."""
    directory = resources.files("registrar") / "policies"
    return {
        file.name: file.read_text(encoding="utf-8")
        for file in directory.iterdir()
        if file.name.endswith(".toml")
    }


def of_directory(directory: Path) -> dict[str, str]:
    """Return the texts of the policy files in a directory; raises ``PolicyError``."""
    try:
        return {
            path.name: path.read_text(encoding="utf-8")
            for path in sorted(directory.iterdir())
            if path.suffix == ".toml"
        }
    except (OSError, UnicodeError) as error:
        raise PolicyError(f"{directory}: {error}") from error


def load(directory: Path | None = None) -> Policies:
    """Return the shipped policies, with those of a directory laid over them.

    Raises ``PolicyError`` with every fault.
    """
    return policy_text.parse(shipped(), of_directory(directory) if directory else None)


def check(directory: Path | None = None) -> list[str]:
    """Return every fault of the policy files as ``file: key: fault``; none is good."""
    return policy_text.check(shipped(), of_directory(directory) if directory else None)
