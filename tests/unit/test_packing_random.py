"""Both packers are one: what random and mutated transfers become, and why they are refused."""

from __future__ import annotations

import os
import random
import struct

from hypothesis import given
from hypothesis import strategies as st

from tests.packers import (
    SOA_RECORD,
    WWW,
    compiled,
    outcome,
    pack,
    transfer,
)
from tests.strategies import APEX, names, owners
from tests.transfers import Record, messages
from zones import packed, packing
from zones.name import from_labels
from zones.packing import Packer
from zones.rdata import LAYOUT, NAME, STRING, TAIL
from zones.rrset import AAAA, MX, NS, NSEC, RRSIG, SOA, TXT, A, RRset

if packing.compiled_available:
    from zones._packing import PackerCompiled


CASES = int(os.environ.get("NSCTL_FUZZ_CASES", "3000"))


@st.composite
def record_lists(draw: st.DrawFn) -> list[Record]:
    """Records of a few owners, in and outside of the zone, with rdata of every kind."""
    found = draw(st.lists(st.one_of(owners(), names), min_size=1, max_size=5))
    rdatas: dict[int, st.SearchStrategy[bytes]] = {
        A: st.binary(min_size=4, max_size=4),
        NS: names,
        MX: st.builds(lambda name: b"\0\1" + name, names),
        NSEC: st.builds(lambda name: name + b"\0\1\1", names),
        RRSIG: st.builds(
            lambda covered, name: bytes((0, covered)) + bytes(16) + name + b"s",
            st.sampled_from([A, NS]),
            names,
        ),
        65280: st.binary(max_size=5),
    }
    record = st.sampled_from(sorted(rdatas)).flatmap(
        lambda rtype: st.tuples(
            st.sampled_from(found),
            st.just(rtype),
            st.sampled_from([0, 1, 2**32 - 1]),
            rdatas[rtype],
        )
    )
    drawn = draw(st.lists(record, max_size=30))
    return [(owner.upper() if draw(st.booleans()) else owner, *rest) for owner, *rest in drawn]  # type: ignore[misc]


@compiled
@given(record_lists(), st.sampled_from([APEX, b"\0", b"\1a" + APEX]))
def test_both_packers_give_the_same_of_records(records: list[Record], apex: bytes) -> None:
    """For any records in any order, blob and counts are equal."""
    assert pack(PackerCompiled, records, apex) == pack(Packer, records, apex)  # type: ignore[arg-type]


@compiled
@given(record_lists(), st.sampled_from([100, 700, 65000]))
def test_both_packers_give_the_same_of_messages(records: list[Record], size: int) -> None:
    """For any transfer, however it is cut into messages; and it is what ``add`` makes of it."""
    stream = list(messages(APEX, [SOA_RECORD, *records, SOA_RECORD], size))
    result = transfer(Packer, stream)
    assert transfer(PackerCompiled, stream) == result  # type: ignore[arg-type]
    assert pack(Packer, [SOA_RECORD, *records]) == result


@given(record_lists())
def test_the_packer_makes_what_rrsets_make(records: list[Record]) -> None:
    """The blob is that of ``packed.pack`` over RRsets gathered in another way."""
    inside = [record for record in records if record[0].lower().endswith(APEX)]
    groups: dict[tuple[bytes, int, bytes], list[Record]] = {}
    for owner, rtype, ttl, rdata in inside:
        covers = rdata[:2] if rtype == RRSIG else b""
        groups.setdefault((owner.lower(), rtype, covers), []).append((owner, rtype, ttl, rdata))
    rrsets = [
        RRset.of(owner, rtype, min(ttl for _, _, ttl, _ in group), [rdata for *_, rdata in group])
        for (owner, rtype, _), group in groups.items()
    ]
    assert pack(Packer, inside).blob == packed.pack(APEX, rrsets)


def mutated(generator: random.Random, stream: list[bytes]) -> list[bytes]:
    """Return the stream with octets changed, cut out, doubled, or messages cut and joined."""
    stream = list(stream)
    for _ in range(generator.choice([1, 1, 2, 5])):
        chosen = generator.randrange(len(stream))
        message = bytearray(stream[chosen])
        at = generator.randrange(max(1, len(message)))
        match generator.randrange(7):
            case 0 if message:
                message[at] ^= 1 << generator.randrange(8)
            case 1 if message:
                message[at] = generator.choice([0, 1, 0x3F, 0x40, 0x80, 0xC0, 0xFF, message[at]])
            case 2:
                del message[at:]
            case 3:
                del message[at : at + generator.randrange(1, 20)]
            case 4:
                message[at:at] = message[at : at + generator.randrange(1, 20)]
            case 5:
                message[at : at + 2] = struct.pack(
                    "!H", 0xC000 | generator.randrange(len(message) + 9)
                )
            case _:
                stream.insert(chosen, stream[generator.randrange(len(stream))][at:])
        stream[chosen] = bytes(message)
    return stream


def fuzz_streams() -> list[list[bytes]]:
    """Return valid transfers that have every type with a layout in them."""
    parts = {NAME: b"\2xY\1z" + APEX, STRING: b"\2tx"}
    records: list[Record] = [
        (
            from_labels([b"n%d" % (rtype % 7)])[:-1] + APEX,
            rtype,
            rtype % 3,
            b"".join(parts.get(part, bytes(max(part, 0))) for part in LAYOUT.get(rtype, ()))
            + bytes(TAIL.get(rtype, 5)),
        )
        for rtype in [*LAYOUT, A, AAAA, TXT, 65280, 43]
        if rtype != SOA
    ]
    records += [(APEX, NS, 300, b"\2ns" + WWW), (b"\1*" + WWW, TXT, 9, b"\1x")]
    return [
        list(messages(APEX, [SOA_RECORD, *chosen, SOA_RECORD], size))
        for chosen in (records, records[::-1], records[:3], [])
        for size in (100, 900, 65000)
    ]


@compiled
def test_both_packers_refuse_the_same_for_the_same_reason(rng: random.Random) -> None:
    """Whatever is done to valid transfers, both packers give the same blob or the same error."""
    streams = fuzz_streams()
    refused = 0
    for case in range(CASES):
        stream = mutated(rng, rng.choice(streams))
        expected = outcome(Packer, stream)
        refused += len(expected) == 3
        got = outcome(PackerCompiled, stream)  # type: ignore[arg-type]
        assert got == expected, f"case {case}: {[m.hex() for m in stream]}"
    assert CASES / 10 < refused < CASES, "the mutations no longer reach both outcomes"
