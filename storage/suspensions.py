"""Primaries that are cut off: asked for nothing, and listened to in nothing (contract N 5.2)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from storage import bulk, events, feed
from storage.errors import StorageError
from storage.events import EventSeverity
from storage.feed import ChangeKind
from storage.quarantine_models import SuspendedPrimaryRow


@dataclass(frozen=True, slots=True)
class Suspension:
    """A server that is cut off; port 0 stands for all of its ports."""

    address: str
    port: int
    reason: str
    at: float
    actor: str

    def __str__(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}@{self.port}" if self.port else f"{host}, all ports"


def suspend(session: Session, suspension: Suspension) -> None:
    """Cut a primary off, in all zones."""
    row = {
        "address": suspension.address,
        "port": suspension.port,
        "reason": suspension.reason,
        "at": suspension.at,
        "actor": suspension.actor,
    }
    bulk.upsert(session, SuspendedPrimaryRow, [row])
    feed.append(session, ChangeKind.SUSPENSIONS, None, at=suspension.at)
    text = f"primary {suspension} is suspended: {suspension.reason}"
    events.record(
        session,
        "primary-suspended",
        EventSeverity.WARNING,
        None,
        text,
        {"address": suspension.address, "port": suspension.port, "reason": suspension.reason},
        actor=suspension.actor,
        at=suspension.at,
    )


def resume(
    session: Session, address: str, port: int, *, reason: str, actor: str, now: float
) -> Suspension:
    """Ask a primary again; raises ``StorageError`` where it is not suspended."""
    found = next(
        (one for one in all_suspensions(session) if (one.address, one.port) == (address, port)),
        None,
    )
    wanted = found or Suspension(address, port, "", now, actor)
    if found is None:
        raise StorageError(f"primary {wanted} is not suspended")
    session.execute(
        delete(SuspendedPrimaryRow).where(
            SuspendedPrimaryRow.address == address, SuspendedPrimaryRow.port == port
        )
    )
    feed.append(session, ChangeKind.SUSPENSIONS, None, at=now)
    text = f"primary {wanted} is asked again" + (f": {reason}" if reason else "")
    events.record(session, "primary-resumed", EventSeverity.INFO, None, text, actor=actor, at=now)
    return found


def all_suspensions(session: Session) -> list[Suspension]:
    """Return what is cut off, in the order of addresses."""
    rows = session.scalars(
        select(SuspendedPrimaryRow).order_by(SuspendedPrimaryRow.address, SuspendedPrimaryRow.port)
    )
    return [Suspension(row.address, row.port, row.reason, row.at, row.actor) for row in rows]
