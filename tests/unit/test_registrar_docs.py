"""Pages that are made from tables and marks are as these make them."""

from __future__ import annotations

import pytest

from registrar import diagrams
from registrar.events import Event
from registrar.fact_codec import FACTS
from registrar.model import Region
from registrar.recorded import RECORDED
from registrar.standing import OUTCOMES
from registrar.transitions import BY_EVENT, INITIAL, TABLES
from tests import requirement_table

DOCS = requirement_table.ROOT / "docs"


def test_the_page_of_registrations_is_current() -> None:
    """docs/registrations.md is what the transition tables make of it."""
    page = (DOCS / "registrations.md").read_text(encoding="utf-8")
    assert page == diagrams.markdown(), "run: python -m registrar.diagrams > docs/registrations.md"


def test_the_page_of_requirements_is_current() -> None:
    """docs/requirements.md is what the marks of the tests make of it."""
    page = (DOCS / "requirements.md").read_text(encoding="utf-8")
    command = "run: python -m tests.requirement_table > docs/requirements.md"
    assert page == requirement_table.markdown(), command


@pytest.mark.parametrize(
    "name", [*(f"REG-{number}" for number in range(1, 18)), *(f"DNS-{n}" for n in range(8, 12))]
)
def test_every_requirement_has_a_test(name: str) -> None:
    """Each requirement of registrations and products is named by a test at least."""
    assert requirement_table.marked()[name]


@pytest.mark.parametrize("region", list(Region))
def test_tables_are_whole(region: Region) -> None:
    """Every state is reached from the first one, and every row has its source."""
    rows = TABLES[region]
    reached = {INITIAL[region]}
    while more := {row.target for row in rows if row.state in reached} - reached:
        reached |= more
    assert {row.state for row in rows} <= reached
    assert all(row.source and row.region is region for row in rows)


def test_events_are_known_to_the_tables() -> None:
    """Every event moves a region or is recorded, and every fact has its event."""
    assert {event for event in Event if event not in BY_EVENT} <= RECORDED.keys()
    assert set(FACTS) <= set(Event)
    assert set(FACTS) >= OUTCOMES
