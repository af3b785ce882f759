"""The work for starts, storms and churn: many small zones; and one zone of a million records."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.task import ZoneFile

SEED: Final = 31_337
RECORDS: Final = 12  # of a small zone
MILLION_APEX: Final = "million.example."
QUESTIONS: Final = ("@ A", "@ AAAA", "@ MX", "www A", "mail A", "@ TXT", "nothing A", "@ NS")

SMALL_ZONE: Final = """\
$ORIGIN {apex}
$TTL 3600
@ SOA ns1.{apex} hostmaster.{apex} {serial} 86400 7200 3600000 3600
@ NS ns1.{apex}
@ NS ns2.{apex}
@ A 192.0.2.{octet}
@ AAAA 2001:db8::{octet}
@ MX 10 mail.{apex}
@ TXT "v=spf1 mx -all"
ns1 A 192.0.2.53
ns2 A 198.51.100.53
mail A 203.0.113.{octet}
www CNAME {apex}
ftp A {ftp}
"""


@dataclass(frozen=True, slots=True)
class ManyZones:
    """Small zones in a directory, one file each."""

    directory: Path
    count: int

    @property
    def names(self) -> list[str]:
        """The apexes, in the order in which they stand in a configuration."""
        return [apex_of(number) for number in range(self.count)]

    def write(self, serial: int = 1) -> ManyZones:
        """Write all zone files, each aside first, so that no server reads half of one."""
        self.directory.mkdir(exist_ok=True)
        for number, file in enumerate(self.files()):
            assert file.path is not None
            aside = file.path.with_suffix(".new")
            aside.write_text(small_zone(number, serial))
            aside.rename(file.path)
        return self

    def files(self) -> Iterator[ZoneFile]:
        """Yield the zones with their files."""
        for name in self.names:
            yield ZoneFile(name, self.directory / f"{name}zone")

    def write_questions(self, file: Path, count: int) -> Path:
        """Write questions about all of them."""
        rng = random.Random(SEED)
        with file.open("w") as lines:
            for _ in range(count):
                owner, rtype = rng.choice(QUESTIONS).split()
                apex = apex_of(rng.randrange(self.count))
                lines.write(f"{apex if owner == '@' else f'{owner}.{apex}'} {rtype}\n")
        return file


def apex_of(number: int) -> str:
    """Return the name of a small zone."""
    return f"zone{number:06d}.example."


def small_zone(number: int, serial: int, *, ftp: str = "192.0.2.21") -> str:
    """Return the zone file of a small zone; ``ftp`` is the address that changes."""
    octet = (number + serial) % 256
    return SMALL_ZONE.format(apex=apex_of(number), serial=serial, octet=octet, ftp=ftp)


def sample(names: list[str], size: int = 100) -> list[str]:
    """Return some of the names, evenly spread, the last one last."""
    step = max(1, len(names) // size)
    return names[len(names) - 1 :: -step][::-1]


def write_million(directory: Path, records: int) -> ZoneFile:
    """Write a zone of so many records: hosts with both addresses, and mail."""
    path = directory / "million.example.zone"
    with path.open("w") as lines:
        lines.write(
            f"$ORIGIN {MILLION_APEX}\n$TTL 3600\n"
            f"@ SOA ns1.{MILLION_APEX} hostmaster.{MILLION_APEX} 1 86400 7200 3600000 3600\n"
            f"@ NS ns1.{MILLION_APEX}\nns1 A 192.0.2.53\n"
        )
        for number in range((records - 3) // 4):
            host = f"h{number * 2_654_435_761 % 2**32:08x}"  # in no order
            lines.write(
                f"{host} A 192.0.2.{number % 256}\n{host} AAAA 2001:db8::{number % 65_536:x}\n"
                f"{host} MX 10 {host}.{MILLION_APEX}\n{host} TXT host-{number}\n"
            )
    return ZoneFile(MILLION_APEX, path)
