"""The schema's revision: creating and migrating the tables, or refusing what is not ours.

A store that is at ``HEAD`` costs one query; alembic is loaded only where there is work for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, inspect, text

from storage import engines
from storage.errors import StorageError

HEAD: Final = "0001"  # of storage/migrations/versions


def bring_up_to_date(engine: Engine) -> None:
    """Create the tables or migrate them to ``HEAD``, whole or not at all, one process at a time.

    Raises ``StorageError`` for a newer schema and for a database that is something else's.
    """
    with engines.reading(engine).connect() as connection:
        if revision(connection) == HEAD:
            return
    with engines.migrating(engine).begin() as connection:
        found = revision(connection)  # another process may have been quicker
        if found != HEAD:
            migrate(connection, found)


def revision(connection: Connection) -> str | None:
    """Return the revision of the schema, ``None`` for a database without ours."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def migrate(connection: Connection, found: str | None) -> None:
    """Run the migrations after revision ``found`` in the transaction of ``connection``."""
    from alembic import command  # noqa: PLC0415  a store at HEAD need not pay for loading it
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    where = engines.place(connection.engine.url)
    if found is None and connection.dialect.name == "sqlite" and table_names(connection):
        raise StorageError(f"database {where}: it belongs to another program; name another file")
    if found is not None and found not in known:
        raise StorageError(
            f"database {where}: it was written by a newer nsctl (its schema is {found}, this one "
            f"knows up to {HEAD}); install the newer nsctl"
        )
    command.upgrade(config, "head")


def table_names(connection: Connection) -> list[str]:
    """Return the tables that are there."""
    return inspect(connection).get_table_names()
