"""Over TLS with real servers and clients: transfers both ways (RFC 9103), kdig, dnsperf."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from axfr.tls import pin_of
from tests.certificates import DAY, Files, Issuer
from tests.peers import Bind, Nsctl, Nsd, Peer, Remote
from tests.peers.base import program
from tests.peers.fixtures import as_primary
from tests.peers.waiting import LOOPBACK, free_port, wait_until
from tests.peers.zonetext import zone_text

ZONE = "example.org."
OURS, THEIRS = "ns.example.net", "primary.example.net"


class TlsBind(Bind):
    """A named with a port for DNS over TLS, that transfers over TLS from others too."""

    choosy = False

    def use_tls(self, files: Files, ca: Path, *, shows: bool = False) -> None:
        """Tell it its certificate and whom it trusts."""
        self.tls_port = free_port()
        self.files, self.ca, self.shows = files, ca, shows

    def options(self) -> str:
        """Return the options with a second listener, and how the other end is known.

        A ``choosy`` one answers over TLS only those who show a certificate.
        """
        own = f'cert-file "{self.files.certificate}"; key-file "{self.files.key}";'
        shown = own if self.shows else ""
        asks = f'ca-file "{self.ca}";' if self.choosy else ""
        return (
            f"tls own {{ {own} {asks} }};\n"
            f'tls theirs {{ {shown} ca-file "{self.ca}"; remote-hostname "{OURS}"; }};\n'
            + super()
            .options()
            .replace(
                "listen-on-v6",
                f"listen-on port {self.tls_port} tls own {{ 127.0.0.1; }};\n  listen-on-v6",
            )
        )

    def configure(self) -> list[str]:
        """Have zones transferred over TLS only."""
        command = super().configure()
        path = self.directory / "named.conf"
        text = re.sub(r"(primaries \{ \S+ port \d+)", r"\1 tls theirs", path.read_text())
        text = text.replace("allow-transfer {", "allow-transfer transport tls {")
        path.write_text(text)
        return command


class TlsNsd(Nsd):
    """An NSD with a port for DNS over TLS, that transfers over TLS from others too."""

    def use_tls(self, files: Files, ca: Path, *, shows: bool = False) -> None:
        """Tell it its certificate and whom it trusts."""
        self.tls_port = free_port()
        self.files, self.ca, self.shows = files, ca, shows

    def server_clause(self) -> str:
        """Return the server clause with the second port."""
        own = f"""\
server:
  ip-address: 127.0.0.1@{self.tls_port}
  tls-port: {self.tls_port}
  tls-service-key: "{self.files.key}"
  tls-service-pem: "{self.files.certificate}"
  tls-cert-bundle: "{self.ca}\""""
        shown = ""
        if self.shows:
            shown = f'\n  client-cert: "{self.files.certificate}"\n  client-key: "{self.files.key}"'
        known = f"tls-auth:\n  name: theirs\n  auth-domain-name: {OURS}{shown}"
        return super().server_clause().replace("server:", own, 1) + "\n" + known

    def configure(self) -> list[str]:
        """Have zones asked for over TLS only."""
        command = super().configure()
        path = self.directory / "nsd.conf"
        text = re.sub(r"(request-xfr: AXFR \S+ \S+)", r"\1 theirs", path.read_text())
        path.write_text(text)
        return command


EACH = [as_primary(TlsBind), as_primary(TlsNsd)]


@pytest.fixture
def issuer(place: Path) -> Issuer:
    """An issuer that both ends trust."""
    return Issuer(place)


@pytest.fixture
def ours(place: Path, issuer: Issuer) -> Iterator[Nsctl]:
    """Our server with DNS over TLS."""
    files = issuer.issue(OURS)
    tls_port = free_port()
    server = Nsctl(
        place,
        listen_tls=f"{LOOPBACK}@{tls_port}",
        tls_certificate=files.certificate,
        tls_key=files.key,
        tls_client_ca=issuer.ca,
    )
    server.tls_port = tls_port  # type: ignore[attr-defined]
    with server:
        yield server


