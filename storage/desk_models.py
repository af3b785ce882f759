"""The tables of the registrar's desk.

A registration is a row and its facts; a fact is one JSON text, and never changed. What follows
from the facts and is asked for often (the stage of the life cycle, when something is due next, the
deadlines) is kept beside them and can be made from them again at any time.

Domain names here are those of registries: A-labels without a final dot. Times are seconds since
the epoch (UTC); days are ``YYYY-MM-DD``. Secrets that a registry has to be told (auth codes) are in
columns of their own, and are emptied as soon as it has been told.
"""

from __future__ import annotations

from typing import Annotated, Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.models import Base, Big, Document, NameText
from zones.name import Name

Number = Annotated[int, mapped_column(Big, primary_key=True)]
RegistrationOf = Annotated[
    int, mapped_column(Big, ForeignKey("registrations.id", ondelete="CASCADE"))
]
CustomerOf = Annotated[str, mapped_column(ForeignKey("customers.id"), index=True)]
ContactOf = Annotated[str | None, mapped_column(ForeignKey("contacts.id"), index=True)]
Json = Annotated[Any, mapped_column(Document)]


class ContactRow(Base):
    """A contact; ``data`` is what its owner entered, ``words`` what it is looked for by.

    One that was erased stays as its id: registrations and facts name it.
    """

    __tablename__ = "contacts"

    id: Mapped[str] = mapped_column(String(), primary_key=True)
    customer: Mapped[CustomerOf]
    data: Mapped[dict[str, Any]]
    words: Mapped[str]
    verified_at: Mapped[float | None]
    created_at: Mapped[float]
    updated_at: Mapped[float]
    erased_at: Mapped[float | None]


