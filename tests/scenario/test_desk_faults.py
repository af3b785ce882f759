"""Whatever breaks between the desk and a registry, or the desk itself: each thing is done once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from registrar import facts
from registrar.actions import Action
from registrar.commands import TransferOperation
from registrar.connector import Outcome, RegistryConnector
from registrar.desk import (
    accounts,
    changing,
    contacts,
    recording,
    registrations,
    store_journal,
)
from registrar.desk.accounts import Account
from registrar.desk.runner import Runner
from registrar.desk.store_journal import StoreJournal
from registrar.epp.client import EppClient
from registrar.epp.sandbox import Fault
from registrar.file_registry import FileRegistry
from registrar.model import Life
from registrar.statuses import Status
from storage import jobs, journal, registry_accounts
from storage.database import Database
from tests.desk_world import NAME, DeskWorld
from tests.epp_world import TLDS, Network, network
from tests.registry_world import OTHERS, OURS, domain

AT_COMMAND = [fault for fault in Fault if "GREETING" not in fault.name]


class Killed(BaseException):
    """The process is gone."""


class Mortal:
    """A connector whose process dies at one of its calls, before or after the registry's part."""

    def __init__(self, inner: RegistryConnector, at: int, *, after: bool) -> None:
        self._inner = inner
        self._left = at
        self._after = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def perform(self, command: Any, trid: str) -> Outcome[Any]:
        """Pass a command on, or die."""
        self._left -= 1
        if self._left == 0 and not self._after:
            raise Killed
        outcome: Outcome[Any] = await self._inner.perform(command, trid)
        if self._left == 0:
            raise Killed
        return outcome


@pytest.fixture
async def net(tmp_path: Path) -> AsyncIterator[Network]:
    """A sandbox that listens."""
    async with network(tmp_path) as made:
        yield made


def by_epp(database: Database, net: Network) -> Callable[[Account], RegistryConnector]:
    """Return how the desk comes to the sandbox, quick to try again."""

    def connect(account: Account) -> RegistryConnector:
        journal = StoreJournal(database, account.id, net.clock)
        return EppClient(net.account(), journal, clock=net.clock)

    return connect


def at_desk(database: Database, net: Network) -> DeskWorld:
    """Return a desk with an account; the clock is the sandbox's."""
    world = DeskWorld(database)
    world.clock = net.clock
    world.set_up()
    account = Account("sandbox", "epp", OURS, TLDS, host="127.0.0.1", password="x")
    with database.write() as session:
        accounts.add(session, account, now=world.clock.now, actor="erika")
    return world


async def carry_on(runner: Runner, world: DeskWorld) -> None:
    """Go at the work again and again, with time between, until it is done."""
    for _ in range(8):
        await runner.run_due()
        if not world.work("due"):
            return
        world.clock.forward(hours=1)
    raise AssertionError(world.work("due"))


@pytest.mark.requirement("REG-1")
@pytest.mark.parametrize("fault", AT_COMMAND, ids=lambda fault: fault.name)
async def test_one_registration_whatever_the_reply(
    empty_sqlite: Path, tmp_path: Path, net: Network, fault: Fault
) -> None:
    """A lost, late, cut or garbled reply to a create leads to exactly one registration."""
    database = copy_of(empty_sqlite, tmp_path)
    world = at_desk(database, net)
    net.sandbox.faults.at_command += [("CreateDomain", fault)]
    runner = Runner(database, world.desk, clock=world.clock, connect=by_epp(database, net))
    assert world.place().done
    await carry_on(runner, world)
    await runner.close()
    assert world.state().life is Life.REGISTERED
    assert net.commits("CreateDomain") == 1
    assert world.work("failed") == []
    database.close()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_killed_at_any_command(empty_sqlite: Path, tmp_path: Path, *, after: bool) -> None:
    """Killed before or after any command of an order, the work goes on from where it was."""
    for at in range(1, 15):
        folder = tmp_path / f"{at}"
        folder.mkdir()
        database = copy_of(empty_sqlite, folder)
        world, path = DeskWorld(database).set_up(), folder / "registry.json"
        file = Account("file", "file", OURS, ("org",), path=str(path))
        with database.write() as session:
            accounts.add(session, file, now=world.clock.now, actor="erika")
        registry = FileRegistry(path, client=OURS, clock=world.clock)
        assert world.place().done
        mortal: Any = Mortal(registry, at, after=after)
        runner = Runner(database, world.desk, clock=world.clock, connect=lambda _: mortal)  # noqa: B023
        died = False
        try:
            await runner.run_due()
        except Killed:
            died = True
        # Another process finds what that one left, when its lease is over.
        world.clock.forward(hours=1)
        await carry_on(Runner(database, world.desk, clock=world.clock), world)
        assert world.state().life is Life.REGISTERED
        with registry.opened() as opened:
            kinds = [commit.command for commit in opened.state.history]
        assert kinds.count("CreateDomain") == 1
        assert len(kinds) == len(set(kinds)) + 2, kinds  # two contacts, two hosts
        with database.read() as session:
            assert journal.unsettled(session, "file") == []
        database.close()
        if not died:
            assert at > 8
            return
    raise AssertionError("there are more commands than that")


