"""Migrations of the schema, one numbered module each in ``versions/``, run by ``storage.schema``.

A new one is written by hand: the next number as ``revision``, the one before as ``down_revision``,
only an ``upgrade``, and ``HEAD`` set to it. A test compares what the migrations
make with ``storage.models``. They run in one transaction, on SQLite with foreign keys off, so that
``op.batch_alter_table`` may rebuild tables. A migration that was released is never changed.
"""

from __future__ import annotations

from typing import Final

HEAD: Final = "0011"  # the newest of ``versions/``; it stands here so that nothing is loaded for it
