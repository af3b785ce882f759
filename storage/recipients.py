"""Where customers are told things: mail addresses and webhooks, and what each wants to know."""

from __future__ import annotations

import base64
import binascii
import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage import events
from storage.alert_models import RecipientRow
from storage.deliveries import Channel
from storage.errors import AlreadyExists, StorageError
from storage.events import EventSeverity
from storage.models import CustomerRow

SECRET_PREFIX: Final = "whsec_"  # noqa: S105  as the Standard Webhooks have it
SECRET_OCTETS: Final = range(24, 65)


@dataclass(frozen=True, slots=True)
class Recipient:
    """A mail address or webhook of a customer; "" is the operator.

    ``severity`` is the least that is told there, ``kinds`` the kinds of events (none: all).
    """

    channel: Channel
    address: str
    customer: str = ""
    severity: EventSeverity = EventSeverity.WARNING
    kinds: tuple[str, ...] = ()
    secret: str = field(default="", repr=False)


def new_secret() -> str:
    """Return a secret to sign webhooks with."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def checked_secret(text: str) -> str:
    """Return a signing secret; raises ``StorageError`` where it is none, without telling it."""
    try:
        octets = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        octets = b""
    if not text.startswith(SECRET_PREFIX) or len(octets) not in SECRET_OCTETS:
        raise StorageError(
            f"a signing secret is {SECRET_PREFIX} and 24 to 64 octets in base64: "
            f'printf "{SECRET_PREFIX}%s" "$(openssl rand -base64 32)"'
        )
    return text


def checked_address(channel: Channel, text: str) -> str:
    """Return a mail address or URL as it is used; raises ``StorageError`` with what is wrong."""
    text = text.strip()
    return checked_mail(text) if channel is Channel.MAIL else checked_url(text)


def checked_mail(text: str) -> str:
    """Return a mail address in its normal form; raises ``StorageError``."""
    # Slow to load, and only few commands have to do with mail.
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415

    try:
        found = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise StorageError(f"{text!r} is no mail address: {error}") from error
    return found.normalized


def checked_url(text: str) -> str:
    """Return the URL of a webhook; raises ``StorageError``."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise StorageError(f"{text!r} is no URL: {error}") from error
    wrong = ""
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        wrong = "a webhook is a URL like https://example.org/hook"
    elif parts.username is not None or parts.password is not None:
        wrong = "a URL carries no password here: what is sent is signed"
    elif parts.fragment or not text.isascii() or any(letter <= " " for letter in text):
        wrong = "a URL has ASCII letters, no spaces, and no # here"
    if wrong:
        raise StorageError(f"{text!r}: {wrong}")
    return text


def add_recipient(
    session: Session, recipient: Recipient, *, now: float | None = None, actor: str = ""
) -> Recipient:
    """Add an address to a customer, and return it; a webhook gets a secret where it has none.

    Raises ``StorageError`` for an unknown customer or a bad address, ``AlreadyExists``.
    """
    now = time.time() if now is None else now
    if session.get(CustomerRow, recipient.customer) is None:
        raise StorageError(f"no such customer {recipient.customer}")
    address = checked_address(recipient.channel, recipient.address)
    if find(session, recipient.customer, recipient.channel, address) is not None:
        raise AlreadyExists(f"customer {recipient.customer} has {address} already")
    secret = recipient.secret
    if recipient.channel is Channel.WEBHOOK:
        secret = checked_secret(secret) if secret else new_secret()
    row = RecipientRow(
        customer=recipient.customer,
        channel=recipient.channel.value,
        address=address,
        secret=secret,
        severity=recipient.severity.value,
        kinds=sorted(set(recipient.kinds)),
        created_at=now,
    )
    session.add(row)
    session.flush()
    told(session, f"is told by {recipient.channel}: {address}", recipient.customer, now, actor)
    return recipient_of(row)


def change_recipient(
    session: Session,
    customer: str,
    channel: Channel,
    address: str,
    *,
    severity: EventSeverity | None = None,
    kinds: Sequence[str] | None = None,
    new_secret_wanted: bool = False,
    now: float | None = None,
    actor: str = "",
) -> Recipient:
    """Change what an address is told, or its secret; ``None`` leaves as it is.

    Raises ``StorageError``.
    """
    row = needed(session, customer, channel, address)
    if severity is not None:
        row.severity = severity.value
    if kinds is not None:
        row.kinds = sorted(set(kinds))
    if new_secret_wanted:
        row.secret = new_secret()
    session.flush()
    what = "has a new secret" if new_secret_wanted else "is told other things"
    told(session, f"{address} {what}", customer, time.time() if now is None else now, actor)
    return recipient_of(row)


def delete_recipient(
    session: Session,
    customer: str,
    channel: Channel,
    address: str,
    *,
    now: float | None = None,
    actor: str = "",
) -> None:
    """Tell an address nothing any more; raises ``StorageError``."""
    session.delete(needed(session, customer, channel, address))
    session.flush()
    now = time.time() if now is None else now
    told(session, f"is no longer told by {channel}: {address}", customer, now, actor)


def told(session: Session, text: str, customer: str, now: float, actor: str) -> None:
    """Record a change of a customer's addresses."""
    text = f"customer {customer}: {text}"
    data = {"customer": customer}
    events.record(session, "recipients", EventSeverity.INFO, None, text, data, actor=actor, at=now)


def find(session: Session, customer: str, channel: Channel, address: str) -> RecipientRow | None:
    """Return the row of an address."""
    return session.scalars(
        select(RecipientRow).where(
            RecipientRow.customer == customer,
            RecipientRow.channel == channel.value,
            RecipientRow.address == address,
        )
    ).one_or_none()


def needed(session: Session, customer: str, channel: Channel, address: str) -> RecipientRow:
    """Return the row of an address; raises ``StorageError``, which names those there are."""
    row = find(session, customer, channel, checked_address(channel, address))
    if row is None:
        there = [one.address for one in list_recipients(session, [customer])]
        raise StorageError(
            f"customer {customer} has no {channel} {address}; there is: "
            + (", ".join(there) or "none")
        )
    return row


def list_recipients(session: Session, customers: Iterable[str] | None = None) -> list[Recipient]:
    """Return the addresses of these customers, or of all."""
    query = select(RecipientRow).order_by(
        RecipientRow.customer, RecipientRow.channel, RecipientRow.address
    )
    if customers is not None:
        query = query.where(RecipientRow.customer.in_(list(customers)))
    return [recipient_of(row) for row in session.scalars(query)]


def secret_of(session: Session, customer: str | None, url: str) -> str:
    """Return what a webhook's messages are signed with, "" where nobody has that URL now."""
    row = find(session, customer or "", Channel.WEBHOOK, url)
    return row.secret if row is not None else ""


def recipient_of(row: RecipientRow) -> Recipient:
    """Return the recipient of a row."""
    return Recipient(
        Channel(row.channel),
        row.address,
        row.customer,
        EventSeverity(row.severity),
        tuple(row.kinds),
        row.secret,
    )
