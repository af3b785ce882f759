"""The EPP client against the sandbox, over TLS, in fair weather and foul."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from registrar import commands as ask
from registrar.commands import Command, TransferOperation
from registrar.connector import Done, Outcome, Pending, Refused
from registrar.epp.client import EppClient
from registrar.epp.errors import EppError, LoginRefused, OutcomeUnknown, ReplyLost, Unreachable
from registrar.epp.journal import FileJournal
from registrar.epp.sandbox import Fault
from registrar.errors import RegistrarError
from registrar.objects import Period, TransferState
from registrar.statuses import RgpStatus, Status, TransferStatus
from tests.epp_grammar import complaints
from tests.epp_world import Network, certificates, network
from tests.registry_world import HOLDER, OTHERS, OURS, START, domain, report

AT_COMMAND = [fault for fault in Fault if "GREETING" not in fault.name]
AT_GREETING = [fault for fault in Fault if "GREETING" in fault.name]
RENEW = ask.RenewDomain("example.org", datetime(2027, 3, 2, tzinfo=UTC).date())


@pytest.fixture
async def net(tmp_path: Path) -> AsyncIterator[Network]:
    """A sandbox that listens; all that was said, by both sides, has to be by the schemas."""
    async with network(tmp_path) as made:
        yield made
        assert complaints(made.sandbox.seen) == []


def _value(outcome: Outcome[Any]) -> Any:
    assert isinstance(outcome, Done), outcome
    return outcome.value


async def test_life(net: Network) -> None:
    """A domain is ordered, changed, renewed, deleted, restored and transferred, all over TLS."""
    async with net.client() as ours, net.client(OTHERS) as others:
        [free] = _value(await ours.check("example.org", trid="T-1"))
        assert free.available
        created = _value(await ours.create(domain(), trid="T-2"))
        assert created.expires_at == datetime(2027, 3, 2, 9, 30, tzinfo=UTC)
        hold = ask.DomainChange(statuses=frozenset({Status.CLIENT_HOLD}))
        _value(await ours.update(ask.UpdateDomain("example.org", add=hold), trid="T-3"))
        info = _value(await ours.info("example.org", trid="T-4"))
        assert info.statuses == {Status.CLIENT_HOLD}
        assert info.rgp_statuses == {RgpStatus.ADD_PERIOD}
        assert info.sec_dns.ds
        _value(await ours.renew(replace(RENEW, period=Period(1)), trid="T-5"))
        deleted = net.clock.forward(days=61)
        assert isinstance(await ours.delete("example.org", trid="T-6"), Pending)
        asked = _value(await ours.restore("example.org", trid="T-7"))
        assert asked.rgp_status is RgpStatus.PENDING_RESTORE
        told = report(deleted, net.clock.forward(hours=1))
        _value(await ours.restore("example.org", trid="T-8", report=told))
        _value(await ours.set_auth(ask.SetAuth("example.org", "outbound-1"), trid="T-9"))
        request = await others.transfer(
            TransferOperation.REQUEST, "example.org", trid="O-1", auth="outbound-1"
        )
        assert isinstance(request, Pending)
        message = _value(await ours.poll(trid="T-10"))
        assert isinstance(message.data, TransferState)
        assert message.data.requested_by == OTHERS
        assert _value(await ours.ack(message.id, trid="T-11")).count == 0
        rejected = await ours.transfer(TransferOperation.REJECT, "example.org", trid="T-12")
        assert _value(rejected).status is TransferStatus.CLIENT_REJECTED
        refused = await others.delete("example.org", trid="O-2")
        assert isinstance(refused, Refused)
        assert refused.code == 2201


async def test_contacts_and_hosts(net: Network) -> None:
    """Contacts and hosts are made, told, changed and deleted, their text untouched."""
    async with net.client() as ours:
        _value(await ours.contact.create(ask.CreateContact("NEW-1", HOLDER, "pass"), trid="T-1"))
        assert _value(await ours.contact.info("NEW-1", trid="T-2")).data == HOLDER
        moved = replace(HOLDER, fax=None, email="new@example.org")
        _value(await ours.contact.update(ask.UpdateContact("NEW-1", moved), trid="T-3"))
        assert _value(await ours.contact.info("NEW-1", trid="T-4")).data == moved
        _value(await ours.contact.delete("NEW-1", trid="T-5"))
        [answer] = _value(await ours.contact.check("NEW-1", trid="T-6"))
        assert answer.available
        _value(await ours.create(domain(), trid="T-7"))
        glue = ("192.0.2.1", "2001:db8::1")
        _value(await ours.host.create(ask.CreateHost("ns.example.org", glue), trid="T-8"))
        assert _value(await ours.host.info("ns.example.org", trid="T-9")).addresses == glue
        _value(await ours.host.delete("ns.example.org", trid="T-10"))
        [host] = _value(await ours.host.check("ns.example.org", trid="T-11"))
        assert host.available


async def test_host_attributes(net: Network) -> None:
    """.eu and .de know name servers as attributes of the domain, with glue."""
    async with net.client() as ours:
        servers = (
            domain().name_servers[0],
            replace(domain().name_servers[1], name="ns.example.eu"),
        )
        glued = (servers[0], replace(servers[1], addresses=("2001:db8::53",)))
        _value(await ours.create(domain("example.eu", name_servers=glued), trid="T-1"))
        assert _value(await ours.info("example.eu", trid="T-2")).name_servers == glued


async def _sequence(net: Network) -> list[tuple[Command[Any], str]]:
    """Return commands of all kinds that transform, each possible after those before it."""
    lock = ask.DomainChange(statuses=frozenset({Status.CLIENT_HOLD}))
    return [
        (ask.CreateContact("NEW-1", HOLDER, "pass"), "NEW-1"),
        (ask.CreateHost("ns9.example.net"), "ns9.example.net"),
        (domain(), "example.org"),
        (ask.UpdateDomain("example.org", add=lock), "example.org"),
        (RENEW, "example.org"),
        (ask.SetAuth("example.org", "outbound-1"), "example.org"),
        (ask.UpdateContact("NEW-1", replace(HOLDER, voice=None)), "NEW-1"),
        (ask.UpdateHost("ns9.example.net", new_name="ns8.example.net"), "ns9.example.net"),
        (ask.DeleteContact("NEW-1"), "NEW-1"),
        (ask.DeleteHost("ns8.example.net"), "ns8.example.net"),
        (ask.DeleteDomain("example.org"), "example.org"),
    ]


@pytest.mark.parametrize("fault", AT_COMMAND, ids=lambda fault: fault.name)
async def test_every_fault_leads_to_one_registration(net: Network, fault: Fault) -> None:
    """Whatever happens to the reply of a create, there is one registration, and we know of it.

    The outbox is one that asks again, with the same id, for as long as it gets no outcome.
    """
    net.sandbox.faults.at_command.append(("CreateDomain", fault))
    outcome = None
    async with net.client() as ours:
        for _ in range(3):
            try:
                outcome = await ours.create(domain(), trid="ORDER-1")
            except (OutcomeUnknown, Unreachable):
                continue
            if isinstance(outcome, Done):
                break
            # Failed by the registry's own word, and looked at: a new order is a new command.
            assert isinstance(outcome, Refused)
            assert outcome.code in (2400, 2500)
            assert net.commits("CreateDomain") == 0
            outcome = await ours.create(domain(), trid="ORDER-2")
            break
    assert isinstance(outcome, Done), outcome
    assert outcome.value.name == "example.org"
    assert outcome.value.expires_at == datetime(2027, 3, 2, 9, 30, tzinfo=UTC)
    assert net.commits("CreateDomain") == 1
    if fault.value.startswith("carried out"):
        assert net.received("domain:create") == 1, "what was carried out is not sent again"


@pytest.mark.parametrize(
    "fault",
    [Fault.CUT_BEFORE, Fault.CUT_AFTER, Fault.HALF_FRAME, Fault.GARBAGE, Fault.FAILED_AFTER],
    ids=lambda fault: fault.name,
)
async def test_each_command_is_carried_out_once(net: Network, fault: Fault) -> None:
    """Each kind of command ends done, and done once, though its first reply is lost."""
    net.clock.now = START
    async with net.client() as ours:
        for number, (command, about) in enumerate(await _sequence(net)):
            kind = type(command).__name__
            if isinstance(command, ask.DeleteDomain):
                net.clock.forward(days=10)
            net.sandbox.faults.at_command.append((kind, fault))
            outcome = await ours.perform(command, f"STEP-{number}")
            assert isinstance(outcome, Done | Pending), (kind, outcome)
            # To set an authorisation again to the same value is the one that may come twice.
            most = 2 if isinstance(command, ask.SetAuth) else 1
            assert 1 <= net.commits(kind, about) <= most, kind
    assert net.sandbox.faults.at_command == []
    record = net.sandbox.registry.state.domains["example.org"]
    assert record.expires_at == datetime(2028, 3, 2, 9, 30, tzinfo=UTC), "renewed by one year"


@pytest.mark.parametrize("fault", [Fault.CUT_AFTER, Fault.CUT_BEFORE], ids=lambda fault: fault.name)
async def test_transfer_is_asked_for_once(net: Network, fault: Fault) -> None:
    """A transfer request, its answer and a restore survive the loss of their replies."""
    async with net.client() as ours, net.client(OTHERS) as others:
        _value(await ours.create(domain(), trid="T-1"))
        net.clock.forward(days=61)
        for client, operation in (
            (others, TransferOperation.REQUEST),
            (others, TransferOperation.CANCEL),
            (others, TransferOperation.REQUEST),
            (ours, TransferOperation.REJECT),
        ):
            net.clock.forward(hours=1)
            net.sandbox.faults.at_command.append(("TransferDomain", fault))
            auth = "first-secret" if operation is TransferOperation.REQUEST else None
            trid = f"X-{net.clock.now:%H}"
            outcome = await client.transfer(operation, "example.org", trid=trid, auth=auth)
            assert isinstance(outcome, Done | Pending), (operation, outcome)
        assert net.commits("TransferDomain") == 4
        deleted = net.clock.now
        await ours.delete("example.org", trid="T-2")
        for number, told in enumerate((None, report(deleted, net.clock.forward(hours=1)))):
            net.sandbox.faults.at_command.append(("RestoreDomain", fault))
            _value(await ours.restore("example.org", trid=f"T-3-{number}", report=told))
        assert net.commits("RestoreDomain") == 2


async def test_faults_upon_faults(net: Network, rng: random.Random) -> None:
    """Whatever fault strikes each create and each look after it, no name is registered twice."""
    quick = [fault for fault in AT_COMMAND if "HANG" not in fault.name and "LATE" not in fault.name]
    async with net.client() as ours:
        for number in range(25):
            name = f"n{number}.org"
            struck = [rng.choice(quick) for _ in range(rng.randrange(4))]
            print(name, [fault.name for fault in struck])
            net.sandbox.faults.at_command = [
                (
                    "CreateDomain" if index == 0 else rng.choice(["InfoDomain", "CreateDomain"]),
                    fault,
                )
                for index, fault in enumerate(struck)
            ]
            net.sandbox.faults.at_greeting = rng.choices(AT_GREETING, k=rng.randrange(2))
            outcome: Outcome[Any] | None = None
            for turn in range(20):
                try:
                    outcome = await ours.create(domain(name), trid=f"ORDER-{number}-{turn // 10}")
                except (OutcomeUnknown, Unreachable, LoginRefused):
                    continue
                if isinstance(outcome, Done):
                    break
                assert isinstance(outcome, Refused)
                assert outcome.code in (2400, 2500)
                outcome = await ours.create(domain(name), trid=f"AGAIN-{number}-{turn}")
                break
            created = net.commits("CreateDomain", name)
            assert created == isinstance(outcome, Done), (name, outcome)


@pytest.mark.parametrize("fault", AT_GREETING, ids=lambda fault: fault.name)
async def test_fault_at_the_greeting(net: Network, fault: Fault) -> None:
    """Before the greeting nothing was done: told as such, and done the next time."""
    net.sandbox.faults.at_greeting = [fault]
    async with net.client() as ours:
        try:
            outcome = await ours.create(domain(), trid="ORDER-1")
        except (Unreachable, LoginRefused):
            outcome = await ours.create(domain(), trid="ORDER-1")
        assert isinstance(outcome, Done)
    assert net.commits("CreateDomain") == 1


async def test_crash_between_journal_and_wire(net: Network) -> None:
    """After a crash the journal's open commands are finished: those done are not sent again."""
    net.sandbox.faults.at_command += [("CreateDomain", Fault.CUT_AFTER)]
    journal = FileJournal(net.folder / f"{OURS}.journal")
    journal.record("NEVER-SENT", domain("never.org"), net.clock.now)
    client = EppClient(net.account(), journal, clock=net.clock)
    sending = asyncio.create_task(client.create(domain(), trid="CUT-OFF"))
    async with asyncio.timeout(20):
        while not net.commits("CreateDomain"):  # noqa: ASYNC110 (the server tells nobody)
            await asyncio.sleep(0.001)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    journal.close()
    async with net.client() as ours:
        outcomes = await ours.settle()
        assert {"NEVER-SENT"} <= set(outcomes) <= {"NEVER-SENT", "CUT-OFF"}
        assert isinstance(await ours.create(domain(), trid="CUT-OFF"), Done)
        assert await ours.settle() == {}
    assert net.commits("CreateDomain") == net.commits("CreateDomain", "never.org") == 1