def tls_port(server: Any) -> int:
    """Return the port for DNS over TLS of any of the servers here."""
    port: int = server.tls_port
    return port


@pytest.mark.cell("above: tls")
@pytest.mark.parametrize("kind", EACH)
def test_from_a_primary_over_tls(
    kind: type[Peer], ours: Nsctl, place: Path, issuer: Issuer
) -> None:
    """By name and issuer, or by pin; SOA queries and transfers go over TLS, changes follow."""
    files = issuer.issue(THEIRS)
    primary = kind(place)
    primary.use_tls(files, issuer.ca)  # type: ignore[attr-defined]
    primary.serve(ZONE, zone_text(1), Remote(ours.port))
    with primary:
        address = f"{LOOPBACK}@{tls_port(primary)}"
        ca = ("--tls-name", THEIRS, "--tls-ca", str(issuer.ca))
        ours.cli("secondary", "add", ZONE, "--primary", address, "--tls", *ca)
        ours.wait_serial(ZONE, 1)
        (told,) = ours.status(ZONE)["primaries"]
        assert told["tls"] == {"name": THEIRS, "ca": "given", "pin": None}
        primary.update_zone(ZONE, zone_text(2))
        ours.cli("secondary", "refresh", ZONE)
        ours.wait_serial(ZONE, 2)
        ours.cli("zone", "delete", ZONE, "--yes")
        wait_until(lambda: ours.serial(ZONE) is None, "the zone is gone")
        pin = ("--tls-pin", pin_of(files.der))
        ours.cli("secondary", "add", ZONE, "--primary", address, "--tls", *pin)
        ours.wait_serial(ZONE, 2)


@pytest.mark.interop("named")
def test_a_primary_that_is_not_who_it_should_be(ours: Nsctl, place: Path, issuer: Issuer) -> None:
    """Its zone is not taken, and the customer reads why, and what to do."""
    primary = TlsBind(place)
    primary.use_tls(issuer.issue(THEIRS, begins=-9 * DAY, ends=-DAY), issuer.ca)
    primary.serve(ZONE, zone_text(1), Remote(ours.port))
    with primary:
        address = f"{LOOPBACK}@{primary.tls_port}"
        ca = ("--tls-name", THEIRS, "--tls-ca", str(issuer.ca))
        ours.cli("secondary", "add", ZONE, "--primary", address, "--tls", *ca)
        status = ours.wait_status(ZONE, last_result="unreachable")
    assert "its certificate has expired" in status["last_reason"]
    assert ours.serial(ZONE) is None


@pytest.mark.interop("named")
def test_a_primary_that_wants_to_know_us(place: Path, issuer: Issuer) -> None:
    """Without our certificate there is no transfer, and the reason is told; with it there is.

    The certificate is one that was put in place of another while the server ran, and the zone is
    tried out before by ``secondary check``, which shows it too.
    """
    ours_files = Issuer(place, "stranger.example").issue(OURS)
    primary = TlsBind(place)
    primary.choosy = True
    primary.use_tls(issuer.issue(THEIRS), issuer.ca)
    ours = Nsctl(place, transfers_certificate=ours_files.certificate, transfers_key=ours_files.key)
    primary.serve(ZONE, zone_text(1), Remote(ours.port))
    with primary, ours:
        address = f"{LOOPBACK}@{primary.tls_port}"
        known = ("--tls", "--tls-name", THEIRS, "--tls-ca", str(issuer.ca))
        ours.cli("secondary", "add", ZONE, "--primary", address, *known)
        status = ours.wait_status(ZONE, last_result="unreachable")
        assert status["last_rule"] == "tls-own-certificate"
        issuer.issue(OURS)
        report = ours.cli("secondary", "check", ZONE, "--primary", address, *known)
        (tls,) = [step for step in report["steps"] if step["step"] == "tls"]
        assert tls["result"] == "ok"
        assert f"its certificate is for {THEIRS}, 127.0.0.1" in tls["sentence"]
        ours.cli("secondary", "refresh", ZONE)
        ours.wait_serial(ZONE, 1)


