"""Telling other servers about new versions: the asyncio shell around ``NotifySender``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Final

import structlog

from axfr import log as log_lines
from axfr.ids import new_id
from axfr.message import NOERROR, rcode_text
from axfr.notify import NotifySender, NotifyTarget, Told
from zones.version import ZoneVersion

log = structlog.get_logger()

IPV4_ANY: Final = "0.0.0.0"  # noqa: S104 (answers to our own requests only)
IPV6_ANY: Final = "::"


class Notifier(asyncio.DatagramProtocol):
    """Sends NOTIFY to targets from one socket per address family, until they answer."""

    def __init__(
        self,
        *,
        source: str | None = None,
        source6: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._sources = {False: source or IPV4_ANY, True: source6 or IPV6_ANY}
        self._clock = clock
        self._sender = NotifySender(new_id)
        self._transports: dict[bool, asyncio.DatagramTransport] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Open the sockets; a family that the machine does not have is left out."""
        loop = asyncio.get_running_loop()
        for is_v6, source in self._sources.items():
            try:
                transport, _ = await loop.create_datagram_endpoint(
                    lambda: self, local_addr=(source, 0)
                )
            except OSError as error:
                log.warning("NOTIFY cannot be sent", source=source, reason=str(error))
            else:
                self._transports[is_v6] = transport

    async def stop(self) -> None:
        """Close the sockets; who has not answered yet is not told again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        transports, self._transports = self._transports, {}
        for transport in transports.values():
            transport.close()

    def notify(self, version: ZoneVersion, targets: Iterable[NotifyTarget]) -> None:
        """Tell the targets about a version that is served now."""
        self._sender.notify(version.apex, version.soa, targets, self._clock())
        self._send_due()

    def datagram_received(self, data: bytes, addr: tuple[str, int, *tuple[int, ...]]) -> None:
        """Take an answer."""
        self._sender.receive(data, addr[0], addr[1], self._clock())
        self._tell(self._sender.ended())

    def error_received(self, exc: Exception) -> None:
        """Go on: an ICMP error is no answer, and the next try is due anyway."""

    def _send_due(self) -> None:
        """Send what is due, and set the timer for what will be."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._transports:
            return
        now = self._clock()
        for datagram in self._sender.datagrams_to_send(now):
            transport = self._transports.get(":" in datagram.address)
            if transport is not None:
                transport.sendto(datagram.octets, (datagram.address, datagram.port))
        self._tell(self._sender.ended())
        due = self._sender.next_timer()
        if due is not None:
            delay = max(0.0, due - now)
            self._timer = asyncio.get_running_loop().call_later(delay, self._send_due)

    @staticmethod
    def _tell(ended: Iterable[Told]) -> None:
        for told in ended:
            ok = told.rcode == NOERROR
            text = told.reason or ("answered" if ok else f"answered {rcode_text(told.rcode or 0)}")
            line = log_lines.line(told.apex, "NOTIFY", "outgoing, to", str(told.target), text)
            if ok:
                log.debug(line)
            else:
                log.warning(line)
