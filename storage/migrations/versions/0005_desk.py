"""The registrar's desk: contacts, registrations and their facts, work at registries, notices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0003"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
NAME = sa.String().with_variant(postgresql.VARCHAR(collation="C"), "postgresql")
TIME: sa.Double[float] = sa.Double()


def upgrade() -> None:
    """Create the tables."""
    create_contacts()
    create_registrations()
    create_what_belongs_to_them()
    create_registries()
    create_products()


def create_contacts() -> None:
    """Create contacts and what billing says of customers."""
    op.create_table(
        "contacts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("customer", sa.String(), nullable=False),
        sa.Column("data", DOCUMENT, nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("verified_at", TIME, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("erased_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["customer"], ["customers.id"], name=op.f("fk_contacts_customer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contacts")),
    )
    op.create_index(op.f("ix_contacts_customer"), "contacts", ["customer"])
    op.create_table(
        "arrears",
        sa.Column("customer", sa.String(), nullable=False),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.Column("since", sa.String(), nullable=False),
        sa.Column("past_period", sa.Boolean(), nullable=False),
        sa.Column("reported_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["customer"], ["customers.id"], name=op.f("fk_arrears_customer")),
        sa.PrimaryKeyConstraint("customer", name=op.f("pk_arrears")),
    )


def create_registrations() -> None:
    """Create registrations with their facts."""
    op.create_table(
        "registrations",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("customer", sa.String(), nullable=False),
        sa.Column("contract", sa.String(), nullable=False),
        sa.Column("profile", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("forward", sa.Boolean(), nullable=False),
        sa.Column("holder", sa.String(), nullable=True),
        sa.Column("admin", sa.String(), nullable=True),
        sa.Column("tech", sa.String(), nullable=True),
        sa.Column("managers", DOCUMENT, nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("booking", DOCUMENT, nullable=False),
        sa.Column("servers", DOCUMENT, nullable=False),
        sa.Column("sec_dns", DOCUMENT, nullable=False),
        sa.Column("auth_hash", sa.String(), nullable=False),
        sa.Column("life", sa.String(), nullable=False),
        sa.Column("lived_until", TIME, nullable=True),
        sa.Column("next_due", TIME, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("closed_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["admin"], ["contacts.id"], name=op.f("fk_registrations_admin")),
        sa.ForeignKeyConstraint(
            ["customer"], ["customers.id"], name=op.f("fk_registrations_customer")
        ),
        sa.ForeignKeyConstraint(["holder"], ["contacts.id"], name=op.f("fk_registrations_holder")),
        sa.ForeignKeyConstraint(["tech"], ["contacts.id"], name=op.f("fk_registrations_tech")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registrations")),
    )
    op.create_index(op.f("ix_registrations_admin"), "registrations", ["admin"])
    op.create_index(op.f("ix_registrations_customer"), "registrations", ["customer"])
    op.create_index(op.f("ix_registrations_holder"), "registrations", ["holder"])
    op.create_index(op.f("ix_registrations_name"), "registrations", ["name"])
    op.create_index(op.f("ix_registrations_next_due"), "registrations", ["next_due"])
    op.create_index(
        "ix_registrations_open_name",
        "registrations",
        ["name"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(op.f("ix_registrations_tech"), "registrations", ["tech"])
    op.create_table(
        "facts",
        sa.Column("id", BIG, nullable=False),
        sa.Column("registration", BIG, nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["registration"],
            ["registrations.id"],
            name=op.f("fk_facts_registration"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facts")),
    )
    op.create_index(op.f("ix_facts_registration_id"), "facts", ["registration", "id"])


def create_what_belongs_to_them() -> None:
    """Create deadlines, documents and notices."""
    op.create_table(
        "deadlines",
        sa.Column("id", BIG, nullable=False),
        sa.Column("registration", BIG, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("due", TIME, nullable=False),
        sa.Column("alarm", TIME, nullable=False),
        sa.Column("sentence", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("alarmed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["registration"],
            ["registrations.id"],
            name=op.f("fk_deadlines_registration"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadlines")),
    )
    op.create_index(op.f("ix_deadlines_alarm"), "deadlines", ["alarm"])
    op.create_index(op.f("ix_deadlines_due"), "deadlines", ["due"])
    op.create_index(op.f("ix_deadlines_registration"), "deadlines", ["registration"])
    op.create_table(
        "documents",
        sa.Column("id", BIG, nullable=False),
        sa.Column("registration", BIG, nullable=False),
        sa.Column("document", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["registration"],
            ["registrations.id"],
            name=op.f("fk_documents_registration"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents")),
    )
    op.create_index(op.f("ix_documents_registration"), "documents", ["registration"])
    op.create_table(
        "notices",
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("registration", BIG, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("data", DOCUMENT, nullable=False),
        sa.Column("told_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["registration"],
            ["registrations.id"],
            name=op.f("fk_notices_registration"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("key", name=op.f("uq_notices_key")),
    )
    op.create_index(op.f("ix_notices_registration"), "notices", ["registration"])
    op.create_index(op.f("ix_notices_told_at"), "notices", ["told_at"])


def create_registries() -> None:
    """Create accounts, journal, messages and the outbox."""
    op.create_table(
        "registry_accounts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("tlds", DOCUMENT, nullable=False),
        sa.Column("place", DOCUMENT, nullable=False),
        sa.Column("password", sa.String(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("polled_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_accounts")),
    )
    op.create_table(
        "registry_journal",
        sa.Column("trid", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("object", sa.String(), nullable=False),
        sa.Column("command", sa.String(), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("settled_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("trid", name=op.f("pk_registry_journal")),
    )
    op.create_index(
        op.f("ix_registry_journal_account_settled_at"),
        "registry_journal",
        ["account", "settled_at"],
    )
    op.create_index(op.f("ix_registry_journal_object"), "registry_journal", ["object"])
    op.create_table(
        "registry_messages",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("object", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("facts", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("account", "message", name=op.f("pk_registry_messages")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("registration", BIG, nullable=True),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("due", TIME, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("trid", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("detail", DOCUMENT, nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("finished_at", TIME, nullable=True),
        sa.Column("leased_by", sa.String(), nullable=False),
        sa.Column("leased_until", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["registration"],
            ["registrations.id"],
            name=op.f("fk_jobs_registration"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("key", name=op.f("uq_jobs_key")),
    )
    op.create_index(op.f("ix_jobs_registration"), "jobs", ["registration"])
    op.create_index(op.f("ix_jobs_state_due"), "jobs", ["state", "due"])


def create_products() -> None:
    """Create the products of zones."""
    op.create_table(
        "zone_products",
        sa.Column("apex", NAME, nullable=False),
        sa.Column("catalogue", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("options", DOCUMENT, nullable=False),
        sa.Column("own_mx", DOCUMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["apex"], ["zones.apex"], name=op.f("fk_zone_products_apex"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("apex", name=op.f("pk_zone_products")),
    )
