"""What is tested with which other server: the rows of docs/interop.md, and the page itself.

Tests say which cell of the table they are by ``@pytest.mark.cell(ROW, SERVER...)``; where the server
is a parameter of the test, by ``@pytest.mark.cell(ROW)``. ``python -m tests.interop.matrix`` runs
them all and writes the page when all have passed, with the versions installed on this machine.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.interop.cells import Cells, run
from tests.interop.every_type import REFUSED, UNNAMED, UNSENT
from tests.peers import Bind, Knot, Nsd, PowerDNS
from tests.requirements import find_program

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "interop.md"
KNOT, BIND, NSD, POWERDNS = SERVERS = tuple(server.title for server in (Knot, Bind, Nsd, PowerDNS))
VERSIONS: Final = {
    KNOT: ("knotd", "--version"),
    BIND: ("named", "-v"),
    NSD: ("nsd", "-v"),
    POWERDNS: ("pdns_server", "--version"),
}
NUMBER: Final = re.compile(r"\d+\.\d+(\.\d+)?")

# Part of the page -> row, as the tests name it -> what is tested.
ROWS: Final = {
    "As hidden primary above us": {
        "above: notify": "NOTIFY, SOA query, AXFR: the change is served",
        "above: faulty": "a faulty update is refused and told",
        "above: tsig": "TSIG on NOTIFY, SOA query and transfer",
        "above: algorithms": "all TSIG algorithms",
        "above: wrong key": "wrong secret, unknown key, no key where one is wanted",
        "above: ixfr": "IXFR, signed by TSIG and not",
        "above: random ixfr": "random changes by IXFR end in what AXFR brings",
        "above: whole": "asked for changes that it does not have, it sends the whole zone",
        "above: nsec": "a zone with NSEC that it signs, as it changes",
        "above: nsec3": "a zone with NSEC3 that it signs, as it changes",
        "above: presigned": "zones signed elsewhere: NSEC, NSEC3, opt-out",
        "above: types": "a zone with a record of every type",
        "above: catalog": "its catalog brings its zones (RFC 9432)",
        "above: tls": "SOA queries and transfers over TLS (RFC 9103), by name or by pin",
    },
    "As secondary below us": {
        "below: notify": "AXFR of many messages and NOTIFY, signed by TSIG and not",
        "below: wrong key": "wrong secret, unknown key, no key: it gets nothing",
        "below: ixfr": "IXFR from the versions that we keep, signed by TSIG and not",
        "below: signed": "a zone with NSEC or NSEC3: its answers validate, before and after a change",
        "below: types": "a zone with a record of every type",
        "below: catalog": "our catalog brings it our zones (RFC 9432)",
        "below: tls": "transfers over TLS alone (RFC 9103)",
    },
    "Beside us": {"beside: answers": "the same answers to the same questions"},
}

WHAT: Final = {row: what for rows in ROWS.values() for row, what in rows.items()}

# What has to be known of a row.
NOTES: Final = {
    "below: ixfr": (
        "PowerDNS 4.7 answers for names that came by IXFR after `pdnsutil rectify-zone` only; NSD is"
        " told to ask for IXFR by leaving `AXFR` out of `request-xfr`"
    ),
    "above: ixfr": "NSD is told to keep differences by `store-ixfr` and `create-ixfr`",
}

# Why a cell is empty.
NO_TLS: Final = "does no transfers over TLS"
CANNOT: Final[Mapping[tuple[str, str], str]] = {
    ("above: ixfr", POWERDNS): "PowerDNS 4.7 keeps no differences: it answers IXFR with AXFR",
    (
        "above: random ixfr",
        POWERDNS,
    ): "PowerDNS 4.7 keeps no differences: it answers IXFR with AXFR",
    ("above: nsec", NSD): "NSD 4.6 signs nothing: its zones are signed elsewhere",
    ("above: nsec3", NSD): "NSD 4.6 signs nothing: its zones are signed elsewhere",
    ("above: presigned", POWERDNS): (
        "PowerDNS 4.7 does not serve a zone right that was signed elsewhere and loaded by `pdnsutil`:"
        " it answers SERVFAIL where NSEC3 is to be proof, and its NSEC of a delegation is not signed"
    ),
    ("above: catalog", NSD): "NSD 4.6 knows no catalog zones",
    ("below: catalog", NSD): "NSD 4.6 knows no catalog zones",
    ("above: tls", KNOT): f"Knot DNS 3.2 {NO_TLS}",
    ("below: tls", KNOT): f"Knot DNS 3.2 {NO_TLS}",
    ("above: tls", POWERDNS): f"PowerDNS 4.7 {NO_TLS}",
    ("below: tls", POWERDNS): f"PowerDNS 4.7 {NO_TLS}",
    ("beside: answers", POWERDNS): (
        "PowerDNS answers from a database of records: what it does otherwise than the three others"
        " is in the data set of `tests/conformance/test_ferret_valid.py`"
    ),
}

HEAD: Final = """\
# Working with other servers

