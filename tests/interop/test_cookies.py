"""DNS cookies as other people's clients understand them."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.peers import Nsctl
from tests.peers.waiting import LOOPBACK
from tests.requirements import find_program

OWN = "00112233445566ff"
FOUND = re.compile(r"COOKIE: ([0-9a-f]+)( \(good\))?", re.IGNORECASE)


def ask(program: str, nsctl: Nsctl, *options: str) -> tuple[str, str, str]:
    """Return the status, the cookie and what the client thinks of it."""
    where = [f"@{LOOPBACK}", "-p", str(nsctl.port)]
    path = find_program(program)
    assert path is not None
    command = [path, *where, "version.bind.", "TXT", "CH", *options]
    text = subprocess.run(command, capture_output=True, check=True, text=True, timeout=20).stdout
    status = re.search(r"status: (\w+)", text)
    cookie = FOUND.search(text)
    assert status is not None, text
    assert cookie is not None, text
    return status[1], cookie[1].lower(), (cookie[2] or "").strip()


@pytest.mark.interop("dig")
@pytest.mark.parametrize("how", ["+notcp", "+tcp"])
def test_dig(nsctl: Nsctl, how: str) -> None:
    """Dig finds the cookie good, gets the same one again, and one more for a forged one."""
    status, cookie, good = ask("dig", nsctl, how, f"+cookie={OWN}")
    assert (status, good) == ("NOERROR", "(good)")
    assert cookie.startswith(OWN)
    assert len(cookie) == 48
    assert ask("dig", nsctl, how, f"+cookie={cookie}") == ("NOERROR", cookie, "(good)")
    _, renewed, good = ask("dig", nsctl, how, f"+cookie={OWN}{'ab' * 16}")
    assert good == "(good)"
    assert renewed[:16] == OWN


@pytest.mark.interop("kdig")
def test_kdig(nsctl: Nsctl) -> None:
    """Kdig gets its cookie back with ours, and the same one again."""
    status, cookie, _ = ask("kdig", nsctl, f"+cookie={OWN}")
    assert status == "NOERROR"
    assert cookie.startswith(OWN)
    assert ask("kdig", nsctl, f"+cookie={cookie}")[:2] == ("NOERROR", cookie)


@pytest.mark.interop("dig")
def test_a_cookie_alone(nsctl: Nsctl) -> None:
    """Dig may ask for a cookie without a question (RFC 7873 5.4)."""
    status, cookie, good = ask("dig", nsctl, "+header-only", f"+cookie={OWN}")
    assert (status, good) == ("NOERROR", "(good)")
    forged = f"+cookie={OWN}{'ab' * 16}"
    assert ask("dig", nsctl, "+header-only", "+nobadcookie", forged)[0] == "BADCOOKIE"
    assert ask("dig", nsctl, "+header-only", f"+cookie={cookie}")[1] == cookie
