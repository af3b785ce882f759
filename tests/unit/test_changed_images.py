"""Images that are changed in place: they answer as images made anew, and as the oracle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from typing import TYPE_CHECKING
from unittest import mock

import pytest
from hypothesis import given

from nameserver.respond import AnswerSettings, Transport, respond
from nameserver.table import ServedZone, ZoneState, ZoneTable
from tests import random_zones
from tests.random_zones import Universe
from tests.unit.zone_strategies import APEX, rrset, soa, zone_versions
from zones.name import below
from zones.packed import pack_changes
from zones.rrset import RRset
from zones.splice import Key
from zones.version import ZoneVersion

if TYPE_CHECKING:
    from nameserver._answer import CompiledTable
    from nameserver._image import Content
else:
    CompiledTable = pytest.importorskip("nameserver._answer").CompiledTable
    Content = pytest.importorskip("nameserver._image").Content

SETTINGS = AnswerSettings()
TABLES, STEPS, QUERIES = 60, 8, 60
LEAST_SHARE = 0.2  # of random changes that can be made in place; the others are odd


@pytest.fixture(autouse=True)
def small_is_large() -> Iterator[None]:
    """Change small zones as large ones are changed."""
    with mock.patch("zones.version.LARGE", 0):
        yield


def table() -> CompiledTable:
    """Return a table that changes images whatever their size."""
    made = CompiledTable()
    made.changeable = 0
    return made


def serve(engine: CompiledTable, version: ZoneVersion) -> bool:
    """Put a version in as the server does; tell whether the image was changed in place."""
    in_place = engine.prepare(version)
    engine.replace(ServedZone(version.apex, ZoneState.SERVING, version))
    engine.take_retired()  # no reader is left
    return in_place


def some_changes(
    rng: Random, before: ZoneVersion, other: ZoneVersion
) -> Mapping[Key, RRset | None]:
    """Return changes that lead from one version a bit of the way to another."""
    old = {one.key: one for one in before}
    new = {one.key: one for one in other}
    share = rng.choice((0.1, 0.3, 0.9))
    changes: dict[Key, RRset | None] = {}
    for key in old.keys() | new.keys():
        if old.get(key) != new.get(key) and rng.random() < share:
            changes[key] = new.get(key)
    return changes


def test_answers_are_those_of_new_images(rng: Random) -> None:
    """After any sequence of changes the octets are the oracle's, and those of a new image."""
    in_place = steps = 0
    for _ in range(TABLES):
        universe = Universe(rng)
        apex = rng.choice(universe.apexes)
        engine, oracle = table(), ZoneTable()
        version = random_zones.version(rng, universe, apex)
        serve(engine, version)
        others = [random_zones.version(rng, universe, apex) for _ in range(2)] + [version]
        for _ in range(STEPS):
            version = version.changed(some_changes(rng, version, rng.choice(others)))
            in_place += serve(engine, version)
            steps += 1
            fresh = CompiledTable()
            fresh.replace(ServedZone(apex, ZoneState.SERVING, ZoneVersion(version.blob)))
            oracle.replace(ServedZone(apex, ZoneState.SERVING, version))
            queries = [random_zones.query(rng, universe) for _ in range(QUERIES)]
            for transport in (Transport.UDP, Transport.TCP):
                answers = engine.respond_many(queries, transport, SETTINGS)
                assert answers == fresh.respond_many(queries, transport, SETTINGS)
                assert answers[0] == respond(oracle, queries[0], transport, SETTINGS)
    assert in_place > LEAST_SHARE * steps


@given(zone_versions(), zone_versions())
def test_names_are_those_of_new_images(old: ZoneVersion, new: ZoneVersion) -> None:
    """The changed image has the names and RRsets of a new one, and can be changed back."""
    before, after = ({one.key: one for one in version} for version in (old, new))
    image = Content(old.blob, 0).copy()
    there = image.change(pack_changes(dict.fromkeys(before) | after))
    if there:
        assert image.nodes == Content(new.blob).nodes
        if image.change(pack_changes(dict.fromkeys(after) | before)):
            assert image.nodes == Content(old.blob).nodes


def changed(*steps: str, base: tuple[str, ...] = ()) -> list[bool]:
    """Make changes one after the other; tell of each whether it was made in place.

    ``-`` in front takes out what stands there.
    """
    version = ZoneVersion.of(APEX, [soa(), *map(rrset, base)])
    image = Content(version.blob, 0).copy()
    done = []
    for step in steps:
        changes: dict[Key, RRset | None] = {}
        for text in step.split(";"):
            one = rrset(text.strip().lstrip("-"))
            changes[one.key] = None if text.strip().startswith("-") else one
        version = version.changed(changes)
        done.append(image.change(pack_changes(changes)))
        if not done[-1]:
            image = Content(version.blob, 0).copy()
        assert image.nodes == Content(version.blob).nodes
    return done


