"""IXFR from the client's side, without sockets (RFC 1995)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

import dns.message
import pytest
from hypothesis import given
from hypothesis import strategies as st

from axfr.errors import TransferError
from axfr.inbound import Limits
from axfr.ixfr import IncrementalTransfer
from axfr.refusal import RULES
from tests.transfers import MessageWriter, Record
from tests.unit.zone_strategies import zone_versions
from tests.zone_content import content
from zones.diff import diff
from zones.name import from_text
from zones.packing import new_packer
from zones.rrset import SOA, TXT, A, RRset
from zones.version import ZoneVersion

NOW = 1_700_000_000.0
APEX = from_text("example.org")
ZONES = {serial: content("example.org", serial=serial, hosts=serial) for serial in range(5, 10)}
BASE, NEWEST = ZONES[5], ZONES[9]
IXFR = 251


def records(rrsets: Iterable[RRset]) -> list[Record]:
    """Return the records of RRsets, one by one."""
    return [(r.owner, r.rtype, r.ttl, rdata) for r in rrsets for rdata in r.rdatas]


def soa_of(version: ZoneVersion) -> Record:
    """Return the SOA record of a version."""
    return records([version.soa])[0]


def sequence(old: ZoneVersion, new: ZoneVersion) -> list[Record]:
    """Return one difference sequence (RFC 1995 4)."""
    difference = diff(old, new)
    removed, added = (
        [one for one in records(sets) if one[1] != SOA or one[0] != APEX]
        for sets in (difference.removed, difference.added)
    )
    return [soa_of(old), *removed, soa_of(new), *added]


def answer(*sequences: Sequence[Record], newest: ZoneVersion = NEWEST) -> list[Record]:
    """Return the records of an incremental answer."""
    changes = [record for one in sequences for record in one]
    return [soa_of(newest), *changes, soa_of(newest)]


def whole(version: ZoneVersion) -> list[Record]:
    """Return the records of an answer with the whole zone."""
    soa = soa_of(version)
    return [soa, *(record for record in records(version) if record != soa), soa]


def messages(stream: Sequence[Record], *, each: int = 1000) -> list[bytes]:
    """Return the messages of an answer, of so many records each."""
    made = []
    for start in range(0, len(stream), each):
        writer = MessageWriter(APEX, question=start == 0)
        for record in stream[start : start + each]:
            writer.add(record)
        octets = writer.octets()
        made.append(octets.replace(b"\x00\xfc\x00\x01", b"\x00\xfb\x00\x01", 1))
    return made


def transfer(base: ZoneVersion = BASE, **how: object) -> IncrementalTransfer:
    """Return a transfer whose request has been sent; the messages of the tests have id 1."""
    inbound = IncrementalTransfer(base, query_id=1, peer="192.0.2.1@53", **how)  # type: ignore[arg-type]
    inbound.request(NOW)
    return inbound


def received(
    stream: Sequence[Record], base: ZoneVersion = BASE, *, each: int = 1000
) -> IncrementalTransfer:
    """Return a transfer that took a complete answer."""
    inbound = transfer(base)
    complete = [inbound.receive(message, NOW) for message in messages(stream, each=each)]
    assert complete == [False] * (len(complete) - 1) + [True]
    return inbound


def failure(stream: Sequence[Record], limits: Limits | None = None) -> TransferError:
    """Return what the transfer fails with."""
    inbound = transfer(limits=limits)
    error = None
    for message in messages(stream, each=50):
        try:
            inbound.receive(message, NOW)
        except TransferError as raised:
            error = raised
            break
    assert error is not None
    assert error.rule in RULES
    return error


def test_request_has_our_soa() -> None:
    """The request asks for IXFR and tells our version in its authority section (RFC 1995 3)."""
    query = dns.message.from_wire(IncrementalTransfer(BASE, query_id=77).request(NOW))
    assert (query.id, query.flags) == (77, 0)
    assert [str(question) for question in query.question] == ["example.org. IN IXFR"]
    (soa,) = query.authority
    assert soa[0].serial == 5


@pytest.mark.parametrize("each", [1, 2, 1000])
def test_condensed_difference(each: int) -> None:
    """One sequence from our version to the newest, in messages of any size."""
    inbound = received(answer(sequence(BASE, NEWEST)), each=each)
    assert not inbound.is_current
    assert inbound.finish() is None
    assert inbound.changes.finish().blob == NEWEST.blob


@pytest.mark.parametrize("each", [1, 3, 1000])
def test_difference_version_by_version(each: int) -> None:
    """Several sequences, each from where the last one ended."""
    steps = [sequence(ZONES[serial], ZONES[serial + 1]) for serial in range(5, 9)]
    inbound = received(answer(*steps), each=each)
    assert inbound.changes.finish().blob == NEWEST.blob


@pytest.mark.parametrize("each", [1, 2, 1000])
def test_whole_zone(each: int) -> None:
    """A primary may send the whole zone instead, however it cuts the stream (RFC 1995 4)."""
    inbound = received(whole(NEWEST), each=each)
    packed = inbound.finish()
    assert inbound.is_whole
    assert packed
    assert packed.blob == NEWEST.blob


def test_zone_with_only_a_soa() -> None:
    """Two equal SOAs are a whole zone, an empty one, and no difference."""
    empty = ZoneVersion.of(APEX, [NEWEST.soa])
    inbound = received([soa_of(empty), soa_of(empty)])
    packed = inbound.finish()
    assert packed
    assert packed.blob == empty.blob


@pytest.mark.parametrize("serial", [5, 4, 0])
def test_nothing_newer(serial: int) -> None:
    """A lone SOA that is not newer than ours means that there is nothing newer."""
    inbound = received([soa_of(content("example.org", serial=serial))])
    assert inbound.is_current
    assert inbound.finish() is None


def test_lone_soa_that_is_newer_is_not_the_end() -> None:
    """Over TCP more has to follow a newer SOA; the connection's end tells that nothing does."""
    inbound = transfer()
    assert not inbound.receive(messages([soa_of(NEWEST)])[0], NOW)
    with pytest.raises(TransferError) as raised:
        inbound.closed()
    assert raised.value.rule == "cut-short"


