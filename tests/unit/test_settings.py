"""Settings: defaults, the three sources, and what is said of wrong ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nameserver.address import Address, BadAddress
from nameserver.settings import Settings, SettingsError, load
from nameserver.settings_sources import key_lines, setting_paths, variable


def reasons(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    """Return what loading ``text`` is refused for, with the directory left out."""
    file = tmp_path / "nsctl.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as refusal:
        load(file, environ=environ or {})
    return [reason.replace(f"{tmp_path}/", "") for reason in refusal.value.reasons]


def test_defaults() -> None:
    """Without any source the server listens on one's own machine, with an embedded database."""
    settings = load(environ={})
    assert settings.listen == (Address("127.0.0.1", 5300),)
    assert settings.database.startswith("sqlite:////")
    assert settings.database.endswith("/nsctl.db")
    assert settings.engine == "auto"
    assert settings.warnings == ()


def test_precedence(tmp_path: Path) -> None:
    """Options win over variables, variables over the file; tables are merged key by key."""
    file = tmp_path / "nsctl.toml"
    file.write_text("workers = 2\nudp_limit = 1400\n[tcp]\nper_client = 7\nidle_timeout = 3\n")
    environ = {
        "NSCTL_CONFIG": str(file),
        "NSCTL_UDP_LIMIT": "4096",
        "NSCTL_TCP_IDLE_TIMEOUT": "9",
        "NSCTL_MINIMAL_RESPONSES": "on",
    }
    settings = load(environ=environ, workers=4, database=None)
    assert (settings.workers, settings.udp_limit) == (4, 4096)
    assert (settings.tcp.per_client, settings.tcp.idle_timeout) == (7, 9.0)
    assert settings.minimal_responses


def test_lists_in_variables() -> None:
    """A list is written with commas or spaces in a variable."""
    settings = load(environ={"NSCTL_LISTEN": "127.0.0.1@53, [::1]@5300 ::1"})
    assert [str(address) for address in settings.listen] == [
        "127.0.0.1@53",
        "[::1]@5300",
        "[::1]@53",
    ]


def test_every_reason_with_its_line(tmp_path: Path) -> None:
    """All wrong settings are told at once, in the order of the file, with what was meant."""
    text = """# a comment
lisen = "x"
listen = ["127.0.0.1:53", "[::1]@53", "::1@70000"]
udp_limit = 1
[tcp]
idle_timout = 3
per_client = -1
[timers]
retry_min = 20
retry_max = 10
[transfer]
"""
    assert reasons(tmp_path, text, {"NSCTL_WORKERS": "many"}) == [
        "nsctl.toml:2: unknown setting 'lisen'; did you mean 'listen'?",
        (
            "nsctl.toml:3: listen: '127.0.0.1:53' is not an address:"
            " the port follows an @, as in 127.0.0.1@53"
        ),
        "nsctl.toml:3: listen: '::1@70000': '70000' is not a port (0 to 65535)",
        "nsctl.toml:4: udp_limit: must be greater than or equal to 512, not 1",
        "nsctl.toml:6: unknown setting 'tcp.idle_timout'; did you mean 'tcp.idle_timeout'?",
        "nsctl.toml:7: tcp.per_client: must be greater than 0, not -1",
        "nsctl.toml:8: timers: retry_min (20) is more than retry_max (10)",
        "nsctl.toml:11: unknown setting 'transfer'; did you mean 'transfers'?",
        "variable NSCTL_WORKERS: workers: must be a valid integer, not 'many'",
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("workers = \n", "nsctl.toml:1: Invalid value"),
        ("workers = 1\n\nworkers = 2\n", "nsctl.toml:3: Cannot overwrite a value"),
        ("a = [1,\n", "nsctl.toml:1: Invalid value"),
        ("warnings = []\n", "nsctl.toml:1: unknown setting 'warnings'"),
        ("tcp.idle_timeout = 'x'\n", "nsctl.toml:1: tcp.idle_timeout: must be a valid number"),
        ("tcp = 5\n", "nsctl.toml:1: tcp: must be a valid dictionary"),
        ("\ntcp = { per_client = 0 }\n", "nsctl.toml:2: tcp.per_client: must be greater than 0"),
    ],
)
def test_odd_files(tmp_path: Path, text: str, reason: str) -> None:
    """Syntax errors, dotted keys and inline tables are told with the right line."""
    (found,) = reasons(tmp_path, text)
    assert found.startswith(reason)


