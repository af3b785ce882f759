"""The UDP listener: datagrams in, answers out, from the address that was asked."""

from __future__ import annotations

import asyncio
import ipaddress
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
BUFFER: Final = 4 * 1024 * 1024  # octets; the system caps it at net.core.rmem_max, wmem_max
# Some headers name IPV6_RECVPKTINFO but not IP_PKTINFO before Python 3.14; the value is Linux's.
IP_PKTINFO: Final = getattr(socket, "IP_PKTINFO", 8)
# Linux's values, which Python does not name before 3.14.
IP_MTU_DISCOVER: Final = 10
IPV6_MTU_DISCOVER: Final = 23
PMTUDISC_PROBE: Final = 3
WHOLE: Final = 1232  # octets that go through any network in one piece (RFC 9715 3)
ANCILLARY_SPACE: Final = socket.CMSG_SPACE(64)


def bind_datagram(address: str, port: int, *, shared: bool = False) -> socket.socket:
    """Return a UDP socket on an address; raises ``OSError``.

    A socket on a wildcard address tells where each datagram was sent to (RFC 3542 6.1). With
    ``shared`` other sockets of this process may be bound to the same address and port; the system
    gives each client to one of them.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_DGRAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if ipaddress.ip_address(address.partition("%")[0]).is_unspecified:
            if family == socket.AF_INET6:
                bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
            else:
                bound.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        # A port that the system chooses is one that nobody shares; sharing it comes afterwards.
        if shared and port:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind((address, port))
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    except OSError:
        bound.close()
        raise
    return bound


def send_whole(bound: socket.socket) -> None:
    """Let no datagram be cut into fragments, whatever is said of the path (RFC 9715 3.1).

    For datagrams of at most ``WHOLE`` octets; the system refuses to send too large ones.
    """
    if bound.family == socket.AF_INET6:
        bound.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, PMTUDISC_PROBE)
    else:
        bound.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_PROBE)


class UdpListener:
    """Reads one UDP socket and sends each answer from the address its query was sent to.

    ``answer(query, client address, client port)`` returns the response or ``None`` for silence.
    """

    def __init__(self, address: str, port: int, answer: Answer, counters: Counters) -> None:
        self._socket = bind_datagram(address, port)
        self._socket.setblocking(False)
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
