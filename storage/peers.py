"""Peers: who may transfer zones out and who is sent NOTIFY when they change."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.orm import Session

from storage import bulk, events, feed
from storage.errors import AlreadyExists, StorageError
from storage.events import EventSeverity
from storage.feed import ChangeKind
from storage.keys import get_key
from storage.models import PeerRow
from storage.zones import get_zone
from zones.name import Name, display


@dataclass(frozen=True, slots=True)
class Peer:
    """A server, or with ``may_transfer`` alone a network, that follows our zones.

    With a ``key``, transfers have to be signed by it and NOTIFY is. ``apex`` is ``None`` where all
    zones are meant. With ``tls_only`` zones are transferred over TLS alone, and with a
    ``certificate`` to those alone that show one with this name.
    """

    address_or_net: str
    port: int = 53
    key: Name | None = None
    apex: Name | None = None
    may_transfer: bool = True
    notify: bool = True
    tls_only: bool = False
    certificate: str = ""

    def __str__(self) -> str:
        host = f"[{self.address_or_net}]" if ":" in self.address_or_net else self.address_or_net
        return f"{host}@{self.port} of {display(self.apex) if self.apex else 'all zones'}"


def add_peer(session: Session, peer: Peer, *, now: float | None = None, actor: str = "") -> None:
    """Add a peer; raises ``AlreadyExists``, ``UnknownZone``, and ``StorageError`` with a reason."""
    if session.scalar(select(PeerRow.id).where(same(peer))) is not None:
        raise AlreadyExists(f"peer {peer} exists already")
    store(session, [peer])
    tell(session, peer.apex, f"peer {peer} added", now, actor)


def delete_peer(session: Session, peer: Peer, *, now: float | None = None, actor: str = "") -> None:
    """Delete the peer of that address, port, key and apex; raises ``StorageError``."""
    found = session.scalar(select(PeerRow.id).where(same(peer)))
    if found is None:
        raise StorageError(f"no such peer {peer}")
    session.execute(delete(PeerRow).where(PeerRow.id == found))
    tell(session, peer.apex, f"peer {peer} deleted", now, actor)


def set_peers(
    session: Session,
    apex: Name | None,
    peers: Sequence[Peer],
    *,
    now: float | None = None,
    actor: str = "",
) -> None:
    """Replace the peers of one zone, or with ``None`` those of all zones."""
    for peer in peers:
        if peer.apex != apex:
            raise StorageError(
                f"peer {peer} is not one of {display(apex) if apex else 'all zones'}"
            )
    session.execute(
        delete(PeerRow).where(PeerRow.apex.is_(None) if apex is None else PeerRow.apex == apex)
    )
    store(session, peers)
    listed = ", ".join(str(peer) for peer in peers) or "none"
    tell(session, apex, f"peers are now {listed}", now, actor)


def list_peers(session: Session) -> list[Peer]:
    """Return all peers, those of all zones first."""
    rows = session.scalars(
        select(PeerRow).order_by(PeerRow.apex.is_not(None), PeerRow.apex, PeerRow.id)
    )
    return [peer_of(row) for row in rows]


def peers_of(session: Session, apex: Name) -> list[Peer]:
    """Return the peers of a zone, those of all zones included; raises ``UnknownZone``."""
    get_zone(session, apex)
    rows = session.scalars(
        select(PeerRow)
        .where(or_(PeerRow.apex.is_(None), PeerRow.apex == apex))
        .order_by(PeerRow.id)
    )
    return [peer_of(row) for row in rows]


def peer_of(row: PeerRow) -> Peer:
    """Return the peer of a row."""
    return Peer(
        row.address,
        row.port,
        row.key,
        row.apex,
        row.may_transfer,
        row.notify,
        row.tls_only,
        row.certificate,
    )


def same(peer: Peer) -> ColumnElement[bool]:
    """Return the condition for the row of a peer."""
    return (
        (PeerRow.address == normal(peer))
        & (PeerRow.port == peer.port)
        & PeerRow.key.is_not_distinct_from(peer.key)
        & PeerRow.apex.is_not_distinct_from(peer.apex)
    )


def normal(peer: Peer) -> str:
    """Return address or network in the form in which it is stored; raises ``StorageError``."""
    try:
        network = ipaddress.ip_network(peer.address_or_net)
    except ValueError as error:
        raise StorageError(f"peer {peer}: {error}") from error
    if network.num_addresses > 1 and peer.notify:
        raise StorageError(f"peer {peer}: NOTIFY is sent to an address, not to a network")
    return str(network if network.num_addresses > 1 else network.network_address)


def store(session: Session, peers: Sequence[Peer]) -> None:
    """Insert peers whose zones and keys are there."""
    rows: list[dict[str, Any]] = []
    for peer in peers:
        if peer.apex is not None:
            get_zone(session, peer.apex)
        if peer.key is not None:
            get_key(session, peer.key)
        rows.append(
            {
                "apex": peer.apex,
                "address": normal(peer),
                "port": peer.port,
                "key": peer.key,
                "may_transfer": peer.may_transfer,
                "notify": peer.notify,
                "tls_only": peer.tls_only,
                "certificate": peer.certificate,
            }
        )
    bulk.insert(session, PeerRow, rows)


def tell(session: Session, apex: Name | None, text: str, now: float | None, actor: str) -> None:
    """Tell the feed and the log what was done."""
    now = time.time() if now is None else now
    feed.append(session, ChangeKind.PEERS, apex, at=now)
    events.record(session, "peers", EventSeverity.INFO, apex, text, actor=actor, at=now)
