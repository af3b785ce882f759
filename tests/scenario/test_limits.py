"""Response rate limiting and cookies of a running server, with either engine."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import pytest

from nameserver.address import Address
from nameserver.server import Server
from nameserver.settings import CookieSettings, RrlSettings, Settings
from storage.database import Database
from tests.scenario.test_server import APEX, exchange, publish
from tests.zone_content import content

RATE = 10
BURST = 50
WWW = f"host1.{APEX}"
OWN = b"8 octets"

Start = Callable[..., Awaitable[Server]]


@pytest.fixture(params=["python", "compiled"])
async def start(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Start]:
    """Start a server with other limits, with each engine."""
    if request.param == "compiled":
        pytest.importorskip("nameserver._workers")
    database = Database.open(f"sqlite:///{tmp_path}/nsctl.db")
    publish(database, content(APEX, serial=1, hosts=3), add=True)
    running: list[Server] = []

    async def begin(*, workers: int = 1, **rrl: object) -> Server:
        settings = Settings(
            workers=workers,
            listen=(Address("127.0.0.1", 0),),
            database=database.url,
            engine=request.param,
            cookies=CookieSettings(secrets=("00112233445566778899aabbccddeeff",)),
            rrl=RrlSettings(**{"rate": RATE, **rrl}),
        )
        running.append(Server(settings, database))
        await running[-1].start()
        return running[-1]

    yield begin
    for server in running:
        await server.stop()
    database.close()


def query(name: str = WWW, cookie: bytes | None = None) -> dns.message.Message:
    """Return a query with or without a cookie."""
    message = dns.message.make_query(name, "A", use_edns=True)
    if cookie is not None:
        message.use_edns(options=[dns.edns.CookieOption(cookie[:8], cookie[8:])])
    return message


async def flood(server: Server, *messages: dns.message.Message) -> list[dns.message.Message]:
    """Send queries at once; return the answers there are when another client got its own."""
    (address,) = server.addresses
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect((address.host, address.port))
        for message in messages:
            client.send(message.to_wire())
        # This has an account of its own, and is answered after all that came before.
        last = dns.message.make_query("version.bind.", "TXT", "CH")
        client.send(last.to_wire())
        answers: list[dns.message.Message] = []
        client.setblocking(False)
        while not answers or answers[-1].id != last.id:
            async with asyncio.timeout(10):
                octets = await asyncio.get_running_loop().sock_recv(client, 4096)
            answers.append(dns.message.from_wire(octets))
    return answers[:-1]


def kinds(answers: list[dns.message.Message]) -> Counter[str]:
    """Return how many answers there are of each kind."""
    return Counter(
        "short" if answer.flags & dns.flags.TC else dns.rcode.to_text(answer.rcode())
        for answer in answers
    )


async def test_a_flood_is_limited(start: Start) -> None:
    """Of a burst of one question the rate is answered, then each second one is truncated."""
    server = await start()
    found = kinds(await flood(server, *[query()] * BURST))
    # Some milliseconds pass meanwhile, which make up for some answers.
    assert RATE <= found["NOERROR"] <= RATE + 5
    assert 0.4 * (BURST - RATE - 5) <= found["short"] <= 0.6 * (BURST - RATE)
    counts = server.counters.snapshot()
    assert counts["rrl.slipped"] == found["short"]
    assert counts["rrl.dropped"] == BURST - found.total()


async def test_workers_share_the_limits(start: Start) -> None:
    """A net gets the same from many ports, whichever worker the system gives each of them to."""
    server = await start(workers=2, slip=0)
    floods = [await flood(server, *[query()] * 12) for _ in range(8)]  # fewer than RATE
    found = kinds([answer for answers in floods for answer in answers])
    assert RATE <= found["NOERROR"] <= RATE + 10


async def test_names_made_up_are_limited(start: Start) -> None:
    """Names that do not exist share the account of their zone."""
    server = await start(slip=0)
    names = [query(f"x{number}.no.{APEX}") for number in range(BURST)]
    found = kinds(await flood(server, *names))
    assert RATE <= found["NXDOMAIN"] <= RATE + 5


async def test_refusals_are_limited(start: Start) -> None:
    """Failures share one account; those that slip are sent as they are."""
    server = await start(slip=2)
    found = kinds(await flood(server, *[query(f"x{n}.example.net") for n in range(BURST)]))
    assert found.keys() == {"REFUSED"}
    assert RATE < found["REFUSED"] <= RATE + 0.6 * (BURST - RATE) + 5


async def test_a_good_cookie_is_not_limited(start: Start) -> None:
    """Who shows that his address is his own gets all he asks for."""
    server = await start()
    (learnt,) = await flood(server, query(cookie=OWN))
    (option,) = learnt.options
    good = option.client + option.server
    assert kinds(await flood(server, *[query(cookie=good)] * BURST)) == {"NOERROR": BURST}
    forged = good[:-1] + bytes((good[-1] ^ 1,))
    assert kinds(await flood(server, *[query(cookie=forged)] * BURST))["NOERROR"] < BURST
    counts = server.counters.snapshot()
    assert counts["cookies.client-only"] == 1
    assert counts["cookies.valid"] == counts["cookies.invalid"] == BURST


async def test_badcookie(start: Start) -> None:
    """Where it is wished, limited clients with cookies are told to use the new one."""
    server = await start(badcookie=True, slip=1)
    answers = await flood(server, *[query(cookie=OWN)] * BURST)
    found = kinds(answers)
    assert found["BADCOOKIE"] == BURST - found["NOERROR"] > 0
    (option,) = answers[-1].options
    again = query(cookie=option.client + option.server)
    assert kinds(await flood(server, again)) == {"NOERROR": 1}


async def test_tcp_is_not_limited(start: Start) -> None:
    """Over TCP no address is forged, and nothing is limited."""
    server = await start()
    for _ in range(2 * RATE):
        answer = await exchange(server, query(), tcp=True)
        assert answer.rcode() == dns.rcode.NOERROR
        assert answer.answer
    assert "rrl.dropped" not in server.counters.snapshot()


@pytest.mark.parametrize("rrl", [{"enabled": False}, {"exempt": ("127.0.0.0/8",)}])
async def test_no_limits(start: Start, rrl: dict[str, object]) -> None:
    """Without rate limiting, and for nets that are exempt, everything is answered."""
    server = await start(**rrl)
    assert kinds(await flood(server, *[query()] * BURST)) == {"NOERROR": BURST}


async def test_ordinary_work_is_not_limited(start: Start) -> None:
    """The default limit lets a resolver ask for one thing a hundred times at once."""
    server = await start(rate=RrlSettings().rate)
    assert kinds(await flood(server, *[query()] * 100)) == {"NOERROR": 100}


async def test_secrets_change_while_serving(start: Start) -> None:
    """Other settings are used from the next datagram on; cookies of old secrets may stay good."""
    server = await start()
    (learnt,) = await flood(server, query(cookie=OWN))
    (before,) = learnt.options
    secrets = (b"another secret..", *server._front.answering.cookie_secrets)
    server._dispatcher.settings = replace(server._front.answering, cookie_secrets=secrets)
    server.engine.use(server._dispatcher.settings)
    (renewed,) = await flood(server, query(cookie=before.client + before.server))
    (after,) = renewed.options
    assert after.server != before.server
    assert server.counters.snapshot()["cookies.valid"] == 1
