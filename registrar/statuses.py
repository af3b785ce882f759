"""The status words of EPP, and how they may stand together (RFC 5731 2.3, 3915 3.1, 8056 2).

A registry says what it will do to a domain in a set of these words. The rules about the set are
plain: ``ok`` stands alone, pending operations exclude each other, nothing is pending that is
prohibited, and a domain without name servers is ``inactive``.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from typing import Final


class Status(StrEnum):
    """A status of a domain, host or contact (RFC 5731 2.3, 5732 2.3, 5733 2.2)."""

    OK = "ok"
    INACTIVE = "inactive"
    LINKED = "linked"  # of hosts and contacts alone
    CLIENT_HOLD = "clientHold"
    CLIENT_DELETE_PROHIBITED = "clientDeleteProhibited"
    CLIENT_RENEW_PROHIBITED = "clientRenewProhibited"
    CLIENT_TRANSFER_PROHIBITED = "clientTransferProhibited"
    CLIENT_UPDATE_PROHIBITED = "clientUpdateProhibited"
    SERVER_HOLD = "serverHold"
    SERVER_DELETE_PROHIBITED = "serverDeleteProhibited"
    SERVER_RENEW_PROHIBITED = "serverRenewProhibited"
    SERVER_TRANSFER_PROHIBITED = "serverTransferProhibited"
    SERVER_UPDATE_PROHIBITED = "serverUpdateProhibited"
    PENDING_CREATE = "pendingCreate"
    PENDING_DELETE = "pendingDelete"
    PENDING_RENEW = "pendingRenew"
    PENDING_TRANSFER = "pendingTransfer"
    PENDING_UPDATE = "pendingUpdate"


class RgpStatus(StrEnum):
    """A grace period, or a stage after a deletion (RFC 3915 3.1)."""

    ADD_PERIOD = "addPeriod"
    AUTO_RENEW_PERIOD = "autoRenewPeriod"
    RENEW_PERIOD = "renewPeriod"
    TRANSFER_PERIOD = "transferPeriod"
    REDEMPTION_PERIOD = "redemptionPeriod"
    PENDING_RESTORE = "pendingRestore"
    PENDING_DELETE = "pendingDelete"


class TransferStatus(StrEnum):
    """How the last transfer of an object stands (RFC 5731 3.1.3)."""

    PENDING = "pending"
    CLIENT_APPROVED = "clientApproved"
    CLIENT_CANCELLED = "clientCancelled"
    CLIENT_REJECTED = "clientRejected"
    SERVER_APPROVED = "serverApproved"
    SERVER_CANCELLED = "serverCancelled"


class Verb(StrEnum):
    """A command on a domain that a status can prohibit (RFC 5731 2.3)."""

    DELETE = "delete"
    RENEW = "renew"
    TRANSFER = "transfer"
    UPDATE = "update"


CLIENT: Final = frozenset(status for status in Status if status.startswith("client"))
SERVER: Final = frozenset(status for status in Status if status.startswith("server"))
PENDINGS: Final = frozenset(status for status in Status if status.startswith("pending"))

PROHIBITS: Final = {
    verb: frozenset((Status(f"client{word}Prohibited"), Status(f"server{word}Prohibited")))
    for verb, word in ((verb, verb.capitalize()) for verb in Verb)
}
# What must not be pending while it is prohibited; a creation can not be prohibited.
PENDING_OF: Final = {verb: Status(f"pending{verb.capitalize()}") for verb in Verb}


def prohibiting(statuses: Iterable[Status], verb: Verb) -> tuple[Status, ...]:
    """Return the statuses because of which the registry refuses a command, by name."""
    return tuple(sorted(PROHIBITS[verb].intersection(statuses)))


def faults(statuses: Iterable[Status], *, delegated: bool) -> list[str]:
    """Return a sentence for each rule of RFC 5731 2.3 that a domain's statuses break."""
    found = frozenset(statuses)
    told = []
    if Status.OK in found and len(found) > 1:
        told.append(f"ok does not stand alone: {_list(found)}")
    if len(found & PENDINGS) > 1:
        told.append(f"more than one operation is pending: {_list(found & PENDINGS)}")
    for verb, pending in PENDING_OF.items():
        if pending in found and (against := PROHIBITS[verb] & found):
            told.append(f"{pending} stands together with {_list(against)}")
    if delegated == (Status.INACTIVE in found):
        told.append("inactive, with name servers" if delegated else "not inactive, with none")
    if not found:
        told.append("no status at all")
    if Status.LINKED in found:
        told.append("linked is no status of a domain")
    return told


@cache
def normalise(statuses: frozenset[Status], *, delegated: bool) -> frozenset[Status]:
    """Return the statuses with ``ok`` and ``inactive`` as RFC 5731 2.3 wants them.

    What a pending operation excludes is dropped: a registry that has begun it has overridden it.
    """
    found = set(statuses) - {Status.OK, Status.INACTIVE, Status.LINKED}
    for verb, pending in PENDING_OF.items():
        if pending in found:
            found -= PROHIBITS[verb]
    if not delegated:
        found.add(Status.INACTIVE)
    return frozenset(found or {Status.OK})


def rdap(status: Status | RgpStatus) -> str:
    """Return the status in the words of RDAP (RFC 8056 2)."""
    if status is Status.OK:
        return "active"
    if status is Status.LINKED:
        return "associated"
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in status)


def _list(statuses: Iterable[Status]) -> str:
    return ", ".join(sorted(statuses))
