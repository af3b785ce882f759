"""Deliveries, who is told what, and the alerts that were given."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
NAME = sa.String().with_variant(postgresql.VARCHAR(collation="C"), "postgresql")
TIME: sa.Double[float] = sa.Double()


def upgrade() -> None:
    """Create the tables."""
    create_deliveries()
    create_routing()
    create_findings()


def create_deliveries() -> None:
    """Create what is sent."""
    op.create_table(
        "deliveries",
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("customer", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt", TIME, nullable=False),
        sa.Column("last_error", sa.String(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("sent_at", TIME, nullable=True),
        sa.Column("claimed_by", sa.String(), nullable=False),
        sa.Column("claimed_until", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("key", name=op.f("uq_deliveries_key")),
    )
    op.create_index(
        op.f("ix_deliveries_state_next_attempt"), "deliveries", ["state", "next_attempt"]
    )


def create_routing() -> None:
    """Create who is told, what is collected for them, and how far the log was read for it."""
    op.create_table(
        "recipients",
        sa.Column("id", BIG, nullable=False),
        sa.Column("customer", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("kinds", DOCUMENT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["customer"],
            ["customers.id"],
            name=op.f("fk_recipients_customer"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recipients")),
    )
    op.create_index(
        op.f("ix_recipients_customer_channel_address"),
        "recipients",
        ["customer", "channel", "address"],
        unique=True,
    )
    op.create_table(
        "digests",
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("customer", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("opened_at", TIME, nullable=True),
        sa.Column("due_at", TIME, nullable=True),
        sa.Column("quiet_until", TIME, nullable=False),
        sa.Column("rounds", sa.Integer(), nullable=False),
        sa.Column("first_event", BIG, nullable=False),
        sa.Column("count", BIG, nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("lines", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint(
            "channel", "recipient", "customer", "cause", name=op.f("pk_digests")
        ),
    )
    op.create_index(op.f("ix_digests_due_at"), "digests", ["due_at"])
    op.create_table(
        "event_positions",
        sa.Column("reader", sa.String(), nullable=False),
        sa.Column("event", BIG, nullable=False),
        sa.PrimaryKeyConstraint("reader", name=op.f("pk_event_positions")),
    )


def create_findings() -> None:
    """Create which deadlines were announced, and where content and primaries differ."""
    op.create_table(
        "deadline_alerts",
        sa.Column("apex", NAME, nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("deadline", TIME, nullable=False),
        sa.Column("distance", TIME, nullable=False),
        sa.Column("told_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["apex"], ["zones.apex"], name=op.f("fk_deadline_alerts_apex"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("apex", "cause", name=op.f("pk_deadline_alerts")),
    )
    op.create_table(
        "drifts",
        sa.Column("apex", NAME, nullable=False),
        sa.Column("compared_at", TIME, nullable=False),
        sa.Column("finding", sa.String(), nullable=False),
        sa.Column("found_at", TIME, nullable=True),
        sa.Column("serial", BIG, nullable=True),
        sa.Column("primary", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("changes", DOCUMENT, nullable=False),
        sa.Column("change_count", BIG, nullable=False),
        sa.Column("apart_since", TIME, nullable=True),
        sa.Column("apart_told", sa.Boolean(), nullable=False),
        sa.Column("serials", DOCUMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["apex"], ["zones.apex"], name=op.f("fk_drifts_apex"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("apex", name=op.f("pk_drifts")),
    )
