"""Notices on their way: rendered in the holder's language and handed over to be sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from registrar.errors import PolicyError
from registrar.notice_text import Letters, Message, Occurrence, render
from storage import contacts, deliveries, events, notices, registrations
from storage.contacts import StoredContact
from storage.deliveries import Channel
from storage.desk_models import RegistrationRow
from storage.events import EventSeverity
from storage.notices import Notice
from storage.session import Session
from zones.name import from_text

IN_ONE_COMMIT: Final = 500


def deliver_pending(session: Session, letters: Letters, *, now: datetime) -> int:
    """Render what nobody was told yet and hand it over; return how many messages that made.

    What has nobody to go to is told as an event, once.
    """
    waiting = notices.pending(session, IN_ONE_COMMIT)
    sent = sum(_deliver(session, letters, notice, now) for notice in waiting)
    if waiting:
        notices.told(session, [notice.id for notice in waiting], now=now.timestamp())
    return sent


def preview(session: Session, letters: Letters, notice: Notice) -> tuple[list[str], Message]:
    """Return whom a notice goes to, and its words in their language; raises ``PolicyError``."""
    row = registrations.by_id(session, notice.registration)
    found = [] if row is None else _recipients(session, row)
    language = str(found[0].data.get("language") or "de") if found else "de"
    at = datetime.fromtimestamp(notice.at, UTC)
    about = Occurrence(notice.kind, notice.name, notice.customer, at, notice.data)
    return [str(one.data["email"]) for one in found], render(letters, about, language)


def _deliver(session: Session, letters: Letters, notice: Notice, now: datetime) -> int:
    try:
        recipients, message = preview(session, letters, notice)
    except PolicyError as error:
        _not_told(session, notice, str(error), now)
        return 0
    if not recipients:
        _not_told(session, notice, "its contacts have no mail address", now)
    return sum(
        deliveries.enqueue(
            session,
            channel=Channel.MAIL,
            recipient=recipient,
            subject=message.subject,
            body=message.body,
            customer=notice.customer or None,
            key=f"notice:{notice.key}:{recipient}",
            now=now.timestamp(),
        )
        for recipient in recipients
    )


def _recipients(session: Session, row: RegistrationRow) -> list[StoredContact]:
    """Return holder and administrator, one where they have the same address."""
    found: dict[str, StoredContact] = {}
    for number in (row.holder, row.admin):
        contact = contacts.find_contact(session, number) if number else None
        if contact is not None and contact.data.get("email"):
            found.setdefault(str(contact.data["email"]).lower(), contact)
    return list(found.values())


def _not_told(session: Session, notice: Notice, why: str, now: datetime) -> None:
    events.record(
        session,
        "notice-not-sent",
        EventSeverity.WARNING,
        from_text(notice.name),
        f"registration {notice.name}: the notice {notice.kind} was not sent: {why}",
        at=now.timestamp(),
    )
