"""Up to when a registration stays as it is but for renewals, so that nobody has to look."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0009"


def upgrade() -> None:
    """Add the column; a kept course is void, so that it is filled with the next one."""
    op.add_column("registrations", sa.Column("steady_until", sa.Double(), nullable=True))
    op.execute("UPDATE registrations SET course = NULL")
