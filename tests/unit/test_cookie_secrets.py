"""The secrets of cookies change with the day, and those of yesterday stay good for a while."""

from __future__ import annotations

from nameserver.cookie_secrets import CookieSecrets
from nameserver.settings import CookieSettings

DAY = 86_400.0


def test_another_day_has_another_secret() -> None:
    """The new secret comes first, the old one is still accepted; within a day nothing changes."""
    now = 20_000 * DAY + 1
    used: list[tuple[bytes, ...]] = []
    secrets = CookieSecrets(CookieSettings(), lambda: now, used.append)
    first = secrets.now()
    secrets.look()
    assert not used
    now += DAY
    secrets.look()
    assert len(used) == 1
    assert used[0][0] not in first
    assert first[0] in used[0]
    secrets.look()
    assert len(used) == 1


def test_secrets_that_are_set_stay() -> None:
    """Servers that share an address keep what they were given; switched off, there are none."""
    now = 20_000 * DAY
    used: list[tuple[bytes, ...]] = []
    given = CookieSettings.model_validate({"secrets": ["00" * 16, "11" * 16]})
    secrets = CookieSecrets(given, lambda: now, used.append)
    now += 2 * DAY
    secrets.look()
    assert secrets.now() == (bytes(16), b"\x11" * 16)
    assert not used
    assert CookieSecrets(CookieSettings(enabled=False), lambda: now, used.append).now() == ()
