"""The first version of a new hosted zone."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from zones.check import check
from zones.errors import ZoneError
from zones.finding import errors
from zones.name import BadName, Name, below, display, from_text
from zones.rrset import NS, SOA, RRset
from zones.serial import SerialPolicy
from zones.version import ZoneVersion

TTL: Final = 3600
# Refresh, retry, expire, minimum: within what registries ask for, see zones.check_soa.RANGES.
TIMERS: Final = (14400, 3600, 1209600, 3600)
_NUMBERS: Final = struct.Struct("!5I")


def new_zone(
    apex: Name,
    nameservers: Sequence[Name],
    mailbox: str,
    now: datetime,
    policy: SerialPolicy,
    *,
    ttl: int = TTL,
    timers: tuple[int, int, int, int] = TIMERS,
) -> ZoneVersion:
    """Return a zone of an SOA and NS records; the first name server is named as the primary.

    ``mailbox`` is a mail address, or already a domain name with a dot for the @. ``now`` is
    timezone-aware; ``ttl`` and ``timers`` (refresh, retry, expire, minimum) are in seconds. Raises
    ``ZoneError`` with every reason.
    """
    if not nameservers:
        raise ZoneError(f"{display(apex)} needs at least one name server")
    serial = policy.successor(0, now)
    numbers = _NUMBERS.pack(serial, *timers)
    soa = nameservers[0] + mailbox_name(mailbox) + numbers
    rrsets = [RRset.of(apex, SOA, ttl, [soa]), RRset.of(apex, NS, ttl, nameservers)]
    version = ZoneVersion.of(apex, rrsets)
    reasons = [
        f"{finding.sentence} {finding.fix} ({finding.rule})" for finding in errors(check(version))
    ]
    if reasons:
        raise ZoneError(reasons)
    return version


def mailbox_name(mailbox: str) -> Name:
    """Return the name that an SOA has for a mail address (RFC 1035 8); raises ``BadName``."""
    local, at, domain = mailbox.rpartition("@")
    if not at:
        return from_text(domain)
    if not local or not domain:
        raise BadName(f"{mailbox!r} is not a mail address")
    return below(local.lower().encode(), from_text(domain))
