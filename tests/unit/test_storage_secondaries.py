"""Secondary zones, TSIG keys, peers and customers in the store."""

from __future__ import annotations

from dataclasses import fields

import pytest

from storage import customers, events, feed, keys, peers, secondaries, zones
from storage.database import Database
from storage.errors import AlreadyExists, StorageError, UnknownZone
from storage.feed import ChangeKind
from storage.models import AttemptRow, StateRow
from storage.peers import Peer
from zones.name import from_text
from zones.secondary import Primary, Result, SecondaryState, TransferAttempt, TsigKey
from zones.zone import Mode, Zone

APEX = from_text("example.org")
OTHER = from_text("example.net")
KEY = TsigKey(from_text("transfer.example"), "hmac-sha256", bytes(range(32)))
NOW = 1_700_000_000.0


@pytest.fixture
def store(database: Database) -> Database:
    """A store with two secondary zones and a key."""
    with database.write() as session:
        added = [Zone(APEX, Mode.HIDDEN_PRIMARY), Zone(OTHER, Mode.PRIMARY), Zone(from_text("h."))]
        zones.add_zones(session, added, now=NOW, actor="")
        keys.add_key(session, KEY, now=NOW, actor="anna")
    return database


def test_primaries_are_replaced_and_keep_their_order(store: Database) -> None:
    """The list given is the list read, with positions; the feed says whose primaries changed."""
    first = [Primary("192.0.2.2", 5353, KEY.name), Primary("2001:db8::1")]
    for wanted in (first, first[::-1]):
        with store.write() as session:
            secondaries.set_primaries(session, APEX, wanted, now=NOW, actor="anna")
        with store.read() as session:
            found = secondaries.primaries(session, APEX)
            assert secondaries.all_primaries(session) == {APEX: found}
            assert feed.since(session, 0)[-1].kind is ChangeKind.PRIMARIES
        assert [(one.address, one.port, one.key) for one in found] == [
            (one.address, one.port, one.key) for one in wanted
        ]
        assert [one.position for one in found] == [0, 1]
    with store.write() as session:
        secondaries.set_primaries(session, APEX, [])
    with store.read() as session:
        assert secondaries.primaries(session, APEX) == []


def test_primaries_of_unknown_zones_or_with_unknown_keys_are_refused(store: Database) -> None:
    """The error names what is missing, and what may have been meant."""
    with pytest.raises(UnknownZone), store.write() as session:
        secondaries.set_primaries(session, from_text("nowhere.example"), [])
    misspelt = Primary("192.0.2.1", key=from_text("transfr.example"))
    with (
        pytest.raises(StorageError, match=r"no such key transfr\.example; did you mean transfer"),
        store.write() as session,
    ):
        secondaries.set_primaries(session, APEX, [misspelt])


def test_every_field_of_a_state_and_an_attempt_has_a_column() -> None:
    """A field added to one of the dataclasses needs a migration."""
    for dataclass, row in ((SecondaryState, StateRow), (TransferAttempt, AttemptRow)):
        columns = set(row.__table__.columns.keys()) - {"id"}
        assert {field.name for field in fields(dataclass)} == columns


def test_states_come_back_as_they_were_saved(store: Database) -> None:
    """A zone never tried has the state of a new one; hosted zones have none in the list."""
    state = SecondaryState(
        APEX, 2**32 - 1, 5, Result.REFUSED, "soa-missing", "no SOA", NOW, NOW - 10, NOW + 60,
        NOW + 3600, 3, 2**31, 900, 604800, 6, NOW, "example.org. NS", "add an SOA", "192.0.2.1@53",
    )  # fmt: skip
    for _ in range(2):
        with store.write() as session:
            secondaries.save_states(session, [state])
    with store.read() as session:
        assert secondaries.get_state(session, APEX) == state
        assert secondaries.get_state(session, OTHER) == SecondaryState(OTHER)
        listed = {one.apex: one for one in secondaries.list_states(session)}
        with pytest.raises(UnknownZone):
            secondaries.get_state(session, from_text("nowhere.example"))
    assert listed == {APEX: state, OTHER: SecondaryState(OTHER)}


def test_the_servers_notes_of_deleted_zones_are_dropped(store: Database) -> None:
    """A zone may be deleted while it is transferred: saving the outcome is no error."""
    gone = from_text("gone.example")
    with store.write() as session:
        secondaries.save_states(session, [SecondaryState(gone), SecondaryState(APEX, 1)])
        secondaries.log_attempts(
            session,
            [TransferAttempt(apex, NOW, "p", "AXFR", Result.ACCEPTED) for apex in (gone, APEX)],
        )
    with store.read() as session:
        assert secondaries.get_state(session, APEX).serial == 1
        assert len(secondaries.attempts(session, APEX)) == 1


def test_saving_notes_is_no_change_for_followers(store: Database) -> None:
    """Otherwise the server would wake itself for ever."""
    with store.read() as session:
        before = feed.latest(session)
    with store.write() as session:
        secondaries.save_states(session, [SecondaryState(APEX)])
    with store.read() as session:
        assert feed.latest(session) == before


