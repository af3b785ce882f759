"""What parts of the engine cost: ``pytest bench/test_engine_bench.py``; not part of the tests.

A round answers all the queries, in batches as a worker does and without sockets: the report's times
divided by ``QUERIES`` are those of one query, which ``extra_info`` and the printed lines have.
"""

from __future__ import annotations

import time
from random import Random
from typing import TYPE_CHECKING

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.engine_work import ASKED, KINDS, NAMES, ask, engine_zone, host, packet
from nameserver.respond import AnswerSettings, Transport, respond
from nameserver.table import ServedZone, ZoneTable
from zones.name import from_text
from zones.packed import pack_changes
from zones.rrset import A, RRset

if TYPE_CHECKING:
    from nameserver._answer import CompiledTable
    from nameserver._image import Content
else:
    CompiledTable = pytest.importorskip("nameserver._answer").CompiledTable
    Content = pytest.importorskip("nameserver._image").Content

QUERIES = 10_000
REPEATED = 20  # in one round, so that what Python needs for a round does not count
SETTINGS = AnswerSettings(minimal_responses=True)
OUTSIDE = from_text("www.example.net.")

# Time on the processor: what else runs on the machine disturbs it less.
pytestmark = pytest.mark.benchmark(timer=time.process_time)


@pytest.fixture(scope="session")
def served() -> ServedZone:
    """Return the zone, the same for all measurements."""
    return engine_zone()


@pytest.fixture(scope="session")
def table(served: ServedZone) -> CompiledTable:
    """Return a table with the zone."""
    made = CompiledTable()
    made.replace(served)
    return made


def tell(benchmark: BenchmarkFixture, what: str, count: int) -> None:
    """Put the nanoseconds of one thing of so many into the report."""
    assert benchmark.stats is not None
    each = round(benchmark.stats.stats.median / count * 1e9)
    benchmark.extra_info[what] = each
    print(f"{each:,} {what}")


def answer(benchmark: BenchmarkFixture, table: CompiledTable, queries: list[bytes]) -> None:
    """Measure the answering of queries."""

    def work() -> None:
        table.respond_many(queries, Transport.UDP, SETTINGS, rounds=REPEATED)

    benchmark.pedantic(work, rounds=10, warmup_rounds=1)  # type: ignore[no-untyped-call]
    tell(benchmark, "ns/query", QUERIES * REPEATED)


def test_parse(benchmark: BenchmarkFixture, table: CompiledTable) -> None:
    """Queries of a class that is not served are read, and refused: nothing is looked up."""
    rng = Random(1)
    answer(benchmark, table, [packet(rng, host(n), A, qclass=4) for n in range(QUERIES)])


def test_lookup(benchmark: BenchmarkFixture, table: CompiledTable) -> None:
    """Queries for a zone that is not served are read, looked for, and refused."""
    rng = Random(1)
    answer(benchmark, table, [packet(rng, b"\x01a" + OUTSIDE, A) for _ in range(QUERIES)])


@pytest.mark.parametrize("asked", ASKED)
def test_compose(benchmark: BenchmarkFixture, table: CompiledTable, asked: str) -> None:
    """The whole way of a query, by what it is answered with."""
    rng = Random(1)
    answer(benchmark, table, [ask(rng, ASKED[asked]) for _ in range(QUERIES)])


def test_compose_mixed(benchmark: BenchmarkFixture, table: CompiledTable) -> None:
    """All kinds of questions in turn, by chance."""
    rng = Random(1)
    kinds = list(ASKED.values())
    answer(benchmark, table, [ask(rng, rng.choice(kinds)) for _ in range(QUERIES)])


def test_compose_in_python(benchmark: BenchmarkFixture, served: ServedZone) -> None:
    """The same mixed questions, answered by the oracle."""
    oracle = ZoneTable()
    oracle.replace(served)
    rng = Random(1)
    queries = [ask(rng, rng.choice(list(ASKED.values()))) for _ in range(QUERIES // 100)]

    def work() -> None:
        for query in queries:
            respond(oracle, query, Transport.UDP, SETTINGS)

    benchmark.pedantic(work, rounds=10, warmup_rounds=1)  # type: ignore[no-untyped-call]
    tell(benchmark, "ns/query", len(queries))


def test_build(benchmark: BenchmarkFixture, served: ServedZone) -> None:
    """The image of a zone, from its packed form."""
    assert served.version is not None
    blob = served.version.blob
    benchmark.pedantic(lambda: Content(blob), rounds=10, warmup_rounds=1)  # type: ignore[no-untyped-call]
    tell(benchmark, "ns/name", NAMES)


def test_change(benchmark: BenchmarkFixture, served: ServedZone) -> None:
    """One address changed in the image of a zone, in place."""
    assert served.version is not None
    copy = Content(served.version.blob).copy()
    rng = Random(1)
    count = 1000
    hosts = [host(rng.randrange(NAMES // KINDS) * KINDS + ASKED["A"]) for _ in range(count)]
    new = [RRset(owner, A, 300, (rng.randbytes(4),)) for owner in hosts]
    deltas = [pack_changes({rrset.key: rrset}) for rrset in new]

    def work() -> None:
        for delta in deltas:
            assert copy.change(delta)

    benchmark.pedantic(work, rounds=10, warmup_rounds=1)  # type: ignore[no-untyped-call]
    tell(benchmark, "ns/change", count)
