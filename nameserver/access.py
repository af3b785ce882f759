"""Who may transfer zones from us and who is told of changes, with the keys they sign with."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping

from axfr.notify import NotifyTarget
from nameserver.tls import Session
from storage.peers import Peer
from zones.name import Name
from zones.secondary import TsigKey


class Access:
    """The peers and TSIG keys in force; replaced as a whole when either changes."""

    def __init__(self, peers: Iterable[Peer] = (), keys: Iterable[TsigKey] = ()) -> None:
        self.keys: Mapping[Name, TsigKey] = {key.name: key for key in keys}
        self._peers: dict[Name | None, list[Peer]] = {}
        for peer in peers:
            self._peers.setdefault(peer.apex, []).append(peer)

    def _of(self, apex: Name) -> Iterable[Peer]:
        yield from self._peers.get(apex, ())
        yield from self._peers.get(None, ())

    def may_transfer(
        self, apex: Name, address: str, key: Name | None, session: Session | None = None
    ) -> bool:
        """Tell whether a client at ``address``, signing with ``key``, may have the zone.

        A peer with a key has to sign with it, one with a certificate to show that; one without
        either is known by its address alone. ``session`` is that of a connection over TLS.
        """
        client = ipaddress.ip_address(address.partition("%")[0])
        return any(
            peer.may_transfer
            and (peer.key is None or peer.key == key)
            and _is_secured(peer, session)
            and client in ipaddress.ip_network(peer.address_or_net)
            for peer in self._of(apex)
        )

    @property
    def notifies(self) -> bool:
        """Tell whether anybody is sent NOTIFYs, of any zone."""
        return any(peer.notify for peers in self._peers.values() for peer in peers)

    def notify_targets(self, apex: Name) -> list[NotifyTarget]:
        """Return who is sent a NOTIFY when the zone has changed."""
        return [
            NotifyTarget(
                peer.address_or_net, peer.port, self.keys.get(peer.key) if peer.key else None
            )
            for peer in self._of(apex)
            if peer.notify
        ]


def _is_secured(peer: Peer, session: Session | None) -> bool:
    """Tell whether a connection is what a peer may use (RFC 9103 9.3.4: mutual TLS)."""
    if not (peer.tls_only or peer.certificate):
        return True
    if session is None or not session.may_carry_transfers:
        return False
    return not peer.certificate or peer.certificate in session.names
