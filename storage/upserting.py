"""INSERT ... ON CONFLICT DO UPDATE, which SQLite and PostgreSQL both have and SQL does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from storage.models import Base


def upsert(session: Session, model: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows; those whose primary key is there already are overwritten."""
    if not rows:
        return
    table: Any = model.__table__
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    insert: Any = (sqlite if on_sqlite else postgresql).insert(table)
    keys = [column.name for column in table.primary_key]
    values = {name: insert.excluded[name] for name in rows[0] if name not in keys}
    session.execute(insert.on_conflict_do_update(index_elements=keys, set_=values), rows)
