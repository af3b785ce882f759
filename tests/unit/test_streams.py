"""TCP connections, served by compiled threads and by the event loop alike."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import pytest

from nameserver.counters import Counters
from nameserver.engine import CompiledEngine, compiled_available
from nameserver.python_engine import PythonEngine
from nameserver.respond import AnswerSettings, HandOver, Transport
from nameserver.streams import CompiledConnections, Connections, PythonConnections
from nameserver.table import ServedZone, ZoneState
from nameserver.tcp import TcpLimits
from tests.zone_content import content
from zones.name import from_text
from zones.rrset import TXT, RRset
from zones.version import ZoneVersion

PATIENCE = 10.0
BOTH = ["python", "compiled"]
SETTINGS = AnswerSettings(keepalive=100, udp_limit=1232)


def zone() -> ServedZone:
    """Return example.org with a small and a large RRset."""
    small = content("example.org", serial=7)
    texts = [bytes((254,)) + b"%04d" % number + bytes(250) for number in range(200)]
    large = RRset.of(from_text("large.example.org"), TXT, 60, texts)
    version = ZoneVersion.of(small.apex, [*small, large])
    return ServedZone(version.apex, ZoneState.SERVING, version)


class Running:
    """Connections being served, and clients of them."""

    def __init__(self, connections: Connections, port: int, counters: Counters) -> None:
        self.connections = connections
        self.port = port
        self.counters = counters
        self.seen: list[bytes] = []  # by Python, because the engine left it to it
        self.writers: list[asyncio.StreamWriter] = []

    async def client(self, **how: object) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, **how)  # type: ignore[arg-type]
        self.writers.append(writer)
        return reader, writer

    async def until(self, name: str, count: int) -> None:
        """Wait until something was counted so often."""
        deadline = time.monotonic() + PATIENCE
        while self.counters.snapshot().get(name, 0) != count:
            assert time.monotonic() < deadline, self.counters.snapshot()
            await asyncio.sleep(0.005)


@asynccontextmanager
async def running(engine_name: str, **limits: float) -> AsyncIterator[Running]:
    """Serve example.org over TCP; NOTIFY is answered by its own octets, transfers by three parts."""
    if engine_name == "compiled" and not compiled_available:
        pytest.skip("the compiled modules are not built")
    counters = Counters()
    engine = CompiledEngine(1, counters) if engine_name == "compiled" else PythonEngine(counters)
    engine.replace(zone())
    engine.start(SETTINGS, lambda *_: None)

    async def parts(query: bytes) -> AsyncIterator[bytes]:
        for number in range(3):
            yield query[:2] + b"part %d" % number
            await asyncio.sleep(0)

    def answer(query: bytes, _host: str, _port: int) -> bytes | AsyncIterator[bytes] | None:
        answered = engine.respond(query, Transport.TCP, SETTINGS)
        if answered is HandOver.TRANSFER:
            return parts(query)
        if isinstance(answered, HandOver):
            served.seen.append(query)
            return query
        return answered

    given = TcpLimits(**limits)  # type: ignore[arg-type]
    connections: Connections
    if isinstance(engine, CompiledEngine):
        connections = CompiledConnections(engine.open_streams, answer, given, counters)
    else:
        connections = PythonConnections(answer, given, counters)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    served = Running(connections, port, counters)
    connections.listen("127.0.0.1", port)
    await connections.start()
    try:
        yield served
    finally:
        await connections.stop()
        engine.stop()
        for writer in served.writers:
            writer.transport.abort()
        await asyncio.sleep(0)


def frame(payload: bytes) -> bytes:
    """Return a message with its length in front (RFC 1035 4.2.2)."""
    return struct.pack("!H", len(payload)) + payload


async def read_frame(reader: asyncio.StreamReader) -> bytes:
    """Read one message."""
    (length,) = struct.unpack("!H", await asyncio.wait_for(reader.readexactly(2), PATIENCE))
    return await asyncio.wait_for(reader.readexactly(length), PATIENCE)


async def is_over(reader: asyncio.StreamReader) -> bool:
    """Wait for the end of a connection; tell whether nothing came before it."""
    try:
        return await asyncio.wait_for(reader.read(), PATIENCE) == b""
    except ConnectionError:
        return True


def query(number: int, name: str = "example.org", rtype: str = "SOA", **how: object) -> bytes:
    """Return a query with this id."""
    return dns.message.make_query(name, rtype, id=number, **how).to_wire()  # type: ignore[arg-type]


def number_of(message: bytes) -> int:
    """Return the id of a message."""
    return int.from_bytes(message[:2], "big")


def notify(number: int) -> bytes:
    """Return a NOTIFY."""
    message = dns.message.make_query("example.org", "SOA", id=number)
    message.set_opcode(dns.opcode.NOTIFY)
    return message.to_wire()


@pytest.mark.parametrize("engine", BOTH)
async def test_answers_come_in_order_however_queries_arrive(engine: str) -> None:
    """In one piece, octet by octet, or in pieces of any size, small and large answers mixed."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    pieces = random.Random(seed)
    stream = b"".join(
        frame(query(n, *(("large.example.org", "TXT") if n % 7 == 0 else ())))
        for n in range(1, 101)
    )
    async with running(engine) as served:
        for least, most in ((len(stream), len(stream)), (1, 1), (1, 199)):
            reader, writer = await served.client()
            at = 0
            while at < len(stream):
                size = pieces.randint(least, most)
                writer.write(stream[at : at + size])
                at += size
                if size < 200:
                    await asyncio.sleep(0)
            for number in range(1, 101):
                answer = dns.message.from_wire(await read_frame(reader))
                assert answer.id == number
                assert answer.rcode() == dns.rcode.NOERROR
                assert len(answer.answer[0]) == (200 if number % 7 == 0 else 1)
            writer.close()
        counts = served.counters.snapshot()
    assert counts["tcp.connections"] == 3
    if engine == "compiled":
        assert counts["tcp.queries"] == 300
        assert counts["tcp.rcode.0"] == 300
        assert counts["tcp.type.SOA"] == 3 * 86
        assert "tcp.handed-over" not in counts


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize(
    "nonsense",
    [
        frame(b""),
        frame(b"short"),
        frame(query(9, flags=dns.flags.QR)),
        b"\x00\x00" * 1000,
    ],
)
async def test_nonsense_ends_the_connection_after_what_came_before(
    engine: str, nonsense: bytes
) -> None:
    """No client sends it: whoever does is answered what was whole, and no more."""
    async with running(engine, idle_timeout=0.5) as served:
        reader, writer = await served.client()
        writer.write(frame(query(1)))
        assert number_of(await read_frame(reader)) == 1
        writer.write(nonsense)
        assert await is_over(reader)
        other, other_writer = await served.client()
        other_writer.write(frame(query(2)))
        assert number_of(await read_frame(other)) == 2
        writer.close()
        other_writer.close()
        await served.until("tcp.dropped", 1)


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("half", [b"", b"\x00", b"\x00\xff\x01", frame(query(1))[:-1]])
async def test_half_a_query_times_out(engine: str, half: bytes) -> None:
    """Even when an octet trickles in now and then."""
    async with running(engine, idle_timeout=0.3) as served:
        reader, writer = await served.client()
        writer.write(half)
        began = time.monotonic()
        assert await is_over(reader)
        assert time.monotonic() - began < 3
        writer.close()
        await served.until("tcp.idle-closed", 1)
        reader, writer = await served.client()
        writer.write(b"\xff\xff")
        trickle = asyncio.ensure_future(send_slowly(writer))
        assert await is_over(reader)
        await served.until("tcp.open", 0)
        trickle.cancel()
        await asyncio.gather(trickle, return_exceptions=True)


