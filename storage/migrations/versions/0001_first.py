"""The first schema: zones, versions, secondaries, TSIG keys, peers, customers, feed and events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

# Written out here, not taken from storage.models: a migration does not change when a model does.
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
NAME = sa.String().with_variant(postgresql.VARCHAR(collation="C"), "postgresql")
TIME: sa.Double[float] = sa.Double()


def upgrade() -> None:
    """Create the tables."""
    create_registry_of_zones()
    create_content()
    create_transfers()
    create_logs()


def create_registry_of_zones() -> None:
    """Create customers, TSIG keys and zones."""
    op.create_table(
        "customers",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
    )
    op.create_table(
        "tsig_keys",
        sa.Column("name", NAME, nullable=False),
        sa.Column("algorithm", sa.String(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_tsig_keys")),
    )
    op.create_table(
        "zones",
        sa.Column("apex", NAME, nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("customer", sa.String(), nullable=True),
        sa.Column("serial_policy", sa.String(), nullable=False),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("suspended", sa.String(), nullable=False),
        sa.Column("keep_versions", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["customer"], ["customers.id"], name=op.f("fk_zones_customer")),
        sa.PrimaryKeyConstraint("apex", name=op.f("pk_zones")),
    )
    op.create_index(op.f("ix_zones_customer"), "zones", ["customer"])


def create_content() -> None:
    """Create versions and which of them is served."""
    op.create_table(
        "versions",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("apex", NAME, nullable=False),
        sa.Column("serial", BIG, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("records", BIG, nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("octets", BIG, nullable=False),
        sa.Column("codec", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["apex"], ["zones.apex"], name=op.f("fk_versions_apex"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_versions")),
    )
    op.create_index(op.f("ix_versions_apex_id"), "versions", ["apex", "id"])
    op.create_table(
        "served",
        sa.Column("apex", NAME, nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["apex"], ["zones.apex"], name=op.f("fk_served_apex"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["version"], ["versions.id"], name=op.f("fk_served_version")),
        sa.PrimaryKeyConstraint("apex", name=op.f("pk_served")),
    )
    op.create_index(op.f("ix_served_version"), "served", ["version"])


def create_transfers() -> None:
    """Create primaries, timers and the transfer log of secondary zones, and peers."""
    op.create_table(
        "primaries",
        sa.Column("apex", NAME, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("key", NAME, nullable=True),
        sa.ForeignKeyConstraint(
            ["apex"], ["zones.apex"], name=op.f("fk_primaries_apex"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["key"], ["tsig_keys.name"], name=op.f("fk_primaries_key")),
        sa.PrimaryKeyConstraint("apex", "position", name=op.f("pk_primaries")),
    )
    op.create_index(op.f("ix_primaries_key"), "primaries", ["key"])
    op.create_table(
        "secondary_states",
        sa.Column("apex", NAME, nullable=False),
        sa.Column("serial", BIG, nullable=True),
        sa.Column("primary_serial", BIG, nullable=True),
        sa.Column("last_result", sa.String(), nullable=True),
        sa.Column("last_rule", sa.String(), nullable=False),
        sa.Column("last_reason", sa.String(), nullable=False),
        sa.Column("last_attempt", TIME, nullable=True),
        sa.Column("last_success", TIME, nullable=True),
        sa.Column("next_refresh", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("refresh", BIG, nullable=False),
        sa.Column("retry", BIG, nullable=False),
        sa.Column("expire", BIG, nullable=False),
        sa.Column("refused_serial", BIG, nullable=True),
        sa.Column("refused_at", TIME, nullable=True),
        sa.Column("last_record", sa.String(), nullable=False),
        sa.Column("last_fix", sa.String(), nullable=False),
        sa.Column("last_primary", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["apex"], ["zones.apex"], name=op.f("fk_secondary_states_apex"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("apex", name=op.f("pk_secondary_states")),
    )
    op.create_table(
        "transfer_attempts",
        sa.Column("id", BIG, nullable=False),
        sa.Column("apex", NAME, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("primary", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("serial_from", BIG, nullable=True),
        sa.Column("serial_to", BIG, nullable=True),
        sa.Column("octets", BIG, nullable=False),
        sa.Column("records", BIG, nullable=False),
        sa.Column("seconds", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["apex"], ["zones.apex"], name=op.f("fk_transfer_attempts_apex"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer_attempts")),
    )
    op.create_index(op.f("ix_transfer_attempts_apex_id"), "transfer_attempts", ["apex", "id"])
    op.create_table(
        "peers",
        sa.Column("id", BIG, nullable=False),
        sa.Column("apex", NAME, nullable=True),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("key", NAME, nullable=True),
        sa.Column("may_transfer", sa.Boolean(), nullable=False),
        sa.Column("notify", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["apex"], ["zones.apex"], name=op.f("fk_peers_apex"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["key"], ["tsig_keys.name"], name=op.f("fk_peers_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_peers")),
    )
    op.create_index(op.f("ix_peers_apex"), "peers", ["apex"])
    op.create_index(op.f("ix_peers_key"), "peers", ["key"])


def create_logs() -> None:
    """Create the change feed and the event log."""
    op.create_table(
        "feed",
        sa.Column("seq", BIG, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("apex", NAME, nullable=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("payload", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_feed")),
    )
    op.create_table(
        "events",
        sa.Column("id", BIG, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("apex", NAME, nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("data", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index(op.f("ix_events_apex_id"), "events", ["apex", "id"])
