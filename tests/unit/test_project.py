"""What pyproject.toml says agrees with the sources."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = PROJECT["tool"]["importlinter"]["root_packages"]

# Loaded by another library, and so named in no import of ours.
LOADED = {"idna"}  # by dnspython, for U-labels
# Part of another distribution, which asks for exactly the version it needs.
PART_OF = {"pydantic-core": "pydantic"}


def imported_modules() -> set[str]:
    """Return the top-level modules that the packages import, at any depth."""
    found = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    found |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    found.add(node.module.partition(".")[0])
    return found - set(PACKAGES) - set(sys.stdlib_module_names)


def test_dependencies_are_what_is_imported() -> None:
    """Nothing is imported that is not declared, and nothing declared that is not imported."""
    declared = {
        re.split(r"[^\w-]", requirement)[0].lower()
        for requirement in PROJECT["project"]["dependencies"]
    }
    distributions = packages_distributions()
    named = {distributions.get(name, [name])[0] for name in imported_modules()}
    imported = {name.lower().replace("_", "-") for name in named}
    assert {PART_OF.get(name, name) for name in imported} | LOADED == declared


def test_every_package_is_shipped_and_checked() -> None:
    """The wheel, the type checker and the layers know all packages."""
    shipped = {
        name.rstrip("*") for name in PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
    }
    assert shipped == set(PACKAGES)
    assert shipped <= set(PROJECT["tool"]["mypy"]["packages"])