async def test_a_registry_that_is_away_costs_no_order(database: Database, net: Network) -> None:
    """With no session to be had the work waits, with its reason, and is done when there is one."""
    world = at_desk(database, net)
    net.sandbox.faults.at_greeting += [Fault.CUT_GREETING]
    runner = Runner(database, world.desk, clock=world.clock, connect=by_epp(database, net))
    assert world.place().done
    ran = await runner.run_due()
    assert (ran.done, ran.waiting) == (0, 1)
    assert ran.reasons[0].startswith("example.org, check: ")
    assert (await runner.run_due()).waiting == 0  # not at once again
    world.clock.forward(seconds=31)
    assert (await runner.run_due()).done > 1
    await runner.close()
    assert world.state().life is Life.REGISTERED


@pytest.mark.requirement("REG-9")
@pytest.mark.parametrize("fault", [None, Fault.CUT_BEFORE, Fault.CUT_AFTER])
async def test_a_transfer_away_is_approved_early(
    empty_sqlite: Path, tmp_path: Path, net: Network, fault: Fault | None
) -> None:
    """It goes at once, and once; consented to twice or with a lost reply, it is the same."""
    database = copy_of(empty_sqlite, tmp_path)
    world = at_desk(database, net)
    runner = Runner(database, world.desk, clock=world.clock, connect=by_epp(database, net))
    assert world.place().done
    await runner.run_due()
    world.clock.forward(days=61)
    auth = world.act(Action.TRANSFER_OUT).auth
    await runner.run_due()
    async with net.client(OTHERS) as others:
        await others.transfer(TransferOperation.REQUEST, NAME, trid="O-1", auth=auth)
    await runner.poll()
    foreseen = world.act(Action.APPROVE_TRANSFER, dry_run=True)
    assert foreseen.effects == ("at the registry: transfer approve",)
    for _ in range(2):
        assert world.act(Action.APPROVE_TRANSFER).done
        world.clock.forward(seconds=1)
    if fault is not None:
        net.sandbox.faults.at_command += [("TransferDomain", fault)]
    await carry_on(runner, world)
    await runner.poll()
    await runner.close()
    assert world.state().life is Life.TRANSFERRED_AWAY
    assert net.sandbox.registry.state.domains[NAME].held.sponsor == OTHERS
    assert net.commits("TransferDomain") == 2  # asked for, and approved
    assert world.work("failed") == []
    told = [fact for fact in told_facts(world) if isinstance(fact, facts.TransferredAway)]
    assert [fact.registrar for fact in told] == [OTHERS]
    database.close()


@pytest.mark.requirement("REG-3")
async def test_a_name_that_is_taken_ends_the_order(database: Database, net: Network) -> None:
    """The registry's reason is kept, nothing is charged, the zone goes, and nothing is left to do."""
    theirs = net.sandbox.registry
    world = at_desk(database, net)
    from tests.registry_world import OTHERS

    theirs.perform(OTHERS, domain(), "O-1", world.clock.now)
    runner = Runner(database, world.desk, clock=world.clock, connect=by_epp(database, net))
    assert world.place().done
    await runner.run_due()
    await runner.close()
    state = world.state()
    assert state.life is Life.REJECTED
    assert "In use" in state.refusal
    assert state.contract.value == "none"
    assert world.work("due") == []
    assert world.answer() == "REFUSED"


async def test_what_a_registry_refuses_waits_for_somebody(database: Database, net: Network) -> None:
    """A refusal that is not the name's fault fails the work; what is behind it waits; then again."""
    world = at_desk(database, net)
    runner = Runner(database, world.desk, clock=world.clock, connect=by_epp(database, net))
    assert world.place().done
    holder = net.sandbox.registry.state.contacts["HOLDER-1"]
    holder.held.sponsor = OTHERS
    ran = await runner.run_due()
    assert ran.failed == 1
    assert "HOLDER-1: 2201" in ran.reasons[0]
    assert world.state().life is Life.PENDING_CREATE
    holder.held.sponsor = OURS
    with database.write() as session:
        [job] = jobs.listed(session, state=jobs.JobState.FAILED)
        jobs.retry(session, job.id, "nsctl-again", now=world.clock.now.timestamp())
    await runner.run_due()
    await runner.close()
    assert world.state().life is Life.REGISTERED


