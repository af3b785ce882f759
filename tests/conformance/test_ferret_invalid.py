"""The ill-formed zones of the Ferret data set: refused by the right rule, or accepted and told.

ferret/ holds a sample of https://github.com/dns-groot/FerretDataset (Kakarla et al., "SCALE:
Automatically Finding RFC Compliance Bugs in DNS Nameservers", NSDI 2022; MIT, see ferret/LICENSE).
Its conditions of ill-formed zones are numbered 1 to 9.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from zones.check import check
from zones.finding import errors
from zones.zonefile import read_zone_file

FERRET = Path(__file__).parent / "ferret"

REFUSED = {
    2: "soa-missing",  # not exactly one SOA record: RFC 1035 5.2
    4: "cname-and-other-data",  # RFC 2181 10.1
    5: "dname-multiple",  # RFC 6672 2.4
    6: "dname-and-ns",  # RFC 6672 2.3
    7: "names-below-dname",  # RFC 6672 2.4
}
TOLD = {
    1: "duplicate",  # merged: RFC 2181 5
    3: "out-of-zone",  # dropped: RFC 1034 4.2.1
    8: "below-delegation",  # not answered: RFC 1034 4.2.1
    9: "glue-missing",  # RFC 1034 4.2.1, RFC 9471 3
}


def cases(conditions: dict[int, str]) -> Iterator[Any]:
    """Yield zone text and rule of the cases with these conditions."""
    with (FERRET / "invalid.jsonl").open() as lines:
        for case in map(json.loads, lines):
            condition = case["condition"]
            if condition in conditions:
                name = f"condition{condition}-{case['id']}"
                yield pytest.param(case["zone"], conditions[condition], id=name)


def repeats_a_line(zone: str) -> bool:
    """Tell whether a zone file has a line twice."""
    lines = zone.splitlines()
    return len(set(lines)) < len(lines)


@pytest.mark.parametrize(("zone", "rule"), list(cases(REFUSED)))
def test_refused(zone: str, rule: str) -> None:
    """A zone that cannot be served as it is meant is refused, by the rule that it breaks."""
    findings = check(read_zone_file(zone, filename="ferret"))
    assert rule in {finding.rule for finding in errors(findings)}


@pytest.mark.parametrize(("zone", "rule"), list(cases(TOLD)))
def test_accepted_with_a_warning(zone: str, rule: str) -> None:
    """A zone that can be served all the same is accepted, and its owner told what is wrong.

    Some of the zones for condition 1 have two different addresses and repeat nothing.
    """
    findings = check(read_zone_file(zone, filename="ferret"))
    assert errors(findings) == []
    if rule != "duplicate" or repeats_a_line(zone):
        assert rule in {finding.rule for finding in findings}


def test_valid_zones_have_no_errors() -> None:
    """None of the data set's valid zones would be refused."""
    with (FERRET / "valid.jsonl").open() as lines:
        for case in map(json.loads, lines):
            findings = check(read_zone_file(case["zone"], filename=f"ferret-{case['id']}"))
            assert errors(findings) == []
