"""Facts: what happened to a registration, and when. Its state at any time follows from them.

A fact is never changed or taken back; another fact is added. ``at`` is an aware moment in UTC.
Facts have no personal data: contacts are named by their id, so that erasing one rewrites nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from registrar.events import Event
from registrar.fact import Cause, Fact, Party
from registrar.policy import Form
from registrar.statuses import Status


@dataclass(frozen=True, slots=True)
class Submitted(Fact):
    """An order is handed in; the flags tell what checking it found."""

    event: ClassVar = Event.SUBMITTED
    admin_is_person: bool = True
    terms_accepted: bool = True
    complete: bool = True
    manual: bool = False  # staff entered it on the customer's wish (contract N 2.2.6)


@dataclass(frozen=True, slots=True)
class OrderWithdrawn(Fact):
    """The customer takes an order back before it is sent."""

    event: ClassVar = Event.ORDER_WITHDRAWN


@dataclass(frozen=True, slots=True)
class Declined(Fact):
    """The desk declines an order."""

    event: ClassVar = Event.DECLINED
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Sent(Fact):
    """The order went to the registry."""

    event: ClassVar = Event.SENT
    transaction: str = ""


@dataclass(frozen=True, slots=True)
class Registered(Fact):
    """The registry has registered the domain; ``at`` is the registry's time."""

    event: ClassVar = Event.REGISTERED
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refused(Fact):
    """The registry refuses a registration or transfer; nothing is charged."""

    event: ClassVar = Event.REFUSED
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TransferInSent(Fact):
    """The transfer of the domain to us is asked for."""

    event: ClassVar = Event.TRANSFER_IN_SENT
    transaction: str = ""


@dataclass(frozen=True, slots=True)
class TransferredIn(Fact):
    """The domain is with us now."""

    event: ClassVar = Event.TRANSFERRED_IN
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class Renewed(Fact):
    """The registration runs until ``expires`` now."""

    event: ClassVar = Event.RENEWED
    expires: datetime
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class StatusesChanged(Fact):
    """Holds and prohibitions are set or lifted at the registry; the other words follow."""

    event: ClassVar = Event.STATUSES_CHANGED
    added: frozenset[Status] = frozenset()
    removed: frozenset[Status] = frozenset()


@dataclass(frozen=True, slots=True)
class HolderChanged(Fact):
    """The domain has another holder."""

    event: ClassVar = Event.HOLDER_CHANGED
    opted_out: bool = False  # of the transfer lock after it


@dataclass(frozen=True, slots=True)
class DisputeOpened(Fact):
    """Somebody claims the domain: DENIC's DISPUTE, UDRP, URS, a court."""

    event: ClassVar = Event.DISPUTE_OPENED
    case: str = ""


@dataclass(frozen=True, slots=True)
class DisputeClosed(Fact):
    """The claim is settled."""

    event: ClassVar = Event.DISPUTE_CLOSED
    case: str = ""


@dataclass(frozen=True, slots=True)
class NameServersSet(Fact):
    """The domain is to be delegated to these."""

    event: ClassVar = Event.NAME_SERVERS_SET
    hosts: tuple[str, ...]
    secure: bool = False


@dataclass(frozen=True, slots=True)
class NameServersRemoved(Fact):
    """The domain is to have no name servers."""

    event: ClassVar = Event.NAME_SERVERS_REMOVED


@dataclass(frozen=True, slots=True)
class CheckFailed(Fact):
    """The registry's check of the name servers failed."""

    event: ClassVar = Event.CHECK_FAILED
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CheckPassed(Fact):
    """The registry's check of the name servers passed."""

    event: ClassVar = Event.CHECK_PASSED


@dataclass(frozen=True, slots=True)
class DelegationGone(Fact):
    """The parent's servers point elsewhere, or nowhere; caches keep us for ``ttl`` seconds."""

    event: ClassVar = Event.DELEGATION_GONE
    ttl: int = 86400


@dataclass(frozen=True, slots=True)
class CancellationReceived(Fact):
    """A letter of cancellation arrived, with the documents in it.

    ``moment`` is when the customer wants the domain gone, where the contract lets him choose.
    """

    event: ClassVar = Event.CANCELLATION_RECEIVED
    form: Form = Form.LETTER
    by: Party = Party.HOLDER
    documents: frozenset[str] = frozenset()
    moment: datetime | None = None


@dataclass(frozen=True, slots=True)
class DocumentReceived(Fact):
    """A document arrived, signed by whoever has to."""

    event: ClassVar = Event.DOCUMENT_RECEIVED
    document: str


@dataclass(frozen=True, slots=True)
class CancellationWithdrawn(Fact):
    """A cancellation is taken back."""

    event: ClassVar = Event.CANCELLATION_WITHDRAWN


@dataclass(frozen=True, slots=True)
class Terminated(Fact):
    """The provider ends the contract without notice (contract H 6(2))."""

    event: ClassVar = Event.TERMINATED
    cause: Cause
    note: str = ""


