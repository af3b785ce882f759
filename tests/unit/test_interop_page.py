"""docs/interop.md says what is tested, and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.interop.cells import Cells
from tests.interop.matrix import CANNOT, PAGE, ROOT, ROWS, SERVERS, VERSIONS, installed, page

LINE = re.compile(r"^Versions: (.*)\.$", re.MULTILINE)
ROW_NAMES = {row for rows in ROWS.values() for row in rows}


@pytest.fixture(scope="module")
def cells() -> Cells:
    """The tests of each cell, as pytest finds them in a process of its own."""
    command = [sys.executable, "-m", "tests.interop.cells"]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    found: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {}
    for line in done.stdout.splitlines():
        row, server, file, name = line.split("\t")
        found[row, server] = (*found.get((row, server), ()), (file, name))
    return found


def told() -> dict[str, str]:
    """Return the versions that the page names."""
    found = LINE.search(PAGE.read_text(encoding="utf-8"))
    assert found, "python -m tests.interop.matrix writes the page"
    return dict(part.rsplit(" ", 1) for part in found.group(1).split(", "))


def test_the_page_is_that_of_the_tests(cells: Cells) -> None:
    """Who adds, removes or renames the test of a cell has python -m tests.interop.matrix write it."""
    assert PAGE.read_text(encoding="utf-8") == page(cells, told())


def test_each_cell_is_tested_or_explained(cells: Cells) -> None:
    """No row is without a server, and no server is left out without a reason, or has both."""
    everything = {(row, server) for row in ROW_NAMES for server in SERVERS}
    assert cells.keys() | CANNOT.keys() == everything
    assert not cells.keys() & CANNOT.keys()


def test_the_versions_are_of_the_same_release() -> None:
    """The versions named are those that the tests run with, but for the last number."""
    named = told()
    for server, version in installed().items():
        assert named[server].split(".")[:2] == version.split(".")[:2], server
    assert named.keys() == set(SERVERS) == VERSIONS.keys()
