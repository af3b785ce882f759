"""Versions of large zones that are stored as changes to another version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAME = sa.String().with_variant(postgresql.VARCHAR(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table of such versions."""
    op.create_table(
        "patched",
        sa.Column("version", BIG, autoincrement=False, nullable=False),
        sa.Column("apex", NAME, nullable=False),
        sa.Column("root", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["version"], ["versions.id"], name=op.f("fk_patched_version"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["apex"], ["zones.apex"], name=op.f("fk_patched_apex"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["root"],
            ["versions.id"],
            name=op.f("fk_patched_root"),
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_patched")),
    )
    op.create_index(op.f("ix_patched_apex"), "patched", ["apex"])
    op.create_index(op.f("ix_patched_root"), "patched", ["root"])
