"""From which address of ours a primary is asked, and how much of it at one time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0012"


def upgrade() -> None:
    """Add the columns; without a value the server's settings count."""
    op.add_column("primaries", sa.Column("source", sa.String(), nullable=True))
    op.add_column("primaries", sa.Column("transfers", sa.Integer(), nullable=True))
