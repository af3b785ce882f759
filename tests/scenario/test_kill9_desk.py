"""The desk killed with SIGKILL while it works at a registry over EPP, at each end of a domain.

The registry is a sandbox in the test's process, the desk a process of its own. It dies before the
registry has done what it was told, after that and before it hears of it, or before it has written
the answer down; another process goes on.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from registrar.actions import Action
from registrar.commands import TransferOperation
from registrar.connector import Pending
from registrar.desk import accounts, daily, polling, registrations, zone_service
from registrar.desk.daily import daily_run
from registrar.desk.departures import Referral, watch
from registrar.desk.runner import Runner
from registrar.epp.sandbox import Fault
from registrar.facts import DisputeClosed, DisputeOpened
from registrar.file_registry.state import DomainRecord, Stage
from registrar.model import Life
from storage import journal, notices
from storage.database import Database
from tests.desk_world import NAME, DeskWorld, desk
from tests.epp_world import Network, network
from tests.peers.forked import context
from tests.peers.waiting import wait_until
from tests.registry_world import OTHERS
from tests.scenario.test_desk_faults import copy_of

FAULTS: Final = {"unsent": Fault.HANG_BEFORE, "unheard": Fault.HANG_AFTER}
PATIENT: Final = 60.0  # seconds for a reply: longer than any of these processes lives
LEASE_OVER: Final = timedelta(minutes=11)


def die(*_: object, **__: object) -> None:
    """End as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


def work(url: str, now: datetime, dies_in: str) -> None:
    """Be the desk: do what is due, take messages in, do the daily run, or die on the way."""
    if dies_in == "books":
        Runner._conclude = die  # type: ignore[method-assign]
    if dies_in == "message":
        polling.take_in = die  # type: ignore[assignment]
    if dies_in == "zone":
        zone_service.apply = die  # type: ignore[assignment]
    database = Database.open(url)
    runner = Runner(database, desk(), clock=lambda: now)

    async def everything() -> None:
        await runner.run_due()
        await runner.poll()
        daily.daily_run(database, desk(), now)

    asyncio.run(everything())


class Killing(DeskWorld):
    """A desk at a sandbox, whose processes are killed in one of the three ways."""

    def __init__(self, database: Database, net: Network, how: str) -> None:
        super().__init__(database)
        self.net = net
        self.how = how
        self.clock = net.clock
        self.runner = Runner(database, self.desk, clock=self.clock)

    async def killed_at(self, command: str, dies_in: str = "books") -> None:
        """Have a process die over a command, and another one go on when the lease is over."""
        fault = FAULTS.get(self.how)
        if fault is not None:
            self.net.sandbox.faults.at_command.append((command, fault))
        await self.dies("" if fault else dies_in)
        self.clock.now += LEASE_OVER
        await self.go_on()

    async def dies(self, dies_in: str) -> None:
        """Have a process die, of itself or at the fault that is to come."""
        told = (self.database.url, self.clock.now, dies_in)
        process = context().Process(target=work, args=told, daemon=True)
        process.start()
        if not dies_in:
            faults = self.net.sandbox.faults.at_command
            await asyncio.to_thread(wait_until, lambda: not faults, "it is over the command", 40)
            process.kill()
        await asyncio.to_thread(process.join, 40)
        assert process.exitcode == -signal.SIGKILL

    async def go_on(self) -> None:
        """Do what is due, and take in what the registry tells."""
        for _ in range(2):
            await self.runner.run_due()
            await self.runner.poll()
            daily_run(self.database, self.desk, self.clock.now)
        assert self.work("due") == []
        assert self.work("failed") == []
        with self.database.read() as session:
            assert journal.unsettled(session, "sandbox") == []

    async def forward(self, **time: float) -> None:
        """Let time pass, and do what it brings."""
        self.clock.forward(**time)
        daily_run(self.database, self.desk, self.clock.now)
        await self.go_on()

    async def asked_for(self, auth: str, trid: str) -> None:
        """Have another registrar ask for the domain, and hear of it."""
        async with self.net.client(OTHERS) as others:
            asked: Any = await others.transfer(
                TransferOperation.REQUEST, NAME, trid=trid, auth=auth
            )
        assert isinstance(asked, Pending), asked
        await self.forward(hours=1)
        assert self.state().transfer.value == "pendingTransfer"

    def theirs(self) -> DomainRecord:
        """Return the domain as the registry has it."""
        return self.net.sandbox.registry.state.domains[NAME]

    def facts(self) -> Counter[str]:
        """Return how often each thing has happened, as the books say."""
        with self.database.read() as session:
            entry = registrations.get(session, NAME)
            return Counter(known.fact.event for known in registrations.facts_of(session, entry))

    def told(self) -> Counter[str]:
        """Return how often the customer was told of each thing."""
        with self.database.read() as session:
            return Counter(notice.kind for notice in notices.list_notices(session))