def test_missing_file(tmp_path: Path) -> None:
    """A settings file that is not there, a directory, or no text is a reason, not a traceback."""
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for name in ("absent.toml", ".", "binary"):
        with pytest.raises(SettingsError):
            load(tmp_path / name, environ={})


def test_unknown_variables_only_warn() -> None:
    """A variable that is no setting does not keep the server from starting."""
    settings = load(
        environ={"NSCTL_PLUGINS": "yes", "NSCTL_TCP_PER_CLEINT": "3", "NSCTL_ACTOR": "me"}
    )
    assert settings.warnings == (
        "variable NSCTL_PLUGINS is not a setting and is ignored",
        (
            "variable NSCTL_TCP_PER_CLEINT is not a setting and is ignored;"
            " did you mean NSCTL_TCP_PER_CLIENT?"
        ),
    )


def test_variables_are_distinct() -> None:
    """No two settings share a variable."""
    paths = list(setting_paths(Settings))
    assert len({variable(path) for path in paths}) == len(paths)


def test_mailbox_and_names() -> None:
    """A mailbox is an address of mail or a name; its dots before the @ are kept apart."""
    settings = load(
        environ={
            "NSCTL_HOSTED_MAILBOX": "dns.team@example.org",
            "NSCTL_HOSTED_NAMESERVERS": "ns1.example.org ns2.example.org",
        }
    )
    assert settings.hosted.mailbox == r"dns\.team.example.org"
    assert settings.hosted.nameservers == ("ns1.example.org", "ns2.example.org")
    with pytest.raises(SettingsError, match=r"hosted.mailbox: .*not a domain name"):
        load(environ={"NSCTL_HOSTED_MAILBOX": "a@b..c"})


def test_source_addresses() -> None:
    """Primaries see the configured address of their own family."""
    settings = load(environ={"NSCTL_TRANSFERS_SOURCE_IPV4": "192.0.2.9"})
    assert settings.transfers.source_for("192.0.2.1") == "192.0.2.9"
    assert settings.transfers.source_for("2001:db8::1") is None


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("192.0.2.1", "192.0.2.1@53"),
        ("192.0.2.1@5300", "192.0.2.1@5300"),
        ("[2001:db8::1]@53", "[2001:db8::1]@53"),
        ("2001:DB8:0::1", "[2001:db8::1]@53"),
        ("2001:db8::1@5300", "[2001:db8::1]@5300"),
    ],
)
def test_addresses(text: str, written: str) -> None:
    """Addresses are read in the forms people write, and written in one."""
    assert str(Address.parse(text)) == written
    assert Address.parse(written) == Address.parse(text)


@pytest.mark.parametrize("text", ["", "@53", "ns1.example.org", "1.2.3", "1.2.3.4@x", "1.2.3.4@"])
def test_bad_addresses(text: str) -> None:
    """What is not an address is refused with a reason that shows how to write one."""
    with pytest.raises(BadAddress):
        Address.parse(text)


def test_key_lines() -> None:
    """Lines are found of keys, quoted and dotted ones, and of tables."""
    assert key_lines('a=1\n"b".c = 2\n\n[d.e] # x\nf = [\n "g = 1"]\n') == {
        ("a",): 1,
        ("b", "c"): 2,
        ("d", "e"): 4,
        ("d", "e", "f"): 5,
    }


def test_variables_switch() -> None:
    """NSCTL_RRL and NSCTL_COOKIES switch their tables, whatever else is set."""
    settings = load(environ={"NSCTL_RRL": "off", "NSCTL_COOKIES": "off", "NSCTL_RRL_RATE": "7"})
    assert not settings.rrl.enabled
    assert not settings.cookies.enabled
    assert settings.rrl.rate == 7
    assert not settings.warnings


@pytest.mark.parametrize("secret", ["00112233", "x" * 32, "0" * 33, 7])
def test_wrong_secrets(tmp_path: Path, secret: object) -> None:
    """A secret of another length, or with other digits, is told without being shown."""
    (found,) = reasons(tmp_path, f"[cookies]\nsecrets = [{json.dumps(secret)}]\n")
    assert "32 hexadecimal digits" in found
    assert f"{secret!r}" not in found


def test_secrets() -> None:
    """Secrets are hexadecimal; they are not shown with the other settings."""
    settings = load(environ={"NSCTL_COOKIES_SECRETS": f"{'0f' * 16},{'F0' * 16}"})
    assert settings.cookies.secrets == (b"\x0f" * 16, b"\xf0" * 16)
    assert "secrets" not in repr(settings)
