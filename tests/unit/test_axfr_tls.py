"""Asking primaries over TLS: strict by name, address, issuer or pin, and told well when not."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import dns.message
import dns.rrset
import pytest

from axfr.client import Client, ClientSettings
from axfr.errors import TransferError
from axfr.own_certificate import OwnCertificate
from axfr.tls import Contexts, Shown, pin_of
from tests.certificates import DAY, Files, Issuer
from zones.name import from_text
from zones.secondary import Primary, PrimaryTls

APEX = from_text("example.org")
SETTINGS = ClientSettings(connect_timeout=3, idle_timeout=3)


@asynccontextmanager
async def primary_server(files: Files | None, **how: object) -> AsyncIterator[int]:
    """Answer SOA queries over TLS, or over TCP without a certificate; yield the port."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        try:
            while True:
                size = int.from_bytes(await reader.readexactly(2))
                writer.write(answer_to(await reader.readexactly(size)))
        except (asyncio.IncompleteReadError, OSError, dns.exception.DNSException):
            writer.close()

    context = None
    if files is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files.certificate, files.key)
        for option, value in how.items():
            setattr(context, option, value)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0.01)  # the loop closes what was aborted, then the test ends


def answer_to(request: bytes) -> bytes:
    """Return the answer to a SOA query, behind its length."""
    answer = dns.message.make_response(dns.message.from_wire(request))
    answer.flags |= dns.flags.AA
    soa = "ns.example.org. h.example.org. 42 3600 900 604800 300"
    answer.answer = [dns.rrset.from_text("example.org.", 60, "IN", "SOA", soa)]
    octets = answer.to_wire()
    return len(octets).to_bytes(2) + octets


