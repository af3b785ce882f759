"""The work for answering: one large zone, and questions about it; the same in every run."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.task import ZoneFile
from tests.peers.signing import sign

APEX: Final = "bench.example."
SEED: Final = 20_240_517
FRESH_SECONDS: Final = 15 * 86_400
LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"

# Of the names in the zone, in per cent; what is left are hosts with addresses.
DELEGATIONS: Final = 10
WILDCARDS: Final = 1
# Of the hosts, in per cent, what they have besides an address or instead of it.
WITH_AAAA, WITH_MX, WITH_TXT, ALIASES, SERVICES = 25, 8, 8, 8, 3

# Of the questions, in per cent; what is left is about what exists.
NXDOMAIN, NODATA, REFERRALS, WILDCARD_ANSWERS = 15, 5, 5, 5

HEADER: Final = f"""\
$ORIGIN {APEX}
$TTL 3600
@ SOA ns1.{APEX} hostmaster.{APEX} 1 86400 7200 3600000 3600
@ NS ns1.{APEX}
@ NS ns2.{APEX}
ns1 A 192.0.2.53
ns1 AAAA 2001:db8::53
ns2 A 198.51.100.53
ns2 AAAA 2001:db8:1::53
"""


@dataclass
class LargeZone:
    """The zone as it is made, with what may be asked about it."""

    rng: random.Random
    names: int
    lines: list[str] = field(default_factory=list)
    existing: list[str] = field(default_factory=list)  # "name TYPE" as dnsperf reads it
    without: list[str] = field(default_factory=list)  # the name exists, the type does not
    cuts: list[str] = field(default_factory=list)
    wildcards: list[str] = field(default_factory=list)

    @classmethod
    def make(cls, names: int) -> LargeZone:
        """Make the zone of so many names (glue and a few at the apex come in addition)."""
        zone = cls(random.Random(SEED), names)
        hosts: list[str] = []
        for number in range(names):
            share = number % 100
            label = f"{zone.label()}{number:x}"
            if share < DELEGATIONS:
                zone.add_delegation(label)
            elif share < DELEGATIONS + WILDCARDS:
                zone.add_wildcard(label)
            else:
                zone.add_host(label, hosts)
                hosts.append(label)
        return zone

    def label(self, shortest: int = 3, longest: int = 12) -> str:
        """Return some letters."""
        return "".join(self.rng.choices(LETTERS, k=self.rng.randint(shortest, longest)))

    def address(self) -> str:
        """Return an address for documentation (RFC 5737)."""
        net = self.rng.choice(("192.0.2", "198.51.100", "203.0.113"))
        return f"{net}.{self.rng.randrange(256)}"

    def add(self, owner: str, rtype: str, rdata: str) -> None:
        """Add a record that answers a question."""
        self.lines.append(f"{owner} {rtype} {rdata}\n")
        self.existing.append(f"{owner}.{APEX} {rtype}\n")

    def add_delegation(self, label: str) -> None:
        """Add a zone cut with two name servers below it."""
        for server in ("ns1", "ns2"):
            self.lines.append(f"{label} NS {server}.{label}.{APEX}\n")
            self.lines.append(f"{server}.{label} A {self.address()}\n")
        self.cuts.append(f"{label}.{APEX}")

    def add_wildcard(self, label: str) -> None:
        """Add a wildcard below a name of its own."""
        self.lines.append(f"*.{label} A {self.address()}\n")
        self.wildcards.append(f"{label}.{APEX}")

    def add_host(self, label: str, hosts: list[str]) -> None:
        """Add a name with data: mostly addresses."""
        kind = self.rng.randrange(100)
        if kind < ALIASES and hosts:
            target = self.rng.choice(hosts)
            self.lines.append(f"{label} CNAME {target}.{APEX}\n")
            self.existing.append(f"{label}.{APEX} A\n")
            return
        if kind < ALIASES + SERVICES:
            self.add(f"_sip._tcp.{label}", "SRV", f"10 60 5060 {label}.{APEX}")
        self.add(label, "A", self.address())
        has = self.rng.randrange(100)
        if has < WITH_AAAA:
            self.add(label, "AAAA", f"2001:db8::{self.rng.randrange(65_536):x}")
        elif has < WITH_AAAA + WITH_MX:
            self.add(label, "MX", f"10 {label}.{APEX}")
        elif has < WITH_AAAA + WITH_MX + WITH_TXT:
            self.add(label, "TXT", f'"v=spf1 ip4:{self.address()} -all"')
        else:
            self.without.append(f"{label}.{APEX} {self.rng.choice(('AAAA', 'MX', 'TXT'))}\n")

    def mixed_questions(self, count: int) -> Iterator[str]:
        """Yield what resolvers ask: mostly for what exists."""
        makers: list[Callable[[], str]] = [self.missing] * NXDOMAIN
        makers += [lambda: self.rng.choice(self.without)] * NODATA
        makers += [lambda: f"www.{self.rng.choice(self.cuts)} A\n"] * REFERRALS
        makers += [lambda: f"{self.label()}.{self.rng.choice(self.wildcards)} A\n"] * (
            WILDCARD_ANSWERS
        )
        makers += [lambda: self.rng.choice(self.existing)] * (100 - len(makers))
        for _ in range(count):
            yield self.rng.choice(makers)()

    def missing(self) -> str:
        """Return a question for a name that does not exist."""
        return f"{self.label(13, 16)}.{APEX} A\n"

    def flood(self, count: int) -> Iterator[str]:
        """Yield questions for random names, as a water torture attack sends them."""
        return (self.missing() for _ in range(count))


@dataclass(frozen=True, slots=True)
class ZoneWork:
    """The files that servers and dnsperf read."""

    zone: ZoneFile
    questions: Path


def write_zone_work(directory: Path, names: int, *, flood: bool, questions: int) -> ZoneWork:
    """Write the zone, and mixed questions or a flood."""
    zone = LargeZone.make(names)
    file, asked = directory / "bench.example.zone", directory / f"questions-{flood}"
    file.write_text(HEADER + "".join(zone.lines))
    asked.write_text("".join((zone.flood if flood else zone.mixed_questions)(questions)))
    return ZoneWork(ZoneFile(APEX, file), asked)


def sign_zone(work: ZoneWork, kept: Path) -> ZoneWork:
    """Return the same work with the zone signed (ECDSA P-256, NSEC).

    Signing takes a while; a signed zone is kept below ``kept`` as long as the zone is the same
    and its signatures (30 days) are not half over.
    """
    assert work.zone.path is not None
    text = work.zone.path.read_text()
    kept.mkdir(parents=True, exist_ok=True)
    unsigned, signed = kept / "bench.example.unsigned", kept / "bench.example.signed"
    if not (signed.exists() and unsigned.read_text() == text and is_fresh(signed)):
        for key in kept.glob("K*"):  # each run has one key
            key.unlink()
        sign(kept, APEX, text, nsec3=False)
    return ZoneWork(ZoneFile(APEX, signed, signed=True), work.questions)


def is_fresh(signed: Path) -> bool:
    """Tell whether signatures made when this file was are good for weeks."""
    return time.time() - signed.stat().st_mtime < FRESH_SECONDS
