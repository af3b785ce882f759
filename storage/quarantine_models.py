"""The tables of versions that are kept and not served, and of what decides about them."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from storage.models import ApexKey, Base, BigInt, Document


class QuarantineRow(Base):
    """A version that is kept and not served (``zones.quarantine.Quarantined``), one for a zone."""

    __tablename__ = "quarantine"

    apex: Mapped[ApexKey]
    standing: Mapped[str]
    serial: Mapped[BigInt]
    at: Mapped[float]
    primary: Mapped[str]
    findings: Mapped[list[dict[str, Any]]] = mapped_column(Document)
    records: Mapped[BigInt]
    served: Mapped[BigInt | None]
    pinned: Mapped[bool]
    settings: Mapped[dict[str, Any]]
    by: Mapped[str]
    reason: Mapped[str]
    codec: Mapped[int]
    content: Mapped[bytes | None]


class TransferSettingsRow(Base):
    """What the transferred versions of a zone are measured by, where that is not the default."""

    __tablename__ = "transfer_settings"

    apex: Mapped[ApexKey]
    settings: Mapped[dict[str, Any]]


class SuspendedPrimaryRow(Base):
    """A server that is asked for nothing; port 0 means all of its ports."""

    __tablename__ = "suspended_primaries"

    address: Mapped[str] = mapped_column(primary_key=True)
    port: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    reason: Mapped[str]
    at: Mapped[float]
    actor: Mapped[str]
