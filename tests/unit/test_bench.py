"""The measuring itself: what is made, what is read from others' reports, how it is compared."""

from __future__ import annotations

import struct
from collections import Counter
from itertools import islice
from pathlib import Path

import dns.message
import dns.rdatatype
import dns.rrset
import pytest
from click.testing import CliRunner

from bench import load, registrations, report
from bench.asking import is_answer, question, soa_serial
from bench.churner import changes
from bench.many_work import ManyZones, sample, small_zone, write_million
from bench.result import Measurement, Result, best, ratio
from bench.rows import NAMES, ROWS
from bench.running import chosen
from bench.soak import Sample, Samples
from bench.zone_work import APEX, HEADER, LargeZone
from zones.check import check
from zones.finding import errors
from zones.version import ZoneVersion
from zones.zonefile import read_zone_file

DNSPERF = """\
Statistics:

  Queries sent:         1000
  Queries completed:    990 (99.00%)
  Queries lost:         10 (1.00%)

  Response codes:       NOERROR 840 (84.85%), NXDOMAIN 150 (15.15%)
  Run time (s):         2.000000
  Queries per second:   495.000000
"""


def test_large_zone_is_the_same_every_time() -> None:
    """Two makings give the same zone and the same questions."""
    one, other = LargeZone.make(500), LargeZone.make(500)
    assert one.lines == other.lines
    assert list(one.mixed_questions(300)) == list(other.mixed_questions(300))


def test_large_zone_breaks_no_rule() -> None:
    """Any server would load it: no check finds an error."""
    zone = LargeZone.make(1000)
    packed = read_zone_file(HEADER + "".join(zone.lines), filename="bench")
    assert not errors(check(packed))


def test_questions_ask_for_what_they_are_counted_as() -> None:
    """What is said to exist, exists; what is said not to, does not."""
    zone = LargeZone.make(1000)
    packed = read_zone_file(HEADER + "".join(zone.lines), filename="bench")
    version = ZoneVersion(packed.blob)
    names = {name: node for name, node in version.nodes.items() if node.rrsets}
    for line in zone.without:
        name, rtype = line.split()
        there = names[dns.name.from_text(name).to_wire() or b""].rrsets
        assert there
        assert dns.rdatatype.from_text(rtype) not in there
    for line in islice(zone.flood(500), 500):
        name = line.split()[0]
        assert name.endswith(f".{APEX}")
        assert dns.name.from_text(name).to_wire() not in version.nodes


def test_small_zone_has_twelve_records() -> None:
    """A small zone is what the table says it is."""
    assert read_zone_file(small_zone(7, 3), filename="small").records == 12


def test_million_has_its_number_of_records(tmp_path: Path) -> None:
    """The zone to transfer has so many records, up to the rounding of whole hosts."""
    zone = write_million(tmp_path, 1003)
    assert zone.path
    assert read_zone_file(zone.path.read_text(), filename="million").records == 1003


def test_sample_ends_with_the_last() -> None:
    """A sample is spread over all names, and the last one is in it."""
    names = ManyZones(Path(), 1234).names
    taken = sample(names)
    assert taken[-1] == names[-1]
    assert 100 <= len(taken) <= 105


def test_churn_changes_each_zone_in_turn_to_something_new() -> None:
    """No change repeats the address that a zone has."""
    last: dict[int, str] = {}
    seen: Counter[int] = Counter()
    for step in islice(changes(zones=30, rate=100), 20):
        assert len(step) == 10
        for number, address in step.items():
            assert last.get(number) != address
            last[number] = address
            seen[number] += 1
    assert max(seen.values()) - min(seen.values()) <= 1


def test_report_of_dnsperf_is_read() -> None:
    """Counts, rate and rcodes are taken from the report; a report without them is refused."""
    found = load.parse(DNSPERF)
    assert (found.answered, found.lost, found.rate) == (990, 10, 495.0)
    assert found.rcodes == {"NOERROR": 840, "NXDOMAIN": 150}
    with pytest.raises(load.LoadFailed, match="answered"):
        load.parse("Error: no such file")


def answer(serial: int, *, aa: bool = True) -> bytes:
    """Return the answer to the SOA question for example.org."""
    message = dns.message.from_wire(question("example.org."))
    response = dns.message.make_response(message)
    response.flags |= dns.flags.AA if aa else 0
    soa = f"ns1.example.org. h.example.org. {serial} 1 2 3 4"
    response.answer.append(dns.rrset.from_text("example.org.", 60, "IN", "SOA", soa))
    return response.to_wire() or b""


def test_serial_is_found_in_an_answer() -> None:
    """The serial is read from an authoritative answer, and from nothing else."""
    length = len(question("example.org."))
    assert soa_serial(answer(4_000_000_000), length) == 4_000_000_000
    assert soa_serial(answer(7, aa=False), length) is None
    assert not is_answer(struct.pack("!HHHHHH", 1, 0x8405, 1, 0, 0, 0))


def test_more_is_better_for_rates_and_less_for_durations() -> None:
    """A ratio above 1 is always the better one; the best peer is chosen accordingly."""
    rates = [Result("udp", name, (Measurement("udp", name, rate),)) for name, rate in
             (("nsctl", 300.0), ("knot", 200.0), ("nsd", 100.0))]  # fmt: skip
    peer = best(rates, ["knot", "nsd"])
    assert peer
    assert peer.server == "knot"
    assert ratio(rates[0].runs[0], peer) == 1.5
    times = [Result("start", name, (Measurement("start", name, value, "s"),)) for name, value in
             (("nsctl", 1.0), ("knot", 8.0), ("nsd", 3.0))]  # fmt: skip
    peer = best(times, ["knot", "nsd"])
    assert peer
    assert peer.server == "nsd"
    assert ratio(times[0].runs[0], peer) == 3.0


def test_median_and_spread_are_over_the_runs() -> None:
    """One odd run does not move the result; what a row does not measure stays empty."""
    runs = tuple(Measurement("udp", "nsctl", value, user=value / 100) for value in (90, 100, 500))
    median = Result("udp", "nsctl", runs).median
    assert median
    assert (median.value, median.user, median.lost) == (100, 1.0, None)
    assert report.spread(runs) == "±69%"
    assert Result("udp", "nsctl", failure="it ended").median is None


def test_rows_are_found_by_any_of_their_names() -> None:
    """A name chooses the work that fills its row; no name chooses everything."""
    assert chosen(["memory"]) == chosen(["start"])
    assert chosen([]) == list(ROWS)
    assert len(set(NAMES)) == len(NAMES)


def test_soak_sees_what_rises_after_the_warm_up() -> None:
    """What a server takes at first is not counted; a leak of a tenth is, exactly."""
    flat = Samples(Sample(second, 100 if second >= 30 else second) for second in range(100))
    assert flat.rise() == pytest.approx(0)
    leaking = Samples(Sample(second, 1000 + second) for second in range(100))
    assert leaking.rise() == pytest.approx(69 / 1030)


def test_work_at_registrations_is_timed() -> None:
    """A small portfolio is written, lived through and projected, each with what it took."""
    ran = CliRunner().invoke(registrations.main, ["--count", "30"])
    assert ran.exit_code == 0, ran.output
    assert "30 registrations" in ran.output
    assert ran.output.count(" s ") >= 2 * (3 + 2 * len(registrations.DAYS))
