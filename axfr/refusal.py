"""Refusals: why a zone was not taken over, told to the customer who has to mend it.

``RULES`` has what can go wrong on the way; what zone content is checked for is in ``zones.rules``.
``python -m axfr.refusal`` writes the chapter of docs/refusals.md about the way.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from axfr.errors import TransferError
from axfr.message import rcode_text
from axfr.rules import ALL, HEADING
from axfr.sentences import whole_sentence
from zones import rules as zone_rules
from zones.finding import Finding, errors
from zones.name import display
from zones.rdata import type_text
from zones.rule import Rule, chapter
from zones.secondary import Result, SecondaryState

RULES: Final[dict[str, Rule]] = {rule.id: rule for rule in ALL}

# What a primary means by an RCODE: the rule it falls under, and a phrase.
RCODES: Final = {
    1: ("refused-by-primary", "it could not read our query"),
    2: ("primary-failed", "it has an error of its own, or has not loaded the zone"),
    3: ("primary-not-authoritative", "it says that the zone does not exist"),
    4: ("refused-by-primary", "it does not do what was asked"),
    5: ("refused-by-primary", "it does not allow us to ask for this zone"),
    9: ("primary-not-authoritative", "it does not serve the zone, or does not know our key"),
}

SENTENCES: Final = 5  # so many findings are told in one reason


@dataclass(frozen=True, slots=True)
class Refusal:
    """One rule that was broken, as the customer reads it.

    ``record`` is empty where no record is at fault; ``served_meanwhile`` is a whole sentence.
    """

    rule: str
    record: str
    sentence: str
    fix: str
    served_meanwhile: str


def rcode_failure(rcode: int) -> tuple[str, str]:
    """Return the rule and the reason for an answer with this RCODE."""
    rule, phrase = RCODES.get(rcode, ("refused-by-primary", "it gives no other reason"))
    return rule, f"the primary answered {rcode_text(rcode)}: {phrase}"


def record_of(finding: Finding) -> str:
    """Return the owner and type that a finding is about: ``www.example.org CNAME``."""
    name = display(finding.owner)
    return f"{name} {type_text(finding.rtype)}" if finding.rtype else name


def reason_of(findings: Sequence[Finding]) -> str:
    """Return the sentences of the findings that refuse, the first few of them."""
    refusing = errors(findings)
    told = "; ".join(finding.sentence for finding in refusing[:SENTENCES])
    more = len(refusing) - SENTENCES
    return f"{told}; and {more} more" if more > 0 else told


def fix_of(rule: str) -> str:
    """Return what to do about a rule, of either kind; empty where it is unknown."""
    known = RULES.get(rule) or zone_rules.RULES.get(rule)
    return known.fix if known else ""


def from_error(error: TransferError, state: SecondaryState, now: float) -> Refusal:
    """Return the refusal for a failed query or transfer."""
    meanwhile = served_meanwhile(state, now)
    return Refusal(error.rule, error.record, error.reason, fix_of(error.rule), meanwhile)


def from_findings(findings: Iterable[Finding], state: SecondaryState, now: float) -> list[Refusal]:
    """Return a refusal for every finding that refuses."""
    meanwhile = served_meanwhile(state, now)
    return [
        Refusal(finding.rule, record_of(finding), finding.sentence, finding.fix, meanwhile)
        for finding in errors(findings)
    ]


def from_state(state: SecondaryState, now: float) -> Refusal | None:
    """Return the refusal that stands at the end of the last attempt, ``None`` if it went well."""
    if not state.last_rule:
        return None
    return Refusal(
        state.last_rule,
        state.last_record,
        whole_sentence(state.last_rule, state.last_reason, state.last_primary, display(state.apex)),
        state.last_fix or fix_of(state.last_rule),
        served_meanwhile(state, now),
    )


def served_meanwhile(state: SecondaryState, now: float) -> str:
    """Return a sentence on what is answered for the zone until the matter is mended."""
    if state.serial is None:
        return "Nothing is served: no version of the zone has ever been taken over."
    if state.expires_at is None:
        return f"Serial {state.serial} stays in service."
    until = datetime.fromtimestamp(state.expires_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    if state.is_expired(now):
        return (
            f"Nothing is served: serial {state.serial} expired at {until},"
            " by the EXPIRE value of its SOA record."
        )
    if state.last_rule and state.last_result in (Result.HELD, Result.CURRENT, Result.ACCEPTED):
        return (
            f"Serial {state.serial} stays in service as long as the primary answers; if it falls"
            f" silent, until {until}."
        )
    return (
        f"Serial {state.serial} stays in service until {until},"
        " when the EXPIRE value of its SOA record has run out."
    )


def markdown() -> str:
    """Return the documentation of every rule about the way."""
    return chapter(HEADING, RULES.values())


if __name__ == "__main__":
    sys.stdout.write(markdown())
