"""The valid zones of the Ferret data set: answers as BIND, NSD, Knot or PowerDNS gives them.

ferret/ holds a sample of https://github.com/dns-groot/FerretDataset (MIT, see ferret/LICENSE).
A response is right if it equals at least one of the four servers' in rcode, AA, answer and
authority; records within a section are compared as sets.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from nameserver.respond import AnswerSettings, Transport, respond
from nameserver.table import ServedZone, ZoneState, ZoneTable
from zones.version import ZoneVersion
from zones.zonefile import read_zone_file

FERRET = Path(__file__).parent / "ferret" / "valid.jsonl"


@dataclass(frozen=True)
class Response:
    """What of a response counts."""

    rcode: str
    authoritative: bool
    answer: frozenset[str]
    authority: frozenset[str]


def records(lines: Iterator[str] | list[str]) -> frozenset[str]:
    """Return records in one spelling."""
    return frozenset(" ".join(line.lower().split()) for line in lines)


def expected(lines: list[str]) -> Response:
    """Return a response of the data set: header lines, then sections headed by ``;NAME``."""
    answer, authority, additional = (
        lines.index(head) for head in (";ANSWER", ";AUTHORITY", ";ADDITIONAL")
    )
    return Response(
        rcode=lines[2].split()[1],
        authoritative="AA" in lines[3].split(),
        answer=records(lines[answer + 1 : authority]),
        authority=records(lines[authority + 1 : additional]),
    )


def given(table: ZoneTable, query: dict[str, str]) -> Response:
    """Return our response to a query of the data set."""
    wire = dns.message.make_query(query["Name"], query["Type"]).to_wire()
    response = respond(table, wire, Transport.UDP, AnswerSettings())
    assert isinstance(response, bytes)
    message = dns.message.from_wire(response)
    return Response(
        rcode=dns.rcode.to_text(message.rcode()),
        authoritative=bool(message.flags & dns.flags.AA),
        answer=records(section_lines(message.answer)),
        authority=records(section_lines(message.authority)),
    )


def section_lines(section: list[dns.rrset.RRset]) -> Iterator[str]:
    """Yield the records of a section as the data set writes them."""
    for rrset in section:
        rtype = dns.rdatatype.to_text(rrset.rdtype)
        for rdata in rrset:
            yield f"{rrset.name} {rrset.ttl} IN {rtype} {rdata.to_text()}"


def load(case: dict[str, Any]) -> ZoneTable:
    """Return a table with the case's one zone."""
    packed = read_zone_file(case["zone"], filename=f"ferret-{case['id']}")
    version = ZoneVersion(packed.blob)
    table = ZoneTable()
    table.replace(ServedZone(version.apex, ZoneState.SERVING, version))
    return table


def cases() -> Iterator[Any]:
    """Yield the cases, by their ids in the data set."""
    with FERRET.open() as lines:
        for line in lines:
            case = json.loads(line)
            yield pytest.param(case, id=str(case["id"]))


@pytest.mark.parametrize("case", list(cases()))
def test_as_one_of_the_four(case: dict[str, Any]) -> None:
    """Each query is answered as at least one of the four servers answers it."""
    table = load(case)
    for test in case["tests"]:
        right = [expected(group["Response"]) for group in test["Expected Response"]]
        assert given(table, test["Query"]) in right
