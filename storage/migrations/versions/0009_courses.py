"""Where the course of a registration stood, so that it can be gone on with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the column; it is empty until a registration is looked at."""
    op.add_column("registrations", sa.Column("course", sa.String(), nullable=True))
