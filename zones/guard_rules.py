"""The guards: what makes a valid transfer suspicious, so that it waits for somebody's approval.

``python -m zones.guard_rules`` writes the chapter of docs/refusals.md about them.
"""

from __future__ import annotations

import sys
from typing import Final

from zones.finding import Severity
from zones.rule import Rule, chapter

HOLD = Severity.HOLD

HEADING: Final = """\
# What makes a transferred version wait for approval

A version that breaks no rule may still be a mistake: a generator that stopped half-way, the wrong
file, a zone signed with other keys. Where a transferred version differs from the one in service in
one of these ways it is **held**: it is stored and not served, the version in service stays, and its
EXPIRE is renewed as long as the primary answers. `nsctl secondary explain ZONE` shows why and what
differs, `nsctl secondary approve ZONE` serves it, `nsctl secondary discard ZONE` drops it, and a
newer version at the primary takes its place. `nsctl secondary guard ZONE` shows and changes the
limits of a zone.

A zone that was never served, or has expired, is not held: there is nothing that could be lost.

This page is written by `python -m zones.guard_rules`.
"""

_APPROVE: Final = (
    "If it is meant so, approve the version (nsctl secondary approve). If not, mend the zone on the"
    " primary, raise its serial number and send a NOTIFY; the mended version takes its place."
)

_ALL: Final = (
    Rule(
        "names-lost",
        HOLD,
        "Many names are gone",
        "More than the share of names set for the zone (half, unless set otherwise) is missing in"
        " the new version. A list that was cut off looks like this. Names that only DNSSEC needs"
        " (NSEC3) do not count.",
        _APPROVE,
        "operation",
    ),
    Rule(
        "records-lost",
        HOLD,
        "Many records are gone",
        "More than the share of records set for the zone (half, unless set otherwise) is missing in"
        " the new version. Signatures and proofs of DNSSEC do not count.",
        _APPROVE,
        "operation",
    ),
    Rule(
        "zone-emptied",
        HOLD,
        "All names below the domain are gone",
        "The version in service has names below the domain itself, the new one has none: it looks"
        " like the template of a new zone.",
        _APPROVE,
        "operation",
    ),
    Rule(
        "apex-ns-replaced",
        HOLD,
        "All name servers are replaced",
        "No NS record of the apex is the same as before. If the delegation at the parent zone still"
        " names the old servers, resolvers and the parent contradict each other.",
        _APPROVE,
        "RFC 1034 4.2.2, operation",
    ),
    Rule(
        "apex-mx-gone",
        HOLD,
        "The mail servers are gone",
        "The apex had MX records and has none now, or only the one that refuses all mail: mail to"
        " the domain would be lost or sent back.",
        _APPROVE,
        "RFC 5321 5.1, RFC 7505, operation",
    ),
    Rule(
        "dnskey-gone",
        HOLD,
        "The DNSSEC keys are gone",
        "The zone was signed and its keys are missing now. As long as the parent zone has a DS"
        " record, validating resolvers would treat the whole domain as forged.",
        "If the zone is to be unsigned, have the DS record removed at the registry first, wait a"
        " day, then approve the version (nsctl secondary approve). If not, sign the zone again,"
        " raise its serial number and send a NOTIFY.",
        "RFC 6781 4.4.2, RFC 4035 5.2",
    ),
    Rule(
        "ksk-replaced",
        HOLD,
        "All key signing keys are replaced",
        "None of the keys that a DS record can point to is the same as before. Unless the DS record"
        " of the new key is at the parent zone already, validating resolvers would treat the whole"
        " domain as forged.",
        "Publish the new key beside the old one first, have its DS record entered at the registry,"
        " and remove the old key later. If the DS record is there already, approve the version"
        " (nsctl secondary approve).",
        "RFC 6781 4.1.2, RFC 7583 3.3",
    ),
    Rule(
        "ds-broken",
        HOLD,
        "No key fits the DS record at the parent",
        "The DS record at the parent zone names a key of the zone. With the new version there is"
        " none that fits and has signed the keys, so that validating resolvers would treat the"
        " whole domain as forged.",
        "Sign the zone with the key that the DS record names, or have the DS record of the new key"
        " entered at the registry and told to us (nsctl secondary guard --ds); then approve the"
        " version (nsctl secondary approve).",
        "RFC 4035 5.2, RFC 6781 4.1.2",
    ),
    Rule(
        "serial-jump",
        HOLD,
        "The serial number jumps",
        "The serial number rises by more than was set for the zone. A slip of the finger here cannot"
        " be taken back: secondaries do not accept a lower one afterwards.",
        _APPROVE,
        "RFC 1912 2.2, RFC 1982 3.2, operation",
    ),
)

RULES: Final[dict[str, Rule]] = {rule.id: rule for rule in _ALL}


def markdown() -> str:
    """Return the documentation of every guard."""
    return chapter(HEADING, RULES.values())


if __name__ == "__main__":
    sys.stdout.write(markdown())
