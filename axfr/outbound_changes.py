"""IXFR from the server's side (RFC 1995 4): one condensed sequence of differences.

Owners are compressed as in ``zones.sections``. Records are made ready once for all clients that
have the same version: nothing in them depends on the request, since the apex stands at the same
place of every question.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from axfr.message import CLASS_IN, RECORD_HEAD
from axfr.outbound import TransferQuery, record_messages, soa_record
from axfr.tsig import Signer
from zones.diff import diff
from zones.name import Name
from zones.rrset import SOA, RRset
from zones.sections import APEX_POINTER
from zones.version import ZoneVersion

MOST_UDP: Final = 512  # octets of a message over UDP, without EDNS (RFC 1035 4.2.1)


@dataclass(frozen=True, slots=True)
class ReadyChanges:
    """The records of an incremental answer; ``octets`` is what they take in messages."""

    serial: int  # of the client
    records: tuple[bytes, ...]
    octets: int


def ready_changes(old: ZoneVersion, new: ZoneVersion) -> ReadyChanges | None:
    """Return what makes ``new`` of ``old``; ``None`` where the whole zone is not larger.

    Takes a while for large versions. Raises ``ZoneError`` for a version without a SOA.
    """
    difference = diff(old, new)
    first, last = soa_record(old), soa_record(new)
    removed, added = (_records(new.apex, sets) for sets in (difference.removed, difference.added))
    records = (last, first, *removed, last, *added, last)
    octets = sum(map(len, records))
    return ReadyChanges(old.serial, records, octets) if octets < len(new.blob) else None


def change_messages(
    changes: ReadyChanges, query: TransferQuery, *, signer: Signer | None = None, now: float = 0.0
) -> Iterator[bytes]:
    """Yield the messages of an incremental answer over TCP, without the length in front."""
    return record_messages(changes.records, query, signer=signer, now=now)


def change_datagram(
    changes: ReadyChanges, query: TransferQuery, *, signer: Signer | None = None, now: float = 0.0
) -> bytes | None:
    """Return the one message of an incremental answer over UDP, ``None`` where it does not fit."""
    if changes.octets > MOST_UDP:
        return None
    messages = record_messages(changes.records, query, signer=signer, now=now, most=MOST_UDP)
    first, *more = messages
    return None if more or len(first) > MOST_UDP else first


def _records(apex: Name, rrsets: Iterable[RRset]) -> Iterator[bytes]:
    for rrset in rrsets:
        if rrset.rtype == SOA and rrset.owner == apex:
            continue
        owner = rrset.owner[: -len(apex)] + APEX_POINTER
        for rdata in rrset.rdatas:
            yield owner + RECORD_HEAD.pack(rrset.rtype, CLASS_IN, rrset.ttl, len(rdata)) + rdata