async def test_journalled_outcome_is_told_again(net: Network) -> None:
    """A command that was settled is not asked about again; its id is not for another one."""
    async with net.client() as ours:
        first = await ours.create(domain(), trid="ORDER-1")
    async with net.client() as ours:
        assert await ours.create(domain(), trid="ORDER-1") == first
        with pytest.raises(RegistrarError, match="belongs to another command"):
            await ours.create(domain("example.com"), trid="ORDER-1")
    assert net.received("domain:create") == 1
    assert net.received("domain:info") == 0


async def test_somebody_elses_domain_is_not_taken_for_ours(net: Network) -> None:
    """A create that was not carried out, of a name that another one got meanwhile, is refused."""
    async with net.client() as ours, net.client(OTHERS) as others:
        _value(await others.create(domain(), trid="O-1"))
        net.sandbox.faults.at_command.append(("CreateDomain", Fault.CUT_AFTER))
        outcome = await ours.create(domain(), trid="T-1")
    assert isinstance(outcome, Refused)
    assert outcome.code == 2302


async def test_our_own_of_before_is_not_taken_for_new(net: Network) -> None:
    """A create of a name that we had long before is refused, its reply lost or not."""
    async with net.client() as ours:
        _value(await ours.create(domain(), trid="T-1"))
        net.clock.forward(days=1)
        net.sandbox.faults.at_command.append(("CreateDomain", Fault.HALF_FRAME))
        outcome = await ours.create(domain(), trid="T-2")
    assert isinstance(outcome, Refused)
    assert outcome.code == 2302


