"""A registration as facts, and its state at a moment as what follows from them.

The state has several regions that move beside each other, and three clocks that are never mixed:
the end of the contract, the day up to which is paid, and the expiry at the registry.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from operator import attrgetter, gt
from typing import NamedTuple

from registrar.events import Event
from registrar.fact import Fact
from registrar.policy import Contract, Tld
from registrar.reason import Reason
from registrar.statuses import RgpStatus, Status


class Region(StrEnum):
    """A part of the state with a table of its own."""

    LIFE = "life cycle"
    CONTRACT = "contract"
    DELEGATION = "delegation"
    TRANSFER = "transfer"
    VERIFICATION = "contact verification"
    PAYMENT = "payment"
    DISCLOSURE = "disclosure"


class Life(StrEnum):
    """Where a domain is between its order and its end."""

    DRAFT = "draft"
    ORDERED = "ordered"
    WITHDRAWN = "withdrawn"
    PENDING_CREATE = "pendingCreate"
    PENDING_TRANSFER_IN = "pendingTransferIn"
    REJECTED = "rejected"
    REGISTERED = "registered"
    CLOSING = "closing"  # due back, and not yet given back
    REDEMPTION = "redemptionPeriod"
    PENDING_RESTORE = "pendingRestore"
    PENDING_DELETE = "pendingDelete"
    RELEASED = "released"
    TRANSIT = "transit"
    TRANSFERRED_AWAY = "transferredAway"


class ContractState(StrEnum):
    """How the contract about the domain stands."""

    NONE = "none"
    RUNNING = "running"
    CANCELLED = "cancelled"  # to a day to come
    RUNNING_OUT = "runningOut"  # the domain is gone, the term is not over
    ENDED = "ended"


class Delegation(StrEnum):
    """How the name servers stand at the parent."""

    NONE = "none"
    DELEGATED = "delegated"
    FAILED = "failed"  # the registry's check of the name servers
    LEAVING = "leaving"  # the parent is taking the delegation away
    GONE = "gone"


class Transfer(StrEnum):
    """How a transfer away stands."""

    NONE = "none"
    CODE_ASKED = "authAsked"
    CODE_ISSUED = "authIssued"
    PENDING = "pendingTransfer"


class Verification(StrEnum):
    """How the proof of contact data stands."""

    CLEAR = "clear"
    PENDING = "verificationPending"
    QUARANTINE = "quarantine"


class Payment(StrEnum):
    """How the customer's account stands."""

    CLEAR = "clear"
    DUNNING = "dunning"
    SUSPENDED = "suspended"


class Disclosure(StrEnum):
    """How a claimant's wish for contact data stands."""

    NONE = "none"
    ASKED = "asked"
    TOLD = "told"


class Dns(StrEnum):
    """What is done with the zone."""

    NOTHING = "nothing"
    PREPARE = "prepare"  # built and checked, not yet answered for
    SERVE = "serve"
    ARCHIVE = "archive"  # not answered for, kept
    PURGE = "purge"


class Command(StrEnum):
    """What is sent to the registry."""

    CHECK = "check"
    CREATE = "create"
    INFO = "info"
    RENEW = "renew"
    DELETE = "delete"
    TRANSIT = "transit"
    RESTORE = "restore"
    RESTORE_REPORT = "restore report"
    TRANSFER_IN = "transfer request"
    TRANSFER_APPROVE = "transfer approve"
    TRANSFER_REJECT = "transfer reject"
    SET_AUTH = "set auth"
    CLEAR_AUTH = "clear auth"
    UPDATE_NAME_SERVERS = "update name servers"
    REMOVE_DS = "remove DS"
    UPDATE_CONTACTS = "update contacts"
    HOLD = "set clientHold"
    UNHOLD = "lift clientHold"


@dataclass(frozen=True, slots=True)
class Registration:
    """One domain at the desk: which rules it is under, and what happened to it, in that order.

    ``name`` is in lower-case A-labels without a final dot. Facts of one moment stay in the order
    in which they were told. A domain that comes back after it left is another registration.
    """

    name: str
    contract: Contract
    tld: Tld
    facts: tuple[Fact, ...] = ()

    def __post_init__(self) -> None:
        if not self.facts:
            return
        moments = [fact.at for fact in self.facts]
        if any(map(gt, moments, moments[1:])):  # seldom: facts come in order
            ordered = tuple(sorted(self.facts, key=attrgetter("at")))
            object.__setattr__(self, "facts", ordered)

    @property
    def suffix(self) -> str:
        """Return the TLD as an A-label."""
        return self.name.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Denial:
    """Something that was wished for and did not come about, with every reason."""

    at: datetime
    event: Event
    reasons: tuple[Reason, ...]


class State(NamedTuple):
    """All that is known of a registration at the moment ``at``.

    ``assumed`` has, by event, since when the projection takes for granted what no fact confirms
    yet: a renewal, a deletion. These are the commands that are due at the registry.
    """

    at: datetime
    life: Life
    life_since: datetime | None
    contract: ContractState
    delegation: Delegation
    transfer: Transfer
    verification: Verification
    payment: Payment
    disclosure: Disclosure
    dns: Dns
    statuses: frozenset[Status]
    rgp: frozenset[RgpStatus]
    # The three clocks
    contract_last_day: date | None
    paid_through: date | None
    registry_expires: datetime | None
    # Ends and beginnings
    domain_due: datetime | None
    notice_until: date | None
    grace_ends: tuple[tuple[RgpStatus, datetime], ...]
    timers: tuple[tuple[Event, datetime], ...]
    lock_until: datetime | None
    code_asked: datetime | None
    # Particulars
    name_servers: tuple[str, ...]
    manual: bool
    missing_documents: tuple[str, ...]
    confirmed: bool
    dispute: str
    refusal: str
    arrears_cents: int
    left_despite_lien: bool
    open_contact_changes: tuple[tuple[str, datetime], ...]
    assumed: tuple[tuple[Event, datetime], ...]
    denials: tuple[Denial, ...]
