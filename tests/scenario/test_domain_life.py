"""A domain's whole life, against a registry that speaks EPP, with the clock driven.

At each step three views are checked: our books, the registry's, and what ``nsctl serve`` on the
same store answers over UDP. The customer's hidden primary is asked by it for real.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import dns.rcode
import pytest

from registrar import facts
from registrar.actions import Action
from registrar.commands import TransferOperation
from registrar.connector import Pending
from registrar.desk import accounts, changing, worklist
from registrar.desk.daily import daily_run
from registrar.desk.registrations import StoredBooking
from registrar.desk.runner import Runner
from registrar.epp.sandbox import Fault
from registrar.file_registry.state import DomainRecord, Stage
from registrar.model import ContractState, Delegation, Life, Payment
from registrar.policy import Sourced
from registrar.statuses import Status
from storage import notices, secondaries
from storage.database import Database
from tests.desk_world import FRIDAY, NAME, NAME_SERVERS, DeskWorld
from tests.epp_world import Network, network
from tests.peers.nsctl import Nsctl
from tests.peers.plain_primary import PlainPrimary
from tests.peers.waiting import wait_until
from tests.peers.zonetext import zone_text
from tests.registry_world import OTHERS, OURS
from zones.name import from_text
from zones.secondary import Primary
from zones.zone import Mode

APEX = from_text(NAME)
DAY = 86_400


def at(serial: int) -> str:
    """Return what the customer's server, which is in no NS record, has at a serial."""
    return zone_text(serial, f"www 300 A 192.0.2.{serial}")


class WholeLife(DeskWorld):
    """The desk, the sandbox, a runner between them; a name server, the customer's primary."""

    def __init__(
        self, database: Database, net: Network, server: Nsctl, primary: PlainPrimary
    ) -> None:
        super().__init__(database)
        self.net = net
        self.server = server
        self.primary = primary
        self.clock = net.clock
        self.clock.now = FRIDAY
        self.runner = Runner(database, self.desk, clock=self.clock)

    async def pass_time(self, **time: float) -> None:
        """Let time pass, with a daily run, the work that is due, and the messages."""
        self.clock.forward(**time)
        daily_run(self.database, self.desk, self.clock.now)
        await self.runner.run_due()
        await self.runner.poll()
        await self.runner.run_due()

    def theirs(self) -> DomainRecord | None:
        """Return the domain as the registry has it."""
        registry = self.net.sandbox.registry
        registry.age(self.clock.now)
        return registry.state.domains.get(NAME)

    def answers(self, expected: str, question: str = NAME, rtype: str = "SOA") -> None:
        """Wait until our name server answers with this in its rdata, or with this rcode."""

        def answer() -> str:
            response = self.server.query(question, rtype)
            found = [str(rdata) for rrset in response.answer for rdata in rrset]
            return f" {' '.join(found) or dns.rcode.to_text(response.rcode())} "

        try:
            wait_until(lambda: f" {expected} " in answer(), f"the answer has {expected}", 20)
        except AssertionError as error:
            error.add_note(f"{answer()}\nlog of nsctl:\n{self.server.log()[-3000:]}")
            raise

    def registered(self, *statuses: Status, sponsor: str = OURS) -> DomainRecord:
        """Check that the registry has the domain, delegated to us, with these statuses set."""
        theirs = self.theirs()
        assert theirs is not None
        assert (theirs.stage, theirs.held.sponsor) == (Stage.REGISTERED, sponsor)
        assert {server.name for server in theirs.name_servers} == set(NAME_SERVERS)
        assert theirs.held.statuses == set(statuses)
        return theirs

    def told(self) -> set[str]:
        """Return the kinds of notices that there were."""
        with self.database.read() as session:
            return {notice.kind for notice in notices.list_notices(session)}


@pytest.fixture
async def life(database: Database, tmp_path: Path) -> AsyncIterator[WholeLife]:
    """A desk with an account at a sandbox whose gTLD wants a close request."""
    server = Nsctl(tmp_path, database=database.url)
    with server, PlainPrimary(NAME, at(77)) as primary:
        async with network(tmp_path) as net:
            made = world(WholeLife(database, net, server, primary))
            yield made
            await made.runner.close()


