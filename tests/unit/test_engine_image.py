"""The compiled image of a zone version: the same names and RRsets as ``ZoneVersion.nodes``."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from tests import strategies
from tests.unit.zone_strategies import APEX, rrset, soa, zone_versions
from zones.name import below, canonical_key
from zones.packed import PackedError
from zones.rrset import NSEC3, RRSIG, RRset
from zones.version import ZoneVersion

if TYPE_CHECKING:
    from nameserver._image import Content
else:
    Content = pytest.importorskip("nameserver._image").Content


def expected(version: ZoneVersion) -> list[tuple[bytes, tuple[tuple[int, int], ...]]]:
    """Return what stands at each name, as the image tells it."""
    found = []
    for name in sorted(version.nodes, key=canonical_key):
        node = version.nodes[name]
        sets = {(rtype, 0) for rtype in node.rrsets} | {(RRSIG, c) for c in node.signatures}
        found.append((name, tuple(sorted(sets))))
    return found


@given(zone_versions())
def test_nodes(version: ZoneVersion) -> None:
    """Every name, empty non-terminals included, has the RRsets that the oracle's index has."""
    image = Content(version.blob)
    assert image.nodes == expected(version)
    for node in image.nodes:
        assert image.find(node[0]) == node


@given(strategies.rrset_lists())
def test_nodes_of_few_labels(rrsets: list[RRset]) -> None:
    """Names that meet, with octets that sort before or behind letters, keep their order."""
    version = ZoneVersion.of(strategies.APEX, rrsets)
    assert Content(version.blob).nodes == expected(version)


def test_missing_names_are_not_found() -> None:
    """A name that does not exist is not found, whatever exists above, below or beside it."""
    image = Content(ZoneVersion.of(APEX, [soa(), rrset("a.b.c 1 A 192.0.2.1")]).blob)
    for label in (b"a", b"b", b"x", b"cc", b"", b"\x00"):
        if label:
            assert image.find(below(label, APEX)) is None
    assert image.find(b"\x03org\x00") is None
    assert image.find(b"\x00") is None


def test_hashed_names_do_not_exist() -> None:
    """NSEC3 records and their signatures make no names; what else stands there does."""
    hashed = RRset.of(below(b"0" * 32, APEX), NSEC3, 1, [b"\x01\x00\x00\x00\x00\x14" + bytes(20)])
    both = RRset.of(below(b"1" * 32, APEX), NSEC3, 1, [b"\x01\x00\x00\x00\x00\x14" + bytes(20)])
    beside = RRset.of(both.owner, 1, 1, [bytes(4)])
    last = RRset.of(both.owner, 257, 1, [bytes(4)])
    version = ZoneVersion.of(APEX, [soa(), hashed, both, beside, last, rrset("x.y 1 A 192.0.2.1")])
    assert Content(version.blob).nodes == expected(version)


def test_large_zone() -> None:
    """Lookups find all of many names."""
    hosts = [rrset(f"host{n} 60 A 192.0.2.{n % 256}") for n in range(3000)]
    image = Content(ZoneVersion.of(APEX, [soa(), *hosts]).blob)
    assert all(image.find(host.owner) == (host.owner, ((1, 0),)) for host in hosts)
    assert image.find(below(b"host3000", APEX)) is None


def test_malformed_octets_are_refused(rng: random.Random) -> None:
    """A packed zone that was cut, extended or changed is refused, or read without harm."""
    blob = ZoneVersion.of(
        APEX,
        [soa(), rrset("a.b 1 A 192.0.2.1 192.0.2.2"), rrset("c 1 MX 10 mail"), rrset("d 1 NS ns")],
    ).blob
    for end in range(len(blob)):
        with pytest.raises(PackedError):
            Content(blob[:end])
    with pytest.raises(PackedError):
        Content(blob + b"\x00")
    for _ in range(20_000):
        changed = bytearray(blob)
        for _ in range(rng.choice((1, 1, 2, 4))):
            changed[rng.randrange(len(changed))] = rng.choice(
                (0, 1, 63, 64, 192, 255, rng.randrange(256))
            )
        with suppress(PackedError):
            assert Content(bytes(changed)).nodes


def test_names_out_of_order_are_refused() -> None:
    """Owners that do not stand in canonical order, or stand twice, are refused."""
    version = ZoneVersion.of(APEX, [soa(), rrset("a 1 A 192.0.2.1"), rrset("b 1 A 192.0.2.1")])
    for change in (b"\x01c", b"\x01b"):
        with pytest.raises(PackedError):
            Content(version.blob.replace(b"\x01a\x07example", change + b"\x07example"))
