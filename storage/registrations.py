"""Registrations and their facts, as the registrar's desk writes them down.

Facts are only ever added. Which of them there are is the truth; the columns of a registration that
follow from them (``life``, ``next_due``) are written by whoever adds some.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import Row, String, bindparam, cast, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from storage import bulk, customers
from storage.desk_models import DocumentRow, FactRow, RegistrationRow

CHUNK = 500
COLUMNS = tuple(column for column in RegistrationRow.__table__.columns if column.key != "course")
WITH_COURSE = (*COLUMNS, RegistrationRow.__table__.c.course)
AnyRow: TypeAlias = "RegistrationRow | Row[Any]"  # rows of many carry no object each


@dataclass(frozen=True, slots=True)
class StoredFact:
    """A fact as text, with its number and who wrote it down when."""

    id: int
    body: str
    recorded_at: float
    actor: str


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document that arrived."""

    document: str
    note: str
    received_at: float
    actor: str


@dataclass(frozen=True, slots=True)
class Lived:
    """What follows from the facts of a registration, as kept beside them."""

    id: int
    life: str
    lived_until: float
    next_due: float | None
    closed_at: float | None
    course: str | None = None
    steady_until: float | None = None


class Outlook(NamedTuple):
    """What a look at the portfolio takes of a registration: a row of few columns, none of JSON."""

    id: int
    name: str
    customer: str
    contract: str
    profile: str
    life: str
    lived_until: float | None
    steady_until: float | None
    course: str | None


def add(session: Session, values: Mapping[str, Any], *, now: float, actor: str) -> int:
    """Add a registration with these columns and return its number."""
    customers.ensure_customer(session, values["customer"], now=now, actor=actor)
    made = session.execute(
        insert(RegistrationRow)
        .values(
            {"auth_hash": "", "life": "draft", "created_at": now, "created_by": actor}
            | dict(values)
        )
        .returning(RegistrationRow.id)
    )
    return made.scalar_one()


def change(session: Session, number: int, **values: Any) -> None:
    """Set columns of a registration."""
    session.execute(update(RegistrationRow).where(RegistrationRow.id == number).values(**values))
    session.expire_all()


LIVED = (
    update(RegistrationRow)
    .where(RegistrationRow.id == bindparam("number"))
    .values(
        life=bindparam("new_life"),
        lived_until=bindparam("new_lived_until"),
        next_due=bindparam("new_next_due"),
        closed_at=bindparam("new_closed_at"),
        course=bindparam("new_course"),
        steady_until=bindparam("new_steady_until"),
    )
)


def lived(session: Session, found: Sequence[Lived]) -> None:
    """Write down up to when registrations were looked at, and how they stand."""
    if not found:
        return
    rows = [
        {
            "number": each.id,
            "new_life": each.life,
            "new_lived_until": each.lived_until,
            "new_next_due": each.next_due,
            "new_closed_at": each.closed_at,
            "new_course": each.course,
            "new_steady_until": each.steady_until,
        }
        for each in found
    ]
    session.connection().execute(LIVED, rows)
    session.expire_all()


def by_name(session: Session, name: str) -> list[RegistrationRow]:
    """Return every registration that a name ever had, the newest first."""
    query = select(RegistrationRow).where(RegistrationRow.name == name)
    return list(session.scalars(query.order_by(RegistrationRow.id.desc())))


def by_id(session: Session, number: int) -> RegistrationRow | None:
    """Return a registration by its number."""
    return session.get(RegistrationRow, number)


def by_ids(session: Session, numbers: Sequence[int]) -> list[AnyRow]:
    """Return registrations by their numbers, in the order of those, with their courses."""
    found: list[AnyRow] = []
    for start in range(0, len(numbers), CHUNK):
        chunk = numbers[start : start + CHUNK]
        query = select(*WITH_COURSE).where(RegistrationRow.id.in_(chunk))
        query = query.order_by(RegistrationRow.id)
        found += session.connection().execute(query)
    return found


def listed(
    session: Session,
    *,
    customer: str | None = None,
    life: str | None = None,
    tld: str | None = None,
    contact: str | None = None,
    search: str = "",
    closed: bool = True,
    limit: int | None = None,
) -> Iterator[AnyRow]:
    """Yield registrations by name that meet all conditions given."""
    row = RegistrationRow
    query = select(*COLUMNS).order_by(row.name, row.id).limit(limit)
    if customer is not None:
        query = query.where(row.customer == customer)
    if life is not None:
        query = query.where(row.life == life)
    if tld is not None:
        query = query.where(row.name.endswith("." + tld, autoescape=True))
    if contact is not None:
        query = query.where(or_(row.holder == contact, row.admin == contact, row.tech == contact))
    if search:
        query = query.where(row.name.contains(search.lower(), autoescape=True))
    if not closed:
        query = query.where(row.closed_at.is_(None))
    yield from session.connection().execute(query)


def naming_server(session: Session, text: str) -> list[tuple[str, Any]]:
    """Return open registrations with a text in their name servers: names, and those servers."""
    row = RegistrationRow
    query = select(row.name, row.servers).where(
        row.closed_at.is_(None), cast(row.servers, String).contains(text, autoescape=True)
    )
    return [(name, servers) for name, servers in session.connection().execute(query)]


