"""Erasing what nobody may keep: at the end of a contract, but for what law and registries want.

Facts have no personal data; they name contacts by id, and stay for as long as the books of a
merchant have to (HGB 257: letters for six years), so that what was done can be shown. Contacts
are emptied once no registration needs them; what was said to a registry in confidence went when
it was said.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from registrar.days import add_months, local_day, midnight
from registrar.deadlines import Due
from registrar.desk import contacts, registrations
from registrar.desk.desk import seconds
from storage import contacts as stored_contacts
from storage import deadlines, journal
from storage import registrations as stored
from storage.database import Database
from storage.session import Session

BOOKS: Final = 6 * 12 + 12  # months: six years from the end of the year (HGB 257(4)(5))
ACTOR: Final = "retention"


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased: contacts by id, registrations by name."""

    contacts: tuple[str, ...]
    registrations: tuple[str, ...]


def erase_due(database: Database, now: datetime) -> Erased:
    """Erase what is due: contacts of ended registrations, and books that are old enough."""
    with database.write() as session:
        emptied = _contacts(session, now)
        dropped = _books(session, now)
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


def _books(session: Session, now: datetime) -> list[str]:
    oldest = midnight(add_months(local_day(now), -BOOKS))
    journal.prune(session, seconds(oldest))
    dropped = []
    for number, name in stored.ended_before(session, seconds(oldest)):
        stored.erase(session, number)
        dropped.append(name)
    return dropped
