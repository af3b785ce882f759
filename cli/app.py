"""What the commands of one call share: its common options, the settings, the store."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from nameserver.settings import Settings
    from storage.database import Database


def os_user() -> str:
    """Return who runs this, for the history of changes."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a user without an entry, as in containers
        return f"uid {os.getuid()}"


@dataclass(slots=True)
class App:
    """The common options of one call, and what follows from them."""

    config: str = ""
    database: str = ""
    actor: str = ""
    json: bool = False
    debug: bool = False
    _settings: Settings | None = None

    def __post_init__(self) -> None:
        """Take from the environment what no option may say later."""
        self.actor = os.environ.get("NSCTL_ACTOR") or os_user()
        self.debug = bool(os.environ.get("NSCTL_DEBUG"))

    def settings(self, *, quiet: bool = False, **overrides: Any) -> Settings:
        """Return the settings; raises ``SettingsError``. Warnings go to stderr unless ``quiet``."""
        if self._settings is None or overrides:
            from pathlib import Path

            from nameserver.settings import load

            self._settings = load(
                Path(self.config) if self.config else None,
                database=self.database or None,
                **overrides,
            )
            for warning in () if quiet else self._settings.warnings:
                sys.stderr.write(f"nsctl: {warning}\n")
        return self._settings

    def database_url(self) -> str:
        """Return the URL of the store.

        Where no settings file is named, the other settings are not looked at: validating them
        takes longer than most commands.
        """
        if self.config or os.environ.get("NSCTL_CONFIG"):
            return self.settings().database
        if url := self.database or os.environ.get("NSCTL_DATABASE"):
            return url
        return self.settings().database

    @contextmanager
    def opened(self) -> Iterator[Database]:
        """Open the store for as long as the block runs; raises ``StorageError``."""
        from storage.database import Database

        database = Database.open(self.database_url())
        try:
            yield database
        finally:
            database.close()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Yield a session that reads."""
        with self.opened() as database, database.read() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Yield a session that writes: all of the block, or nothing."""
        with self.opened() as database, database.write() as session:
            yield session
