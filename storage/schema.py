"""The schema's revision: creating and migrating the tables, or refusing what is not ours.

A store that is at ``HEAD`` costs one query; alembic is loaded only where there is work for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from storage import engines
from storage.errors import StorageError
from storage.migrations import HEAD

if TYPE_CHECKING:
    from alembic.config import Config


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
    engine.dispose()  # connections that migrated do not check foreign keys


def revision(connection: Connection) -> str | None:
    """Return the revision of the schema, ``None`` for a database without ours."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def migrate(connection: Connection, found: str | None) -> None:
    """Run the migrations after revision ``found`` in the transaction of ``connection``."""
    where = engines.place(connection.engine.url)
    if found is not None:
        refuse_newer(found, where)
    elif connection.dialect.name == "sqlite" and inspect(connection).get_table_names():
        raise StorageError(f"database {where}: it belongs to another program; name another file")

    from alembic import command  # noqa: PLC0415  a store at HEAD need not pay for loading it

    config = configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def refuse_newer(found: str, where: str) -> None:
    """Raise ``StorageError`` for a revision that this release has no migration for."""
    if found == HEAD:
        return

    from alembic.script import ScriptDirectory  # noqa: PLC0415

    scripts = ScriptDirectory.from_config(configuration())
    if found not in {script.revision for script in scripts.walk_revisions()}:
        raise StorageError(
            f"database {where}: it was written by a newer nsctl (its schema is {found}, this one "
            f"knows up to {HEAD}); install the newer nsctl"
        )


def configuration() -> Config:
    """Return alembic's configuration, which is no file: where the migrations are."""
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    return config
