"""Catalog zones: which ones are followed or made, and which zones came from them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0004"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
NAME = sa.String().with_variant(postgresql.VARCHAR(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "catalogs",
        sa.Column("apex", NAME, nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("customer", sa.String(), nullable=True),
        sa.Column("settings", DOCUMENT, nullable=False),
        sa.Column("applied", BIG, nullable=False),
        sa.Column("trouble", sa.String(), nullable=False),
        sa.Column("held", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["apex"], ["zones.apex"], name=op.f("fk_catalogs_apex"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["customer"], ["customers.id"], name=op.f("fk_catalogs_customer")),
        sa.PrimaryKeyConstraint("apex", name=op.f("pk_catalogs")),
    )
    op.create_index(op.f("ix_catalogs_customer"), "catalogs", ["customer"])
    op.create_table(
        "catalog_members",
        sa.Column("apex", NAME, nullable=False),
        sa.Column("catalog", NAME, nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("groups", DOCUMENT, nullable=False),
        sa.Column("coo", NAME, nullable=True),
        sa.ForeignKeyConstraint(
            ["apex"], ["zones.apex"], name=op.f("fk_catalog_members_apex"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["catalog"],
            ["catalogs.apex"],
            name=op.f("fk_catalog_members_catalog"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("apex", name=op.f("pk_catalog_members")),
    )
    op.create_index(op.f("ix_catalog_members_catalog"), "catalog_members", ["catalog"])