async def test_a_message_counts_once(database: Database, net: Network) -> None:
    """Taken in, and not acknowledged for a cut connection: it comes again, and changes nothing."""
    world = at_desk(database, net)
    net.sandbox.registry.state.reviewed.add(NAME)
    runner = Runner(database, world.desk, clock=world.clock, connect=by_epp(database, net))
    assert world.place().done
    await runner.run_due()
    assert world.state().life is Life.PENDING_CREATE
    world.clock.forward(hours=5)
    net.sandbox.registry.decide(NAME, approved=True, now=world.clock.now)
    net.sandbox.faults.at_command += [("Acknowledge", Fault.CUT_BEFORE)]
    taken = await runner.poll()
    await runner.poll()
    await runner.run_due()
    await runner.close()
    assert [polled.name for polled in taken] == [NAME]
    assert world.state().life is Life.REGISTERED
    with database.read() as session:
        assert len(registry_accounts.messages(session)) == 1
    told = [fact for fact in told_facts(world) if isinstance(fact, facts.Registered)]
    assert len(told) == 1


async def test_auth_codes_are_not_kept(database: Database, net: Network) -> None:
    """Neither journal nor work has a code once the registry was told it (REG-16)."""
    world = at_desk(database, net)
    runner = Runner(database, world.desk, clock=world.clock, connect=by_epp(database, net))
    assert world.place().done
    await runner.run_due()
    world.clock.forward(days=61)
    code = world.act(Action.TRANSFER_OUT).auth
    await runner.run_due()
    await runner.close()
    with database.read() as session:
        lines = journal.entries(session)
        work = jobs.listed(session)
    assert store_journal.HIDDEN in " ".join(line.command for line in lines)
    assert code not in " ".join(f"{line.command}{line.secret}{line.outcome}" for line in lines)
    assert all(not line.secret for line in lines)
    assert all(not job.secret for job in work)


async def test_two_runners_share_the_work(database: Database, net: Network) -> None:
    """Two processes at the same outbox do each thing once."""
    world = at_desk(database, net)
    names = [f"example{number}.org" for number in range(4)]
    for name in names:
        assert world.place(name).done
    pair = [
        Runner(database, world.desk, clock=world.clock, connect=by_epp(database, net))
        for _ in range(2)
    ]
    await asyncio.gather(*(runner.run_due() for runner in pair))
    await carry_on(pair[0], world)
    for runner in pair:
        await runner.close()
    for name in names:
        assert net.commits("CreateDomain", name) == 1
        assert world.state(name).life is Life.REGISTERED


def copy_of(empty: Path, folder: Path) -> Database:
    """Return an empty store of its own."""
    path = folder / "nsctl.db"
    path.write_bytes(empty.read_bytes())
    return Database.open(f"sqlite:///{path}")


def told_facts(world: DeskWorld) -> list[Any]:
    """Return the facts of the registration."""
    with world.database.read() as session:
        entry = registrations.get(session, NAME)
        return [known.fact for known in registrations.facts_of(session, entry)]


@pytest.mark.requirement("REG-16")
async def test_the_journal_forgets_an_erased_contact(database: Database, net: Network) -> None:
    """What registries were told of a contact goes with it; what was done to the domain stays."""
    net.sandbox.registry.state.contacts.clear()
    world = at_desk(database, net)
    runner = Runner(database, world.desk, clock=world.clock, connect=by_epp(database, net))
    assert world.place().done
    await runner.run_due()
    await runner.close()
    world.clock.forward(days=70)
    world.record(facts.TransferredAway(world.clock.now), actor="registry")
    with database.write() as session:
        assert "Hauptstr" in journal.entries(session, name="HOLDER-1")[0].command
        assert contacts.erase(session, "HOLDER-1", now=world.clock.now, actor="erika") == []
        assert journal.entries(session, name="HOLDER-1") == []
        assert journal.entries(session, name=NAME)


async def test_a_renewal_that_is_awaited_holds_nothing_up(database: Database, net: Network) -> None:
    """While the registry has not renewed a domain by itself, other work on it goes on."""
    world = at_desk(database, net)
    runner = Runner(database, world.desk, clock=world.clock, connect=by_epp(database, net))
    assert world.place().done
    await runner.run_due()
    with database.write() as session:
        entry = registrations.get(session, NAME)
        detail = {"at": world.state().registry_expires.isoformat()}  # type: ignore[union-attr]
        now = world.clock.now
        recording.add_job(session, entry, "renew", "early", now=now, detail=detail)
        hold = frozenset({Status.CLIENT_HOLD})
        changing.set_statuses(session, world.desk, NAME, add=hold, now=now, actor="erika")
    ran = await runner.run_due()
    await runner.close()
    assert (ran.done, ran.waiting, ran.failed) == (1, 1, 0)
    assert Status.CLIENT_HOLD in world.state().statuses
