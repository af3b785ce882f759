"""What is tested with which other server: the source of docs/interop.md.

``python -m tests.interop.matrix`` writes the page, with the versions installed on this machine.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.requirements import find_program

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "interop.md"
KNOT, BIND, NSD, POWERDNS = SERVERS = ("Knot DNS", "BIND", "NSD", "PowerDNS")
ALL: Final = frozenset(SERVERS)
VERSIONS: Final = {
    KNOT: ("knotd", "--version"),
    BIND: ("named", "-v"),
    NSD: ("nsd", "-v"),
    POWERDNS: ("pdns_server", "--version"),
}
NUMBER: Final = re.compile(r"\d+\.\d+(\.\d+)?")


@dataclass(frozen=True)
class Row:
    """One thing that is tested with some of the servers, by one test function."""

    what: str
    test: str
    servers: frozenset[str]
    otherwise: str = ""  # why the others are not among them


def row(what: str, test: str, *servers: str, otherwise: str = "") -> Row:
    """Return a row; without servers all are meant."""
    return Row(what, test, frozenset(servers) or ALL, otherwise)


NO_IXFR = "NSD and PowerDNS keep no differences of zones from files and databases"
NO_CATALOG = "NSD 4.6 knows no catalog zones"
NO_TLS = "Knot 3.2 and PowerDNS 4.7 do no transfers over TLS"
SCENARIO, INTEROP = "tests/scenario", "tests/interop"
AS_PRIMARY: Final = (
    row(
        "NOTIFY, SOA query, AXFR: the change is served",
        f"{SCENARIO}/test_hidden_primary.py::test_notify_brings_the_new_version",
    ),
    row(
        "a faulty update is refused and told",
        f"{SCENARIO}/test_hidden_primary.py::test_faulty_update_of_a_real_primary_is_refused",
    ),
    row(
        "TSIG on NOTIFY, SOA query and transfer",
        f"{INTEROP}/test_tsig.py::test_signed_transfer_and_notify",
    ),
    row(
        "asked without the key that it wants",
        f"{INTEROP}/test_tsig.py::test_primary_that_wants_a_key_refuses_us_without",
    ),
    row("wrong secret, unknown key", f"{INTEROP}/test_tsig.py::test_wrong_key_is_told"),
    row("all TSIG algorithms", f"{INTEROP}/test_tsig.py::test_every_algorithm", KNOT),
    row(
        "IXFR, signed and unsigned",
        f"{INTEROP}/test_ixfr.py::test_changes_come_by_ixfr",
        KNOT,
        BIND,
        otherwise=NO_IXFR,
    ),
    row(
        "random changes by IXFR end in what AXFR brings",
        f"{INTEROP}/test_ixfr.py::test_any_changes_end_in_what_axfr_brings",
        KNOT,
        BIND,
        otherwise=NO_IXFR,
    ),
    row(
        "a zone that it signs, NSEC and NSEC3, as it changes",
        f"{INTEROP}/test_signed.py::test_zone_signed_by_knot_as_it_changes",
        KNOT,
    ),
    row(
        "its catalog brings its zones (Knot)",
        f"{INTEROP}/test_catalogs.py::test_we_follow_a_catalog_of_knot",
        KNOT,
    ),
    row(
        "its catalog brings its zones (BIND)",
        f"{INTEROP}/test_catalogs.py::test_we_follow_a_catalog_of_bind",
        BIND,
    ),
    row(
        "its catalog brings its zones (PowerDNS)",
        f"{INTEROP}/test_catalogs.py::test_we_follow_a_catalog_of_powerdns",
        POWERDNS,
        otherwise=NO_CATALOG,
    ),
    row(
        "SOA queries and transfers over TLS (RFC 9103), by name or by pin",
        f"{INTEROP}/test_tls.py::test_from_a_primary_over_tls",
        BIND,
        NSD,
        otherwise=NO_TLS,
    ),
)
AS_SECONDARY: Final = (
    row(
        "AXFR of many messages and NOTIFY, signed and unsigned",
        f"{INTEROP}/test_transfer_out.py::test_each_server_follows_us",
    ),
    row(
        "IXFR from the versions that we keep",
        f"{INTEROP}/test_ixfr.py::test_secondaries_get_differences_from_us",
        KNOT,
        BIND,
        otherwise="NSD and PowerDNS take ours by AXFR",
    ),
    row(
        "our catalog brings it our zones",
        f"{INTEROP}/test_catalogs.py::test_each_server_follows_our_catalog",
        KNOT,
        BIND,
        POWERDNS,
        otherwise=NO_CATALOG,
    ),
    row(
        "transfers over TLS alone",
        f"{INTEROP}/test_tls.py::test_to_a_secondary_over_tls",
        BIND,
        NSD,
        otherwise=NO_TLS,
    ),
)
ANSWERS: Final = (
    row(
        "the same answers to the same questions",
        f"{INTEROP}/test_differential.py::test_same_answers",
        KNOT,
        BIND,
        NSD,
    ),
)

HEAD: Final = """\
# Working with other servers

What runs in CI with real servers of other makers, as Debian has them. Each line is a test; `-` means
that there is none with that server; where it cannot do what is tested, the end of the page says so.
The page is written by `tests/interop/matrix.py`, which names the tests.

What a primary that is hostile can do is in `tests/interop/test_hostile_primary.py` and `tests/unit/test_axfr_hostile.py`: those use a
primary made for it.

"""


def page(versions: dict[str, str]) -> str:
    """Return docs/interop.md."""
    told = ", ".join(f"{server} {versions.get(server, '(not installed)')}" for server in SERVERS)
    parts = [HEAD, f"Versions: {told}.\n\n"]
    for title, rows in (
        ("As hidden primary above us", AS_PRIMARY),
        ("As secondary below us", AS_SECONDARY),
        ("Beside us", ANSWERS),
    ):
        parts += [f"## {title}\n\n", *table(rows), "\n"]
    reasons = dict.fromkeys(
        one.otherwise for one in (*AS_PRIMARY, *AS_SECONDARY, *ANSWERS) if one.otherwise
    )
    return "".join([*parts, "## What they cannot\n\n", *(f"- {r}.\n" for r in reasons)])


def table(rows: tuple[Row, ...]) -> list[str]:
    """Return a table, a line each."""
    lines = [
        f"| what | {' | '.join(SERVERS)} | test |\n",
        "|---|" + "---|" * len(SERVERS) + "---|\n",
    ]
    for one in rows:
        cells = " | ".join("yes" if server in one.servers else "-" for server in SERVERS)
        file, _, test = one.test.partition("::")
        lines.append(f"| {one.what} | {cells} | `{file}` {test} |\n")
    return lines


def installed() -> dict[str, str]:
    """Return the versions of the servers on this machine."""
    found = {}
    for server, (program, option) in VERSIONS.items():
        path = find_program(program)
        if path is None:
            continue
        done = subprocess.run([path, option], capture_output=True, text=True, check=False)
        if number := NUMBER.search(done.stdout + done.stderr):
            found[server] = number.group()
    return found


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(installed()), encoding="utf-8")


if __name__ == "__main__":
    main()
