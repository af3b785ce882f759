"""DNS over TLS: handshakes, certificates that change, padding, limits, who may transfer."""

from __future__ import annotations

import asyncio
import os
import ssl
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import dns.edns
import dns.message
import dns.rcode
import pytest

from nameserver.access import Access
from nameserver.address import Address
from nameserver.counters import Counters
from nameserver.dot import DotConnections
from nameserver.engine import new_engine
from nameserver.respond import AnswerSettings, Transport
from nameserver.settings import Settings, SettingsError, load
from nameserver.table import ServedZone, ZoneState
from nameserver.tcp import Answer, TcpLimits
from nameserver.tls import Certificate, Session, TlsError
from storage.peers import Peer
from tests.certificates import DAY, Files, Issuer
from tests.zone_content import content
from zones.name import from_text

PATIENCE = 10.0
SETTINGS = AnswerSettings(keepalive=100)
ZONE = from_text("example.org")


class Running:
    """A listener for DNS over TLS with example.org behind it."""

    def __init__(self, dot: DotConnections, issuer: Issuer, counters: Counters) -> None:
        self.dot = dot
        self.issuer = issuer
        self.counters = counters
        self.sessions: list[Session | None] = []
        self.port = 0

    async def client(
        self, name: str = "ns.example.net", shown: Files | None = None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect as a client that trusts the issuer."""
        context = ssl.create_default_context(cafile=str(self.issuer.ca))
        context.set_alpn_protocols(["dot"])
        if shown is not None:
            context.load_cert_chain(shown.certificate, shown.key)
        return await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=context, server_hostname=name
        )

    async def until(self, name: str, count: int) -> None:
        """Wait until something was counted so often."""
        deadline = time.monotonic() + PATIENCE
        while self.counters.snapshot().get(name, 0) != count:
            assert time.monotonic() < deadline, self.counters.snapshot()
            await asyncio.sleep(0.005)


@asynccontextmanager
async def running(
    place: Path, *, client_ca: bool = False, **limits: float
) -> AsyncIterator[Running]:
    """Answer from example.org over TLS, as ns.example.net."""
    issuer = Issuer(place)
    files = issuer.issue("ns.example.net", file="server")
    counters = Counters()
    engine = new_engine(os.environ.get("NSCTL_ENGINE", "auto"), 1, counters)
    version = content("example.org", serial=7)
    engine.replace(ServedZone(version.apex, ZoneState.SERVING, version))

    def answer_of(session: Session | None) -> Answer:
        served.sessions.append(session)

        def answer(query: bytes, _host: str, _port: int) -> bytes | None:
            answered = engine.respond(query, Transport.TLS, SETTINGS)
            assert answered is None or isinstance(answered, bytes)
            return answered

        return answer

    certificate = Certificate(files.certificate, files.key, issuer.ca if client_ca else None)
    given = TcpLimits(**limits)  # type: ignore[arg-type]
    dot = DotConnections(certificate, answer_of, given, counters, time.time)
    served = Running(dot, issuer, counters)
    served.port = dot.listen("127.0.0.1", 0)
    dot.start()
    try:
        yield served
    finally:
        await dot.stop()


def frame(payload: bytes) -> bytes:
    """Return a message with its length in front (RFC 1035 4.2.2)."""
    return struct.pack("!H", len(payload)) + payload


async def read_frame(reader: asyncio.StreamReader) -> bytes:
    """Read one message."""
    (length,) = struct.unpack("!H", await asyncio.wait_for(reader.readexactly(2), PATIENCE))
    return await asyncio.wait_for(reader.readexactly(length), PATIENCE)


async def test_queries_are_answered_in_order(tmp_path: Path) -> None:
    """Pipelined, in any pieces; the protocol agreed on is dot, and TLS 1.3 where both have it."""
    async with running(tmp_path) as served:
        reader, writer = await served.client()
        secured = writer.get_extra_info("ssl_object")
        assert secured.selected_alpn_protocol() == "dot"
        assert secured.version() == "TLSv1.3"
        stream = b"".join(
            frame(dns.message.make_query("example.org", "SOA", id=n).to_wire()) for n in range(50)
        )
        writer.write(stream[:70])
        await writer.drain()
        writer.write(stream[70:])
        for number in range(50):
            answer = dns.message.from_wire(await read_frame(reader))
            assert answer.id == number
            assert answer.answer[0][0].serial == 7
        writer.close()
        assert served.sessions == [Session("TLSv1.3")]
        await served.until("tls.open", 0)


@pytest.mark.parametrize("name", ["example.org", "nothing.example.org", "host0.example.org"])
async def test_padding(tmp_path: Path, name: str) -> None:
    """Who sends padding gets responses of 468 octets or a multiple (RFC 8467 4.1), others do not."""
    padding = dns.edns.GenericOption(dns.edns.OptionType.PADDING, bytes(20))
    async with running(tmp_path) as served:
        reader, writer = await served.client()
        query = dns.message.make_query(name, "A", use_edns=0, options=[padding])
        writer.write(frame(query.to_wire()))
        octets = await read_frame(reader)
        assert len(octets) % 468 == 0
        (option,) = dns.message.from_wire(octets).options
        assert option.otype == dns.edns.OptionType.PADDING
        assert not any(option.to_wire() or b"")
        writer.write(frame(dns.message.make_query(name, "A", use_edns=0).to_wire()))
        assert len(await read_frame(reader)) < 200
        writer.close()


async def test_a_new_certificate_is_taken_without_a_restart(tmp_path: Path) -> None:
    """New connections get it; those before go on; one that cannot be used changes nothing."""
    async with running(tmp_path) as served:
        old_reader, old_writer = await served.client()
        served.issuer.issue("other.example.net", file="server")
        served.dot.renew()
        _, writer = await served.client("other.example.net")
        writer.close()
        (tmp_path / "server.key").write_text("no key")
        served.dot.renew()
        served.dot.renew()
        _, writer = await served.client("other.example.net")
        writer.close()
        old_writer.write(frame(dns.message.make_query("example.org", "SOA", id=5).to_wire()))
        assert dns.message.from_wire(await read_frame(old_reader)).id == 5
        old_writer.close()
        assert served.counters.snapshot()["tls.certificates-loaded"] == 1
        served.issuer.issue("third.example.net", file="server")
        served.dot.renew(force=True)
        _, writer = await served.client("third.example.net")
        writer.close()


async def test_who_does_not_speak_tls_is_let_go(tmp_path: Path) -> None:
    """Garbage and silence end alone; connections are counted before the handshake."""
    async with running(tmp_path, idle_timeout=0.5, per_client=3) as served:
        plain = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(3)]
        await served.until("tls.open", 3)
        refused, refused_writer = await asyncio.open_connection("127.0.0.1", served.port)
        assert await asyncio.wait_for(refused.read(), PATIENCE) == b""
        refused_writer.close()
        plain[0][1].write(frame(dns.message.make_query("example.org", "SOA").to_wire()))
        plain[1][1].write(os.urandom(500))
        for reader, writer in plain:
            with suppress(ConnectionError):
                await asyncio.wait_for(reader.read(), PATIENCE)
            writer.close()
        await served.until("tls.open", 0)
        _, writer = await served.client()
        writer.close()
        assert served.counters.snapshot()["tls.refused-connections"] == 1


async def test_idle_connections_are_closed(tmp_path: Path) -> None:
    """With TLS as without."""
    async with running(tmp_path, idle_timeout=0.3) as served:
        reader, writer = await served.client()
        assert await asyncio.wait_for(reader.read(), PATIENCE) == b""
        writer.close()
        await served.until("tls.idle-closed", 1)


async def test_certificates_of_clients(tmp_path: Path) -> None:
    """They are asked for and not required; what an unknown issuer made ends the handshake."""
    (tmp_path / "others").mkdir()
    async with running(tmp_path, client_ca=True) as served:
        ours = served.issuer.issue("secondary.example.net")
        theirs = Issuer(tmp_path / "others", "other.example").issue("secondary.example.net")
        for shown in (None, ours):
            reader, writer = await served.client(shown=shown)
            writer.write(frame(dns.message.make_query("example.org", "SOA").to_wire()))
            assert await read_frame(reader)
            writer.close()
        assert served.sessions == [
            Session("TLSv1.3"),
            Session("TLSv1.3", frozenset({"secondary.example.net"})),
        ]
        with suppress(ssl.SSLError, ConnectionError):  # told after the client's own handshake
            _, writer = await served.client(shown=theirs)
            writer.close()
        await served.until("tls.handshakes-failed", 1)


def test_who_may_transfer_over_tls() -> None:
    """``tls_only`` and a certificate's name are asked for beside address and key."""
    secured, named = Session("TLSv1.3"), Session("TLSv1.3", frozenset({"a.example"}))
    only = Access([Peer("192.0.2.0/24", notify=False, tls_only=True)])
    assert only.may_transfer(ZONE, "192.0.2.1", None, secured)
    assert not only.may_transfer(ZONE, "192.0.2.1", None)
    assert not only.may_transfer(ZONE, "192.0.2.1", None, Session("TLSv1.2"))
    assert not only.may_transfer(ZONE, "198.51.100.1", None, secured)
    known = Access([Peer("192.0.2.1", tls_only=True, certificate="a.example")])
    assert known.may_transfer(ZONE, "192.0.2.1", None, named)
    assert not known.may_transfer(ZONE, "192.0.2.1", None, secured)
    assert not known.may_transfer(ZONE, "192.0.2.1", None)
    free = Access([Peer("192.0.2.1")])
    assert free.may_transfer(ZONE, "192.0.2.1", None)
    assert free.may_transfer(ZONE, "192.0.2.1", None, secured)


def test_certificates_that_cannot_be_used(tmp_path: Path) -> None:
    """Each is told with the file that is wrong."""
    issuer = Issuer(tmp_path)
    good, other = issuer.issue("a.example"), issuer.issue("b.example")
    text = tmp_path / "text.pem"
    text.write_text("no certificate")
    for files, words in [
        ((tmp_path / "missing.pem", None), "missing.pem cannot be read"),
        ((good.certificate, other.key), "is not that of the certificate"),
        ((text, good.key), "no usable certificate"),
        ((good.certificate, None), "no usable certificate"),
    ]:
        with pytest.raises(TlsError, match=words):
            Certificate(*files, None)
    with pytest.raises(TlsError, match="no certificate of an issuer"):
        Certificate(good.certificate, good.key, text)


def test_the_end_of_a_certificate_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a warning some days before, as an error afterwards, not at all when far away."""
    files = Issuer(tmp_path).issue("a.example", ends=30 * DAY)
    certificate = Certificate(files.certificate, files.key, None)
    now = time.time()
    certificate.warn(now)
    assert not capsys.readouterr().out
    certificate.warn(now + 20 * 86_400)
    assert "certificate ends soon" in capsys.readouterr().out
    certificate.warn(now + 40 * 86_400)
    assert "certificate has ended" in capsys.readouterr().out


def test_settings(tmp_path: Path) -> None:
    """Port 853 is the default; without a certificate there is no DNS over TLS."""
    with pytest.raises(SettingsError, match="listen_tls needs a certificate"):
        load(environ={"NSCTL_LISTEN_TLS": "192.0.2.1"})
    found: Settings = load(
        environ={
            "NSCTL_LISTEN_TLS": "192.0.2.1, [2001:db8::1]@8853",
            "NSCTL_TLS_CERTIFICATE": "/etc/nsctl/a.pem",
        }
    )
    assert found.listen_tls == (Address("192.0.2.1", 853), Address("2001:db8::1", 8853))
    assert found.tls.certificate == Path("/etc/nsctl/a.pem")


def test_rcode_of_padded_failures() -> None:
    """What is refused is padded too, and stays refused."""
    padding = dns.edns.GenericOption(dns.edns.OptionType.PADDING, b"")
    query = dns.message.make_query("example.net", "A", use_edns=0, options=[padding])
    engine = new_engine(os.environ.get("NSCTL_ENGINE", "auto"), 1, Counters())
    for reserve in (0, 100):
        settings = AnswerSettings(reserve=reserve)
        octets = engine.respond(query.to_wire(), Transport.TLS, settings)
        assert isinstance(octets, bytes)
        assert (len(octets) + reserve) % 468 == 0
        assert dns.message.from_wire(octets).rcode() == dns.rcode.REFUSED