async def test_server_closes_an_idle_session(net: Network) -> None:
    """A session that the server has closed meanwhile is opened anew without a word."""
    async with net.client() as ours:
        await ours.check("example.org", trid="T-1")
        await net.sandbox.stop()
        net.port = await net.sandbox.start(port=net.port)
        _value(await ours.create(domain(), trid="T-2"))
    assert net.commits("CreateDomain") == 1


async def test_keep_alive(net: Network) -> None:
    """A session with nothing to do says hello."""
    account = replace(net.account(), keep_alive=0.05)
    async with net.client(account=account) as ours:
        await ours.check("example.org", trid="T-1")
        async with asyncio.timeout(20):
            while sum(b"<hello/>" in seen for seen in net.sandbox.seen) < 3:  # noqa: ASYNC110 (the same)
                await asyncio.sleep(0.01)
        await ours.check("example.org", trid="T-2")
    assert sum(b"<login>" in seen for seen in net.sandbox.seen) == 1


async def test_one_command_in_flight(net: Network) -> None:
    """Commands given at the same time wait for each other on one session."""
    async with net.client() as ours:
        orders = [ours.create(domain(f"n{n}.org"), trid=f"ORDER-{n}") for n in range(20)]
        outcomes = await asyncio.gather(*orders)
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    assert sum(b"<login>" in seen for seen in net.sandbox.seen) == 1


