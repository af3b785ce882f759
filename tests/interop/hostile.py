"""A server of ours that primaries do their worst to, and what has to hold all the while."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.peers import Nsctl, PlainPrimary
from tests.peers.zonetext import zone_text

WITNESS: Final = "witness.example."
LIMITS: Final = {
    "transfers_max_records": 1_000,
    "transfers_timeout": 2,
    "transfers_max_seconds": 4,
}
BLOAT: Final = 24_000_000  # octets that one hostile transfer of so few records may cost


class Patient:
    """A server with low limits, and a witness: a zone of a primary that does what it should."""

    def __init__(self, nsctl: Nsctl, witness: PlainPrimary) -> None:
        self.nsctl, self.witness, self.serial = nsctl, witness, 1
        nsctl.follow(WITNESS, witness.remote())
        nsctl.wait_serial(WITNESS, 1)

    def others_are_served(self) -> None:
        """Assert that a change of the witness is served soon after its NOTIFY."""
        self.serial += 1
        self.witness.publish(zone_text(self.serial, apex=WITNESS), self.nsctl.remote())
        self.nsctl.wait_serial(WITNESS, self.serial, seconds=5)

    @contextmanager
    def unharmed(self) -> Iterator[None]:
        """Assert that what is done meanwhile costs little memory, stops nothing and is no surprise."""
        process = self.nsctl.process.child
        assert process is not None
        Path(f"/proc/{process.pid}/clear_refs").write_text("5")  # the peak begins anew
        before = peak_memory(self.nsctl)
        yield
        self.others_are_served()
        assert peak_memory(self.nsctl) - before < BLOAT
        assert "Traceback" not in self.nsctl.log()


def peak_memory(nsctl: Nsctl) -> int:
    """Return the most octets that the server has had in memory."""
    assert nsctl.process.child is not None
    status = Path(f"/proc/{nsctl.process.child.pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


@contextmanager
def patient() -> Iterator[Patient]:
    """Start a server and its witness."""
    with (
        tempfile.TemporaryDirectory(prefix="nsctl-") as place,
        PlainPrimary(WITNESS, zone_text(1, apex=WITNESS)) as witness,
        Nsctl(Path(place), **LIMITS) as nsctl,
    ):
        yield Patient(nsctl, witness)