What runs in CI with real servers of other makers, as Debian has them. Each `yes` is one test or
several; they are named below. Where there is a number, the server cannot do what is tested, and the
list of reasons says so. The page is written by `python -m tests.interop.matrix`, which runs the
tests and writes nothing unless all of them pass; another test holds it to the tests that there are.

What a hostile primary can do is in `tests/interop/test_hostile_primary.py`,
`tests/interop/test_hostile_streams.py` and `tests/unit/test_axfr_hostile.py`: those use a primary
made for it.

"""


def page(cells: Cells, versions: Mapping[str, str]) -> str:
    """Return docs/interop.md for these tests of cells, and the versions that they ran with."""
    told = ", ".join(f"{server} {versions.get(server, '(not installed)')}" for server in SERVERS)
    reasons = list(dict.fromkeys(CANNOT.values()))
    parts = [HEAD, f"Versions: {told}.\n"]
    for title, rows in ROWS.items():
        parts += [f"\n## {title}\n\n", *table(rows, cells, reasons)]
    parts += ["\n## Reasons\n\n"]
    parts += [f"{number}. {reason}.\n" for number, reason in enumerate(reasons, 1)]
    parts += ["\n## Notes\n\n"]
    parts += [f"- {WHAT[row]}: {note}.\n" for row, note in NOTES.items()]
    parts += ["\n## Every type\n\n", *types()]
    parts += ["\n## The tests\n\n", *tests(cells)]
    return "".join(parts)


def table(rows: Mapping[str, str], cells: Cells, reasons: list[str]) -> list[str]:
    """Return the table of a part, a line each."""
    lines = [f"| what | {' | '.join(SERVERS)} |\n", "|---|" + "---|" * len(SERVERS) + "\n"]
    for row, what in rows.items():
        shown = []
        for server in SERVERS:
            reason = CANNOT.get((row, server))
            number = f"({reasons.index(reason) + 1})" if reason else "untested"
            shown.append("yes" if (row, server) in cells else number)
        lines.append(f"| {what} | {' | '.join(shown)} |\n")
    return lines


def types() -> list[str]:
    """Return what each server makes of the zone with every type."""
    lines = [
        "The zone has a record of each type that dnspython knows, and of types that nobody knows,\n",
        "but for those that stand only in messages. What the servers make of it:\n\n",
    ]
    for server in (Knot, Bind, Nsd, PowerDNS):
        told = [
            f"{what} {', '.join(found)}"
            for what, found in (
                ("in its zone files by number only (RFC 3597):", UNNAMED[server]),
                ("refused in any form:", REFUSED[server]),
                ("loaded, but sent only as it makes them itself:", UNSENT[server]),
            )
            if found
        ]
        lines.append(f"- {server.title}: {'; '.join(told)}.\n")
    return lines


def tests(cells: Cells) -> list[str]:
    """Return the tests of each row."""
    lines = ["| what | tests |\n", "|---|---|\n"]
    for rows in ROWS.values():
        for row, what in rows.items():
            found = dict.fromkeys(
                f"`{file}` {name}"
                for server in SERVERS
                for file, name in cells.get((row, server), ())
            )
            lines.append(f"| {what} | {'<br>'.join(found)} |\n")
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


def main() -> int:
    """Run the tests of all cells; write the page when they pass. Arguments go to pytest."""
    cells, failed = run(*sys.argv[1:])
    if not failed:
        PAGE.write_text(page(cells, installed()), encoding="utf-8")
    return failed


if __name__ == "__main__":
    sys.exit(main())