def test_the_transfer_log_is_newest_first_and_bounded_per_zone(store: Database) -> None:
    """A zone that is tried all the time pushes out its own old lines and nobody else's."""
    one = TransferAttempt(
        OTHER, NOW, "192.0.2.1@53", "IXFR", Result.HELD, "rule", "reason", 1, 2**32 - 1,
        5_000_000_000, 70, 0.25,
    )  # fmt: skip
    with store.write() as session:
        secondaries.log_attempts(session, [one])
    for number in range(secondaries.KEEP_ATTEMPTS + 5):
        with store.write() as session:
            attempt = TransferAttempt(APEX, NOW + number, "p", "SOA", Result.CURRENT)
            secondaries.log_attempts(session, [attempt])
    with store.read() as session:
        assert secondaries.attempts(session, OTHER) == [one]
        every = secondaries.attempts(session, APEX, limit=1000)
        assert len(every) == secondaries.KEEP_ATTEMPTS
        assert every[0].at == NOW + secondaries.KEEP_ATTEMPTS + 4
        assert secondaries.attempts(session, APEX, limit=2) == every[:2]


def test_a_key_comes_back_and_is_not_shown_in_logs(store: Database) -> None:
    """The secret is read as it was stored; neither events nor reprs have it."""
    with store.read() as session:
        assert keys.get_key(session, KEY.name) == KEY
        assert keys.list_keys(session) == [KEY]
        told = [event for event in events.list_events(session) if event.kind == "key-added"]
    assert [event.text for event in told] == ["key transfer.example added"]
    assert repr(KEY.secret) not in repr(told) + repr(KEY)


def test_a_key_is_added_once(store: Database) -> None:
    """Another secret under the same name would cut off whoever uses the first."""
    with pytest.raises(AlreadyExists, match=r"transfer\.example"), store.write() as session:
        keys.add_key(session, KEY)


def test_a_key_in_use_is_not_deleted(store: Database) -> None:
    """The error says where it is used; unused, it goes."""
    with store.write() as session:
        secondaries.set_primaries(session, APEX, [Primary("192.0.2.1", key=KEY.name)])
        peers.add_peer(session, Peer("192.0.2.9", key=KEY.name))
    with (
        pytest.raises(
            StorageError,
            match=r"is used: primary of example\.org; peer 192\.0\.2\.9 of all zones",
        ),
        store.write() as session,
    ):
        keys.delete_key(session, KEY.name)
    with store.write() as session:
        secondaries.set_primaries(session, APEX, [])
        peers.set_peers(session, None, [])
        keys.delete_key(session, KEY.name)
    with store.read() as session, pytest.raises(StorageError, match="no such key"):
        keys.get_key(session, KEY.name)


def test_peers_of_a_zone_include_those_of_all_zones(store: Database) -> None:
    """What is added for all zones and for one is found for that one, and told apart in the list."""
    everywhere = Peer("192.0.2.0/24", notify=False)
    here = Peer("2001:db8::53", 5353, KEY.name, APEX)
    with store.write() as session:
        peers.add_peer(session, everywhere)
        peers.add_peer(session, here)
    with store.read() as session:
        assert peers.list_peers(session) == [everywhere, here]
        assert peers.peers_of(session, APEX) == [everywhere, here]
        assert peers.peers_of(session, OTHER) == [everywhere]
    with store.write() as session:
        peers.delete_peer(session, here)
    with store.read() as session:
        assert peers.peers_of(session, APEX) == [everywhere]
        assert feed.since(session, 0)[-1].kind is ChangeKind.PEERS


@pytest.mark.parametrize(
    ("peer", "reason"),
    [
        (Peer("192.0.2.0/24"), "NOTIFY is sent to an address"),
        (Peer("192.0.2.1/24", notify=False), "host bits set"),
        (Peer("example.org"), "does not appear to be"),
        (Peer("192.0.2.1", key=from_text("none.example")), "no such key"),
        (Peer("192.0.2.1", apex=from_text("none.example")), "no such zone"),
    ],
)
def test_peers_that_cannot_work_are_refused(store: Database, peer: Peer, reason: str) -> None:
    """Networks cannot be notified; addresses, keys and zones have to be real."""
    with pytest.raises(StorageError, match=reason), store.write() as session:
        peers.add_peer(session, peer)


def test_peers_are_added_once_and_deleted_once(store: Database) -> None:
    """Both are told when there is nothing to do; notation does not matter."""
    with store.write() as session:
        peers.add_peer(session, Peer("2001:db8:0:0::1"))
    with pytest.raises(AlreadyExists), store.write() as session:
        peers.add_peer(session, Peer("2001:db8::1"))
    with store.write() as session:
        peers.delete_peer(session, Peer("2001:db8::1"))
    with pytest.raises(StorageError, match="no such peer"), store.write() as session:
        peers.delete_peer(session, Peer("2001:db8::1"))


def test_peers_are_set_for_one_zone_alone(store: Database) -> None:
    """Replacing those of a zone leaves the others; one of another zone is refused."""
    with store.write() as session:
        peers.add_peer(session, Peer("192.0.2.1"))
        peers.set_peers(session, APEX, [Peer("192.0.2.2", apex=APEX)])
        peers.set_peers(session, APEX, [Peer("192.0.2.3", apex=APEX)])
    with store.read() as session:
        assert [peer.address_or_net for peer in peers.list_peers(session)] == [
            "192.0.2.1",
            "192.0.2.3",
        ]
    with pytest.raises(StorageError, match="is not one of"), store.write() as session:
        peers.set_peers(session, APEX, [Peer("192.0.2.2", apex=OTHER)])


def test_customers_are_added_once(database: Database) -> None:
    """A customer has an id and a name; the id is taken once."""
    with database.write() as session:
        customers.add_customer(session, customers.Customer("17", "Example Ltd"))
    with pytest.raises(AlreadyExists, match="customer 17"), database.write() as session:
        customers.add_customer(session, customers.Customer("17"))
    with database.read() as session:
        assert customers.list_customers(session) == [customers.Customer("17", "Example Ltd")]
