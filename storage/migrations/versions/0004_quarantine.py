"""Versions that are kept and not served, what transfers have to pass, suspended primaries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0005"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
NAME = sa.String().with_variant(postgresql.VARCHAR(collation="C"), "postgresql")
TIME: sa.Double[float] = sa.Double()


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "quarantine",
        sa.Column("apex", NAME, nullable=False),
        sa.Column("standing", sa.String(), nullable=False),
        sa.Column("serial", BIG, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("primary", sa.String(), nullable=False),
        sa.Column("findings", DOCUMENT, nullable=False),
        sa.Column("records", BIG, nullable=False),
        sa.Column("served", BIG, nullable=True),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("settings", DOCUMENT, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("codec", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["apex"], ["zones.apex"], name=op.f("fk_quarantine_apex"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("apex", name=op.f("pk_quarantine")),
    )
    op.create_table(
        "transfer_settings",
        sa.Column("apex", NAME, nullable=False),
        sa.Column("settings", DOCUMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["apex"], ["zones.apex"], name=op.f("fk_transfer_settings_apex"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("apex", name=op.f("pk_transfer_settings")),
    )
    op.create_table(
        "suspended_primaries",
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("port", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("address", "port", name=op.f("pk_suspended_primaries")),
    )