def test_ordinary_changes_are_made_in_place() -> None:
    """What customers change every day needs no new image."""
    steps = (
        "@ 3600 SOA ns1 hostmaster 2 14400 3600 1209600 3600; www 60 A 192.0.2.1",
        "www 60 A 192.0.2.2; www 60 AAAA 2001:db8::1",
        "- www 60 A 192.0.2.2",
        "- www 60 AAAA 2001:db8::1",
        "a.b.c 60 TXT x; *.b.c 60 TXT y",
        "- a.b.c 60 TXT x",
        "sub 60 NS ns1.sub; ns1.sub 60 A 192.0.2.3",
        "sub 60 NS ns1.sub ns2.sub; ns2.sub 60 A 192.0.2.4",
        "- sub 60 NS ns1.sub; - ns1.sub 60 A 192.0.2.3; - ns2.sub 60 A 192.0.2.4",
        "- *.b.c 60 TXT y; mail 60 MX 10 mx; mx 60 A 192.0.2.5",
    )
    assert all(changed(*steps))


def test_names_below_what_becomes_a_cut() -> None:
    """A delegation of names that are there already takes a new image; so does taking it back."""
    base = ("a.sub 60 A 192.0.2.1", "b.sub 60 A 192.0.2.2")
    assert changed("sub 60 NS ns.example.net.", "- sub 60 NS x", base=base) == [False, False]


def test_targets_that_come_and_go() -> None:
    """What points to a name gives its addresses while the name is there."""
    engine, oracle = table(), ZoneTable()
    version = ZoneVersion.of(APEX, [soa(), rrset("@ 60 MX 10 mx"), rrset("@ 60 NS mx")])
    serve(engine, version)
    address = rrset("mx 60 A 192.0.2.7")
    for what in (address, None, address, rrset("mx 60 A 192.0.2.8"), None, address):
        version = version.changed({address.key: what})
        assert serve(engine, version)
        oracle.replace(ServedZone(APEX, ZoneState.SERVING, version))
        query = bytes(4) + b"\x00\x01" + bytes(6) + APEX + b"\x00\x0f\x00\x01"
        answer = engine.respond(query, Transport.UDP, SETTINGS)
        assert answer == respond(oracle, query, Transport.UDP, SETTINGS)
        assert isinstance(answer, bytes)
        assert (b"\xc0\x00\x02" in answer) == (what is not None)


def test_aliases_of_names_that_come_and_go() -> None:
    """An alias leads to NXDOMAIN or a wildcard when its target is gone, or only led to another."""
    engine, oracle = table(), ZoneTable()
    alias, other = rrset("www 60 CNAME b.c"), rrset("alias 60 CNAME c")
    version = ZoneVersion.of(APEX, [soa(), alias, other])
    serve(engine, version)
    target, wildcard = rrset("b.c 60 A 192.0.2.7"), rrset("* 60 A 192.0.2.8")
    seen = []
    for one, what in (
        (target, target),
        (target, None),
        (wildcard, wildcard),
        (target, target),
        (target, None),
        (wildcard, None),
    ):
        version = version.changed({one.key: what})
        assert serve(engine, version)
        oracle.replace(ServedZone(APEX, ZoneState.SERVING, version))
        for label in (b"www", b"alias"):
            query = bytes(4) + b"\x00\x01" + bytes(6) + below(label, APEX) + b"\x00\x01\x00\x01"
            answer = engine.respond(query, Transport.UDP, SETTINGS)
            assert answer == respond(oracle, query, Transport.UDP, SETTINGS)
            assert isinstance(answer, bytes)
            seen.append((answer[3] & 15, answer[7]))  # rcode, number of answers
    there, empty, gone, both = (0, 2), (0, 1), (3, 1), (0, 2)
    assert seen == [there, empty, gone, gone, both, both, there, empty, both, both, gone, gone]


def test_images_that_are_read_are_left_alone() -> None:
    """As long as what was replaced may be read, changes are made in another copy."""
    engine = table()
    version = ZoneVersion.of(APEX, [soa(), rrset("www 60 A 192.0.2.1")])
    kept = []
    for number in range(5):
        engine.prepare(version)
        engine.replace(ServedZone(APEX, ZoneState.SERVING, version))
        kept += engine.take_retired()
        www = rrset(f"www 60 A 192.0.2.{number}")
        version = version.changed({www.key: www})
    contents = [one.content for one in kept]  # type: ignore[attr-defined]
    assert len(set(map(id, contents))) == len(contents)


def test_many_changes_fill_the_room() -> None:
    """When there is no room left the image is made anew, and answers go on."""
    engine = table()
    version = ZoneVersion.of(APEX, [soa()])
    serve(engine, version)
    in_place = []
    for number in range(3000):
        one = rrset(f"host{number} 60 A 192.0.2.1")
        version = version.changed({one.key: one})
        in_place.append(serve(engine, version))
    assert in_place.count(False) < 10
    for number in (0, 1500, 2999):
        query = bytes(4) + b"\x00\x01" + bytes(6) + below(b"host%d" % number, APEX)
        answer = engine.respond(query + b"\x00\x01\x00\x01", Transport.UDP, SETTINGS)
        assert isinstance(answer, bytes)
        assert answer[7] == 1
