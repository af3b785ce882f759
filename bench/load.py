"""Questions at full speed: a run of dnsperf, and what it counted."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.servers.daemon import path_of

# More sockets cost dnsperf more than they bring. So many outstanding questions keep any server
# busy; a receive buffer of the default size (net.core.rmem_default) holds 256, of which the kernel
# keeps a quarter back until it is read.
UDP: Final = ("-m", "udp", "-c", "4", "-q", "150", "-b", "1024", "-T", "1")
TCP: Final = ("-m", "tcp", "-c", "16", "-q", "400", "-T", "1")
TIMEOUT: Final = 2  # seconds after which a question counts as lost

COUNTS: Final = {
    "answered": r"Queries completed:\s+(\d+)",
    "lost": r"Queries lost:\s+(\d+)",
    "rate": r"Queries per second:\s+([\d.]+)",
}
RCODES: Final = re.compile(r"(\w+) (\d+) \(")


class LoadFailed(RuntimeError):
    """dnsperf did not do its work."""


@dataclass(frozen=True, slots=True)
class Load:
    """What came back: ``rate`` in answers a second, ``rcodes`` how many answers had which."""

    answered: int
    lost: int
    rate: float
    rcodes: dict[str, int]


def dnsperf(
    port: int,
    questions: Path,
    seconds: float,
    transport: Sequence[str] = UDP,
    *,
    dnssec: bool = False,
    cpus: frozenset[int],
) -> Load:
    """Ask 127.0.0.1 for some seconds; with EDNS, as resolvers do, and DO for ``dnssec``."""
    command = [
        path_of("dnsperf"),
        *("-s", "127.0.0.1", "-p", str(port), "-d", str(questions)),
        *("-l", f"{seconds:g}", "-t", str(TIMEOUT), *transport, "-D" if dnssec else "-e"),
    ]
    done = subprocess.run(
        command,
        text=True,
        capture_output=True,
        check=False,
        preexec_fn=lambda: os.sched_setaffinity(0, cpus),
    )
    if done.returncode:
        raise LoadFailed(f"{' '.join(command)}: {done.stderr or done.stdout}")
    return parse(done.stdout)


def parse(report: str) -> Load:
    """Return the counts that stand in dnsperf's report."""
    found = {name: re.search(pattern, report) for name, pattern in COUNTS.items()}
    missing = [name for name, match in found.items() if match is None]
    if missing:
        raise LoadFailed(f"dnsperf did not tell {', '.join(missing)}:\n{report}")
    values = {name: match[1] for name, match in found.items() if match}
    line = next((line for line in report.splitlines() if "Response codes:" in line), "")
    rcodes = {name: int(count) for name, count in RCODES.findall(line)}
    return Load(int(values["answered"]), int(values["lost"]), float(values["rate"]), rcodes)
