"""Erasing what nobody may keep: at the end of a contract, but for what law and registries want.

Facts have no personal data; they name contacts by id, and stay for as long as the books of a
merchant have to, which the policy of the contract says (``books_years``; HGB 257: letters for six
years), counted from the end of the year, so that what was done can be shown. Contacts
are emptied once no registration needs them; what was said to a registry in confidence went when
it was said.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from registrar.days import local_day, midnight
from registrar.deadlines import Due
from registrar.desk import contacts, registrations
from registrar.desk.desk import Desk, seconds
from registrar.policy import BOOKS_YEARS
from storage import contacts as stored_contacts
from storage import deadlines, journal
from storage import registrations as stored
from storage.database import Database
from storage.session import Session

ACTOR: Final = "retention"


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased: contacts by id, registrations by name."""

    contacts: tuple[str, ...]
    registrations: tuple[str, ...]


def erase_due(database: Database, desk: Desk, now: datetime) -> Erased:
    """Erase what is due: contacts of ended registrations, and books that are old enough."""
    with database.write() as session:
        emptied = _contacts(session, now)
        dropped = _books(session, desk, now)
    return Erased(tuple(emptied), tuple(dropped))


def _contacts(session: Session, now: datetime) -> list[str]:
    emptied = []
    due = deadlines.listed(session, until=seconds(now), kinds=[Due.ERASURE])
    for item in due:
        entry = registrations.get_by_id(session, item.registration)
        for number in dict.fromkeys((entry.holder, entry.admin, entry.tech)):
            found = stored_contacts.find_contact(session, number) if number else None
            if found is None or found.erased_at is not None:
                continue
            if not contacts.erase(session, number, now=now, actor=ACTOR):
                emptied.append(number)
    return emptied


def _books(session: Session, desk: Desk, now: datetime) -> list[str]:
    contracts = desk.policies.contracts
    starts = {key: _oldest(contract.books_years.value, now) for key, contract in contracts.items()}
    # What is under no contract that is known is kept for as long as any other.
    longest = min(starts.values(), default=_oldest(BOOKS_YEARS.value, now))
    journal.prune(session, longest)
    dropped = []
    for number, name, contract, ended in stored.ended_before(session, seconds(now)):
        if ended < starts.get(contract, longest):
            stored.erase(session, number)
            dropped.append(name)
    return dropped


def _oldest(years: int, now: datetime) -> float:
    """Return the beginning of the first year of which books are kept."""
    return seconds(midnight(date(local_day(now).year - years, 1, 1)))
