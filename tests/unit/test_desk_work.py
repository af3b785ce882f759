"""The work of the desk in a serving process, and what billing and the law want of it."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from nameserver.desk_work import DeskWork
from nameserver.settings import Settings
from registrar import facts
from registrar.actions import Action
from registrar.desk import accounts, billing, recording, registrations, worklist
from registrar.desk.accounts import Account
from registrar.desk.billing import Arrears
from registrar.desk.daily import daily_run
from registrar.desk.retention import erase_due
from registrar.desk.runner import Runner
from registrar.errors import RegistrarError
from registrar.model import Command, ContractState, Life, Payment
from storage import contacts, deliveries, events, jobs
from storage.database import Database
from tests.desk_world import CUSTOMER, HOLDER, NAME, DeskWorld
from tests.peers.waiting import wait_until
from tests.registry_world import OURS


@pytest.fixture
def world(database: Database) -> DeskWorld:
    """A desk with two contacts."""
    return DeskWorld(database).set_up()


def with_epp(world: DeskWorld) -> None:
    """Open an account at a registry over EPP that nobody answers for."""
    account = Account("epp", "epp", OURS, ("org",), host="127.0.0.1", port=9, password="x")
    with world.database.write() as session:
        accounts.add(session, account, now=world.clock.now, actor="erika")


async def test_what_epp_cannot_say_fails_at_once(world: DeskWorld) -> None:
    """TRANSIT over EPP is not tried again and again: it fails with what can be done instead."""
    with_epp(world)
    registered(world)
    with world.database.write() as session:
        entry = registrations.get(session, NAME)
        jobs.cancel_all(session, entry.id, "not of this test", now=0.0)
        recording.add_job(session, entry, Command.TRANSIT, "test", now=world.clock.now)
    runner = Runner(world.database, world.desk, clock=lambda: world.clock.now)
    ran = await runner.run_due()
    await runner.close()
    assert (ran.done, ran.waiting, ran.failed) == (0, 0, 1)
    assert "EPP has no TRANSIT" in ran.reasons[0]
    assert "own means" in ran.reasons[0]
    assert world.work("failed") == [Command.TRANSIT]
    assert world.work("due") == []


def test_registrations_with_name_servers_below_a_domain_are_found(world: DeskWorld) -> None:
    """At it or below it, in whole labels; not the domain's own registration, and no ended one."""
    for name in (NAME, "example.com"):
        assert world.place(name).done
    with world.database.read() as session:
        assert registrations.delegated_to(session, "example.net") == ["example.com", NAME]
        assert registrations.delegated_to(session, "ns1.example.net") == ["example.com", NAME]
        for other in ("ample.net", "example.ne", "s1.example.net", "_s1.example.net"):
            assert registrations.delegated_to(session, other) == []
    world.act(Action.WITHDRAW_ORDER)
    with world.database.read() as session:
        assert registrations.delegated_to(session, "example.net") == ["example.com"]


def with_file(world: DeskWorld, folder: Path) -> None:
    """Open an account at a registry in a file."""
    account = Account("file", "file", OURS, ("org",), path=str(folder / "registry.json"))
    with world.database.write() as session:
        accounts.add(session, account, now=world.clock.now, actor="erika")


async def test_a_serving_process_does_what_is_due(world: DeskWorld, tmp_path: Path) -> None:
    """With ``[desk] work`` an order is registered, and the customer told, without further ado."""
    with_file(world, tmp_path)
    settings = Settings.model_validate(
        {
            "database": world.database.url,
            "hosted": {"nameservers": ["ns1.example.net", "ns2.example.net"]},
            "desk": {"work": True, "work_every": 0.05},
        }
    )
    work = DeskWork(world.database, settings, time.time)
    work.start()
    try:
        world.clock.now = datetime.now(UTC)
        assert world.place().done
        wait_until(lambda: life_of(world) is Life.REGISTERED, "the domain is registered", 20)
        wait_until(lambda: bool(sent_to(world)), "the holder is told", 20)
    finally:
        await work.stop()
    assert HOLDER.email in sent_to(world)


def life_of(world: DeskWorld) -> Life:
    """Return how the registration stands by the clock on the wall."""
    world.clock.now = datetime.now(UTC)
    return world.state().life


def sent_to(world: DeskWorld) -> set[str]:
    """Return to whom something is on its way."""
    with world.database.read() as session:
        return {one.recipient for one in deliveries.due(session, time.time() + 60)}


