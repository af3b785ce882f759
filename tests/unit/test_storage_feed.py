"""The change feed and the event log, and waiting for changes."""

from __future__ import annotations

import threading
import time

import pytest

from storage import events, feed, zones
from storage.database import Database
from storage.errors import FeedGap
from storage.events import Event, EventSeverity
from storage.feed import ChangeKind
from zones.name import from_text
from zones.zone import Zone

APEX = from_text("example.org")
NOW = 1_700_000_000.0


def append(database: Database, count: int = 1, at: float = NOW) -> int:
    """Append changes in one transaction; return the number of the first."""
    with database.write() as session:
        return feed.append_many(session, [(ChangeKind.ZONE, APEX, {})] * count, at=at)


def test_changes_are_numbered_without_gaps_in_the_order_of_commits(database: Database) -> None:
    """A follower that asks for what comes after the last number it saw gets all, once."""
    assert [append(database), append(database, 2), append(database)] == [1, 2, 4]
    with database.read() as session:
        assert feed.latest(session) == 4
        assert [change.seq for change in feed.since(session, 1)] == [2, 3, 4]
        assert [change.seq for change in feed.since(session, 0, limit=2)] == [1, 2]
        assert feed.since(session, 4) == []


def test_zones_that_changed_lately(database: Database) -> None:
    """Those with another served version since a moment, each once, what changed last first."""
    other, old = from_text("example.net"), from_text("example.com")
    with database.write() as session:
        for apex, kind, at in [
            (old, ChangeKind.CONTENT, NOW - 1),
            (APEX, ChangeKind.CONTENT, NOW),
            (other, ChangeKind.CONTENT, NOW),
            (old, ChangeKind.ZONE, NOW + 1),
            (None, ChangeKind.KEYS, NOW + 1),
            (APEX, ChangeKind.CONTENT, NOW + 2),
        ]:
            feed.append(session, kind, apex, at=at)
    with database.read() as session:
        assert feed.changed_since(session, NOW) == [APEX, other]
        assert feed.changed_since(session, NOW + 3) == []


def test_what_is_rolled_back_leaves_no_number(database: Database) -> None:
    """A failed transaction is not seen in the feed, and its number is given to the next."""
    with pytest.raises(ZeroDivisionError), database.write() as session:
        _ = feed.append(session, ChangeKind.KEYS, None) / 0
    assert append(database) == 1


def test_an_operators_refresh_carries_its_payload(database: Database) -> None:
    """Kind, zone, time and payload come back as they were given."""
    with database.write() as session:
        feed.append(session, ChangeKind.REFRESH, APEX, {"force": True}, at=NOW)
    with database.read() as session:
        assert feed.since(session, 0) == [
            feed.Change(1, ChangeKind.REFRESH, APEX, NOW, {"force": True})
        ]


