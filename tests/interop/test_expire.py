"""EDNS EXPIRE (RFC 7314) as other people's clients understand it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import dns.edns
import dns.message
import dns.query
import dns.rrset
import pytest

from tests.peers import Nsctl
from tests.peers.base import Key
from tests.peers.waiting import LOOPBACK
from tests.peers.zonetext import ORIGIN, zone_text
from tests.requirements import find_program

FOUND = re.compile(r"EXPIRE: (?:0x)?(\d+)", re.IGNORECASE)
EXPIRE = 86_400  # of the SOA


def ask(program: str, server: Nsctl, *options: str) -> int | None:
    """Return what the client shows as EXPIRE, ``None`` for nothing."""
    path = find_program(program)
    assert path is not None
    command = [path, f"@{LOOPBACK}", "-p", str(server.port), *options]
    done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=20)
    assert "ALFORMED" not in done.stdout + done.stderr, done.stdout
    found = FOUND.search(done.stdout)
    return int(found[1]) if found else None


@pytest.fixture
def secondary(place: Path, nsctl: Nsctl) -> Iterator[Nsctl]:
    """Return one that follows the other, which limits its answers."""
    server = Nsctl(place, rrl="on")
    nsctl.serve(ORIGIN, zone_text(1, expire=EXPIRE))
    nsctl.allow(server.remote(), ORIGIN)
    nsctl.wait_serial(ORIGIN, 1)
    server.start()
    server.follow(ORIGIN, nsctl.remote())
    server.wait_serial(ORIGIN, 1)
    yield server
    server.stop()


@pytest.mark.interop("dig")
@pytest.mark.parametrize("how", ["+notcp", "+tcp"])
def test_dig(nsctl: Nsctl, secondary: Nsctl, how: str) -> None:
    """RFC 7314 3.1, 3.2: a primary tells EXPIRE of the SOA, a secondary what is left of it."""
    asking = (how, "+expire", "+nocookie", ORIGIN)
    assert ask("dig", nsctl, *asking, "SOA") == EXPIRE
    left = ask("dig", secondary, *asking, "SOA")
    assert left is not None
    assert EXPIRE - 60 < left <= EXPIRE
    assert ask("dig", nsctl, *asking, "NS") is None
    assert ask("dig", nsctl, how, "+noexpire", ORIGIN, "SOA") is None
    assert ask("dig", nsctl, how, "+expire", f"none.{ORIGIN}", "SOA") is None
    assert ask("dig", nsctl, how, "+expire", "+cookie", "+dnssec", ORIGIN, "SOA") == EXPIRE


@pytest.mark.parametrize("rdtype", ["AXFR", "IXFR"])
@pytest.mark.parametrize("key", [None, Key("expire.example.")], ids=["plain", "TSIG"])
def test_transfers(nsctl: Nsctl, secondary: Nsctl, rdtype: str, key: Key | None) -> None:
    """RFC 7314 3: an answer to AXFR or IXFR tells it as well, in an OPT record for who sent one."""
    if key:
        nsctl.add_key(key)
        nsctl.allow(secondary.remote(key), ORIGIN)
    asking: dns.edns.Option = dns.edns.GenericOption(dns.edns.OptionType.make(9), b"")
    for options in ([], [asking]):
        query = dns.message.make_query(ORIGIN, rdtype, use_edns=0, options=options)
        if rdtype == "IXFR":
            soa = dns.rrset.from_text(ORIGIN, 0, "IN", "SOA", ". . 1 0 0 0 0")
            query.authority.append(soa)
        if key:
            query.use_tsig(key.keyring())
        answer = dns.query.tcp(query, LOOPBACK, 10, nsctl.port, one_rr_per_rrset=True)
        assert answer.edns == 0
        assert answer.answer
        told = [int.from_bytes(one.to_wire(), "big") for one in answer.options]
        assert told == [EXPIRE] * len(options)


@pytest.mark.interop("kdig")
def test_kdig(nsctl: Nsctl, secondary: Nsctl) -> None:
    """Kdig shows the option as dig does."""
    for server in (nsctl, secondary):
        left = ask("kdig", server, "+expire", ORIGIN, "SOA")
        assert left is not None
        assert EXPIRE - 60 < left <= EXPIRE
