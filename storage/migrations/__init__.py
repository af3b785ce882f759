"""Migrations of the schema, one numbered module each in ``versions/``, run by ``storage.schema``.

A new one is written by hand: the next number as ``revision``, the one before as ``down_revision``,
only an ``upgrade``, and ``storage.schema.HEAD`` set to it. A test compares what the migrations
make with ``storage.models``. They run in one transaction, on SQLite with foreign keys off, so that
``op.batch_alter_table`` may rebuild tables. A migration that was released is never changed.
"""