async def test_change_of_password(net: Network) -> None:
    """A new password opens the door, the old one no more; a bad one changes nothing."""
    async with net.client() as ours:
        with pytest.raises(EppError, match="6 to 16"):
            await ours.change_password("abc")
        await ours.change_password("new-password")
        await ours.check("example.org", trid="T-1")
    with pytest.raises(LoginRefused, match="2200"):
        async with net.client() as ours:
            await ours.check("example.org", trid="T-2")
    account = net.account(password="new-password")
    async with net.client(account=account) as ours:
        await ours.check("example.org", trid="T-3")


async def test_certificates(net: Network) -> None:
    """Neither side talks to a stranger."""
    account = net.account()
    for endpoint in (
        replace(account.endpoint, authorities=None),
        replace(account.endpoint, certificate=None, key=None),
        replace(account.endpoint, authorities=net.folder / "missing.pem"),
    ):
        async with net.client(account=replace(account, endpoint=endpoint)) as ours:
            with pytest.raises((Unreachable, ReplyLost)):
                await ours.check("example.org", trid="T-1")
    assert net.sandbox.seen == [] or not any(b"<login>" in seen for seen in net.sandbox.seen)
    assert certificates().client_key.stat().st_mode & 0o077 == 0


async def test_nobody_there(net: Network) -> None:
    """A registry that cannot be reached is told as such, at once, with nothing done."""
    await net.sandbox.stop()
    async with net.client() as ours:
        with pytest.raises(Unreachable, match="no connection"):
            await ours.create(domain(), trid="T-1")
    net.port = await net.sandbox.start(port=net.port)
    async with net.client() as ours:
        assert isinstance(await ours.create(domain(), trid="T-1"), Done)
    assert net.commits("CreateDomain") == 1


async def test_a_slow_answer_is_waited_for(net: Network) -> None:
    """With patience, one session and one command are enough."""
    async with net.client(account=net.patient()) as ours:
        _value(await ours.create(domain(), trid="T-1"))
    assert net.received("domain:create") == 1


async def test_capabilities(net: Network) -> None:
    """What a registry does is told by TLD; one that it does not have is named."""
    async with net.client() as ours:
        assert ours.capabilities("org").host_objects
        assert not ours.capabilities("eu").host_objects
        with pytest.raises(RegistrarError, match=r"has no \.example"):
            ours.capabilities("example")
