"""Programs that tests need: which are there, and what happens where one is not.

A test says what it needs with ``@pytest.mark.interop("knotd", "kdig")`` or
``@pytest.mark.postgresql``. Without the program it is skipped and the program named at the end of
the run; with ``NSCTL_REQUIRE_PEERS=1``, as in CI, it fails.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

import pytest

# Debian keeps daemons and the PostgreSQL server off the path of ordinary users.
EXTRA_PATHS: Final = (
    "/usr/sbin",
    "/usr/local/sbin",
    *sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True),
)

# Program -> the Debian package that has it.
PACKAGES: Final = {
    "knotd": "knot",
    "kdig": "knot-dnsutils",
    "named": "bind9",
    "rndc": "bind9",
    "dig": "bind9-dnsutils",
    "delv": "bind9-dnsutils",
    "dnssec-keygen": "bind9-utils",
    "dnssec-signzone": "bind9-utils",
    "nsd": "nsd",
    "pdns_server": "pdns-server",
    "dnsperf": "dnsperf",
    "postgres": "postgresql",
    "initdb": "postgresql",
}


def find_program(name: str) -> str | None:
    """Return the path of a program, also where it stands off the usual path."""
    return shutil.which(name) or shutil.which(name, path=os.pathsep.join(EXTRA_PATHS))


def required() -> bool:
    """Tell whether a missing program is a failure and not a reason to skip."""
    return os.environ.get("REQUIRE_PEERS") == "1"


def needs(item: pytest.Item) -> set[str]:
    """Return the programs that a test names in its marks."""
    programs = {str(program) for mark in item.iter_markers("interop") for program in mark.args}
    if item.get_closest_marker("postgresql"):
        programs |= {"initdb", "postgres"}
    return programs


def missing(item: pytest.Item) -> list[str]:
    """Return the programs that a test needs and this machine has not, with their packages."""
    absent = sorted(program for program in needs(item) if find_program(program) is None)
    return [f"{program} (Debian: {PACKAGES.get(program, program)})" for program in absent]