async def send_slowly(writer: asyncio.StreamWriter) -> None:
    """Send an octet now and then."""
    while True:
        writer.write(b"x")
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("engine", BOTH)
async def test_queries_keep_a_connection_open(engine: str) -> None:
    """The idle time begins anew with each whole query."""
    async with running(engine, idle_timeout=1) as served:
        reader, writer = await served.client()
        for number in range(7):
            writer.write(frame(query(number)))
            assert number_of(await read_frame(reader)) == number
            await asyncio.sleep(0.2)
        assert await is_over(reader)
        writer.close()


@pytest.mark.parametrize("engine", BOTH)
async def test_limits_of_a_client_and_of_all(engine: str) -> None:
    """Above them connections are closed at once; those that end make room."""
    async with running(engine, connections=5, per_client=3, idle_timeout=30) as served:
        clients = [await served.client() for _ in range(3)]
        for reader, writer in clients:
            writer.write(frame(query(1)))
            assert number_of(await read_frame(reader)) == 1
        refused, writer = await served.client()
        assert await is_over(refused)
        writer.close()
        others = [await served.client(local_addr=("127.0.0.2", 0)) for _ in range(2)]
        for reader, writer in others:
            writer.write(frame(query(2)))
            assert number_of(await read_frame(reader)) == 2
        refused, writer = await served.client(local_addr=("127.0.0.3", 0))
        assert await is_over(refused)
        writer.close()
        await served.until("tcp.refused-connections", 2)
        await served.until("tcp.open", 5)
        for _, writer in clients + others:
            writer.close()
        await served.until("tcp.open", 0)
        reader, writer = await served.client()
        writer.write(frame(query(3)))
        assert number_of(await read_frame(reader)) == 3
        writer.close()


