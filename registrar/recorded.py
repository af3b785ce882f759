"""Facts that are kept as data: claims, payments, statuses, documents, contact changes."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from registrar.changes import lock, note_renewal
from registrar.events import Event
from registrar.fact import Fact
from registrar.facts import (
    ArrearsReported,
    CancellationReceived,
    ContactChangeForwarded,
    ContactChangeReceived,
    DisputeOpened,
    DocumentReceived,
    HolderChanged,
    Paid,
    StatusesChanged,
)
from registrar.model import ContractState, Region
from registrar.statuses import CLIENT, SERVER
from registrar.transition import Recording

if TYPE_CHECKING:
    from registrar.course import Course

SETTABLE: Final = CLIENT | SERVER


def note_cancellation(course: Course, fact: Fact | None, at: datetime) -> None:
    """Keep a cancellation, with what came along, until it counts as declared."""
    running = course.states[Region.CONTRACT] is ContractState.RUNNING
    if isinstance(fact, CancellationReceived) and running:
        course.undeclared = fact
        course.documents |= fact.documents


def note_document(course: Course, fact: Fact | None, at: datetime) -> None:
    """Keep a document that arrived."""
    if isinstance(fact, DocumentReceived):
        course.documents |= {fact.document}


def note_arrears(course: Course, fact: Fact | None, at: datetime) -> None:
    """Keep what billing says is overdue."""
    if isinstance(fact, ArrearsReported):
        course.arrears = fact


def settle_arrears(course: Course, fact: Fact | None, at: datetime) -> None:
    """Forget what was overdue."""
    course.arrears = None


def note_payment(course: Course, fact: Fact | None, at: datetime) -> None:
    """Set the clock of payment; it is never set back."""
    if isinstance(fact, Paid):
        course.paid_through = max(fact.through, course.paid_through or fact.through)


def change_statuses(course: Course, fact: Fact | None, at: datetime) -> None:
    """Set and lift holds and prohibitions; the other words follow from the state."""
    if isinstance(fact, StatusesChanged):
        course.set_statuses = (course.set_statuses - fact.removed) | (fact.added & SETTABLE)


def change_holder(course: Course, fact: Fact | None, at: datetime) -> None:
    """Lock the domain after a change of its holder, unless the holder opted out."""
    if isinstance(fact, HolderChanged) and not fact.opted_out:
        lock(course, at, course.tld.transfer.holder_change_lock)


def open_dispute(course: Course, fact: Fact | None, at: datetime) -> None:
    """Note that the domain is claimed."""
    if isinstance(fact, DisputeOpened):
        course.dispute = fact.case or "claim"


def close_dispute(course: Course, fact: Fact | None, at: datetime) -> None:
    """Note that the claim is settled."""
    course.dispute = ""


def note_contact_change(course: Course, fact: Fact | None, at: datetime) -> None:
    """Note that changed contact data are to be passed on."""
    if isinstance(fact, ContactChangeReceived):
        course.contact_changes.setdefault(fact.contact, at)


def forward_contact_change(course: Course, fact: Fact | None, at: datetime) -> None:
    """Note that changed contact data were passed on."""
    if isinstance(fact, ContactChangeForwarded):
        course.contact_changes.pop(fact.contact, None)


def confirm(course: Course, fact: Fact | None, at: datetime) -> None:
    """Note that a second person agrees."""
    course.confirmed = True


def tell_holder(course: Course, fact: Fact | None, at: datetime) -> None:
    """Note since when the customer knows of a claim."""
    course.holder_told = at


def end_disclosure(course: Course, fact: Fact | None, at: datetime) -> None:
    """Forget a claim that was answered."""
    course.holder_told = None


_ALL: Final = (
    Recording(
        Event.RENEWED, note_renewal, "sets the registry's clock, opens its grace period", "REG-5"
    ),
    Recording(
        Event.STATUSES_CHANGED, change_statuses, "sets holds and prohibitions", "RFC 5731 2.3"
    ),
    Recording(
        Event.HOLDER_CHANGED,
        change_holder,
        "begins a transfer lock",
        "ICANN Transfer Policy II.C.2",
    ),
    Recording(
        Event.DISPUTE_OPENED, open_dispute, "keeps the domain as it is", "UDRP 7, 8; DENIC DISPUTE"
    ),
    Recording(
        Event.DISPUTE_CLOSED, close_dispute, "lets go of the domain", "UDRP 7, 8; DENIC DISPUTE"
    ),
    Recording(
        Event.CANCELLATION_RECEIVED, note_cancellation, "is kept until it is complete", "H 19(3)"
    ),
    Recording(
        Event.DOCUMENT_RECEIVED, note_document, "may complete a cancellation", "H 19(3); N 2.2.5"
    ),
    Recording(
        Event.DELETION_CONFIRMED, confirm, "is the second person's word", "practice (four eyes)"
    ),
    Recording(
        Event.CONTACT_CHANGE_RECEIVED, note_contact_change, "is due at the registry", "N 2.2.3"
    ),
    Recording(Event.CONTACT_CHANGE_FORWARDED, forward_contact_change, "is done", "N 2.2.3"),
    Recording(Event.PAID, note_payment, "sets the clock of payment", "N 3.1; H 18"),
)
RECORDED: Final = {recording.event: recording for recording in _ALL}
