"""Running rows: every server in turn, then all of them again, so that noise meets each alike."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator

from bench.result import Measurement, Result
from bench.rows import ROWS, Row
from bench.servers import Daemon, Echo
from bench.setting import Setting
from bench.task import Task

Tell = Callable[[str], None]


def chosen(names: Iterable[str]) -> list[type[Row]]:
    """Return the kinds of work that fill the rows of these names; all where none is given."""
    wanted = set(names)
    return [row for row in ROWS if not wanted or wanted & set(row.names)]


def run(kind: type[Row], setting: Setting, tell: Tell) -> list[Result]:
    """Run one kind of work on all servers; what fails on one of them is told in its place."""
    directory = setting.directory / kind.names[0]
    directory.mkdir(parents=True)
    try:
        row = kind(setting, directory)
        tell(f"{row.names[0]}: making the work")
        return list(Run(row, tell).results())
    finally:
        shutil.rmtree(directory)  # hundreds of thousands of files


class Run:
    """One kind of work on all servers."""

    def __init__(self, row: Row, tell: Tell) -> None:
        self.row = row
        self.tell = tell
        self.measured: dict[str, list[Measurement]] = {}
        self.failures: dict[str, str] = {}

    def results(self) -> Iterator[Result]:
        """Run, and yield the results row by row."""
        self.measure(self.row.task())
        for name in self.row.names:
            for kind in self.row.setting.kinds:
                if not (kind is Echo and kind.name in self.row.without):
                    yield self.result(name, kind)

    def measure(self, task: Task) -> None:
        """Prepare every server once and measure it as often as is asked for."""
        repeat = self.row.setting.repeat
        with self.row.surroundings():
            daemons = self.prepared(task)
            for number in range(repeat):
                for name, daemon in daemons.items():
                    self.tell(f"{self.row.names[0]}: {name}, run {number + 1} of {repeat}")
                    with self.noting(name):
                        self.measured.setdefault(name, []).extend(self.row.measure(daemon))

    def prepared(self, task: Task) -> dict[str, Daemon]:
        """Return the servers that can do this work."""
        daemons: dict[str, Daemon] = {}
        for kind in self.row.setting.kinds:
            if kind.name in self.row.without:
                continue
            self.tell(f"{self.row.names[0]}: preparing {kind.name}")
            with self.noting(kind.name):
                daemons[kind.name] = self.row.prepare(kind, task)
        return daemons

    def noting(self, name: str) -> Noting:
        """Return a context that keeps an error as the reason for a missing result."""
        return Noting(self.failures, name)

    def result(self, row: str, kind: type[Daemon]) -> Result:
        """Return what a server did in a row."""
        runs = tuple(one for one in self.measured.get(kind.name, ()) if one.row == row)
        left_out = self.row.without.get(kind.name, "")
        failure = self.failures.get(kind.name, "") or (left_out and f"left out: {left_out}")
        return Result(row, kind.name, runs, failure)


class Noting:
    """A context that keeps an error as text and goes on."""

    def __init__(self, failures: dict[str, str], name: str) -> None:
        self.failures = failures
        self.name = name

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, *_: object
    ) -> bool:
        if not isinstance(error, RuntimeError | AssertionError | OSError):
            return False
        notes = getattr(error, "__notes__", [])
        self.failures[self.name] = "\n".join([str(error), *notes])
        return True