def test_without_work_nothing_is_begun(world: DeskWorld) -> None:
    """A process that is not to do the work has no thread for it."""
    work = DeskWork(world.database, Settings(database=world.database.url), time.time)
    work.start()
    assert work._thread is None


def registered(world: DeskWorld) -> None:
    """Have a domain registered."""
    assert world.place().done
    world.record(facts.Sent(world.clock.now))
    expires = world.clock.now.replace(year=world.clock.now.year + 1)
    world.record(facts.Registered(world.clock.now, expires), actor="registry")


@pytest.mark.requirement("REG-15")
@pytest.mark.requirement("REG-14")
def test_arrears_come_and_go(world: DeskWorld) -> None:
    """A list of arrears begins dunning, the same again does nothing, one without him settles."""
    registered(world)
    owed = [Arrears(CUSTOMER, 7_500, date(2026, 5, 1)), Arrears("nobody", 1, date(2026, 5, 1))]

    def bring(rows: list[Arrears]) -> billing.ArrearsImport:
        world.clock.forward(hours=1)
        with world.database.write() as session:
            return billing.import_arrears(
                session, world.desk, rows, now=world.clock.now, actor="billing"
            )

    first = bring(owed)
    assert (first.customers, first.registrations, first.unknown) == (1, 1, ("nobody",))
    assert world.state().payment is Payment.DUNNING
    assert world.act(Action.SUSPEND, dry_run=True).reasons == ()  # 75 EUR are enough
    assert bring(owed).customers == 0
    assert bring([]).settled == 1
    assert world.state().payment is Payment.CLEAR
    with pytest.raises(RegistrarError) as caught:
        bring([Arrears(CUSTOMER, 0, date(2026, 5, 1)), Arrears(CUSTOMER, 5, date(2100, 1, 1))])
    assert len(caught.value.reasons) == 3


@pytest.mark.requirement("REG-15")
def test_fees_that_fall_due(world: DeskWorld) -> None:
    """A fee is due from the registration on, and a year later once that year is paid."""
    registered(world)
    with world.database.write() as session:
        [fee] = billing.due_fees(session, world.desk, until=date(2026, 6, 1))
        assert (fee.begins, fee.months, fee.customer) == (date(2026, 5, 22), 12, CUSTOMER)
        through = date(2027, 5, 21)
        now = world.clock.now
        billing.paid(session, world.desk, NAME, through, now=now, actor="billing")
        assert billing.due_fees(session, world.desk, until=date(2026, 6, 1)) == []
        [fee] = billing.due_fees(session, world.desk, until=date(2027, 6, 1))
    assert fee.begins == date(2027, 5, 22)


@pytest.mark.requirement("REG-2")
def test_deadlines_are_told_of_once(world: DeskWorld) -> None:
    """An order that lies about is alarmed on its fifth working day, before it is overdue."""
    world.place()
    world.clock.forward(days=6)
    assert daily_run(world.database, world.desk, world.clock.now).alarms == 0
    world.clock.forward(days=1)
    daily = daily_run(world.database, world.desk, world.clock.now)
    assert daily.alarms == 1
    assert daily_run(world.database, world.desk, world.clock.now).alarms == 0
    with world.database.read() as session:
        [item] = worklist.worklist(session, world.clock.now, alarming=True)
        [event] = [found for found in events.list_events(session) if found.kind == "deadline"]
    assert not item.overdue
    assert event.severity.value == "warning"


@pytest.mark.requirement("REG-16")
def test_what_nobody_may_keep_is_erased(world: DeskWorld) -> None:
    """Contacts go when the contract has ended, the books when they are old enough."""
    registered(world)
    world.clock.forward(days=70)
    world.record(facts.TransferredAway(world.clock.now), actor="registry")
    world.record(facts.DelegationGone(world.clock.now, 60))
    assert erase_due(world.database, world.desk, world.clock.now).contacts == ()  # the term runs on
    world.clock.forward(days=300)
    daily_run(world.database, world.desk, world.clock.now)
    assert world.state().contract is ContractState.ENDED
    assert erase_due(world.database, world.desk, world.clock.now).contacts == (
        "HOLDER-1",
        "ADMIN-1",
    )
    with world.database.read() as session:
        assert not contacts.get_contact(session, "HOLDER-1").data
        assert registrations.find(session, NAME) is not None
    world.clock.forward(days=366 * 7)
    assert erase_due(world.database, world.desk, world.clock.now).registrations == (NAME,)
    with world.database.read() as session:
        assert registrations.find(session, NAME) is None