class RegistrationRow(Base):
    """A domain at the desk, from its order to its end; one that comes back is another row.

    ``lived_until`` is the moment up to which all that happened has had its effects, ``next_due``
    the next one at which anything will: what is not due is not looked at. ``course`` is where it
    stood at ``lived_until``, as the registrar writes it: a cache, ``None`` where there is none. It
    comes with ``steady_until``, up to when time brings renewals and nothing else.
    """

    __tablename__ = "registrations"
    __table_args__ = (
        Index(
            "ix_registrations_open_name",
            "name",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index(None, "name"),
    )

    id: Mapped[Number]
    name: Mapped[str]
    customer: Mapped[CustomerOf]
    contract: Mapped[str]
    profile: Mapped[str]
    account: Mapped[str]
    kind: Mapped[str]
    forward: Mapped[bool]
    holder: Mapped[ContactOf]
    admin: Mapped[ContactOf]
    tech: Mapped[ContactOf]
    managers: Mapped[Json]
    mode: Mapped[str]
    booking: Mapped[dict[str, Any]]
    servers: Mapped[Json]
    sec_dns: Mapped[dict[str, Any]]
    auth_hash: Mapped[str]
    life: Mapped[str]
    lived_until: Mapped[float | None]
    next_due: Mapped[float | None] = mapped_column(index=True)
    created_at: Mapped[float]
    created_by: Mapped[str]
    closed_at: Mapped[float | None]
    course: Mapped[str | None] = mapped_column(deferred=True)
    steady_until: Mapped[float | None]


class FactRow(Base):
    """Something that happened to a registration; ``body`` is the registrar's JSON."""

    __tablename__ = "facts"
    __table_args__ = (Index(None, "registration", "id"),)

    id: Mapped[Number]
    registration: Mapped[RegistrationOf]
    body: Mapped[str]
    recorded_at: Mapped[float]
    actor: Mapped[str]


class DeadlineRow(Base):
    """Something that is due for a registration; ``alarmed`` tells that it was told of."""

    __tablename__ = "deadlines"

    id: Mapped[Number]
    registration: Mapped[RegistrationOf] = mapped_column(index=True)
    kind: Mapped[str]
    due: Mapped[float] = mapped_column(index=True)
    alarm: Mapped[float] = mapped_column(index=True)
    sentence: Mapped[str]
    source: Mapped[str]
    alarmed: Mapped[bool]


class JobRow(Base):
    """Work at a registry, to be done once (``key``) and in order for each registration."""

    __tablename__ = "jobs"
    __table_args__ = (UniqueConstraint("key"), Index(None, "state", "due"))

    id: Mapped[Number]
    key: Mapped[str]
    registration: Mapped[RegistrationOf | None] = mapped_column(index=True)
    account: Mapped[str]
    kind: Mapped[str]
    state: Mapped[str]
    due: Mapped[float]
    attempts: Mapped[int]
    trid: Mapped[str]
    reason: Mapped[str]
    detail: Mapped[dict[str, Any]]
    secret: Mapped[str]
    created_at: Mapped[float]
    finished_at: Mapped[float | None]
    leased_by: Mapped[str]
    leased_until: Mapped[float]


class JournalRow(Base):
    """A command that was about to be sent to a registry, and what came of it."""

    __tablename__ = "registry_journal"
    __table_args__ = (Index(None, "account", "settled_at"),)

    trid: Mapped[str] = mapped_column(String(), primary_key=True)
    account: Mapped[str]
    kind: Mapped[str]
    object: Mapped[str] = mapped_column(index=True)
    command: Mapped[str]
    secret: Mapped[str]
    at: Mapped[float]
    outcome: Mapped[str | None]
    settled_at: Mapped[float | None]


class DocumentRow(Base):
    """A document that arrived for a registration; where it is kept is the note's to say."""

    __tablename__ = "documents"

    id: Mapped[Number]
    registration: Mapped[RegistrationOf] = mapped_column(index=True)
    document: Mapped[str]
    note: Mapped[str]
    received_at: Mapped[float]
    actor: Mapped[str]


class ArrearsRow(Base):
    """What billing says a customer owes: cents, gross, since which day."""

    __tablename__ = "arrears"

    customer: Mapped[str] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    cents: Mapped[int]
    since: Mapped[str]
    past_period: Mapped[bool]
    reported_at: Mapped[float]


class AccountRow(Base):
    """An account at a registry; its password is stored as it is, since it has to be said."""

    __tablename__ = "registry_accounts"

    id: Mapped[str] = mapped_column(String(), primary_key=True)
    kind: Mapped[str]
    client: Mapped[str]
    tlds: Mapped[Json]
    place: Mapped[dict[str, Any]]
    password: Mapped[str]
    enabled: Mapped[bool]
    polled_at: Mapped[float | None]


class MessageRow(Base):
    """A message of a registry that has been taken in; its number keeps it from counting twice."""

    __tablename__ = "registry_messages"

    account: Mapped[str] = mapped_column(String(), primary_key=True)
    message: Mapped[str] = mapped_column(String(), primary_key=True)
    at: Mapped[float]
    object: Mapped[str]
    text: Mapped[str]
    facts: Mapped[Json]


class NoticeRow(Base):
    """Something that a customer is to be told; ``told_at`` is when it was handed on."""

    __tablename__ = "notices"
    __table_args__ = (UniqueConstraint("key"),)

    id: Mapped[Number]
    key: Mapped[str]
    registration: Mapped[RegistrationOf] = mapped_column(index=True)
    kind: Mapped[str]
    at: Mapped[float]
    data: Mapped[dict[str, Any]]
    told_at: Mapped[float | None] = mapped_column(index=True)


class ZoneProductRow(Base):
    """The product that a zone is booked with."""

    __tablename__ = "zone_products"

    apex: Mapped[Name] = mapped_column(
        NameText(), ForeignKey("zones.apex", ondelete="CASCADE"), primary_key=True
    )
    catalogue: Mapped[str]
    product: Mapped[str]
    options: Mapped[Json]
    own_mx: Mapped[Json]
