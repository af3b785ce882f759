"""The worker threads: addresses, hand-over, quiet points, counts, start and stop."""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import pytest

from nameserver.respond import AnswerSettings
from nameserver.table import ServedZone, ZoneState
from nameserver.udp import bind_datagram
from tests.zone_content import content
from zones.name import from_text

_answer = pytest.importorskip("nameserver._answer", reason="the compiled modules are not built")
_workers = pytest.importorskip("nameserver._workers", reason="the compiled modules are not built")

PATIENCE = 10.0
QUERY = dns.message.make_query("example.org", "SOA").to_wire()


def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds that another thread brings about."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@contextmanager
def running(*addresses: str, workers: int = 1, **options: object) -> Iterator[tuple]:  # type: ignore[type-arg]
    """Run workers with the zone example.org; yield them and the ports of the addresses."""
    table = _answer.CompiledTable()
    version = content("example.org", serial=7)
    table.replace(ServedZone(version.apex, ZoneState.SERVING, version))
    sockets, ports = [], []
    for address in addresses or ("127.0.0.1",):
        port = 0
        for _ in range(workers):
            sockets.append(bind_datagram(address, port, shared=workers > 1))
            port = sockets[-1].getsockname()[1]
        ports.append(port)
    own = [[one.fileno() for one in sockets[i::workers]] for i in range(workers)]
    settings = _answer.AnswerSettingsCompiled(AnswerSettings(**options))  # type: ignore[arg-type]
    threads = _workers.Workers(table, settings, own)
    threads.start()
    try:
        yield threads, *ports
    finally:
        threads.stop()
        for one in sockets:
            one.close()


def ask(address: str, port: int, query: bytes = QUERY) -> tuple[bytes, str]:
    """Return the answer to a query and the address that it came from."""
    with client(address) as asking:
        asking.sendto(query, (address, port))
        octets, source = asking.recvfrom(65_535)
    return octets, source[0]


