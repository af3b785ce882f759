"""The store: the only package that knows SQL.

Functions over a ``Session``, grouped by what they are about; ``storage.database.Database`` opens
the store and hands out sessions. Every function that changes something appends to the change feed
and to the event log in the same transaction. All errors that leave it are ``StorageError``.
"""
