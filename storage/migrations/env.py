"""Alembic's entry: runs migrations in the transaction that ``storage.schema`` has opened."""

from __future__ import annotations

from alembic import context

from storage import alert_models as _alert_models  # noqa: F401  so that the metadata is complete
from storage import desk_models as _desk_models  # noqa: F401
from storage import quarantine_models as _quarantine_models  # noqa: F401
from storage.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,  # on SQLite too: the caller has begun, the driver does not commit
)
with context.begin_transaction():
    context.run_migrations()
