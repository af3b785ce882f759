"""docs/interop.md says what is tested, and nothing else."""

from __future__ import annotations

import re

import pytest

from tests.interop.matrix import (
    ANSWERS,
    AS_PRIMARY,
    AS_SECONDARY,
    PAGE,
    ROOT,
    SERVERS,
    VERSIONS,
    Row,
    installed,
    page,
)

LINE = re.compile(r"^Versions: (.*)\.$", re.MULTILINE)
NAMES = {"Knot DNS": "knot", "BIND": "bind", "NSD": "nsd", "PowerDNS": "powerdns"}


def told() -> dict[str, str]:
    """Return the versions that the page names."""
    found = LINE.search(PAGE.read_text(encoding="utf-8"))
    assert found, "python -m tests.interop.matrix writes the page"
    return dict(part.rsplit(" ", 1) for part in found.group(1).split(", "))


def test_the_page_is_that_of_the_matrix() -> None:
    """Who changes a row writes the page anew: python -m tests.interop.matrix."""
    assert PAGE.read_text(encoding="utf-8") == page(told())


def test_the_versions_are_of_the_same_release() -> None:
    """The versions named are those that the tests run with, but for the last number."""
    named = told()
    for server, version in installed().items():
        assert named[server].split(".")[:2] == version.split(".")[:2], server
    assert named.keys() == set(SERVERS) == VERSIONS.keys()


@pytest.mark.parametrize("one", [*AS_PRIMARY, *AS_SECONDARY, *ANSWERS], ids=lambda one: one.what)
def test_each_row_is_a_test(one: Row) -> None:
    """The test is there, and its file works with each of the servers."""
    file, _, name = one.test.partition("::")
    text = (ROOT / file).read_text(encoding="utf-8")
    assert f"def {name}(" in text
    by_all = re.search(r"\b(primary|secondary|EACH_PEER|PEERS)\b", text)
    for server in one.servers:
        assert by_all or NAMES[server] in text.lower(), server
