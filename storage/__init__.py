"""The only package that knows SQL: models, migrations, the change feed.

Functions over a session, grouped by what they store.
"""
