"""The tables of catalog zones (RFC 9432)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from storage.models import ApexKey, Base, BigInt, NameText
from zones.name import Name


class CatalogRow(Base):
    """A catalog zone that is followed or made here (``storage.catalogs.Catalog``)."""

    __tablename__ = "catalogs"

    apex: Mapped[ApexKey]
    role: Mapped[str]
    customer: Mapped[str | None] = mapped_column(ForeignKey("customers.id"), index=True)
    settings: Mapped[dict[str, Any]]
    applied: Mapped[BigInt]  # the version that was last done, 0 before
    trouble: Mapped[str]  # why the newest version is not
    held: Mapped[BigInt]  # the version that waits for approval, 0 for none


class MemberRow(Base):
    """A zone that came from a catalog."""

    __tablename__ = "catalog_members"

    apex: Mapped[ApexKey]
    catalog: Mapped[Name] = mapped_column(
        NameText(), ForeignKey("catalogs.apex", ondelete="CASCADE"), index=True
    )
    label: Mapped[str]  # in hexadecimal: any octets are allowed
    groups: Mapped[dict[str, Any]]
    coo: Mapped[Name | None] = mapped_column(NameText())