def world(made: WholeLife) -> WholeLife:
    """Return it with a policy that asks for documents, contacts, and an account."""
    profile = made.desk.policies.tlds["gtld"]
    wanted = Sourced[list[str]](value=["close-request"], source="H 19(3)")
    tlds = {**made.desk.policies.tlds, "gtld": profile.model_copy(update={"documents": wanted})}
    made.desk = replace(made.desk, policies=made.desk.policies.model_copy(update={"tlds": tlds}))
    made.runner = Runner(made.database, made.desk, clock=made.clock)
    made.set_up()
    with made.database.write() as session:
        account = made.net.desk_account()
        accounts.add(session, account, now=made.clock.now, actor="erika")
    return made


@pytest.mark.requirement("REG-1")
@pytest.mark.requirement("REG-2")
@pytest.mark.requirement("REG-4")
@pytest.mark.requirement("REG-5")
@pytest.mark.requirement("REG-9")
@pytest.mark.requirement("REG-11")
@pytest.mark.requirement("REG-12")
@pytest.mark.requirement("REG-13")
async def test_a_domains_whole_life(life: WholeLife) -> None:
    """From the order on the Friday before Whitsun to the departure, chapter by chapter."""
    await _ordered_while_the_registry_is_away(life)
    await _created(life)
    await _hidden_primary(life)
    await _renewed(life)
    await _cancelled(life)
    await _in_redemption(life)
    await _restored(life)
    await _kept_for_arrears(life)
    await _departs(life)


async def _ordered_while_the_registry_is_away(life: WholeLife) -> None:
    """REG-2: due in seven working days, of which Whit Monday is none; the registry is closed."""
    life.net.sandbox.faults.at_greeting += [Fault.REFUSE_GREETING]
    outcome = life.place()
    assert outcome.done, outcome.reasons
    ran = await life.runner.run_due()
    assert (ran.done, ran.waiting) == (0, 1)
    assert life.state().life is Life.ORDERED
    life.answers("REFUSED")
    assert life.theirs() is None
    with life.database.read() as session:
        [due] = worklist.worklist(session, life.clock.now, kinds=["forward-order"])
    assert due.due.date() == date(2026, 6, 1)
    assert not due.alarming


async def _created(life: WholeLife) -> None:
    """Served before it is created; REG-4: the term begins at the registry, the customer is told."""
    await life.pass_time(days=4)
    state = life.state()
    assert state.life is Life.REGISTERED, life.work()
    assert life.work("due") == []
    assert life.registered().expires_at == state.registry_expires
    assert set(state.name_servers) == set(NAME_SERVERS)
    assert life.net.commits("CreateDomain") == 1
    life.answers("ns1.example.net.")
    life.answers("ns1.example.net. ns2.example.net.", rtype="NS")
    assert "registered" in life.told()
    assert state.contract_last_day == date(2027, 5, 26)


async def _hidden_primary(life: WholeLife) -> None:
    """The content comes by transfer from the customer's server, which is in no NS record."""
    booking = StoredBooking("n", "solodomain")
    with life.database.write() as session:
        outcome = changing.change_product(
            session, life.desk, NAME, booking, Mode.HIDDEN_PRIMARY, now=life.clock.now, actor="e"
        )
        assert outcome.done
        secondaries.set_primaries(session, APEX, [Primary("127.0.0.1", life.primary.port)])
    life.answers("77")
    assert life.primary.transfers == 1
    await life.pass_time(hours=1)
    life.registered()  # the delegation is what it was
    life.answers("ns1.example.net. ns2.example.net.", rtype="NS")
    life.primary.publish(at(78), life.server.remote())
    life.answers("78")
    life.answers("192.0.2.78", question=f"www.{NAME}", rtype="A")


async def _renewed(life: WholeLife) -> None:
    """REG-5: the registry renews by itself, we see it, and the contract goes on by a year."""
    before = life.state().registry_expires
    assert before is not None
    await life.pass_time(days=370)
    await life.pass_time(hours=2)
    state = life.state()
    assert life.registered().expires_at == state.registry_expires
    assert state.registry_expires is not None
    assert state.registry_expires > before
    life.answers("78")
    assert state.assumed == ()
    assert state.contract_last_day == date(2028, 5, 26)
    assert "expiry-notice" in life.told()


