"""Inserting many rows, overwriting those that are there where that is asked for.

SQLAlchemy compiles the statements and knows how each type is stored; the rows pass by the rest of
it, which would take most of the time of a bulk change (20 of 30 us per row).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from storage.models import Base

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A compiled statement: its text, and per parameter what turns a value into a stored one."""

    text: str
    columns: tuple[tuple[str, Callable[[Any], Any] | None], ...]
    positional: bool

    def parameters(self, row: Row) -> Any:
        """Return the parameters of one row as the driver takes them."""
        values = [
            row[name] if stored is None else stored(row[name]) for name, stored in self.columns
        ]
        return self._as_taken(values)

    def of_objects(self, objects: Sequence[object]) -> list[Any]:
        """Return the parameters of many rows; objects have the columns as attributes."""
        columns = [
            [getattr(one, name) for one in objects]
            if stored is None
            else [stored(getattr(one, name)) for one in objects]
            for name, stored in self.columns
        ]
        rows = zip(*columns, strict=True)
        return list(rows) if self.positional else [self._as_taken(row) for row in rows]

    def _as_taken(self, values: Sequence[Any]) -> Any:
        if self.positional:
            return tuple(values)
        return {name: value for (name, _), value in zip(self.columns, values, strict=True)}


def insert(session: Session, model: type[Base], rows: Iterable[Row]) -> None:
    """Insert rows of the same columns."""
    run(session, model, list(rows), overwrite=False)


def upsert(session: Session, model: type[Base], rows: Iterable[Row]) -> None:
    """Insert rows with all columns; those whose primary key is there already are overwritten."""
    run(session, model, list(rows), overwrite=True)


def insert_objects(
    session: Session, model: type[Base], names: tuple[str, ...], objects: Sequence[object]
) -> None:
    """Insert a row for each object, whose attributes have the names of the columns."""
    run_objects(session, model, names, objects, overwrite=False)


def upsert_objects(
    session: Session, model: type[Base], names: tuple[str, ...], objects: Sequence[object]
) -> None:
    """Do the same, overwriting rows whose primary key is there already."""
    run_objects(session, model, names, objects, overwrite=True)


def run_objects(
    session: Session,
    model: type[Base],
    names: tuple[str, ...],
    objects: Sequence[object],
    *,
    overwrite: bool,
) -> None:
    """Run the statement for all objects, if there are any."""
    if objects:
        connection = session.connection()
        statement = prepare(model, connection.dialect, names, overwrite=overwrite)
        connection.exec_driver_sql(statement.text, statement.of_objects(objects))


def run(session: Session, model: type[Base], rows: Sequence[Row], *, overwrite: bool) -> None:
    """Run the statement for all rows, if there are any."""
    if rows:
        connection = session.connection()
        statement = prepare(model, connection.dialect, tuple(rows[0]), overwrite=overwrite)
        connection.exec_driver_sql(statement.text, [statement.parameters(row) for row in rows])


@lru_cache(maxsize=256)
def prepare(
    model: type[Base], dialect: Dialect, names: tuple[str, ...], *, overwrite: bool
) -> Prepared:
    """Compile the statement for these columns."""
    table: Any = model.__table__
    statement: Any
    if overwrite:
        statement = (sqlite if dialect.name == "sqlite" else postgresql).insert(table)
        keys = [column.name for column in table.primary_key]
        changed = {name: statement.excluded[name] for name in names if name not in keys}
        statement = statement.on_conflict_do_update(index_elements=keys, set_=changed)
    else:
        statement = plain_insert(table)
    compiled: Any = statement.compile(dialect=dialect, column_keys=list(names))
    order = compiled.positiontup if compiled.positional else names
    columns = tuple(
        (name, table.c[name].type.dialect_impl(dialect).bind_processor(dialect)) for name in order
    )
    return Prepared(str(compiled), columns, bool(compiled.positional))