@pytest.mark.cell("below: tls")
@pytest.mark.parametrize(
    ("kind", "how"),
    [
        as_primary(TlsBind, "tls-only"),
        as_primary(TlsNsd, "tls-only"),
        as_primary(TlsBind, "certificate"),
    ],
)
def test_to_a_secondary_over_tls(
    kind: type[Peer], how: str, ours: Nsctl, place: Path, issuer: Issuer
) -> None:
    """The zone leaves over TLS alone, with a certificate of the secondary where that is asked."""
    secondary = kind(place)
    secondary.use_tls(issuer.issue(THEIRS), issuer.ca, shows=how == "certificate")  # type: ignore[attr-defined]
    ours.serve(ZONE, zone_text(5))
    wanted = ("--tls-only",) if how == "tls-only" else ("--certificate", THEIRS)
    ours.cli("peer", "add", str(secondary.remote()), "--zone", ZONE, *wanted)
    secondary.follow(ZONE, Remote(tls_port(ours)))
    with secondary:
        secondary.wait_serial(ZONE, 5)
        ours.serve(ZONE, zone_text(6))
        secondary.wait_serial(ZONE, 6)
    plain = kdig(ours.port, ZONE, "AXFR", "+tcp")
    assert "REFUSED" in plain
    encrypted = kdig(tls_port(ours), ZONE, "AXFR", "+tls")
    assert ("REFUSED" in encrypted) == (how == "certificate")


def kdig(port: int, *arguments: str) -> str:
    """Return what kdig prints."""
    done = subprocess.run(
        [program("kdig"), f"@{LOOPBACK}", "-p", str(port), *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.interop("kdig")
def test_kdig(ours: Nsctl, issuer: Issuer) -> None:
    """Strict and opportunistic; padding and keepalive as they should be."""
    ours.serve(ZONE, zone_text(1))
    ours.wait_serial(ZONE, 1)
    port = tls_port(ours)
    strict = (f"+tls-ca={issuer.ca}", f"+tls-hostname={OURS}")
    found = kdig(port, ZONE, "SOA", "+tls", *strict, "+padding=128", "+ednsopt=11", "+nocookie")
    assert "status: NOERROR" in found
    assert "TLS1.3" in found
    assert re.search(r"Received 468 B", found), found
    assert re.search(r"(?i)padding", found), found
    assert "Option (11): 0064" in found  # ten seconds (RFC 7828 3.1)
    many = kdig(port, "+tls", "+keepopen", ZONE, "SOA", ZONE, "NS", f"none.{ZONE}", "A")
    assert many.count("status: NOERROR") == 2
    assert many.count("status: NXDOMAIN") == 1
    wrong = kdig(port, ZONE, "SOA", "+tls", strict[0], "+tls-hostname=other.example.net")
    assert "status:" not in wrong


@pytest.mark.interop("dnsperf")
@pytest.mark.parametrize("mode", ["tcp", "dot"])
def test_dnsperf(ours: Nsctl, mode: str) -> None:
    """Thousands of pipelined queries, none of them lost or wrong."""
    ours.serve(ZONE, zone_text(1))
    ours.wait_serial(ZONE, 1)
    queries = ours.directory / "queries"
    queries.write_text(f"{ZONE} SOA\nnone.{ZONE} A\n{ZONE} NS\n" * 100)
    port = ours.port if mode == "tcp" else tls_port(ours)
    command = [program("dnsperf"), "-s", LOOPBACK, "-p", str(port), "-m", mode, "-d", str(queries)]
    done = subprocess.run(
        [*command, "-c", "8", "-q", "200", "-n", "20"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert re.search(r"Queries completed:\s+6000 \(100", done.stdout), done.stdout + done.stderr
    assert "NXDOMAIN 2000" in done.stdout