def test_old_changes_are_pruned_and_a_late_follower_is_told(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At most ``KEEP`` stay; asking for one that is gone raises, asking for the first kept works."""
    monkeypatch.setattr(feed, "KEEP", 1500)
    append(database, 2000)
    with database.read() as session:
        assert len(feed.since(session, 500, limit=5000)) == 1500
        with pytest.raises(FeedGap):
            feed.since(session, 499)


def test_changes_of_last_week_go_but_never_the_newest(database: Database) -> None:
    """After seven days a change goes, unless it is among the last thousand."""
    append(database, 1500)
    append(database, 600, at=NOW + feed.KEEP_SECONDS + 1)
    with database.read() as session:
        assert feed.since(session, 1100)[0].seq == 1101
        with pytest.raises(FeedGap):
            feed.since(session, 1099)


def test_a_follower_ahead_of_the_feed_is_told(database: Database) -> None:
    """After a restore the feed may be behind what a follower saw: it has to read all anew."""
    append(database)
    with database.read() as session, pytest.raises(FeedGap):
        feed.since(session, 2)


def test_events_are_listed_newest_of_all_and_oldest_first_for_followers(
    database: Database,
) -> None:
    """Without ``after_id`` the last lines; with it the next ones, so that none is skipped."""
    with database.write() as session:
        for number in range(5):
            events.record(session, "test", "info", APEX if number % 2 else None, f"event {number}")
    with database.read() as session:
        newest = events.list_events(session, limit=2)
        assert [event.text for event in newest] == ["event 3", "event 4"]
        first = events.list_events(session)[0]
        following = events.list_events(session, after_id=first.id, limit=2)
        assert [event.text for event in following] == ["event 1", "event 2"]
        of_zone = events.list_events(session, apex=APEX)
        assert [event.text for event in of_zone] == ["event 1", "event 3"]


def test_an_event_comes_back_as_it_was_recorded(database: Database) -> None:
    """All fields, text beyond ASCII included."""
    with database.write() as session:
        events.record(
            session, "refused", EventSeverity.ERROR, APEX, "Müller sagt nein",
            {"rule": "cname-alone"}, actor="anna", at=NOW,
        )  # fmt: skip
    with database.read() as session:
        (event,) = events.list_events(session)
    assert event == Event(
        event.id, NOW, "refused", EventSeverity.ERROR, APEX, "Müller sagt nein", "anna",
        {"rule": "cname-alone"},
    )  # fmt: skip


def test_old_events_are_pruned(database: Database) -> None:
    """Those before the given moment go, the others stay."""
    with database.write() as session:
        events.record(session, "old", "info", None, "old", at=NOW)
        events.record(session, "new", "info", None, "new", at=NOW + 10)
        events.prune(session, NOW + 5)
    with database.read() as session:
        assert [event.text for event in events.list_events(session)] == ["new"]


def test_a_waiting_follower_is_woken_within_50_ms_of_a_commit(database: Database) -> None:
    """Typically, that is: the best of several, since the machine may be busy with other things."""
    other = Database.open(database.url)
    assert database.wait_for_change(0) is True  # nobody was watching before
    delays = []
    for number in range(5):
        woken: list[float] = []
        waiting = threading.Event()

        def follow(woken: list[float] = woken, waiting: threading.Event = waiting) -> None:
            waiting.set()
            assert database.wait_for_change(20)
            woken.append(time.monotonic())

        thread = threading.Thread(target=follow)
        thread.start()
        waiting.wait()
        with other.write() as session:
            zones.add_zone(session, Zone(from_text(f"z{number}.example")), now=NOW, actor="")
        committed = time.monotonic()
        thread.join(30)
        delays.append(woken[0] - committed)
    other.close()
    assert min(delays) < 0.05, delays


def test_without_a_change_waiting_ends_after_its_time(database: Database) -> None:
    """``changed`` asks without waiting; reading is no change."""
    assert database.changed() is True
    with database.read() as session:
        feed.latest(session)
    assert database.wait_for_change(0.05) is False
    assert database.changed() is False
    append(database)
    assert database.wait_for_change(10) is True


def test_two_followers_of_one_process_both_hear_a_change(database: Database) -> None:
    """A watcher of one's own does not take the news from another."""
    watcher = database.watch()
    assert watcher.wait(0)
    assert database.changed()
    append(database)
    assert watcher.wait(10)
    assert database.wait_for_change(10)
    watcher.close()


def test_who_waits_can_be_told_to_stop(database: Database) -> None:
    """A thread in ``wait_for_change`` comes back soon once its event is set; others wait on."""
    database.changed()
    stop = threading.Event()
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(database.wait_for_change(60, stop)))
    thread.start()
    stop.set()
    thread.join(10)
    assert answers == [False]
    append(database)
    assert database.wait_for_change(10)


def test_closing_ends_the_waiting(database: Database) -> None:
    """A thread in ``wait_for_change`` comes back when the store is closed."""
    database.changed()
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(database.wait_for_change(60)))
    thread.start()
    database.close()
    thread.join(10)
    assert answers == [False]
