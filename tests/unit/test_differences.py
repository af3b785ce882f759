"""Incremental transfers out: what is sent to whom, from the versions that the store keeps."""

from __future__ import annotations

from typing import NoReturn

import dns.message
import pytest

from axfr.ixfr import IncrementalTransfer
from axfr.outbound import parse_transfer_query
from axfr.outbound_changes import change_datagram, change_messages, ready_changes
from axfr.tsig import verify
from nameserver.differences import Differences
from storage import versions, zones
from storage.database import Database
from storage.errors import StorageError
from storage.versions import Origin
from tests.zone_content import content
from zones.name import from_text
from zones.rrset import TXT, RRset
from zones.secondary import TsigKey
from zones.version import ZoneVersion
from zones.zone import Mode, Zone

NOW = 1_700_000_000.0
APEX = from_text("example.org")
KEY = TsigKey(from_text("transfer.example"), "hmac-sha256", b"a secret of many octets")
OLD, NEW = content("example.org", serial=1, hosts=50), content("example.org", serial=2, hosts=52)


def publish(database: Database, *contents: ZoneVersion, origin: Origin = Origin.IMPORT) -> None:
    """Store versions of the zone, each served in its turn."""
    with database.write() as session:
        if zones.find_zone(session, APEX) is None:
            zone = Zone(APEX, Mode.HOSTED, keep_versions=3)
            zones.add_zone(session, zone, now=NOW, actor="test")
        for version in contents:
            versions.publish(session, version, origin=origin, actor="test", reason="", now=NOW)


@pytest.mark.parametrize("key", [None, KEY], ids=["unsigned", "signed"])
@pytest.mark.parametrize(
    ("first", "last"), [(OLD, NEW), (NEW, content("example.org", serial=3, hosts=40))]
)
def test_our_client_reads_what_our_server_sends(
    first: ZoneVersion, last: ZoneVersion, key: TsigKey | None
) -> None:
    """A difference, whatever came or went, makes the newer version of the older one."""
    client = IncrementalTransfer(first, query_id=7, key=key)
    request = client.request(NOW)
    verified = verify(request, {KEY.name: KEY}, NOW) if key else None
    query = parse_transfer_query(verified.message if verified else request)
    changes = ready_changes(first, last)
    assert changes
    signer = verified.signer() if verified else None
    answers = list(change_messages(changes, query, signer=signer, now=NOW))
    assert [client.receive(answer, NOW) for answer in answers] == [True]
    assert client.changes.finish().blob == last.blob


def test_large_difference_takes_several_messages() -> None:
    """No message is larger than 65,535 octets; all of them together are the difference."""
    texts = [
        RRset.of(from_text(f"t{n}.example.org"), TXT, 60, [b"\xc8" + bytes(200)])
        for n in range(1000)
    ]
    base = ZoneVersion.of(APEX, [*OLD, *(RRset(r.owner, 99, 60, r.rdatas) for r in texts)])
    last = ZoneVersion.of(APEX, [*NEW, *(RRset(r.owner, 99, 60, r.rdatas) for r in texts), *texts])
    client = IncrementalTransfer(base, query_id=7)
    query = parse_transfer_query(client.request(NOW))
    changes = ready_changes(base, last)
    assert changes
    answers = list(change_messages(changes, query))
    assert len(answers) > 3
    assert all(len(answer) <= 65_535 for answer in answers)
    assert [client.receive(answer, NOW) for answer in answers][-1]
    assert client.changes.finish().blob == last.blob


def test_difference_that_is_larger_than_the_zone() -> None:
    """Where everything changed the whole zone is shorter, and is sent."""
    assert (
        ready_changes(content("example.org", serial=1, hosts=200), content("example.org", serial=2))
        is None
    )


@pytest.mark.parametrize("key", [None, KEY], ids=["unsigned", "signed"])
def test_datagrams(key: TsigKey | None) -> None:
    """A small difference fits a datagram of 512 octets, a larger one is not sent in any."""
    client = IncrementalTransfer(OLD, query_id=7)
    query = parse_transfer_query(client.request(NOW))
    small, large = (
        ready_changes(OLD, NEW),
        ready_changes(OLD, content("example.org", serial=2, hosts=90)),
    )
    assert small
    assert large
    answer = change_datagram(small, query)
    assert answer
    assert len(answer) <= 512
    assert len(dns.message.from_wire(answer, one_rr_per_rrset=True).answer) == 6
    assert change_datagram(large, query) is None


async def test_differences_come_from_the_store(database: Database) -> None:
    """What is kept is compared once, and remembered for the version in service."""
    publish(database, OLD, NEW)
    differences = Differences(database)
    assert differences.known(NEW, 1) is None
    changes = await differences.find(NEW, 1)
    assert changes
    assert (changes.serial, len(changes.records)) == (1, 6)
    assert differences.known(NEW, 1) is changes
    assert await differences.find(NEW, 1) is changes
    newer = content("example.org", serial=3, hosts=50)
    assert differences.known(newer, 1) is None


async def test_version_that_is_not_kept(database: Database) -> None:
    """A serial that is not, or no more, in the store leads to the whole zone."""
    kept = [content("example.org", serial=serial, hosts=50) for serial in range(1, 6)]
    publish(database, *kept)
    differences = Differences(database)
    for serial, there in ((1, False), (2, False), (3, True), (4, True), (99, False)):
        assert (await differences.find(kept[-1], serial) is not None) == there


async def test_serial_that_stood_for_different_content(database: Database) -> None:
    """Where nobody knows which content of a serial a client has, it gets the whole zone."""
    publish(database, OLD, content("example.org", serial=1, hosts=51), NEW)
    assert await Differences(database).find(NEW, 1) is None


async def test_serial_that_was_served_twice(database: Database) -> None:
    """A rollback to the same content leaves no doubt about what the serial stood for."""
    publish(database, OLD, NEW, OLD, NEW)
    assert await Differences(database).find(NEW, 1) is not None


async def test_store_that_is_away(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the store the whole zone is sent."""
    publish(database, OLD, NEW)

    def away() -> NoReturn:
        raise StorageError("the database is away")

    monkeypatch.setattr(database, "read", away)
    assert await Differences(database).find(NEW, 1) is None


async def test_memory_is_bounded(database: Database) -> None:
    """What is too large to be remembered is found and sent all the same."""
    publish(database, OLD, NEW)
    differences = Differences(database, most_octets=10)
    assert await differences.find(NEW, 1) is not None
    assert differences.known(NEW, 1) is None