async def _cancelled(life: WholeLife) -> None:
    """REG-11: without the close request it counts as not declared; with it, it counts."""
    outcome = life.act(Action.CANCEL, wish=facts.CancellationReceived(life.clock.now))
    assert [reason.rule for reason in outcome.reasons] == ["document-missing"]
    assert life.state().contract is ContractState.RUNNING
    assert life.state().missing_documents == ("close-request",)
    await life.pass_time(days=3)
    life.registered()
    life.answers("78")
    life.record(facts.DocumentReceived(life.clock.now, "close-request"))
    assert life.state().contract is ContractState.CANCELLED
    assert "cancellation-confirmed" in life.told()
    await life.pass_time(hours=1)
    life.registered()  # to the end of the term
    life.answers("78")


async def _in_redemption(life: WholeLife) -> None:
    """REG-12: given back at the end of the term, confirmed by a second person; still answered."""
    await life.pass_time(days=365)
    assert life.state().life is Life.CLOSING
    life.registered()
    life.answers("78")
    assert [reason.rule for reason in life.act(Action.GIVE_BACK, actor="erika").reasons] == [
        "same-person"
    ]
    assert life.act(Action.GIVE_BACK, actor="karl").done
    await life.pass_time(hours=1)
    state = life.state()
    assert state.life is Life.REDEMPTION
    assert state.assumed == ()
    theirs = life.theirs()
    assert theirs is not None
    assert theirs.stage is Stage.REDEMPTION
    assert state.delegation is Delegation.LEAVING
    life.answers("78")  # caches lead to us still
    life.record(facts.DelegationGone(life.clock.now, 3600))
    await life.pass_time(hours=2)
    life.answers("REFUSED")


async def _restored(life: WholeLife) -> None:
    """The registry gets its request and its report; the archive is served again."""
    assert life.act(Action.RESTORE).done
    await life.pass_time(hours=1)
    assert life.work("failed") == []
    state = life.state()
    assert state.life is Life.REGISTERED
    assert state.contract is ContractState.RUNNING
    life.registered()
    assert life.net.commits("RestoreDomain") == 2  # the request, and the report
    life.answers("78")


async def _kept_for_arrears(life: WholeLife) -> None:
    """REG-13: with a debt for a past period and on hold, the transfer away is refused."""
    life.record(facts.ArrearsReported(life.clock.now, 10_000, date(2028, 1, 1)))
    assert life.act(Action.SUSPEND).done
    await life.pass_time(hours=1)
    life.registered(Status.CLIENT_HOLD)
    assert life.state().payment is Payment.SUSPENDED
    refused = life.act(Action.TRANSFER_OUT)
    assert "lien" in {reason.rule for reason in refused.reasons}
    life.answers("78")  # it is the parent that no longer leads here
    life.record(facts.ArrearsSettled(life.clock.now))
    await life.pass_time(hours=1)
    life.registered()
    life.answers("78")


async def _departs(life: WholeLife) -> None:
    """Allowed then: with the code it goes, is served until the parent has moved, and then is not."""
    await life.pass_time(days=61)
    outcome = life.act(Action.TRANSFER_OUT)
    assert outcome.done, outcome.reasons
    await life.pass_time(hours=1)
    await _request(life, outcome.auth)
    await life.pass_time(hours=1)
    assert life.state().transfer.value == "pendingTransfer"
    assert life.registered().transfer is not None
    life.answers("78")
    await life.pass_time(days=5)
    await life.pass_time(hours=1)
    state = life.state()
    life.registered(sponsor=OTHERS)
    assert state.life is Life.TRANSFERRED_AWAY
    assert state.assumed == ()
    assert not state.left_despite_lien
    assert "transferred-away" in life.told()
    life.answers("78")  # until the parent has moved, and caches have heard of it
    life.record(facts.DelegationGone(life.clock.now, DAY), actor="departure check")
    await life.pass_time(hours=23)
    life.answers("78")
    await life.pass_time(hours=2)
    life.answers("REFUSED")
    life.registered(sponsor=OTHERS)
    with life.database.read() as session:
        left = {item.kind.value for item in worklist.worklist(session, life.clock.now)}
    assert left == {"invoice", "contract-end"}  # the term is unaffected (REG-9)
    assert life.work("failed") == []


async def _request(life: WholeLife, auth: str) -> None:
    async with life.net.client(OTHERS) as others:
        asked: Any = await others.transfer(TransferOperation.REQUEST, NAME, trid="O-1", auth=auth)
        assert isinstance(asked, Pending), asked
