"""The sandbox on the network: TLS, frames, and the misbehaviour that was asked for."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, MutableMapping
from datetime import datetime
from types import TracebackType
from typing import Final, Self

from registrar.epp.errors import SyntaxFault
from registrar.epp.framing import Frames, frame
from registrar.epp.markup import document, element
from registrar.epp.sandbox.faults import DELAYED, HANGING, NOT_CARRIED_OUT, Fault, Faults
from registrar.epp.sandbox.session import Order, Reply, ServerSession
from registrar.epp.sandbox.writing import OK, Ids, write_result
from registrar.file_registry import Registry

CHUNK: Final = 1 << 16
HUGE: Final = 0xFFFFFFFF
GOODBYE: Final = 1.0  # seconds for a client to end TLS in good order

_BOMB: Final = (
    b'<?xml version="1.0"?><!DOCTYPE epp [<!ENTITY a "aaaaaaaaaa">'
    b'<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><epp>&b;</epp>'
)


class Sandbox:
    """A registry on a port of this machine. ``passwords`` are the registrars' by client id.

    ``clock`` returns the time of the registry, in UTC. ``seen`` collects all documents of both
    sides, in order: tests hold them against the schemas.
    """

    def __init__(
        self,
        registry: Registry,
        passwords: MutableMapping[str, str],
        *,
        tls: ssl.SSLContext,
        clock: Callable[[], datetime],
        name: str = "nsctl sandbox",
    ) -> None:
        self.registry = registry
        self.faults = Faults()
        self.seen: list[bytes] = []
        self._passwords = passwords
        self._tls = tls
        self._clock = clock
        self._name = name
        self._server: asyncio.Server | None = None
        self._late: list[tuple[ServerSession, Order]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen; return the port."""
        self._server = await asyncio.start_server(self._serve, host, port, ssl=self._tls)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Close the port and all sessions."""
        if self._server is not None:
            self._server.close()
        await asyncio.sleep(0)  # who has just been let in becomes a task
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # what was aborted is closed in the loop's next turn

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            session = ServerSession(self.registry, self._passwords, self._name)
            if await self._greet(session, writer):
                await self._converse(session, reader, writer)
        except (OSError, SyntaxFault, asyncio.CancelledError):
            pass  # the client has gone, or speaks something else, or the sandbox is stopped
        finally:
            await _closed(writer)
            self._tasks.discard(task)

    async def _greet(self, session: ServerSession, writer: asyncio.StreamWriter) -> bool:
        """Send the greeting; return whether the session goes on."""
        fault = self.faults.greeting()
        if fault is Fault.CUT_GREETING:
            return False
        if fault is Fault.GARBLED_GREETING:
            await self._send(writer, frame(b"SSH-2.0-OpenSSH_9.2"))
            return False
        if fault is Fault.REFUSE_GREETING:
            await self._say(writer, write_result(2502, Ids(None, "SV-000000")))
            return False
        await self._say(writer, session.greeting(self._clock()))
        return True

    async def _converse(
        self, session: ServerSession, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        frames = Frames()
        while chunk := await reader.read(CHUNK):
            for received in frames.feed(chunk):
                self.seen.append(received)
                answer = session.receive(received, self._clock())
                if isinstance(answer, Reply):
                    await self._say(writer, answer.document)
                    goes_on = not answer.closing
                else:
                    goes_on = await self._order(session, answer, reader, writer)
                if not goes_on:
                    return

    async def _order(
        self,
        session: ServerSession,
        order: Order,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        """Carry out a command, well or ill; return whether the session goes on."""
        for late_session, late in self._delayed(order):
            late_session.carry_out(late, self._clock())
        fault = self.faults.command(type(order.command).__name__)
        if fault is None:
            await self._say(writer, session.carry_out(order, self._clock()).document)
            return True
        reply = None
        if fault not in NOT_CARRIED_OUT | DELAYED:
            reply = session.carry_out(order, self._clock()).document
        if fault in HANGING:
            while await reader.read(CHUNK):
                pass  # until the client gives up
            if fault is Fault.LATE:
                session.carry_out(order, self._clock())
            elif fault is Fault.VERY_LATE:
                self._late.append((session, order))
            return False
        return await self._misbehave(fault, session, order, reply, writer)

    def _delayed(self, order: Order) -> list[tuple[ServerSession, Order]]:
        """Return and forget the orders of the same kind that are still to be carried out."""
        kind = type(order.command)
        due = [late for late in self._late if type(late[1].command) is kind]
        self._late = [late for late in self._late if type(late[1].command) is not kind]
        return due

    async def _misbehave(
        self,
        fault: Fault,
        session: ServerSession,
        order: Order,
        reply: bytes | None,
        writer: asyncio.StreamWriter,
    ) -> bool:
        if fault in (Fault.FAILED_BEFORE, Fault.FAILED_AFTER):
            await self._say(writer, session.failed(order, 2400).document)
            return True
        if fault in (Fault.CLOSING_BEFORE, Fault.CLOSING_AFTER):
            await self._say(writer, session.failed(order, 2500).document)
        elif reply is not None:
            await self._send(writer, _spoilt(fault, reply))
        return False

    async def _say(self, writer: asyncio.StreamWriter, octets: bytes) -> None:
        self.seen.append(octets)
        await self._send(writer, frame(octets))

    async def _send(self, writer: asyncio.StreamWriter, octets: bytes) -> None:
        writer.write(octets)
        await writer.drain()


async def _closed(writer: asyncio.StreamWriter) -> None:
    """Close a connection, soon even where the client does not."""
    writer.close()
    try:
        async with asyncio.timeout(GOODBYE):
            await writer.wait_closed()
    except (OSError, asyncio.CancelledError):
        writer.transport.abort()


def _spoilt(fault: Fault, reply: bytes) -> bytes:
    """Return what is sent in place of a reply."""
    whole = frame(reply)
    return {
        Fault.HALF_HEADER: whole[:2],
        Fault.HALF_FRAME: whole[: len(whole) // 2],
        Fault.GARBAGE: frame(b"\x00\xff<<<&&& nothing of the kind"),
        Fault.NOT_EPP: frame(b"<html><body>502 Bad Gateway</body></html>"),
        Fault.ENTITIES: frame(_BOMB),
        Fault.HUGE_LENGTH: HUGE.to_bytes(4, "big") + reply,
        Fault.WRONG_TRID: frame(write_result(OK, Ids("ABC-12345", "SV-000000"))),
        Fault.HOLLOW: frame(document(element("response"))),
        Fault.TWICE: whole + whole,
    }.get(fault, b"")