@contextmanager
def choosy_primary(files: Files, client_ca: Path) -> Iterator[int]:
    """Answer those who show a certificate from this issuer, tell the others why; yield the port.

    It is a thread: asyncio's servers close without the alert that tells.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(client_ca)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            plain.settimeout(10)
            secured = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
            with suppress(OSError):
                secured.do_handshake()
                secured.sendall(answer_to(secured.recv(512)[2:]))
            with suppress(OSError):  # what the client sent is read, or its alert would be lost
                while socket.socket.recv(secured, 512):
                    pass
            secured.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(20)


async def serial(port: int, tls: PrimaryTls, own: OwnCertificate | None = None) -> int:
    """Return the serial that a primary tells over TLS; raises ``TransferError``."""
    client = Client(replace(SETTINGS, own=own))
    try:
        answer = await client.query_soa(Primary("127.0.0.1", port, tls=tls), APEX, None)
        return answer.serial
    finally:
        await client.close()


async def refusal(port: int, tls: PrimaryTls, own: OwnCertificate | None = None) -> tuple[str, str]:
    """Return the rule and the reason by which a primary is not asked."""
    with pytest.raises(TransferError) as caught:
        await serial(port, tls, own)
    return caught.value.rule, caught.value.reason


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    """An issuer of certificates."""
    return Issuer(tmp_path)


async def test_by_name_by_address_and_by_pin(issuer: Issuer) -> None:
    """Each of them is enough; with a pin neither name nor issuer nor dates are looked at."""
    good = issuer.issue("ns.example.net")
    old = issuer.issue("old.example.net", begins=-9 * DAY, ends=-DAY, by_itself=True)
    ca = issuer.ca.read_text()
    async with primary_server(good) as port:
        assert await serial(port, PrimaryTls("ns.example.net", ca)) == 42
        assert await serial(port, PrimaryTls(ca=ca)) == 42
        assert await serial(port, PrimaryTls(pin=pin_of(good.der))) == 42
    async with primary_server(old) as port:
        assert await serial(port, PrimaryTls(pin=pin_of(old.der))) == 42


async def test_a_wrong_certificate_is_told_by_what_is_wrong(issuer: Issuer, tmp_path: Path) -> None:
    """Expired, not valid yet, another name, another address, unknown issuer, itself, other key."""
    (tmp_path / "others").mkdir()
    ca, name = issuer.ca.read_text(), "ns.example.net"
    known = PrimaryTls(name, ca)
    good = issuer.issue(name)
    other_ca = Issuer(tmp_path / "others", "other.example").ca.read_text()
    pin = pin_of(issuer.issue("another.example.net").der)
    for files, tls, words in [
        (issuer.issue(name, ends=-DAY, begins=-9 * DAY, file="a"), known, "has expired"),
        (issuer.issue(name, begins=DAY, file="b"), known, "is not valid yet"),
        (good, PrimaryTls("other.example.net", ca), "is not for other.example.net"),
        (issuer.issue(name, address="192.0.2.1", file="c"), PrimaryTls(ca=ca), "not for 127.0.0.1"),
        (good, PrimaryTls(name, other_ca), "unknown issuer"),
        (good, PrimaryTls(name), "unknown issuer"),
        (issuer.issue(name, by_itself=True, file="d"), known, "signed by itself"),
        (good, PrimaryTls(pin=pin), f"another key than the pin: {pin_of(good.der)}"),
    ]:
        async with primary_server(files) as port:
            rule, reason = await refusal(port, tls)
        assert rule == "tls-certificate", reason
        assert words in reason


async def test_no_tls_at_all(issuer: Issuer) -> None:
    """Nothing is asked without it; each reason has its own sentence."""
    good, tls = issuer.issue("ns.example.net"), PrimaryTls(ca=issuer.ca.read_text())
    async with primary_server(None) as port:
        assert await refusal(port, tls) == (
            "tls-failed",
            "it took the connection and said nothing of TLS",
        )
    async with primary_server(good, maximum_version=ssl.TLSVersion.TLSv1_2) as port:
        rule, reason = await refusal(port, tls)
        assert (rule, "TLS 1.3" in reason) == ("tls-failed", True)
    assert (await refusal(port, tls))[0] == "unreachable"

    async def say_something(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.net ESMTP\r\n")
        with suppress(OSError):
            await writer.drain()
            await reader.read()  # until the client has gone
        writer.close()
        ended.set()

    ended = asyncio.Event()
    server = await asyncio.start_server(say_something, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    assert await refusal(port, tls) == ("tls-failed", "there is no TLS on that port")
    await asyncio.wait_for(ended.wait(), 10)
    await asyncio.sleep(0.01)
    server.close()
    await server.wait_closed()


async def test_who_we_are_is_shown_to_who_asks(issuer: Issuer, tmp_path: Path) -> None:
    """With our certificate we are answered; each way in which that fails has its sentence."""
    theirs, ours = issuer.issue("ns.example.net"), issuer.issue("us.example.net")
    (tmp_path / "others").mkdir()
    stranger = Issuer(tmp_path / "others", "other.example").issue("us.example.net")
    ended = issuer.issue("us.example.net", begins=-9 * DAY, ends=-DAY, file="ended")
    tls = PrimaryTls(ca=issuer.ca.read_text())
    with choosy_primary(theirs, issuer.ca) as port:
        assert await serial(port, tls, OwnCertificate(ours.certificate, ours.key)) == 42
        for own, words in [
            (None, "it wants a certificate from us"),
            (OwnCertificate(stranger.certificate, stranger.key), "the issuer of our certificate"),
            (OwnCertificate(ended.certificate, ended.key), "our certificate has expired"),
            (OwnCertificate(ours.certificate, ended.key), "must have a certificate and the key"),
            (OwnCertificate(tmp_path / "nothing.pem"), "nothing.pem"),
        ]:
            rule, reason = await refusal(port, tls, own)
            assert rule == "tls-own-certificate", reason
            assert words in reason
    async with primary_server(theirs, verify_mode=ssl.CERT_REQUIRED) as port:
        rule, reason = await refusal(port, tls)  # it closes without a word
        assert (rule, "as soon as TLS was agreed on" in reason) == ("tls-own-certificate", True)
    async with primary_server(theirs) as port:  # which does not ask for it
        assert await serial(port, tls, OwnCertificate(ours.certificate, ours.key)) == 42


def test_a_new_certificate_of_ours_counts_at_once(issuer: Issuer) -> None:
    """The context is kept while the files are the same, and made anew when one has changed."""
    ours, tls = issuer.issue("us.example.net"), PrimaryTls("ns.example.net")
    contexts = Contexts(OwnCertificate(ours.certificate, ours.key))
    first = contexts.of(tls)
    assert contexts.of(tls) is first
    issuer.issue("us.example.net")
    assert contexts.of(tls) is not first


def test_what_a_certificate_says(issuer: Issuer) -> None:
    """Its names and addresses, its issuer, its end and the pin of its key."""
    files = issuer.issue("ns.example.net", ends=DAY)
    shown = Shown.of(files.der)
    assert shown.names == ("ns.example.net", "127.0.0.1")
    assert shown.issuer == "CN=issuer.example"
    assert abs(shown.ends - datetime.now(UTC) - DAY).total_seconds() < 60
    assert shown.pin == pin_of(files.der)