@pytest.fixture
async def net(tmp_path: Path) -> AsyncIterator[Network]:
    """A sandbox that listens."""
    async with network(tmp_path) as made:
        yield made


@pytest.mark.requirement("REG-9")
@pytest.mark.requirement("REG-12")
@pytest.mark.parametrize("how", ["unsent", "unheard", "unwritten"])
async def test_killed_at_each_end_of_a_domain(
    empty_sqlite: Path, tmp_path: Path, net: Network, how: str
) -> None:
    """Deletion, restore, transfers away and departure: each happens once, and the life goes on."""
    database = copy_of(empty_sqlite, tmp_path)
    world = Killing(database, net, how)
    world.set_up()
    with database.write() as session:
        account = net.desk_account(reply_timeout=PATIENT)
        accounts.add(session, account, now=world.clock.now, actor="erika")
    assert world.place().done
    await world.killed_at("CreateDomain")
    await _deleted_and_restored(world)
    await _transfer_rejected(world)
    await _departed(world)
    await world.runner.close()
    database.close()


async def _deleted_and_restored(world: Killing) -> None:
    await world.forward(days=10)  # past the days in which a deletion undoes the registration
    assert world.act(Action.DELETE, actor="erika").done
    assert world.act(Action.GIVE_BACK, actor="karl").done
    await world.killed_at("DeleteDomain")
    assert world.state().life is Life.REDEMPTION
    assert world.theirs().stage is Stage.REDEMPTION
    assert world.act(Action.RESTORE).done
    await world.killed_at("RestoreDomain")
    assert world.state().life is Life.REGISTERED
    assert world.theirs().stage is Stage.REGISTERED
    assert world.net.commits("CreateDomain") == world.net.commits("DeleteDomain") == 1
    assert world.net.commits("RestoreDomain") == 2  # the request, and the report
    assert {"deleted": 1, "restored": 1}.items() <= world.facts().items()
    assert world.answer().startswith("ns1.example.net.")


async def _transfer_rejected(world: Killing) -> None:
    await world.forward(days=61)
    auth = world.act(Action.TRANSFER_OUT).auth
    await world.killed_at("SetAuth")  # set again to the same: nobody can read a code back
    assert world.net.commits("SetAuth") == 1 + (world.how == "unheard")
    await world.asked_for(auth, "O-1")
    world.record(DisputeOpened(world.clock.now, "UDRP 17"))
    assert world.act(Action.REJECT_TRANSFER).done
    await world.killed_at("TransferDomain")
    assert world.state().life is Life.REGISTERED
    assert world.facts()["transfer rejected"] == 1
    transfer = world.theirs().transfer
    assert transfer is not None
    assert transfer.status.value == "clientRejected"
    world.record(DisputeClosed(world.clock.now))


async def _departed(world: Killing) -> None:
    await world.forward(days=61)
    auth = world.act(Action.TRANSFER_OUT).auth
    await world.go_on()
    await world.asked_for(auth, "O-2")
    world.clock.forward(days=5, hours=1)
    await world.killed_at("Acknowledge", "message")
    assert world.state().life is Life.TRANSFERRED_AWAY
    assert world.facts()["transferred away"] == 1
    assert world.told()["transferred-away"] == 1
    assert world.answer().startswith("ns1.example.net.")
    moved = Referral(frozenset({"ns.example.com"}), 3600)
    assert watch(world.database, world.desk, world.clock.now, lambda _: moved) == [NAME]
    world.clock.forward(hours=2)
    await world.dies("zone")
    assert world.answer().startswith("ns1.example.net.")  # what was not done whole was not done
    await world.go_on()
    assert world.answer() == "REFUSED"
    assert world.told()["transferred-away"] == 1
