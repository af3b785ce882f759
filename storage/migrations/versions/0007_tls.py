"""Transfers over TLS: how primaries are known, and which peers have to use it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"

DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Add the columns; nobody uses TLS yet."""
    op.add_column("primaries", sa.Column("tls", DOCUMENT, nullable=True))
    op.add_column(
        "peers", sa.Column("tls_only", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("peers", sa.Column("certificate", sa.String(), nullable=False, server_default=""))