def client(address: str = "127.0.0.1") -> socket.socket:
    """Return a socket that can send to an address."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    asking = socket.socket(family, socket.SOCK_DGRAM)
    asking.settimeout(PATIENCE)
    return asking


def notify(padding: int = 0) -> bytes:
    """Return a NOTIFY, as long as is asked for."""
    message = dns.message.make_query("example.org", "SOA", id=1)
    message.set_opcode(dns.opcode.NOTIFY)
    return message.to_wire() + bytes(padding)


@pytest.mark.parametrize(
    ("bound", "asked"), [("0.0.0.0", "127.0.0.9"), ("::", "::1"), ("127.0.0.1", "127.0.0.1")]
)
def test_answers_leave_from_the_address_asked(bound: str, asked: str) -> None:
    """On a wildcard address too, for answers of the engine and of Python alike."""
    with running(bound) as (threads, port):
        octets, source = ask(asked, port)
        assert source == asked
        assert dns.message.from_wire(octets).answer[0][0].serial == 7
        with client(asked) as asking:
            asking.sendto(notify(), (asked, port))
            assert select.select([threads], [], [], PATIENCE)[0]
            (handed_over,) = threads.take(10)
            assert handed_over.message == notify()
            assert handed_over.port == asking.getsockname()[1]
            assert handed_over.reply(b"from Python")
            octets, client_of = asking.recvfrom(100)
    assert octets == b"from Python"
    assert client_of[0] == asked == source


def test_several_addresses_and_workers() -> None:
    """Each worker answers on each address, IPv4 and IPv6, and forgets none of them."""
    with running("127.0.0.1", "0.0.0.0", "::1", workers=3) as (threads, first, second, third):
        for _ in range(50):
            assert ask("127.0.0.1", first)[1] == "127.0.0.1"
            assert ask("127.0.0.5", second)[1] == "127.0.0.5"
            assert ask("::1", third)[1] == "::1"
        assert threads.counts()["udp.queries"] == 150


def test_start_and_stop_again_and_again() -> None:
    """Stopping ends at once, whether the workers are idle or at work, and leaves no thread."""
    threads_before = threading.active_count()
    began = time.monotonic()
    for round_number in range(30):
        with running(workers=2) as (_threads, port), client() as asking:
            for _ in range(round_number):
                asking.sendto(QUERY, ("127.0.0.1", port))
            ask("127.0.0.1", port)
    assert time.monotonic() - began < PATIENCE
    assert threading.active_count() <= threads_before  # some of other tests may have ended


def test_workers_that_are_forgotten_end() -> None:
    """Workers that nobody stops end with the object, though their sockets are closed already."""
    table = _answer.CompiledTable()
    settings = _answer.AnswerSettingsCompiled(AnswerSettings())
    own = bind_datagram("127.0.0.1", 0)
    threads = _workers.Workers(table, settings, [[own.fileno()]])
    threads.start()
    own.close()
    del threads


def test_full_ring_drops_and_counts() -> None:
    """What Python does not fetch is bounded; ordinary queries are answered all the while."""
    message = notify(4000)
    with running() as (threads, port), client() as asking:
        asking.connect(("127.0.0.1", port))
        for _ in range(150):
            for _ in range(10):
                asking.send(message)
            asking.send(QUERY)  # answered only after those before it were taken
            assert len(asking.recv(65_535)) > len(QUERY)
        counts = threads.counts()
        kept, dropped = counts["udp.handed-over"], counts["udp.hand-over-dropped"]
        assert kept + dropped == 1500
        assert kept > 500
        assert dropped > 100
        taken = []
        while more := threads.take(100):
            assert len(more) <= 100
            taken += [one.message for one in more]
        assert taken == [message[:4096]] * kept
        for _ in range(3000):  # round and round
            asking.send(notify())
            assert select.select([threads], [], [], PATIENCE)[0]
            assert [one.message for one in threads.take(2)] == [notify()]


def test_quiet_workers_hold_nothing_up() -> None:
    """While no query is under way, whatever was replaced may be freed."""
    with running(workers=2) as (threads, port):
        ask("127.0.0.1", port)
        epoch = threads.advance()
        until(lambda: threads.passed(epoch))
        assert threads.advance() > epoch


def test_counts() -> None:
    """Queries are counted by type, rcode, kind of answer and time, silence and truncation too."""
    with running(udp_limit=512) as (threads, port):
        for name, rtype in [
            ("example.org", "SOA"),
            ("example.org", "TYPE65280"),
            ("nothing.example.org", "A"),
            ("example.net", "A"),
        ]:
            ask("127.0.0.1", port, dns.message.make_query(name, rtype).to_wire())
        with client() as asking:
            response = dns.message.make_query("example.org", "A", flags=dns.flags.QR)
            asking.sendto(response.to_wire(), ("127.0.0.1", port))
            asking.sendto(b"short", ("127.0.0.1", port))
            asking.sendto(b"", ("127.0.0.1", port))
        until(lambda: threads.counts()["udp.queries"] == 7)
        counts = threads.counts()
    assert counts["udp.silence"] == 3
    assert counts["udp.positive"] == counts["udp.nodata"] == counts["udp.nxdomain"] == 1
    assert counts["udp.failure"] == counts[f"udp.rcode.{int(dns.rcode.REFUSED)}"] == 1
    assert counts["udp.type.A"] == 2
    assert counts["udp.type.other"] == counts["udp.type.SOA"] == 1
    assert sum(n for name, n in counts.items() if name.startswith("udp.within-ns.")) == 7
    assert counts["udp.batches"] <= 7


def test_clients_that_cannot_be_answered_cost_nobody_else() -> None:
    """An answer that the system refuses to send is counted; the others of its batch are sent."""
    with running() as (threads, port):
        with raw_socket() as forger:
            forger.sendto(datagram_from_port_0(port), ("127.0.0.1", 0))
            until(lambda: threads.counts().get("udp.send-failed", 0) == 1)
        assert ask("127.0.0.1", port)[0]


def raw_socket() -> socket.socket:
    """Return a socket for whole IP packets, where that is allowed."""
    try:
        return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
    except PermissionError:
        pytest.skip("needs CAP_NET_RAW")


def datagram_from_port_0(port: int) -> bytes:
    """Return a UDP header and a query, sent from a port that nothing can be sent to."""
    return struct.pack("!HHHH", 0, port, 8 + len(QUERY), 0) + QUERY


def test_names_of_zones_are_found_by_every_worker() -> None:
    """What is put in while the workers run is answered by the next query."""
    table = _answer.CompiledTable()
    settings = _answer.AnswerSettingsCompiled(AnswerSettings())
    with bind_datagram("127.0.0.1", 0) as own:
        port = own.getsockname()[1]
        threads = _workers.Workers(table, settings, [[own.fileno()]])
        threads.start()
        for serial in range(1, 50):
            version = content("example.org", serial=serial)
            table.replace(ServedZone(version.apex, ZoneState.SERVING, version))
            (answer,) = dns.message.from_wire(ask("127.0.0.1", port)[0]).answer
            assert answer[0].serial == serial
        table.remove(from_text("example.org"))
        message = dns.message.from_wire(ask("127.0.0.1", port)[0])
        assert message.rcode() == dns.rcode.REFUSED
        threads.stop()
