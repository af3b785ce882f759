"""The tables.

Names are stored as people write them: ``example.org``, no final dot, lower case, octets outside
the usual escaped as in zone files. Code carries wire octets, but whoever opens the database with
``sqlite3`` or ``psql`` sees, filters and joins names, and so does every report written later; the
conversion costs under a microsecond for ordinary names. The apex is the key of a zone in every
table: no join is needed to know which zone a row is about.

The content of a version is one blob, the packed form (``zones.packed``); no row per record.
Times are seconds since the epoch (UTC).

TSIG secrets are stored as they are: an HMAC needs the secret itself, a hash of it is useless. The
SQLite file is therefore created readable by its owner alone, and backups too.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    TypeDecorator,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from storage.names import name_of, text_of
from zones.name import Name


class NameText(TypeDecorator[Name]):
    """A domain name: wire octets in Python, text in the database."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Compare octet by octet on PostgreSQL, whatever the database's collation is."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.VARCHAR(collation="C"))
        return dialect.type_descriptor(String())

    def process_bind_param(self, value: Name | None, dialect: Dialect) -> str | None:  # noqa: ARG002  the base class's signature
        """Return what is stored."""
        return None if value is None else text_of(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Name | None:  # noqa: ARG002
        """Return the wire octets."""
        return None if value is None else name_of(value)


Big = BigInteger().with_variant(Integer, "sqlite")
Document = JSON().with_variant(postgresql.JSONB(), "postgresql")

ApexKey = Annotated[
    Name,
    mapped_column(NameText(), ForeignKey("zones.apex", ondelete="CASCADE"), primary_key=True),
]
ApexOf = Annotated[Name, mapped_column(NameText(), ForeignKey("zones.apex", ondelete="CASCADE"))]
KeyOf = Annotated[Name, mapped_column(NameText(), ForeignKey("tsig_keys.name"))]
BigKey = Annotated[int, mapped_column(Big, primary_key=True, autoincrement=False)]
BigInt = Annotated[int, mapped_column(Big)]


class Base(DeclarativeBase):
    """The registry of tables; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        float: Double(),
        dict[str, Any]: Document,
        bytes: LargeBinary(),
    }


class CustomerRow(Base):
    """A customer; a stub until the registrar part fills it."""

    __tablename__ = "customers"

    id: Mapped[str] = mapped_column(String(), primary_key=True)
    name: Mapped[str]
    created_at: Mapped[float]


class ZoneRow(Base):
    """A zone and its settings (``zones.zone.Zone``)."""

    __tablename__ = "zones"

    apex: Mapped[Name] = mapped_column(NameText(), primary_key=True)
    mode: Mapped[str]
    customer: Mapped[str | None] = mapped_column(ForeignKey("customers.id"), index=True)
    serial_policy: Mapped[str]
    pinned: Mapped[bool]
    suspended: Mapped[str]
    keep_versions: Mapped[int]
    created_at: Mapped[float]
    updated_at: Mapped[float]


class VersionRow(Base):
    """One version of a zone; ``id`` is the number of the change that brought it (``FeedRow``)."""

    __tablename__ = "versions"
    __table_args__ = (Index(None, "apex", "id"),)

    id: Mapped[BigKey]
    apex: Mapped[ApexOf]
    serial: Mapped[BigInt]
    created_at: Mapped[float]
    origin: Mapped[str]
    actor: Mapped[str]
    reason: Mapped[str]
    records: Mapped[BigInt]
    hash: Mapped[str]
    octets: Mapped[BigInt]  # of the packed form, before the codec
    codec: Mapped[int]
    content: Mapped[bytes]  # last: listing a history never touches its pages


class PatchedRow(Base):
    """A version that is stored as changes to another one, its root, which is stored whole."""

    __tablename__ = "patched"

    version: Mapped[int] = mapped_column(
        Big, ForeignKey("versions.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    apex: Mapped[ApexOf] = mapped_column(index=True)
    # Looked at when a transaction ends: a zone goes with all its versions, in whatever order.
    root: Mapped[int] = mapped_column(
        Big, ForeignKey("versions.id", deferrable=True, initially="DEFERRED"), index=True
    )


class ServedRow(Base):
    """Which version of a zone is served; a foreign key keeps it from being pruned."""

    __tablename__ = "served"

    apex: Mapped[ApexKey]
    version: Mapped[int] = mapped_column(Big, ForeignKey("versions.id"), index=True)


class KeyRow(Base):
    """A TSIG key."""

    __tablename__ = "tsig_keys"

    name: Mapped[Name] = mapped_column(NameText(), primary_key=True)
    algorithm: Mapped[str]
    secret: Mapped[bytes]
    created_at: Mapped[float]


class PrimaryRow(Base):
    """A primary of a secondary zone, asked in the order of ``position``."""

    __tablename__ = "primaries"

    apex: Mapped[ApexKey]
    position: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str]
    port: Mapped[int]
    key: Mapped[KeyOf | None] = mapped_column(index=True)
    tls: Mapped[dict[str, Any] | None]  # the fields of ``zones.secondary.PrimaryTls``
    source: Mapped[str | None]
    transfers: Mapped[int | None]


class PeerRow(Base):
    """Who may transfer a zone out and who is sent NOTIFY; without ``apex``, for all zones."""

    __tablename__ = "peers"

    id: Mapped[int] = mapped_column(Big, primary_key=True)
    apex: Mapped[ApexOf | None] = mapped_column(index=True)
    address: Mapped[str]
    port: Mapped[int]
    key: Mapped[KeyOf | None] = mapped_column(index=True)
    may_transfer: Mapped[bool]
    notify: Mapped[bool]
    tls_only: Mapped[bool]
    certificate: Mapped[str]  # the name in it; "": none is asked for


class StateRow(Base):
    """Timers and standing of a secondary zone (``zones.secondary.SecondaryState``)."""

    __tablename__ = "secondary_states"

    apex: Mapped[ApexKey]
    serial: Mapped[BigInt | None]
    primary_serial: Mapped[BigInt | None]
    last_result: Mapped[str | None]
    last_rule: Mapped[str]
    last_reason: Mapped[str]
    last_attempt: Mapped[float | None]
    last_success: Mapped[float | None]
    next_refresh: Mapped[float]
    expires_at: Mapped[float | None]
    failures: Mapped[int]
    refresh: Mapped[BigInt]
    retry: Mapped[BigInt]
    expire: Mapped[BigInt]
    refused_serial: Mapped[BigInt | None]
    refused_at: Mapped[float | None]
    last_record: Mapped[str]
    last_fix: Mapped[str]
    last_primary: Mapped[str]


class AttemptRow(Base):
    """One line of the transfer log."""

    __tablename__ = "transfer_attempts"
    __table_args__ = (Index(None, "apex", "id"),)

    id: Mapped[int] = mapped_column(Big, primary_key=True)
    apex: Mapped[ApexOf]
    at: Mapped[float]
    primary: Mapped[str]
    kind: Mapped[str]
    result: Mapped[str]
    rule: Mapped[str]
    reason: Mapped[str]
    serial_from: Mapped[BigInt | None]
    serial_to: Mapped[BigInt | None]
    octets: Mapped[BigInt]
    records: Mapped[BigInt]
    seconds: Mapped[float]


class FeedRow(Base):
    """One change; numbers are dense and never used twice. The zone may be gone: no foreign key."""

    __tablename__ = "feed"

    seq: Mapped[BigKey]
    kind: Mapped[str]
    apex: Mapped[Name | None] = mapped_column(NameText())
    at: Mapped[float]
    payload: Mapped[dict[str, Any]]


class EventRow(Base):
    """One line of the event log, for people; it outlives its zone: no foreign key."""

    __tablename__ = "events"
    __table_args__ = (Index(None, "apex", "id"),)

    id: Mapped[int] = mapped_column(Big, primary_key=True)
    at: Mapped[float]
    kind: Mapped[str]
    severity: Mapped[str]
    apex: Mapped[Name | None] = mapped_column(NameText())
    actor: Mapped[str]
    text: Mapped[str]
    data: Mapped[dict[str, Any]]


class LeaseRow(Base):
    """Who holds a lease, and until when."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(), primary_key=True)
    holder: Mapped[str]
    until: Mapped[float]
