"""A TLS connection to a registry: the thin asyncio shell around ``session``."""

from __future__ import annotations

import asyncio
import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from registrar.epp.errors import EppError, ReplyLost, Unreachable
from registrar.epp.greeting import Credentials, Greeting
from registrar.epp.response import Response
from registrar.epp.session import Session, State

CHUNK: Final = 1 << 16
PORT: Final = 700  # RFC 5734 section 7


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a registry is and how both sides prove who they are; times in seconds.

    ``host`` is checked against the server's certificate, which has to be issued by ``authorities``
    (the system's where ``None``). ``certificate`` and ``key`` are ours, as files (RFC 5734 9).
    """

    host: str
    port: int = PORT
    authorities: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    connect_timeout: float = 10.0
    reply_timeout: float = 60.0

    def __str__(self) -> str:
        return f"{self.host}@{self.port}"

    def tls(self) -> ssl.SSLContext:
        """Return the context; raises ``Unreachable`` for files that cannot be used."""
        try:
            context = ssl.create_default_context(cafile=self.authorities)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            raise Unreachable(f"{self}: certificates: {_plain(error)}") from error
        return context


class Connection:
    """A session under way; ``open`` makes one. Any failure closes it for good."""

    def __init__(
        self, endpoint: Endpoint, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._endpoint = endpoint
        self._reader = reader
        self._writer = writer
        self._session = Session()

    @classmethod
    async def open(cls, endpoint: Endpoint, credentials: Credentials, trid: str) -> Connection:
        """Connect, take the greeting, log in; raises ``Unreachable`` and ``LoginRefused``.

        ``ReplyLost`` is raised where the login itself got no answer.
        """
        context = endpoint.tls()
        try:
            async with asyncio.timeout(endpoint.connect_timeout):
                reader, writer = await asyncio.open_connection(
                    endpoint.host, endpoint.port, ssl=context, limit=CHUNK
                )
        except TimeoutError:
            reason = f"{endpoint}: no connection within {endpoint.connect_timeout:g} seconds"
            raise Unreachable(reason) from None
        except OSError as error:
            raise Unreachable(f"{endpoint}: no connection: {_plain(error)}") from error
        connection = cls(endpoint, reader, writer)
        try:
            await connection._greeted()
            await connection._reply(connection._session.login(credentials, trid))
        except BaseException:
            connection.close()
            raise
        return connection

    @property
    def usable(self) -> bool:
        """Whether a command can be sent; a server that has closed is seen here."""
        return self._session.state is State.READY and not self._reader.at_eof()

    @property
    def greeting(self) -> Greeting:
        """Return what the server offered."""
        assert self._session.greeting is not None
        return self._session.greeting

    async def ask(self, document: bytes, trid: str) -> Response:
        """Send a command and return its response; raises ``ReplyLost``."""
        reply = await self._reply(self._session.command(document, trid))
        assert isinstance(reply, Response)
        if not self.usable:
            self.close()
        return reply

    async def hello(self) -> Greeting:
        """Show that we are there; raises ``ReplyLost`` where the server is not."""
        reply = await self._reply(self._session.hello())
        assert isinstance(reply, Greeting)
        return reply

    async def logout(self, trid: str) -> None:
        """End the session in good order, or at least end it."""
        try:
            if self.usable:
                await self._reply(self._session.logout(trid))
        except EppError:
            pass  # nothing was left to be answered
        finally:
            self.close()

    def close(self) -> None:
        """End the session at once."""
        self._session.state = State.CLOSED
        self._writer.transport.abort()

    async def _greeted(self) -> None:
        """Wait for the greeting: until it has come, nothing can have been done."""
        try:
            await self._receive()
        except ReplyLost as error:
            raise Unreachable(f"{self._endpoint}: no greeting: {error}") from error

    async def _reply(self, octets: bytes) -> Greeting | Response:
        """Send and wait. Whatever goes wrong after the first octet loses the reply."""
        try:
            self._writer.write(octets)
            return await self._receive()
        except ReplyLost:
            self.close()
            raise
        except OSError as error:
            self.close()
            raise ReplyLost(f"{self._endpoint}: the connection broke: {_plain(error)}") from error
        except asyncio.CancelledError:
            self.close()
            raise

    async def _receive(self) -> Greeting | Response:
        try:
            async with asyncio.timeout(self._endpoint.reply_timeout):
                await self._writer.drain()
                while chunk := await self._reader.read(CHUNK):
                    if (received := self._session.receive(chunk)) is not None:
                        return received
        except TimeoutError:
            seconds = self._endpoint.reply_timeout
            raise ReplyLost(f"{self._endpoint}: no reply within {seconds:g} seconds") from None
        except OSError as error:
            raise ReplyLost(f"{self._endpoint}: the connection broke: {_plain(error)}") from error
        raise ReplyLost(f"{self._endpoint}: it closed the connection without a reply")


def _plain(error: OSError) -> str:
    """Return the system's words for the error, without Python's."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return error.reason or str(error)
    if error.errno:
        return os.strerror(error.errno)
    return str(error) or type(error).__name__
