"""Packing and surveying large zones: ``pytest bench/test_packing_bench.py``; not part of the tests.

``NSCTL_BENCH_RECORDS`` sets the size, a million without it; the Python packer gets a hundredth.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.strategies import APEX, SOA_RDATA
from tests.transfers import Record, messages
from zones import packing, survey
from zones.check import check
from zones.name import from_text
from zones.packing import Packed, Packer, new_packer
from zones.rrset import AAAA, MX, NS, SOA, TXT, A

if TYPE_CHECKING:
    from zones._packing import PackerCompiled

T = TypeVar("T")
RECORDS = int(os.environ.get("NSCTL_BENCH_RECORDS", "1000000"))
SOA_RECORD: Record = (APEX, SOA, 3600, SOA_RDATA)
OUTSIDE = from_text("ns.example.net.")

pytestmark = [
    pytest.mark.skipif(not packing.compiled_available, reason="nothing is compiled here"),
    # Time on the processor: what else runs on the machine disturbs it less.
    pytest.mark.benchmark(timer=time.process_time),
]


def mixed_records(count: int) -> Iterator[Record]:
    """Yield, in canonical order, delegations and hosts with addresses, mail and texts."""
    yield APEX, NS, 3600, OUTSIDE
    for number in range(count // 10):
        child = b"\x0bchild%06d" % number + APEX
        yield child, NS, 300, OUTSIDE
        yield child, NS, 300, b"\2ns" + child
        yield b"\2ns" + child, A, 300, bytes((192, 0, 2, 53))
    for number in range(count // 10):
        host = b"\x0ahost%06d" % number + APEX
        for last in range(4):
            yield host, A, 300, bytes((192, 0, 2, last))
        yield host, MX, 300, b"\0\x0a" + host
        yield host, TXT, 300, b"\x10v=spf1 mx a -all"
        yield host, AAAA, 300, bytes(12) + number.to_bytes(4, "big")


def stream(records: list[Record]) -> list[bytes]:
    """Return the messages of a transfer."""
    return list(messages(APEX, [SOA_RECORD, *records, SOA_RECORD]))


def transfer(new: Callable[[bytes], Packer | PackerCompiled], sent: list[bytes]) -> Packed:
    """Pack a transfer."""
    packer = new(APEX)
    for message in sent:
        packer.add_transfer_message(message)
    return packer.finish()


def measure(benchmark: BenchmarkFixture, records: int, work: Callable[[], T]) -> T:
    """Run some work five times; records per second go into the report."""
    result: T = benchmark.pedantic(work, rounds=5, warmup_rounds=1)  # type: ignore[no-untyped-call]
    assert benchmark.stats is not None
    benchmark.extra_info["records_per_second"] = round(records / benchmark.stats.stats.median)
    print(f"{benchmark.extra_info['records_per_second']:,} records/s")
    return result


@pytest.fixture(scope="session")
def records() -> list[Record]:
    """Return the records of the zone, the same for all measurements."""
    return list(mixed_records(RECORDS))


@pytest.fixture(scope="session")
def blob(records: list[Record]) -> bytes:
    """Return the packed form of the records."""
    return transfer(new_packer, stream(records)).blob


def test_transfer_in_order(benchmark: BenchmarkFixture, records: list[Record]) -> None:
    """A transfer from a primary that sends in order, compiled."""
    sent = stream(records)
    measure(benchmark, RECORDS, lambda: transfer(new_packer, sent))


def test_transfer_in_two_orders(benchmark: BenchmarkFixture, records: list[Record]) -> None:
    """A transfer of two parts, each in order, as NSEC3 zones come."""
    sent = stream(records[1::2] + records[::2])
    measure(benchmark, RECORDS, lambda: transfer(new_packer, sent))


def test_transfer_shuffled(benchmark: BenchmarkFixture, records: list[Record]) -> None:
    """A transfer in no order at all."""
    shuffled = list(records)
    random.Random(1).shuffle(shuffled)
    sent = stream(shuffled)
    measure(benchmark, RECORDS, lambda: transfer(new_packer, sent))


def test_records_one_by_one(benchmark: BenchmarkFixture, records: list[Record]) -> None:
    """``add``, as zone files use it, compiled."""

    def work() -> Packed:
        packer = new_packer(APEX)
        for record in records:
            packer.add(*record)
        return packer.finish()

    measure(benchmark, RECORDS, work)


def test_transfer_in_python(benchmark: BenchmarkFixture, records: list[Record]) -> None:
    """The oracle."""
    sent = stream(records[: RECORDS // 100])
    measure(benchmark, RECORDS // 100, lambda: transfer(Packer, sent))


def test_survey(benchmark: BenchmarkFixture, blob: bytes) -> None:
    """Finding the names that the rules must look at, compiled."""
    measure(benchmark, RECORDS, lambda: list(survey.places(blob)))


def test_check(benchmark: BenchmarkFixture, blob: bytes) -> None:
    """All the zone checks."""
    found = measure(benchmark, RECORDS, lambda: check(Packed(blob, RECORDS)))
    assert not found, found