def text(serial: int, owner: str = "new") -> Record:
    """Return some record."""
    return from_text(f"{owner}.example.org"), TXT, 60, bytes((1, serial))


GOOD = sequence(BASE, NEWEST)
FIRST = sequence(BASE, ZONES[6])
OTHER_SOA = (*soa_of(BASE)[:3], soa_of(BASE)[3].replace(b"hostmaster", b"mostmaster"))


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (answer(sequence(ZONES[6], NEWEST)), "base serial mismatch (have 5, got 6)"),
        (answer(FIRST, sequence(ZONES[7], NEWEST)), "a gap (have 6, got 7)"),
        (answer(FIRST, [soa_of(ZONES[6]), soa_of(BASE)]), "from serial 6 to 5, which is no newer"),
        (answer([soa_of(BASE), soa_of(BASE)]), "from serial 5 to 5, which is no newer"),
        (answer([soa_of(BASE), text(1), soa_of(NEWEST)]), "to be removed is not there"),
        (answer([*GOOD, records(BASE)[-1]]), "to be added is there already"),
        (answer([*GOOD, text(1), text(1)]), "to be added is there already"),
        (answer([OTHER_SOA, *GOOD[1:]]), "to be removed is not there"),
        (
            [
                soa_of(NEWEST),
                *GOOD,
                (*soa_of(NEWEST)[:3], OTHER_SOA[3][:-20] + NEWEST.soa.rdatas[0][-20:]),
            ],
            "the SOA at its end is not the one of serial 9",
        ),
    ],
    ids=["base", "gap", "back", "loop", "absent", "present", "twice", "other soa", "end"],
)
def test_unfitting_differences(stream: Sequence[Record], reason: str) -> None:
    """What does not lead from our version to the primary's is refused, with the reason."""
    error = failure(stream)
    assert error.rule == "ixfr-failed"
    assert reason in error.reason


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        ([text(1), *answer(GOOD)], "does not start with the SOA"),
        ([*answer(GOOD), text(1)], "records follow the closing SOA"),
        ([soa_of(NEWEST), text(1), soa_of(BASE)], "the SOA changed"),
    ],
)
def test_malformed_answers(stream: Sequence[Record], reason: str) -> None:
    """What is no answer in the form of RFC 1995 is refused as malformed or changed midway."""
    error = failure(stream)
    assert error.rule in {"malformed", "soa-changed-midway"}
    assert reason in error.reason


