"""The oracle property: the compiled engine's octets equal those of ``nameserver.respond``.

Zones of all shapes and queries of all kinds, by chance: more than 100,000 comparisons in each run.
``ORACLE_QUERIES=5000000`` makes a longer one of it.
"""

from __future__ import annotations

import os
from random import Random
from typing import TYPE_CHECKING

import pytest

from nameserver.answer import Kind
from nameserver.cookies import Client
from nameserver.respond import (
    AnswerSettings,
    HandOver,
    Response,
    Transport,
    brief_response,
    respond,
    response_to,
)
from nameserver.rrl import Limiter, RateLimits
from nameserver.table import ServedZone, ZoneTable
from tests import random_zones
from tests.random_zones import Universe

if TYPE_CHECKING:
    from nameserver._answer import CompiledTable
    from nameserver._rrl import RateLimitsCompiled
else:
    CompiledTable = pytest.importorskip("nameserver._answer").CompiledTable
    RateLimitsCompiled = pytest.importorskip("nameserver._rrl").RateLimitsCompiled

QUERIES = int(os.environ.get("ORACLE_QUERIES", "100000"))
PARTS = 4
PER_TABLE = 250
SECRETS = (bytes(range(16)), b"sixteen octets..", b"\xff" * 16)
LIMITS = RateLimits(b"key of 16 octets", ipv4_prefix=20, ipv6_prefix=51)
COMPILED_LIMITS = RateLimitsCompiled(LIMITS)
SETTINGS = [
    AnswerSettings(),
    AnswerSettings(minimal_responses=True),
    AnswerSettings(minimal_responses=True, udp_limit=512),
    AnswerSettings(identity="ns1.example.org", version="nsctl"),
    AnswerSettings(identity="i" * 300, version="v" * 300, udp_limit=4096),
    AnswerSettings(identity="ns1.example.org", reserve=130),
    AnswerSettings(identity="x" * 235, minimal_responses=True, udp_limit=512),
    AnswerSettings(cookie_secrets=SECRETS[:1], keepalive=100),
    AnswerSettings(cookie_secrets=SECRETS, identity="i" * 220, minimal_responses=True),
    AnswerSettings(cookie_secrets=SECRETS[1:], keepalive=65535, reserve=200),
]


def difference(
    zones: list[ServedZone],
    queries: list[bytes],
    transport: Transport,
    settings: AnswerSettings,
    client: Client | None,
) -> str | None:
    """Return what is answered differently, in words; ``None`` where nothing is."""
    oracle, engine = ZoneTable(), CompiledTable()
    for zone in zones:
        oracle.replace(zone)
        engine.replace(zone)
    for query, batched in zip(
        queries, engine.respond_many(queries, transport, settings, client), strict=True
    ):
        expected = respond(oracle, query, transport, settings, client)
        for got in (batched, engine.respond(query, transport, settings, client)):
            if got != expected or (
                client and not same_limits(engine, oracle, query, settings, client)
            ):
                return (
                    f"{transport} {settings} {client}\nquery {query.hex()}\noracle {shown(expected)}\n"
                    f"engine {shown(got)}\n" + "\n".join(map(described, zones))
                )
    return None


def same_limits(
    engine: CompiledTable,
    oracle: ZoneTable,
    query: bytes,
    settings: AnswerSettings,
    client: Client,
) -> bool:
    """Tell whether both book an answer over UDP to the same account, and shorten it alike."""
    response = response_to(oracle, query, Transport.UDP, settings, client)
    got = engine.respond(query, Transport.UDP, settings, client)
    if not isinstance(response, Response):
        return got is response
    number = Limiter(LIMITS).number(client.address, response.kind, response.subject)
    if engine.account(COMPILED_LIMITS) != number:
        return False
    return response.kind is Kind.FAILURE or all(
        engine.respond_briefly(query, settings, client, badcookie=badcookie)
        == brief_response(query, settings, client, badcookie=badcookie)
        for badcookie in (False, True)
    )


def shown(response: bytes | HandOver | None) -> str:
    """Return a response as text."""
    return response.hex() if isinstance(response, bytes) else str(response)


def described(zone: ServedZone) -> str:
    """Return a zone as zone file lines."""
    rrsets = zone.version or ()
    return f"{zone.apex!r} {zone.state}\n" + "\n".join(line for r in rrsets for line in r.lines())


@pytest.mark.timeout(0)
@pytest.mark.parametrize("part", range(PARTS))
def test_octets_are_equal(part: int, rng: Random) -> None:
    """For any zones, query, transport and settings the engine says what the oracle says."""
    for _ in range(QUERIES // PARTS // PER_TABLE + 1):
        seed = rng.getrandbits(64)
        found = compare(seed)
        assert found is None, f"table of seed {seed}: {found}"


def compare(seed: int) -> str | None:
    """Compare the answers to many queries on one table."""
    chance = Random(seed)
    universe = Universe(chance)
    zones = random_zones.served_zones(chance, universe)
    client = Client(chance.randbytes(chance.choice((4, 16))), chance.randrange(2**33))
    cookies = random_zones.cookies(chance, client, SECRETS)
    plain = chance.choice((0, 0, PER_TABLE // 2))
    queries = [random_zones.query(chance, universe, cookies) for _ in range(PER_TABLE - plain)]
    queries += [random_zones.plain_query(chance, universe) for _ in range(plain)]
    transport = chance.choice((Transport.UDP, Transport.UDP, Transport.TCP, Transport.TLS))
    settings = chance.choice(SETTINGS)
    return difference(zones, queries, transport, settings, chance.choice((client, client, None)))


def test_a_table_that_changes() -> None:
    """Zones that are replaced, suspended and removed are answered as they now are."""
    chance = Random(1)
    oracle, engine = ZoneTable(), CompiledTable()
    universe = Universe(chance)
    for _ in range(200):
        for zone in random_zones.served_zones(chance, universe):
            if chance.random() < 0.3:
                oracle.remove(zone.apex)
                engine.remove(zone.apex)
            else:
                oracle.replace(zone)
                engine.replace(zone)
        engine.retired.clear()
        for _ in range(20):
            query = random_zones.query(chance, universe)
            expected = respond(oracle, query, Transport.UDP, SETTINGS[0])
            assert engine.respond(query, Transport.UDP, SETTINGS[0]) == expected
