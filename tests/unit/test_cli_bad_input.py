"""What is wrong on a command line is told in words, whatever the command."""

from __future__ import annotations

import pytest

from tests.unit.cli_fixtures import Nsctl, nsctl

__all__ = ["nsctl"]

HUGE = "9" * 23
LONG = "x" * 300


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("zone add example.org --mailbox a..b", "'a..b' is no mail address"),
        ("zone add example.org --mailbox hostmaster@example..org", "is no mail address"),
        ("key add transfer --secret ü", "the secret is not base64"),
        ("key add transfer --secret =", "the secret is not base64"),
        ("domain check example.de --server .", "'.' is not the name of a host"),
        ("domain check example.de --server =192.0.2.1", "'' is not the name of a host"),
        ("customer show \udcff", "an argument is not UTF-8 text"),
        ("zone list --customer \udcff", "an argument is not UTF-8 text"),
        *((f"{command} --limit {HUGE}", HUGE) for command in (
            "events", "delivery list", "domain list", "domain worklist", "domain notices",
            "registry jobs", "registry journal", "zone history example.org",
        )),
        *((f"{command} {HUGE}", HUGE) for command in (
            "delivery show", "delivery retry", "registry retry", "registry give-up",
        )),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_a_usage_error(line: str, told: str, nsctl: Nsctl) -> None:
    """What no command can make sense of is named, and the exit code is 2."""
    done = nsctl(*line.split(), code=2)
    assert told in done.stderr
    assert "unexpected" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("command", ["backup", "policy check"])
def test_a_path_that_cannot_be(command: str, nsctl: Nsctl) -> None:
    """What the system says of a file is told with the file's name."""
    done = nsctl(*command.split(), LONG, code=1)
    assert done.stderr == f"nsctl: {LONG}: File name too long\n"