def test_ttl_that_splits_a_set() -> None:
    """A set left with several TTLs is not guessed at: the whole zone will tell."""
    owner = from_text("host0.example.org")
    error = failure(answer([*GOOD, (owner, A, 77, b"\xc0\x00\x02\xff")]))
    assert "stands beside others with the TTL 300" in error.reason


def test_limits() -> None:
    """An endless answer ends at the limit of octets in memory, records or time."""
    endless = [soa_of(NEWEST), *GOOD, *(text(n % 250, f"n{n}") for n in range(5000))]
    for limits, rule in (
        (Limits(octets=100_000), "too-large"),
        (Limits(records=1000), "too-many-records"),
        (Limits(messages=10), "too-large"),
    ):
        assert failure(endless, limits=limits).rule == rule
    inbound = transfer(limits=Limits(seconds=10))
    with pytest.raises(TransferError) as raised:
        inbound.receive(messages(endless)[0], NOW + 11)
    assert raised.value.rule == "too-slow"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda message: b"\x00\x02" + message[2:],
        lambda message: message[:2] + b"\x04" + message[3:],
        lambda message: message[:-3],
        lambda message: message[:7] + bytes((message[7] + 1,)) + message[8:],
        lambda message: message.replace(b"\x00\xfb", b"\x00\xfc", 1),
    ],
    ids=["id", "query", "cut", "count", "question"],
)
def test_spoilt_messages(spoil: Callable[[bytes], bytes]) -> None:
    """A message that is broken, or answers something else, ends the transfer."""
    (message,) = messages(answer(GOOD))
    with pytest.raises(TransferError) as raised:
        transfer().receive(spoil(message), NOW)
    assert raised.value.rule == "malformed"


@given(zone_versions(), zone_versions(), st.integers(1, 30))
def test_ixfr_and_axfr_end_in_the_same_octets(
    old: ZoneVersion, new: ZoneVersion, each: int
) -> None:
    """Whatever two versions hold, the difference makes what a transfer of the whole makes."""
    old, new = (numbered(version, serial) for version, serial in ((old, 1), (new, 2)))
    inbound = received(answer(sequence(old, new), newest=new), old, each=each)
    packer = new_packer(APEX)
    for message in messages(whole(new), each=each):
        packer.add_transfer_message(message)
    assert inbound.changes.finish().blob == packer.finish().blob


def numbered(version: ZoneVersion, serial: int) -> ZoneVersion:
    """Return the version with another serial."""
    soa = version.soa
    rdata = soa.rdatas[0][:-20] + serial.to_bytes(4, "big") + soa.rdatas[0][-16:]
    rest = [rrset for rrset in version if rrset.key != soa.key]
    return ZoneVersion.of(APEX, [RRset(soa.owner, SOA, soa.ttl, (rdata,)), *rest])


@given(st.binary(max_size=300), st.integers(0, 400))
def test_noise(noise: bytes, where: int) -> None:
    """No octets make the transfer fail otherwise than by telling so."""
    (message,) = messages(answer(GOOD))
    spoilt = message[:where] + noise + message[where + len(noise) :]
    with suppress(TransferError):
        transfer().receive(spoilt, NOW)
