"""The reference of the settings, and the command that shows which hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from nameserver import settings_reference
from nameserver.settings import Settings
from nameserver.settings_sources import setting_paths
from tests.unit.cli_fixtures import Nsctl, nsctl

__all__ = ["nsctl"]

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
KNOWN = [one for section in settings_reference.sections() for one in section.settings]


def test_the_page_is_current() -> None:
    """docs/settings.md is what the models make of it."""
    command = "run: python -m nameserver.settings_reference > docs/settings.md"
    assert PAGE.read_text(encoding="utf-8") == settings_reference.markdown(), command


def test_every_setting_is_explained() -> None:
    """No setting is left out, and each has a sentence of its own table."""
    assert [one.path for one in KNOWN] == list(dict.fromkeys(one.path for one in KNOWN))
    assert {one.path for one in KNOWN} == set(setting_paths(Settings))
    assert all(one.text.endswith((".", "`.")) and one.values for one in KNOWN)


@pytest.mark.parametrize(
    ("name", "values", "default"),
    [
        ("udp_limit", "512 to 65535", "1232"),
        ("workers", "1 or more", "1"),
        ("notify.retries", "0 or more", "5"),
        ("tcp.idle_timeout", "seconds", "10"),
        ("rrl.exempt", "list: net, at most 64", "[]"),
        ("listen", "list: `ADDR@PORT`", '["127.0.0.1@5300"]'),
        ("log.format", "`text`, `json`", '"text"'),
        ("tls.key", "path", ""),
        ("identity", "text", "this machine's"),
    ],
)
def test_what_a_setting_may_be(name: str, values: str, default: str) -> None:
    """Bounds, choices and defaults are those that validation goes by."""
    found = next(one for one in KNOWN if one.name == name)
    assert (found.values, found.default) == (values, default)


def test_what_holds_and_where_it_comes_from(nsctl: Nsctl) -> None:
    """Each value is told with its file and line, its variable, or as a default."""
    path = nsctl.file("nsctl.toml", "workers = 3\n[tcp]\nper_client = 7\n")
    nsctl.environment["NSCTL_RRL"] = "off"
    found = {row["setting"]: row for row in nsctl.json("--config", path, "settings")}
    assert found.keys() == {one.name for one in KNOWN}
    assert (found["workers"]["value"], found["workers"]["from"]) == (3, f"{path}:1")
    assert (found["tcp.per_client"]["value"], found["tcp.per_client"]["from"]) == (7, f"{path}:3")
    assert (found["rrl.enabled"]["value"], found["rrl.enabled"]["from"]) == (
        False,
        "variable NSCTL_RRL",
    )
    assert (found["listen"]["value"], found["listen"]["from"]) == (["127.0.0.1@5300"], "default")
    changed = nsctl.json("--config", path, "settings", "--changed")
    assert [row["setting"] for row in changed] == [
        "database",
        "workers",
        "rrl.enabled",
        "tcp.per_client",
    ]


def test_secrets_are_not_shown(nsctl: Nsctl) -> None:
    """Neither cookie secrets nor passwords, that of the database included, are written."""
    secret = "00112233445566778899aabbccddeeff"
    nsctl.environment |= {
        "NSCTL_COOKIES_SECRETS": secret,
        "NSCTL_MAIL_HOST": "relay.example.org",
        "NSCTL_MAIL_SENDER": "nsctl@example.org",
        "NSCTL_MAIL_USER": "nsctl",
        "NSCTL_MAIL_PASSWORD": "hush-hush",
        "NSCTL_DATABASE": "postgresql://nsctl:hush-hush@db.example.net/nsctl",
    }
    for form in ((), ("--json",)):
        told = nsctl("settings", *form).stdout
        assert "hush" not in told
        assert secret not in told
        assert told.count("(set)") == 2
        assert "postgresql://nsctl:***@db.example.net/nsctl" in told


def test_one_setting_and_one_table(nsctl: Nsctl) -> None:
    """A name tells all about a setting, a table its settings, another what may be meant."""
    told = nsctl("settings", "rrl.rate").stdout
    for part in ("200", "1 to 10000", "NSCTL_RRL_RATE", "Answers in a second"):
        assert part in told
    assert [row["setting"] for row in nsctl.json("settings", "log")] == ["log.level", "log.format"]
    assert nsctl("settings", "log", "--changed").stdout == "all of them are as shipped\n"
    assert "did you mean 'tcp'?" in nsctl("settings", "tpc", code=1).stderr
