"""The secrets of DNS cookies: those that are set, or one of our own for each day (RFC 9018 5)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Final

from nameserver import cookies
from nameserver.settings import CookieSettings

LOOK: Final = 60.0  # seconds; a cookie is good for an hour


class CookieSecrets:
    """Tells which secrets are good; ``use`` is called with others when their day begins."""

    def __init__(
        self,
        settings: CookieSettings,
        clock: Callable[[], float],
        use: Callable[[tuple[bytes, ...]], None],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._use = use
        self._seed = secrets.token_bytes(32)
        self._used = self.now()

    def now(self) -> tuple[bytes, ...]:
        """Return the secrets, the one that makes cookies first; none where cookies are off."""
        if not self._settings.enabled:
            return ()
        return self._settings.secrets or cookies.secrets_at(self._seed, self._clock())

    async def run(self) -> None:
        """Look for another day until cancelled."""
        while True:
            await asyncio.sleep(LOOK)
            self.look()

    def look(self) -> None:
        """Have other secrets used where it is time."""
        wanted = self.now()
        if wanted != self._used:
            self._used = wanted
            self._use(wanted)
