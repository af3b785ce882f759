"""What the command line is told about TLS: of primaries and of peers."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.certificates import Issuer
from tests.unit.cli_fixtures import Nsctl, nsctl

__all__ = ["nsctl"]

PIN = bytes(range(32))
IN_BASE64 = base64.b64encode(PIN).decode()


def added(nsctl: Nsctl, *options: str) -> dict[str, object]:
    """Add a secondary zone, and return what its status says of the primary."""
    nsctl("secondary", "add", "example.org", "--primary", "192.0.2.1", *options)
    told = nsctl.json("secondary", "status", "example.org")["primaries"]
    assert len(told) == 1
    primary: dict[str, object] = told[0]
    return primary


def test_a_primary_by_name_and_issuer(nsctl: Nsctl, tmp_path: Path) -> None:
    """The port is 853 unless another one is given; the status says that TLS is used."""
    ca = str(Issuer(tmp_path).ca)
    told = added(nsctl, "--tls", "--tls-name", "NS.example.net.", "--tls-ca", ca)
    assert told == {
        "address": "192.0.2.1",
        "port": 853,
        "key": None,
        "tls": {"name": "ns.example.net", "ca": "given", "pin": None},
        "source": None,
        "transfers": None,
    }
    assert "192.0.2.1@853 over TLS" in nsctl("secondary", "status", "example.org").stdout


@pytest.mark.parametrize("pin", [IN_BASE64, PIN.hex(), PIN.hex().upper()])
def test_a_primary_by_pin(nsctl: Nsctl, pin: str) -> None:
    """In base64 or in hexadecimal."""
    told = added(nsctl, "--tls", "--tls-pin", pin)
    assert told["tls"] == {"name": None, "ca": None, "pin": IN_BASE64}


def test_a_primary_that_the_system_trusts(nsctl: Nsctl) -> None:
    """Neither name nor issuer: the address in the certificate, and the system's issuers."""
    assert added(nsctl, "--tls")["tls"] == {"name": None, "ca": "system", "pin": None}


def test_a_primary_without_tls(nsctl: Nsctl) -> None:
    """As ever: port 53."""
    told = added(nsctl)
    assert (told["port"], told["tls"]) == (53, None)


def test_options_that_make_no_sense(nsctl: Nsctl, tmp_path: Path) -> None:
    """Each is refused with what to do, and nothing is stored."""
    nothing = tmp_path / "nothing.pem"
    nothing.write_text("nothing")
    for options, words in [
        (("--tls-name", "a.example"), "--tls-name go with --tls"),
        (("--tls", "--tls-pin", IN_BASE64, "--tls-name", "a.example"), "leave those out"),
        (("--tls", "--tls-pin", "abc"), "64 hexadecimal digits"),
        (("--tls", "--tls-pin", "zz" * 32), "64 hexadecimal digits"),
        (("--tls", "--tls-ca", str(nothing)), "no certificate in PEM form"),
    ]:
        add = ("secondary", "add", "example.org", "--primary", "192.0.2.1")
        done = nsctl(*add, *options, code=2)
        assert words in " ".join(done.stderr.split())
    assert nsctl.json("secondary", "list") == []


def test_peers(nsctl: Nsctl) -> None:
    """TLS alone, and a certificate's name, which implies it, are stored, listed and deleted."""
    nsctl("peer", "add", "192.0.2.1", "--tls-only")
    nsctl("peer", "add", "192.0.2.2", "--certificate", "Secondary.example.net.")
    nsctl("peer", "add", "192.0.2.3")
    told = [(one["tls_only"], one["certificate"]) for one in nsctl.json("peer", "list")]
    assert told == [(True, None), (True, "secondary.example.net"), (False, None)]
    listed = nsctl("peer", "list").stdout
    assert "over TLS as secondary.example.net" in " ".join(listed.split())
    nsctl("peer", "delete", "192.0.2.2")
    assert len(nsctl.json("peer", "list")) == 2
