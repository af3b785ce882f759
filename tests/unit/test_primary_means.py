"""How each primary is asked: from which address of ours, and how much of it at one time."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from axfr.answer_stream import Limits
from axfr.client import Client, ClientSettings
from axfr.errors import TransferError
from axfr.places import Places
from storage import secondaries
from storage.database import Database
from tests.peers.plain_primary import PlainPrimary
from tests.unit.cli_fixtures import Nsctl, nsctl
from zones.name import from_text
from zones.secondary import Primary, PrimaryTls
from zones.zone import Mode, Zone

__all__ = ["nsctl"]

APEX = from_text("example.org")
ORIGIN = "example.org."
ZONE = """
@ SOA ns1 hostmaster 5 3600 900 604800 300
@ NS ns1
ns1 A 192.0.2.53
"""
QUICK = ClientSettings(udp_timeout=0.2, udp_tries=1, connect_timeout=2.0, idle_timeout=5.0)
OURS = "127.0.0.9"
NOT_OURS = {"127.0.0.1": "192.0.2.77", "::1": "2001:db8::77"}


class Watched(PlainPrimary):
    """Notes the most transfers that it was sending at one time, each of which takes a while."""

    lock = threading.Lock()
    running = most = 0

    def answers(self, wire: bytes, *, stream: bool) -> Iterator[bytes]:
        """Answer, and count."""
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        threading.Event().wait(0.02)
        with self.lock:
            self.running -= 1
        yield from super().answers(wire, stream=stream)


async def test_each_primary_is_asked_from_its_own_address() -> None:
    """The address of a primary counts before that of the settings, over UDP and over TCP."""
    client = Client(replace(QUICK, source="127.0.0.8"))
    seen: list[str] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(writer.get_extra_info("peername")[0])
        writer.close()

    server = await asyncio.start_server(note, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", port))
        deaf.setblocking(False)
        for source, expected in ((OURS, OURS), (None, "127.0.0.8")):
            primary = Primary("127.0.0.1", port, source=source)
            with pytest.raises(TransferError):
                await client.query_soa(primary, APEX, None)
            assert deaf.recvfrom(512)[1][0] == expected
            assert set(seen) == {expected}
            seen.clear()
    await client.close()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("address", list(NOT_OURS))
async def test_an_address_that_is_not_ours_is_told(address: str) -> None:
    """Over UDP, TCP and TLS there is one rule, and the reason has the address."""
    client = Client(QUICK)
    plain = Primary(address, 5399, source=NOT_OURS[address])
    secured = replace(plain, tls=PrimaryTls())
    for asked in (
        client.query_soa(plain, APEX, None),
        client.try_soa(plain, APEX, None, tcp=False),
        client.try_soa(plain, APEX, None, tcp=True),
        client.fetch(plain, APEX, None, Limits()),
        client.query_soa(secured, APEX, None),
    ):
        with pytest.raises(TransferError) as caught:
            await asked
        assert caught.value.rule == "source-address"
        assert f"from {NOT_OURS[address]}, which is not an address" in caught.value.reason
    await client.close()


@pytest.mark.parametrize("limit", [1, 2])
async def test_no_more_transfers_at_a_time_than_the_primary_bears(limit: int) -> None:
    """Of twelve zones asked for at once, so many are under way, and all arrive."""
    client = Client(QUICK)
    with Watched(ORIGIN, ZONE) as primary:
        asked = Primary("127.0.0.1", primary.port, transfers=limit)
        fetched = await asyncio.gather(
            *(client.fetch(asked, APEX, None, Limits()) for _ in range(12))
        )
        assert [one.records for one in fetched] == [4] * 12
        assert primary.most <= limit
    await client.close()


async def test_places_are_given_back() -> None:
    """By who fails and by who gives up waiting; nothing is remembered of an idle primary."""
    places, one = Places(), Primary("192.0.2.1", transfers=1)

    async def use(seconds: float) -> None:
        async with places.one_of(one):
            await asyncio.sleep(seconds)
            raise LookupError

    first = asyncio.create_task(use(0.05))
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(use(0), 0.01)
    with pytest.raises(LookupError):
        await first
    with pytest.raises(LookupError):
        await use(0)
    assert not places._places


def test_what_is_set_is_kept(database: Database) -> None:
    """The store keeps our address and the limit of each primary."""
    primaries = [
        Primary("192.0.2.1", 53, None, 0, None, "192.0.2.53", 2),
        Primary("2001:db8::1", 853, None, 1, PrimaryTls("a.example"), "2001:db8::53"),
        Primary("192.0.2.2", 53, None, 2),
    ]
    from storage import zones

    with database.write() as session:
        zones.add_zone(session, Zone(APEX, Mode.HIDDEN_PRIMARY), now=1.0, actor="a")
        secondaries.set_primaries(session, APEX, primaries, now=1.0)
    with database.read() as session:
        assert secondaries.primaries(session, APEX) == primaries


def test_primaries_are_changed_and_removed(nsctl: Nsctl) -> None:
    """A new one is asked last or first, a known one anew in its place, and one always stays."""

    def told(*arguments: str) -> list[tuple[str, str | None, int | None]]:
        found = nsctl.json("secondary", *arguments)[0]["primaries"]
        return [(one["address"], one["source"], one["transfers"]) for one in found]

    nsctl("secondary", "add", "example.org", "--primary", "192.0.2.1", "--source", "192.0.2.53")
    change = ("set-primary", "example.org", "--primary")
    assert told(*change, "192.0.2.2") == [
        ("192.0.2.1", "192.0.2.53", None),
        ("192.0.2.2", None, None),
    ]
    assert told(*change, "192.0.2.1", "--transfers", "3")[0] == ("192.0.2.1", None, 3)
    assert told(*change, "2001:db8::1", "--first")[0][0] == "2001:db8::1"
    removed = told("remove-primary", "example.org", "--primary", "192.0.2.1")
    assert [one[0] for one in removed] == ["2001:db8::1", "192.0.2.2"]
    assert "192.0.2.2@53" in nsctl("secondary", "status", "example.org").stdout
    assert len(told(*change, "192.0.2.9", "--only")) == 1
    missing = nsctl("secondary", "remove-primary", "example.org", "--primary", "192.0.2.7", code=1)
    assert "has no primary 192.0.2.7" in missing.stderr
    last = nsctl("secondary", "remove-primary", "example.org", "--primary", "192.0.2.9", code=1)
    assert "would have no primary left" in " ".join(last.stderr.split())


def test_sources_that_make_no_sense(nsctl: Nsctl) -> None:
    """Each is refused with what to do, and nothing is stored."""
    for options, words in [
        (("--source", "192.0.2.5@53"), "without a port"),
        (("--source", "nowhere"), "nowhere"),
        (("--source", "2001:db8::5"), "no primary has an IPv6 address"),
        (("--source", "192.0.2.5", "--source", "192.0.2.6"), "one IPv4 and one IPv6"),
        (("--transfers", "0"), "--transfers"),
    ]:
        add = ("secondary", "add", "example.org", "--primary", "192.0.2.1")
        done = nsctl(*add, *options, code=2)
        assert words in " ".join(done.stderr.split())
    assert nsctl.json("secondary", "list") == []


def test_a_catalog_with_means(nsctl: Nsctl) -> None:
    """Its primaries, those of its members and those of a group are asked as they are to be."""
    from storage import catalogs

    nsctl(
        *("catalog", "add", "catalog.example", "--primary", "192.0.2.1", "--tls"),
        *("--tls-name", "ns.example.net", "--source", "192.0.2.53", "--transfers", "2"),
    )
    nsctl(
        "catalog", "group", "catalog.example", "odd", "--primary", "192.0.2.2", "--transfers", "1"
    )
    tls = PrimaryTls("ns.example.net")
    expected = Primary("192.0.2.1", 853, None, 0, tls, "192.0.2.53", 2)
    store = Database.open(f"sqlite:///{nsctl.directory}/nsctl.db")
    with closing(store), store.read() as session:
        found = catalogs.get_catalog(session, from_text("catalog.example"))
        own = secondaries.primaries(session, found.apex)
    assert found.primaries == (expected,)
    assert own == [expected]
    assert found.groups["odd"] == (Primary("192.0.2.2", 53, None, 0, None, None, 1),)
