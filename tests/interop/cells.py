"""Which tests are which cells of the table in docs/interop.md, as pytest finds them."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator, Mapping
from typing import Final

import pytest

from tests.peers import Peer

WHERE: Final = ("tests/interop", "tests/scenario")

# Row and server -> the files and names of the tests.
Cells = Mapping[tuple[str, str], tuple[tuple[str, str], ...]]


class Finder:
    """A plugin of pytest that keeps the tests of cells, and only those, and notes which they are."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], list[tuple[str, str]]] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Note the cells of each test; leave out those that are none."""
        for item in items:
            assert isinstance(item, pytest.Function)
            test = (item.nodeid.partition("::")[0], item.originalname)
            for cell in cells_of(item):
                tests = self.found.setdefault(cell, [])
                tests += [test] if test not in tests else []
        items[:] = [item for item in items if item.get_closest_marker("cell")]

    def cells(self) -> Cells:
        """Return what was found, each cell's tests in order."""
        return {cell: tuple(sorted(tests)) for cell, tests in self.found.items()}


def cells_of(item: pytest.Function) -> Iterator[tuple[str, str]]:
    """Yield the cells of one test: of the servers that its mark names, or that is its parameter."""
    for mark in item.iter_markers("cell"):
        row, *servers = mark.args
        if not servers:
            parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
            servers = [
                one.title for one in parameters if isinstance(one, type) and issubclass(one, Peer)
            ]
        assert servers, f"{item.nodeid} does not say which server it is with"
        for server in servers:
            yield row, server


def run(*options: str) -> tuple[Cells, int]:
    """Run the tests of all cells; return them, and pytest's exit code."""
    os.environ["NSCTL_REQUIRE_PEERS"] = "1"
    finder = Finder()
    code = pytest.main(["-q", "-n", "0", *WHERE, *options], plugins=[finder])
    return finder.cells(), int(code)


def main() -> None:
    """Print the cells that there are tests of, without running them: ROW, SERVER, FILE, NAME."""
    with contextlib.redirect_stdout(io.StringIO()):
        cells, code = run("--collect-only")
    assert code == pytest.ExitCode.OK
    for cell, tests in cells.items():
        for test in tests:
            print(*cell, *test, sep="\t")


if __name__ == "__main__":
    main()