@pytest.mark.parametrize("engine", BOTH)
async def test_idle_time_is_shorter_when_nearly_full(engine: str) -> None:
    """With the last places taken, who is idle goes soon."""
    async with running(engine, connections=8, per_client=8, idle_timeout=4) as served:
        began = time.monotonic()
        clients = [await served.client() for _ in range(8)]
        assert await is_over(clients[0][0])
        assert time.monotonic() - began < 3
        for _, writer in clients:
            writer.close()


async def test_keepalive_tells_the_idle_time_of_the_moment() -> None:
    """RFC 7828 3.2.2: ten seconds as configured, and less when most connections are taken."""
    keepalive = dns.edns.GenericOption(dns.edns.OptionType(11), b"")
    asked = query(1, use_edns=0, options=[keepalive])

    async def told(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        writer.write(frame(asked))
        (option,) = dns.message.from_wire(await read_frame(reader)).options
        assert option.otype == 11
        return int.from_bytes(option.to_wire() or b"", "big")

    async with running("compiled", connections=8, per_client=8, idle_timeout=10) as served:
        clients = [await served.client() for _ in range(6)]
        assert await told(*clients[0]) == 100
        clients += [await served.client() for _ in range(2)]
        await served.until("tcp.open", 8)
        assert 1 <= await told(*clients[0]) < 10
        for _, writer in clients:
            writer.close()


def slow_client(port: int) -> socket.socket:
    """Return a client with little room for answers."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    client.setblocking(False)
    return client


@pytest.mark.parametrize("engine", BOTH)
async def test_who_does_not_read_is_cut(engine: str) -> None:
    """No more than a bounded amount is kept for them, and not for long; others do not notice."""
    asked = frame(query(1, "large.example.org", "TXT")) * 400  # 22 MB of answers
    async with running(engine, idle_timeout=0.7) as served:
        with slow_client(served.port) as client:
            loop = asyncio.get_running_loop()
            sending = asyncio.ensure_future(loop.sock_sendall(client, asked))
            reader, writer = await served.client()
            for number in range(30):
                writer.write(frame(query(number)))
                assert number_of(await read_frame(reader)) == number
            await served.until("tcp.slow-closed", 1)
            writer.close()
            await asyncio.gather(sending, return_exceptions=True)


@pytest.mark.parametrize("engine", BOTH)
async def test_who_reads_late_gets_everything_in_order(engine: str) -> None:
    """Nothing is lost or twice while the client's room is full again and again."""
    async with running(engine, idle_timeout=PATIENCE) as served:
        with slow_client(served.port) as client:
            loop = asyncio.get_running_loop()
            asked = b"".join(
                frame(query(n, "large.example.org" if n % 5 else "none.example.org", "TXT"))
                for n in range(300)
            )
            sending = asyncio.ensure_future(loop.sock_sendall(client, asked))
            await asyncio.sleep(0.2)
            received = bytearray()
            numbers: list[int] = []
            while len(numbers) < 300:
                received += await asyncio.wait_for(loop.sock_recv(client, 100_000), PATIENCE)
                while len(received) > 2 and len(received) >= 2 + int.from_bytes(received[:2]):
                    size = 2 + int.from_bytes(received[:2])
                    numbers.append(number_of(bytes(received[2:4])))
                    del received[:size]
            await sending
            assert numbers == list(range(300))


@pytest.mark.parametrize("engine", BOTH)
async def test_what_the_engine_leaves_to_python(engine: str) -> None:
    """A NOTIFY or a transfer among queries: each is answered once, plain ones in their order."""
    async with running(engine) as served:
        reader, writer = await served.client()
        writer.write(frame(query(1)) + frame(notify(2)) + frame(query(3)) + frame(query(4))[:9])
        assert [number_of(await read_frame(reader)) for _ in range(3)] == [1, 2, 3]
        writer.write(frame(query(4))[9:] + frame(notify(5)) + frame(query(6, rtype="AXFR")))
        assert [number_of(await read_frame(reader)) for _ in range(2)] == [4, 5]
        assert [(await read_frame(reader))[2:] for _ in range(3)] == [
            b"part 0",
            b"part 1",
            b"part 2",
        ]
        assert served.seen == [notify(2), notify(5)]
        assert served.counters.snapshot()["tcp.open"] == 1
        writer.close()
        await served.until("tcp.open", 0)


@pytest.mark.parametrize("engine", BOTH)
async def test_a_client_that_sends_no_more_still_gets_its_answers(engine: str) -> None:
    """Its half of the connection is closed, ours not before everything is sent."""
    async with running(engine) as served:
        reader, writer = await served.client()
        writer.write(b"".join(frame(query(n)) for n in range(200)))
        writer.write_eof()
        assert [number_of(await read_frame(reader)) for _ in range(200)] == list(range(200))
        assert await is_over(reader)
        writer.close()


def mutated_stream(chance: random.Random) -> bytearray:
    """Return queries of all sorts with some octets changed, missing, or too many."""
    seeds = [frame(query(n, use_edns=n % 2)) for n in range(6)] + [frame(notify(7)), frame(b"")]
    stream = bytearray(b"".join(chance.choices(seeds, k=chance.randrange(1, 20))))
    for _ in range(chance.randrange(6)):
        at = chance.randrange(len(stream) + 1)
        match chance.randrange(3):
            case 0:
                stream[at : at + 1] = bytes((chance.randrange(256),))
            case 1:
                del stream[at : at + chance.randrange(1, 9)]
            case 2:
                stream[at:at] = chance.randbytes(chance.randrange(1, 9))
    return stream


@pytest.mark.parametrize("engine", BOTH)
async def test_mutated_streams_harm_nobody(engine: str) -> None:
    """Whatever is flipped, cut, joined and broken off, the next client is answered."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)

    async def attack(served: Running) -> None:
        stream = mutated_stream(chance)
        reader, writer = await served.client()
        try:
            while stream:
                size = chance.randrange(1, len(stream) + 1)
                writer.write(bytes(stream[:size]))
                del stream[:size]
                await asyncio.sleep(0)
            if chance.randrange(2):
                await asyncio.wait_for(reader.read(chance.randrange(1, 1000)), 0.05)
        except (ConnectionError, TimeoutError):
            pass
        finally:
            writer.transport.abort() if chance.randrange(2) else writer.close()

    async with running(engine, idle_timeout=0.5) as served:
        for _ in range(40):
            await asyncio.gather(*(attack(served) for _ in range(8)))
        reader, writer = await served.client()
        writer.write(frame(query(1)))
        assert number_of(await read_frame(reader)) == 1
        writer.close()
        await served.until("tcp.open", 0)
        counts = served.counters.snapshot()
    assert counts["tcp.connections"] > 200


async def test_changes_of_zones_are_seen_while_connections_are_busy() -> None:
    """Replaced versions are answered by the next query, and are freed while queries go on."""
    pytest.importorskip("nameserver._streams", reason="the compiled modules are not built")
    counters = Counters()
    engine = CompiledEngine(1, counters)
    engine.replace(zone())
    engine.start(SETTINGS, lambda *_: None)
    connections = CompiledConnections(
        engine.open_streams, lambda *_: None, TcpLimits(), counters, workers=2
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    connections.listen("127.0.0.1", port)
    await connections.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for serial in range(8, 120):
        version = content("example.org", serial=serial)
        engine.replace(ServedZone(version.apex, ZoneState.SERVING, version))
        writer.write(frame(query(serial)))
        answer = dns.message.from_wire(await read_frame(reader))
        assert answer.answer[0][0].serial == serial
    deadline = time.monotonic() + PATIENCE
    while engine._replaced:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    writer.close()
    await connections.stop()
    engine.stop()


@pytest.mark.parametrize("engine", BOTH)
async def test_stopping_closes_everything(engine: str) -> None:
    """Whatever its connections are doing, a server stops at once, and may start again."""
    for _ in range(3):
        async with running(engine) as served:
            clients = [await served.client() for _ in range(20)]
            for number, (reader, writer) in enumerate(clients):
                writer.write(frame(notify(number) if number % 3 == 0 else query(number)))
                assert number_of(await read_frame(reader)) == number
            began = time.monotonic()
        assert time.monotonic() - began < 3
        for reader, writer in clients:
            assert await is_over(reader)
            writer.close()
