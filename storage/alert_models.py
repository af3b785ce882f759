"""The tables of what people are told: who is told, what waits to be told, what was sent."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.models import ApexKey, Base, Big, BigInt, Document


class DeliveryRow(Base):
    """A message to one recipient, until it is sent or given up, and for a while after that."""

    __tablename__ = "deliveries"
    __table_args__ = (Index(None, "state", "next_attempt"),)

    id: Mapped[int] = mapped_column(Big, primary_key=True)
    key: Mapped[str] = mapped_column(String(), unique=True)  # what it is about; never sent twice
    token: Mapped[str]  # the same at each attempt, so that receivers can drop a repeat
    channel: Mapped[str]
    recipient: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    customer: Mapped[str | None]  # no foreign key: it outlives the customer
    state: Mapped[str]
    attempts: Mapped[int] = mapped_column(Integer())
    next_attempt: Mapped[float]
    last_error: Mapped[str]
    created_at: Mapped[float]
    sent_at: Mapped[float | None]
    claimed_by: Mapped[str]
    claimed_until: Mapped[float]


class RecipientRow(Base):
    """Where a customer is told things; ``secret`` signs what goes to a webhook."""

    __tablename__ = "recipients"
    __table_args__ = (Index(None, "customer", "channel", "address", unique=True),)

    id: Mapped[int] = mapped_column(Big, primary_key=True)
    customer: Mapped[str] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    channel: Mapped[str]
    address: Mapped[str]
    secret: Mapped[str]
    severity: Mapped[str]  # the least that is told
    kinds: Mapped[list[str]] = mapped_column(Document)  # of events; none: all
    created_at: Mapped[float]


class DigestRow(Base):
    """Events of one cause for one recipient, collected until they are told together.

    After that the row stays for a while, empty: until ``quiet_until`` more of the same waits.
    """

    __tablename__ = "digests"

    channel: Mapped[str] = mapped_column(String(), primary_key=True)
    recipient: Mapped[str] = mapped_column(String(), primary_key=True)
    customer: Mapped[str] = mapped_column(String(), primary_key=True)  # "": the operator's
    cause: Mapped[str] = mapped_column(String(), primary_key=True)
    opened_at: Mapped[float | None]  # None: nothing waits
    due_at: Mapped[float | None] = mapped_column(index=True)
    quiet_until: Mapped[float]
    rounds: Mapped[int] = mapped_column(Integer())  # how often it was told without a rest
    first_event: Mapped[BigInt]  # for the delivery's key
    count: Mapped[BigInt]
    severity: Mapped[str]  # the worst
    lines: Mapped[list[dict[str, Any]]] = mapped_column(Document)  # of the first ones


class PositionRow(Base):
    """How far somebody has read the event log."""

    __tablename__ = "event_positions"

    reader: Mapped[str] = mapped_column(String(), primary_key=True)
    event: Mapped[BigInt]


class DeadlineRow(Base):
    """A zone whose end was announced: which deadline, and the nearest distance told of it."""

    __tablename__ = "deadline_alerts"

    apex: Mapped[ApexKey]
    cause: Mapped[str] = mapped_column(String(), primary_key=True)
    deadline: Mapped[float]
    distance: Mapped[float]  # seconds before the deadline; 0: it has passed
    told_at: Mapped[float]


class DriftRow(Base):
    """What the last comparison of a zone with its primaries found."""

    __tablename__ = "drifts"

    apex: Mapped[ApexKey]
    compared_at: Mapped[float]  # content, by a whole transfer
    finding: Mapped[str]  # a rule; "": none
    found_at: Mapped[float | None]
    serial: Mapped[BigInt | None]  # at which it was found
    primary: Mapped[str]
    hash: Mapped[str]  # of the primary's content
    text: Mapped[str]
    changes: Mapped[list[str]] = mapped_column(Document)  # "+ record" and "- record", the first
    change_count: Mapped[BigInt]
    apart_since: Mapped[float | None]  # since when the primaries' serials differ
    apart_told: Mapped[bool]  # somebody knows it
    serials: Mapped[dict[str, Any]]  # by primary
