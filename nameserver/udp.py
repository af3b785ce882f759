"""The UDP listener: datagrams in, answers out, from the address that was asked."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Final

import structlog

from nameserver.counters import Counters

log = structlog.get_logger()

Answer = Callable[[bytes, str, int], bytes | None]

# RFC 6891 6.2.5: what a requestor may send; a query above this is not one we read in full.
LARGEST_QUERY: Final = 4096
# Datagrams read before other work of the event loop gets its turn.
BATCH: Final = 64
# Some headers name IPV6_RECVPKTINFO but not IP_PKTINFO before Python 3.14; the value is Linux's.
IP_PKTINFO: Final = getattr(socket, "IP_PKTINFO", 8)
ANCILLARY_SPACE: Final = socket.CMSG_SPACE(64)


class UdpListener:
    """Reads one UDP socket and sends each answer from the address its query was sent to.

    ``answer(query, client address, client port)`` returns the response or ``None`` for silence.
    A socket bound to a wildcard address answers from the right one by IP_PKTINFO (RFC 3542 6.1).
    """

    def __init__(self, address: str, port: int, answer: Answer, counters: Counters) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
            if family == socket.AF_INET6:
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
            else:
                self._socket.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
            self._socket.bind((address, port))
        except OSError:
            self._socket.close()
            raise
        self.port: int = self._socket.getsockname()[1]
        self._answer = answer
        self._counters = counters

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to answer."""
        loop.add_reader(self._socket.fileno(), self._read_batch)

    def stop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Stop reading and close the socket."""
        loop.remove_reader(self._socket.fileno())
        self._socket.close()

    def _read_batch(self) -> None:
        for _ in range(BATCH):
            try:
                query, ancillary, _flags, client = self._socket.recvmsg(
                    LARGEST_QUERY, ANCILLARY_SPACE
                )
            except (BlockingIOError, InterruptedError):
                return
            except OSError:  # an ICMP error of an earlier answer, reported on this socket
                continue
            response = self._answer(query, client[0], client[1])
            if response is not None:
                self._send(response, ancillary, client)

    def _send(
        self, response: bytes, ancillary: list[tuple[int, int, bytes]], client: tuple[object, ...]
    ) -> None:
        try:
            self._socket.sendmsg([response], ancillary, 0, client)
        except OSError:  # full buffer, unreachable client: UDP's client asks again
            self._counters.count("udp.send-failed")
