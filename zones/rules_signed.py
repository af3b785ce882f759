"""The rules about what vouches for a whole zone: ZONEMD and, where it is asked for, DNSSEC."""

from __future__ import annotations

from typing import Final

from zones.finding import Severity
from zones.rule import Rule

ERROR, WARNING = Severity.ERROR, Severity.WARNING

_SIGN_ANEW: Final = "Sign the zone anew and raise its serial number."

SIGNED: Final = (
    Rule(
        "zonemd-wrong",
        ERROR,
        "The checksum of the zone does not match",
        "The ZONEMD record at the apex holds a checksum of all records of the zone. It is not that"
        " of the records that arrived: they were changed after it was made, or on the way.",
        "Have the ZONEMD record made anew after the last change of the zone, or remove it.",
        "RFC 8976 4",
    ),
    Rule(
        "zonemd-unusable",
        WARNING,
        "The checksum of the zone cannot be checked",
        "The ZONEMD record uses a scheme or a hash algorithm that is not known here, so that the"
        " zone was taken over without looking at it.",
        "Use the SIMPLE scheme with SHA-384 or SHA-512.",
        "RFC 8976 2.2 and 4",
    ),
    Rule(
        "dnssec-unsigned",
        ERROR,
        "The zone is not signed",
        "The zone is set to be validated, and has no DNSKEY record.",
        "Sign the zone, or switch validation off (nsctl secondary guard --validate off).",
        "RFC 4035 2.1",
    ),
    Rule(
        "dnssec-ds-mismatch",
        ERROR,
        "No key fits the DS record of the parent",
        "The zone is set to be validated from the DS record at the parent zone, and no key that"
        " this names has signed the keys of the zone.",
        "Sign the zone with the key that the DS record names, or have the DS record replaced at the"
        " registry and told to us (nsctl secondary guard --ds).",
        "RFC 4035 5.2",
    ),
    Rule(
        "dnssec-signature-missing",
        ERROR,
        "Records are not signed",
        "In a signed zone every set of records that is answered from it has a signature for each"
        " algorithm of its keys; without one, validating resolvers treat the records as forged.",
        _SIGN_ANEW,
        "RFC 4035 2.2",
    ),
    Rule(
        "dnssec-signature-wrong",
        ERROR,
        "A signature does not match",
        "The signature was not made of these records by a key of the zone; validating resolvers"
        " treat the records as forged.",
        _SIGN_ANEW,
        "RFC 4035 5.3",
    ),
    Rule(
        "dnssec-signature-expired",
        ERROR,
        "A signature has lapsed",
        "Signatures are good from one date to another. Validating resolvers treat records with"
        " lapsed signatures as forged.",
        _SIGN_ANEW + " Check that the signer runs regularly, and the clock of its machine.",
        "RFC 4035 5.3.1",
    ),
    Rule(
        "dnssec-signature-early",
        ERROR,
        "A signature is not good yet",
        "Signatures are good from one date to another, and this one begins in the future.",
        "Check the clock of the machine that signs the zone, and sign it anew.",
        "RFC 4035 5.3.1",
    ),
    Rule(
        "dnssec-signature-lapses",
        WARNING,
        "A signature will lapse soon",
        "The signature ends before the zone does (EXPIRE), or within three days. If the primary is"
        " away then, the zone is answered with a lapsed signature.",
        "Sign the zone more often, or with a longer validity than EXPIRE.",
        "RFC 6781 4.4.1",
    ),
    Rule(
        "dnssec-denial-broken",
        ERROR,
        "The proofs for missing names are incomplete",
        "A signed zone proves by a closed chain of NSEC or NSEC3 records which names there are."
        " With a gap in it, existing names or answers about missing ones are treated as forged.",
        _SIGN_ANEW,
        "RFC 4035 2.3, RFC 5155 7.1",
    ),
)
