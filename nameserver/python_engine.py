"""The engine in plain Python, for where nothing is compiled: one thread, no preparation."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from nameserver.address import Address
from nameserver.cookies import Client, Verdict
from nameserver.counters import Counters
from nameserver.limited import LimitedAnswers
from nameserver.respond import (
    AnswerSettings,
    HandOver,
    Response,
    Transport,
    response_to,
)
from nameserver.rrl import RateLimits
from nameserver.table import ServedZone, ZoneState, ZoneTable
from nameserver.udp import Answer, UdpListener
from zones.name import Name
from zones.version import ZoneVersion


class PythonEngine:
    """Answers everything on the event loop, by ``nameserver.respond``."""

    name = "python"
    has_threads = False

    def __init__(self, counters: Counters) -> None:
        self.table = ZoneTable()
        self._ids: dict[Name, int] = {}
        self._counters = counters
        self._listeners: list[UdpListener] = []
        self._answer: Answer | None = None
        self._limiter: LimitedAnswers | None = None

    def load_many(self, rows: Sequence[tuple[int, bytes]]) -> None:
        """Put in many zones."""
        for number, blob in rows:
            version = ZoneVersion(blob)
            self._ids[version.apex] = number
            self.table.replace(ServedZone(version.apex, ZoneState.SERVING, version))

    def loaded_signed(self) -> Sequence[Name]:
        """Return all zones that came by ``load_many``: which are signed takes an index to tell."""
        return list(self._ids)

    def loaded_id(self, apex: Name) -> int:
        """Return the id of a zone that came by ``load_many``, or 0."""
        return self._ids.get(apex, 0)

    def replace(self, served: ServedZone) -> None:
        """Put a zone in, in place of what stood at its apex."""
        self.table.replace(served)

    def remove(self, apex: Name) -> None:
        """Take a zone out."""
        self._ids.pop(apex, None)
        self.table.remove(apex)

    def prepare(self, version: ZoneVersion) -> None:
        """Build the index of names."""
        version.node(version.apex)

    def respond(
        self,
        query: bytes,
        transport: Transport,
        settings: AnswerSettings,
        client: Client | None = None,
    ) -> bytes | HandOver | None:
        """Answer one message."""
        response = response_to(self.table, query, transport, settings, client)
        if not isinstance(response, Response):
            return response
        if transport is Transport.UDP and client is not None:
            return self._limited(response, query, settings, client)
        return response.message

    def _limited(
        self, response: Response, query: bytes, settings: AnswerSettings, client: Client
    ) -> bytes | None:
        if response.cookie is not Verdict.NONE:
            self._counters.count(f"cookies.{response.cookie.value}")
        if self._limiter is None:
            return response.message
        return self._limiter.judge(response, query, settings, client)

    def listen(self, address: Address) -> int:
        """Bind a socket."""
        listener = UdpListener(address.host, address.port, self._take, self._counters)
        self._listeners.append(listener)
        return listener.port

    def leave(self) -> None:
        """Close the last socket."""
        self._listeners.pop().stop(asyncio.get_running_loop())

    def start(
        self,
        settings: AnswerSettings,  # noqa: ARG002 (``respond`` is given them)
        answer: Answer,
        limits: RateLimits | None = None,
    ) -> None:
        """Read the sockets; every datagram goes to ``answer``."""
        self._answer = answer
        self._limiter = LimitedAnswers(limits, self._counters) if limits is not None else None
        for listener in self._listeners:
            listener.start(asyncio.get_running_loop())

    def use(self, settings: AnswerSettings) -> None:
        """Do nothing: ``respond`` is given them."""

    def stop(self) -> None:
        """Close the sockets."""
        while self._listeners:
            self.leave()

    def _take(self, query: bytes, host: str, port: int) -> bytes | None:
        assert self._answer is not None
        return self._answer(query, host, port)
