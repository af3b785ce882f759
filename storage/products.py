"""Which product a zone is booked with; what that allows is the registrar's to say."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete as sql_delete
from sqlalchemy.orm import Session

from storage import bulk, events
from storage.desk_models import ZoneProductRow
from storage.events import EventSeverity
from storage.zones import get_zone
from zones.name import Name, display


@dataclass(frozen=True, slots=True)
class ZoneProduct:
    """A product with its options; ``own_mx`` are the customer's own mail servers."""

    apex: Name
    catalogue: str
    product: str
    options: tuple[str, ...] = ()
    own_mx: tuple[tuple[int, str], ...] = ()


def get(session: Session, apex: Name) -> ZoneProduct | None:
    """Return the product of a zone, ``None`` where it has none."""
    row = session.get(ZoneProductRow, apex)
    if row is None:
        return None
    own_mx = tuple((int(preference), str(host)) for preference, host in row.own_mx)
    return ZoneProduct(row.apex, row.catalogue, row.product, tuple(row.options), own_mx)


def put(session: Session, product: ZoneProduct, *, now: float, actor: str) -> None:
    """Set the product of a zone; raises ``UnknownZone``. The same again does nothing."""
    get_zone(session, product.apex)
    if get(session, product.apex) == product:
        return
    bulk.upsert(
        session,
        ZoneProductRow,
        [
            {
                "apex": product.apex,
                "catalogue": product.catalogue,
                "product": product.product,
                "options": list(product.options),
                "own_mx": [list(pair) for pair in product.own_mx],
            }
        ],
    )
    session.expire_all()
    options = f" with {', '.join(product.options)}" if product.options else ""
    text = f"zone {display(product.apex)}: product {product.product}{options}"
    events.record(
        session, "product-changed", EventSeverity.INFO, product.apex, text, actor=actor, at=now
    )


def delete(session: Session, apex: Name, *, now: float, actor: str) -> None:
    """Let a zone have no product; one that has none stays so."""
    if get(session, apex) is None:
        return
    session.execute(sql_delete(ZoneProductRow).where(ZoneProductRow.apex == apex))
    session.expire_all()
    text = f"zone {display(apex)}: no product any more"
    events.record(session, "product-changed", EventSeverity.INFO, apex, text, actor=actor, at=now)
