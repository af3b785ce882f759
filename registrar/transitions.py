"""The transition tables: what happens in which state, under which conditions, and what follows.

Each region of the state has a table. ``docs/registrations.md`` is made from them.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from registrar.events import Event
from registrar.model import (
    ContractState,
    Delegation,
    Disclosure,
    Life,
    Payment,
    Region,
    Transfer,
    Verification,
)
from registrar.table_contract import CONTRACT
from registrar.table_life import LIFE
from registrar.table_others import DELEGATION, DISCLOSURE, PAYMENT, TRANSFER, VERIFICATION
from registrar.transition import Transition

INITIAL: Final[dict[Region, StrEnum]] = {
    Region.LIFE: Life.DRAFT,
    Region.CONTRACT: ContractState.NONE,
    Region.DELEGATION: Delegation.NONE,
    Region.TRANSFER: Transfer.NONE,
    Region.VERIFICATION: Verification.CLEAR,
    Region.PAYMENT: Payment.CLEAR,
    Region.DISCLOSURE: Disclosure.NONE,
}

TABLES: Final[dict[Region, tuple[Transition, ...]]] = {
    Region.LIFE: LIFE,
    Region.CONTRACT: CONTRACT,
    Region.DELEGATION: DELEGATION,
    Region.TRANSFER: TRANSFER,
    Region.VERIFICATION: VERIFICATION,
    Region.PAYMENT: PAYMENT,
    Region.DISCLOSURE: DISCLOSURE,
}

Rows = dict[StrEnum, list[Transition]]


def _by_event(tables: Iterable[tuple[Transition, ...]]) -> dict[Event, list[tuple[Region, Rows]]]:
    found: dict[Event, dict[Region, Rows]] = {}
    for table in tables:
        for row in table:
            rows = found.setdefault(row.event, {}).setdefault(row.region, {})
            rows.setdefault(row.state, []).append(row)
    return {event: list(regions.items()) for event, regions in found.items()}


# For each event the regions that know it, with their rows by state; several are tried in order.
BY_EVENT: Final = _by_event(TABLES.values())
