"""What the kernel knows of a server: processor time and memory of all its processes."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
STOP_SECONDS: Final = 20.0

# Fields of /proc/PID/stat after the name, which may hold spaces (proc_pid_stat(5)).
UTIME, STIME, CUTIME, CSTIME = 11, 12, 13, 14


@dataclass(frozen=True, slots=True)
class CpuTime:
    """Processor seconds, all threads together."""

    user: float
    system: float

    def __sub__(self, before: CpuTime) -> CpuTime:
        return CpuTime(self.user - before.user, self.system - before.system)


@dataclass(frozen=True, slots=True)
class Memory:
    """Octets: ``pss`` shares out what several processes map; ``peak`` is the largest process's."""

    pss: int
    peak: int


class Process:
    """A daemon in the foreground, kept on some processors, with all processes it started."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        cpus: frozenset[int],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        with log.open("ab") as output:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=log.parent,
                env=environment,
                # Before exec, so that no thread is ever elsewhere.
                preexec_fn=lambda: os.sched_setaffinity(0, cpus),  # noqa: PLW1509 (one thread)
            )
        self._log = log

    def assert_running(self) -> None:
        """Raise ``RuntimeError`` with the end of the log when it has ended."""
        code = self._child.poll()
        if code is not None:
            last = "\n".join(self._log.read_text(errors="replace").splitlines()[-20:])
            raise RuntimeError(f"it ended by itself with {code}:\n{last}")

    def cpu_time(self) -> CpuTime:
        """Return what all its processes have used, those that have ended included."""
        user = system = 0
        for pid in tree(self._child.pid):
            with suppress(OSError):  # ended meanwhile
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                user += int(fields[UTIME]) + int(fields[CUTIME])
                system += int(fields[STIME]) + int(fields[CSTIME])
        return CpuTime(user / TICKS_PER_SECOND, system / TICKS_PER_SECOND)

    def memory(self) -> Memory:
        """Return what all its processes have in memory now, and had at most."""
        pss = peak = 0
        for pid in tree(self._child.pid):
            with suppress(OSError):
                pss += kilobytes(Path(f"/proc/{pid}/smaps_rollup"), "Pss")
                peak = max(peak, kilobytes(Path(f"/proc/{pid}/status"), "VmHWM"))
        return Memory(pss * 1024, peak * 1024)

    def stop(self) -> None:
        """Ask it to end; end it and its children after a while, each by its own id."""
        family = list(tree(self._child.pid))
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
        try:
            self._child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            for pid in family:
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            self._child.wait()


def tree(pid: int) -> Iterator[int]:
    """Yield a process and all its descendants."""
    yield pid
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in listing.read_text().split():
                yield from tree(int(child))


def kilobytes(path: Path, field: str) -> int:
    """Return a field of one of /proc's files, 0 where it is not there."""
    for line in path.read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0])
    return 0
