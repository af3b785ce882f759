"""Clients written by others, against the sandbox: what they send and read is not of our making."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from registrar import commands as ask
from registrar.connector import Done, Pending
from tests import requirements
from tests.epp_grammar import complaints
from tests.epp_world import PASSWORDS, Network, certificates, network
from tests.registry_world import OTHERS, OURS, World, domain

SCRIPT = Path(__file__).with_name("net_epp.pl")


@pytest.fixture
async def net(tmp_path: Path) -> AsyncIterator[Network]:
    """A sandbox that listens; all that was said has to be by the schemas."""
    async with network(tmp_path) as made:
        yield made
        assert made.sandbox.seen
        assert complaints(made.sandbox.seen) == []


@pytest.fixture
def perl() -> str:
    """The Perl that has Net::EPP (Debian's libnet-epp-perl)."""
    found = shutil.which("perl")
    argv = [found or "perl", "-MNet::EPP::Simple", "-e1"]
    if found and subprocess.run(argv, check=False, capture_output=True).returncode == 0:
        return found
    if requirements.required():
        pytest.fail("required, but not installed: libnet-epp-perl", pytrace=False)
    pytest.skip("not installed: libnet-epp-perl")


async def test_net_epp(net: Network, perl: str) -> None:
    """Perl's Net::EPP leads a domain through its life and reads what the sandbox tells."""
    theirs = World(net.sandbox.registry)
    theirs.clock = net.clock
    theirs.done(domain("other.org"), OTHERS)
    net.clock.forward(days=61)
    files = certificates()
    process = await asyncio.create_subprocess_exec(
        perl, str(SCRIPT), "127.0.0.1", str(net.port),
        str(files.authority), str(files.client), str(files.client_key),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, complained = await process.communicate()
    assert process.returncode == 0, complained.decode()
    assert said.decode().splitlines() == [
        "check 1000 1",
        "contact 1000 Berlin",
        "create 1000 0",
        "info 1000 2028-05-02T09:30:00.000Z PERL-1 ns1.example.net,ns2.example.net ok",
        "host 1000 192.0.2.1",
        "update 1000 clientHold",
        "renew 1000 2029-05-02T09:30:00.000Z",
        "poll 1300 Command completed successfully; no messages",
        "transfer 2202 ",
        "delete 1000 ",
        "gone 2303 ",
        "ping  pong",
    ]


def _epptools_life(net: Network) -> dict[str, Any]:
    """Lead a domain through its life with epptools; return what it read."""
    import epptools

    files = certificates()
    config = epptools.Config(
        host="127.0.0.1",
        port=net.port,
        clid=OURS,
        password=PASSWORDS[OURS],
        ca_file=str(files.authority),
        client_cert=str(files.client),
        client_key=str(files.client_key),
    )
    client = epptools.Client(config)
    client.connect()
    client.login()
    seen: dict[str, Any] = {}
    seen["check"] = client.domain.check(["example.org", "example.com"]).availability()
    client.contact.create(
        "TOOLS-1", name="Jürgen Müßig", street=["Allee 1"], city="Bonn", pc="53111", cc="DE",
        voice="+49.228123", email="j@example.org", auth_info="contact-secret",
    )  # fmt: skip
    seen["contact"] = client.contact.info("TOOLS-1").statuses()
    ds = {"key_tag": 12345, "alg": 13, "digest_type": 2, "digest": "AB" * 32}
    client.domain.create(
        "example.org", years=1, registrant="TOOLS-1", contacts={"admin": ["TOOLS-1"]},
        nameservers=["ns1.example.net"], auth_info="first-secret", sec_dns={"ds_data": [ds]},
    )  # fmt: skip
    info = client.domain.info("example.org")
    seen["ds"] = [record["keyTag"] for record in info.ds_records()]
    seen["rgp"] = info.rgp_status()
    seen["sponsor"] = info.sponsor()
    client.domain.update(
        "example.org", add={"statuses": ["clientHold"]}, chg={"registrant": "ADMIN-1"},
        sec_dns={"rem_all": True},
    )  # fmt: skip
    client.domain.update("example.org", chg={"auth_info": "second-secret"})
    changed = client.domain.info("example.org")
    seen["changed"] = (changed.statuses(), changed.registrant(), changed.is_signed())
    client.host.create("ns.example.org", ["192.0.2.7", "2001:db8::7"])
    hosts = client.host.info("ns.example.org").host_addresses()
    seen["host"] = [entry["ip"] for entry in hosts]
    client.domain.renew("example.org", str(changed.expiry_date()), 1)
    try:
        client.domain.delete("other.org")
    except epptools.CommandException as error:
        seen["refused"] = error.epp_code
    net.clock.forward(days=10)
    seen["pending"] = client.domain.delete("example.org").is_pending()
    client.domain.restore("example.org")
    seen["restoring"] = client.domain.info("example.org").rgp_status()
    message = client.poll.request()
    seen["message"] = (message.code(), message.message_count(), message.transfer_status())
    client.poll.ack(str(message.message_id()))
    seen["empty"] = client.poll.request().code()
    client.logout()
    client.disconnect()
    return seen


async def test_epptools(net: Network) -> None:
    """PyPI's epptools leads a domain through its life and reads what the sandbox tells."""
    pytest.importorskip("epptools")
    theirs = World(net.sandbox.registry)
    theirs.clock = net.clock
    theirs.done(domain("other.org"), OTHERS)
    mine = theirs.perform(domain("mine.org"), OURS)
    assert isinstance(mine, Done)
    net.clock.forward(days=61)
    wanted = ask.TransferDomain(ask.TransferOperation.REQUEST, "mine.org", "first-secret")
    assert isinstance(theirs.perform(wanted, OTHERS), Pending)
    seen = await asyncio.to_thread(_epptools_life, net)
    assert seen["check"] == {"example.org": True, "example.com": True}
    assert seen["contact"] == ["ok"]
    assert seen["ds"] == [12345]
    assert seen["rgp"] == ["addPeriod"]
    assert seen["sponsor"] == OURS
    assert seen["changed"] == (["clientHold"], "ADMIN-1", False)
    assert seen["host"] == ["192.0.2.7", "2001:db8::7"]
    assert seen["refused"] == 2201
    assert seen["pending"] is True
    assert seen["restoring"] == ["pendingRestore"]
    assert seen["message"] == (1301, 2, "pending")
    assert seen["empty"] == 1301