@dataclass(frozen=True, slots=True)
class TerminationRescinded(Fact):
    """The provider takes the customer back: what was owed is paid, say."""

    event: ClassVar = Event.TERMINATION_RESCINDED


@dataclass(frozen=True, slots=True)
class DeletionOrdered(Fact):
    """The customer has the domain deleted while the contract runs (contract N 2.2.4, 4.1)."""

    event: ClassVar = Event.DELETION_ORDERED
    by: Party = Party.HOLDER


@dataclass(frozen=True, slots=True)
class DeletionConfirmed(Fact):
    """A second person agrees that the domain is given back."""

    event: ClassVar = Event.DELETION_CONFIRMED
    by: str = ""


@dataclass(frozen=True, slots=True)
class Deleted(Fact):
    """The registry has deleted the domain."""

    event: ClassVar = Event.DELETED


@dataclass(frozen=True, slots=True)
class Transited(Fact):
    """The registry has taken the domain into its own care (``.de``: TRANSIT)."""

    event: ClassVar = Event.TRANSITED


@dataclass(frozen=True, slots=True)
class RestoreOrdered(Fact):
    """The restoration of a deleted domain is asked for."""

    event: ClassVar = Event.RESTORE_ORDERED


@dataclass(frozen=True, slots=True)
class Restored(Fact):
    """The registry has restored the domain."""

    event: ClassVar = Event.RESTORED
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class CodeAsked(Fact):
    """The customer asks for the code that a transfer away needs."""

    event: ClassVar = Event.CODE_ASKED


@dataclass(frozen=True, slots=True)
class CodeIssued(Fact):
    """The code is set at the registry and handed to the customer."""

    event: ClassVar = Event.CODE_ISSUED


@dataclass(frozen=True, slots=True)
class TransferRequested(Fact):
    """Another registrar asks the registry for the domain."""

    event: ClassVar = Event.TRANSFER_REQUESTED
    registrar: str = ""


@dataclass(frozen=True, slots=True)
class TransferApproved(Fact):
    """We consent to a transfer away before it is approved by itself."""

    event: ClassVar = Event.TRANSFER_APPROVED


@dataclass(frozen=True, slots=True)
class TransferRejected(Fact):
    """We have refused a transfer away."""

    event: ClassVar = Event.TRANSFER_REJECTED
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TransferCancelled(Fact):
    """The other registrar, or the registry, has given a transfer up."""

    event: ClassVar = Event.TRANSFER_CANCELLED


@dataclass(frozen=True, slots=True)
class TransferredAway(Fact):
    """The domain is with another registrar now."""

    event: ClassVar = Event.TRANSFERRED_AWAY
    registrar: str = ""


@dataclass(frozen=True, slots=True)
class RiskFlagged(Fact):
    """Contact data, or the right to act, have to be proved (contract N 2.2.5)."""

    event: ClassVar = Event.RISK_FLAGGED
    reason: str = ""
    registry: bool = False  # the registry's period counts, not the contract's


@dataclass(frozen=True, slots=True)
class ProofReceived(Fact):
    """What was to be proved is proved."""

    event: ClassVar = Event.PROOF_RECEIVED


@dataclass(frozen=True, slots=True)
class ContactChangeReceived(Fact):
    """The customer has told of a change of contact data (contract N 2.2.3)."""

    event: ClassVar = Event.CONTACT_CHANGE_RECEIVED
    contact: str


@dataclass(frozen=True, slots=True)
class ContactChangeForwarded(Fact):
    """The registry has the changed contact data."""

    event: ClassVar = Event.CONTACT_CHANGE_FORWARDED
    contact: str


@dataclass(frozen=True, slots=True)
class DisclosureAsked(Fact):
    """Somebody with a claim asks for the holder's contact data (contract H 9(2))."""

    event: ClassVar = Event.DISCLOSURE_ASKED
    claimant: str = ""


@dataclass(frozen=True, slots=True)
class HolderTold(Fact):
    """The customer knows of the claim and can answer the claimant."""

    event: ClassVar = Event.HOLDER_TOLD


@dataclass(frozen=True, slots=True)
class Disclosed(Fact):
    """The claimant has the contact data."""

    event: ClassVar = Event.DISCLOSED


@dataclass(frozen=True, slots=True)
class Paid(Fact):
    """Billing says that fees are paid up to and with a day."""

    event: ClassVar = Event.PAID
    through: date


@dataclass(frozen=True, slots=True)
class ArrearsReported(Fact):
    """Billing says what is overdue: cents, gross, and since which day.

    ``past_period`` tells that it is for a period that is over, not for the next one.
    """

    event: ClassVar = Event.ARREARS_REPORTED
    cents: int
    since: date
    past_period: bool = True


@dataclass(frozen=True, slots=True)
class ArrearsSettled(Fact):
    """Billing says that nothing is overdue."""

    event: ClassVar = Event.ARREARS_SETTLED


@dataclass(frozen=True, slots=True)
class Suspended(Fact):
    """The desk suspends the domain for arrears."""

    event: ClassVar = Event.SUSPENDED
