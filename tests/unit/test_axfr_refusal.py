"""Refusals: complete tables, and words that a customer understands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from axfr import refusal, settling
from axfr.errors import TransferError
from zones import rules as zone_rules
from zones.finding import Finding, Severity
from zones.name import from_text
from zones.rrset import CNAME
from zones.secondary import SecondaryState

NOW = 1_700_000_000.0
APEX = from_text("example.org")
SERVED = SecondaryState(APEX, serial=7, expires_at=NOW + 60)
CLASH = Finding(
    "cname-and-other-data",
    Severity.ERROR,
    from_text("www.example.org"),
    CNAME,
    "www.example.org has a CNAME and other records",
    "Remove one of them.",
)
WARNING = Finding("glue-missing", Severity.WARNING, APEX, 2, "no glue", "Add it.")


def test_rule_ids_are_unique_over_both_tables() -> None:
    """A rule id names one rule, be it about content or about the way."""
    assert not refusal.RULES.keys() & zone_rules.RULES.keys()


@pytest.mark.parametrize("rule", refusal.RULES.values(), ids=lambda rule: rule.id)
def test_rules_are_told_completely(rule: zone_rules.Rule) -> None:
    """Every rule has an explanation, a fix and a source, in sentences."""
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.id)
    assert rule.explanation.endswith(".")
    assert rule.fix.endswith(".")
    assert rule.source
    assert not rule.headline.endswith(".")


def test_every_rule_that_the_code_names_is_in_the_table() -> None:
    """No error is raised under a rule that nobody could look up."""
    source = "".join(path.read_text() for path in Path(refusal.__file__).parent.glob("*.py"))
    named = set(re.findall(r'(?:[_.]error|Error)\(\s*(?:[a-z_.]+,\s*)*"([a-z-]+)"', source))
    named |= {rule for rule, _ in refusal.RCODES.values()} | settling.NO_ANSWER | settling.LASTING
    assert len(named) > 10
    assert named <= refusal.RULES.keys()


def test_findings_become_refusals() -> None:
    """Each finding that refuses becomes a refusal; warnings do not."""
    (told,) = refusal.from_findings([WARNING, CLASH], SERVED, NOW)
    assert told.rule == "cname-and-other-data"
    assert told.record == "www.example.org CNAME"
    assert told.fix == "Remove one of them."
    assert told.served_meanwhile.startswith("Serial 7 stays in service until 2023-11-14 22:14:20")


def test_reason_of_many_findings() -> None:
    """A reason tells the first few findings and counts the rest."""
    assert refusal.reason_of([WARNING, CLASH]) == CLASH.sentence
    assert refusal.reason_of([CLASH] * 8).endswith("; and 3 more")


def test_error_becomes_refusal() -> None:
    """A failed transfer is told with the fix of its rule."""
    told = refusal.from_error(
        TransferError(APEX, "192.0.2.1@53", "timeout", "no answer"), SERVED, NOW
    )
    assert (told.sentence, told.fix) == ("no answer", refusal.RULES["timeout"].fix)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (SecondaryState(APEX), "Nothing is served: no version"),
        (SecondaryState(APEX, serial=7), "Serial 7 stays in service."),
        (SecondaryState(APEX, serial=7, expires_at=NOW), "Nothing is served: serial 7 expired"),
    ],
)
def test_what_is_served_meanwhile(state: SecondaryState, said: str) -> None:
    """The customer reads what is answered until he has mended his zone."""
    assert refusal.served_meanwhile(state, NOW).startswith(said)


def test_state_tells_its_refusal() -> None:
    """The last refusal can be told from the persisted state alone."""
    assert refusal.from_state(SERVED, NOW) is None
    state = SecondaryState(APEX, serial=7, last_rule="ns-missing", last_reason="no NS")
    told = refusal.from_state(state, NOW)
    assert told is not None
    assert told.fix == zone_rules.RULES["ns-missing"].fix


def test_documentation_has_every_rule() -> None:
    """The page about the way has a section for each rule."""
    page = refusal.markdown()
    assert all(f"## {rule}\n" in page for rule in refusal.RULES)