def similar_names(session: Session, name: str) -> list[str]:
    """Return names of registrations that may have been meant: one half of them is the same."""
    half = max(1, len(name) // 2)
    row = RegistrationRow
    query = (
        select(row.name)
        .where(or_(row.name.startswith(name[:half], autoescape=True),
                   func.substr(row.name, func.length(row.name) - (len(name) - half) + 1)
                   == name[half:]))
        .limit(1000)
    )  # fmt: skip
    return sorted(set(session.scalars(query)))


def due_ids(session: Session, until: float, *, after: int = 0, limit: int = CHUNK) -> list[int]:
    """Return the numbers of registrations with something due by a moment, in their order."""
    row = RegistrationRow
    query = select(row.id).where(row.next_due <= until, row.id > after).order_by(row.id)
    return list(session.scalars(query.limit(limit)))


def count_due(session: Session, until: float) -> int:
    """Return how many registrations have something due by a moment."""
    row = RegistrationRow
    return session.scalar(select(func.count()).where(row.next_due <= until)) or 0


def ended_before(session: Session, moment: float) -> list[tuple[int, str, str, float]]:
    """Return registrations that ended before a moment: number, name, contract, and when."""
    row = RegistrationRow
    query = select(row.id, row.name, row.contract, row.closed_at).where(row.closed_at < moment)
    found: Iterable[Any] = session.connection().execute(query.order_by(row.id))
    return [(each[0], each[1], each[2], each[3]) for each in found]


def left_since(session: Session, lives: Sequence[str], moment: float) -> list[AnyRow]:
    """Return registrations in these stages that did not end before a moment."""
    row = RegistrationRow
    recent = or_(row.closed_at.is_(None), row.closed_at >= moment)
    query = select(*COLUMNS).where(row.life.in_(lives), recent).order_by(row.id)
    return list(session.connection().execute(query))


def add_facts(
    session: Session, bodies: Iterable[tuple[int, str]], *, now: float, actor: str
) -> None:
    """Append facts, each with the number of its registration, whose kept course is void then."""
    known = list(bodies)
    rows = [
        {"registration": number, "body": body, "recorded_at": now, "actor": actor}
        for number, body in known
    ]
    bulk.insert(session, FactRow, rows)
    numbers = sorted({number for number, _body in known})
    for start in range(0, len(numbers), CHUNK):
        void = RegistrationRow.id.in_(numbers[start : start + CHUNK])
        session.connection().execute(update(RegistrationRow).where(void).values(course=None))


def facts(session: Session, number: int) -> list[StoredFact]:
    """Return the facts of a registration in the order in which they were written down."""
    row = FactRow
    query = select(row.id, row.body, row.recorded_at, row.actor).where(row.registration == number)
    return [StoredFact(*found) for found in session.execute(query.order_by(row.id))]


OUTLOOK: Final = tuple(getattr(RegistrationRow, name) for name in Outlook._fields)


def outlooks(
    session: Session, *, customer: str | None = None, after: int = 0, limit: int = CHUNK
) -> list[Outlook]:
    """Return what is kept of registrations with higher numbers, in order of number."""
    row = RegistrationRow
    query = select(*OUTLOOK).where(row.id > after).order_by(row.id).limit(limit)
    if customer is not None:
        query = query.where(row.customer == customer)
    return list(map(Outlook._make, session.connection().execute(query)))


def facts_of_many(session: Session, numbers: Sequence[int]) -> dict[int, list[str]]:
    """Return the texts of the facts of registrations, in order."""
    found: dict[int, list[str]] = {number: [] for number in numbers}
    for start in range(0, len(numbers), CHUNK):
        chunk = numbers[start : start + CHUNK]
        query = select(FactRow.registration, FactRow.body).where(FactRow.registration.in_(chunk))
        for number, body in session.connection().execute(query.order_by(FactRow.id)):
            found[number].append(body)
    return found


def all_facts(session: Session) -> Iterator[tuple[int, str]]:
    """Yield every fact with the number of its registration, registration by registration."""
    query = select(FactRow.registration, FactRow.body).order_by(FactRow.registration, FactRow.id)
    result = session.connection().execution_options(yield_per=10_000).execute(query)
    for part in result.partitions():
        yield from ((row[0], row[1]) for row in part)


def erase(session: Session, number: int) -> None:
    """Delete a registration with its facts, deadlines, documents, jobs and notices."""
    session.execute(delete(RegistrationRow).where(RegistrationRow.id == number))
    session.expire_all()


def add_document(session: Session, number: int, document: StoredDocument) -> None:
    """Note that a document arrived."""
    session.execute(
        insert(DocumentRow).values(
            registration=number,
            document=document.document,
            note=document.note,
            received_at=document.received_at,
            actor=document.actor,
        )
    )


def documents(session: Session, number: int) -> list[StoredDocument]:
    """Return the documents of a registration, oldest first."""
    query = select(DocumentRow).where(DocumentRow.registration == number).order_by(DocumentRow.id)
    return [
        StoredDocument(row.document, row.note, row.received_at, row.actor)
        for row in session.scalars(query)
    ]
