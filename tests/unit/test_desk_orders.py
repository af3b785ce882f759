"""Orders and actions at the desk: all reasons, or facts with their effects, in one transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from registrar import facts
from registrar.actions import Action
from registrar.contact import ContactKind
from registrar.desk import acting, contacts, registrations
from registrar.errors import RegistrarError
from registrar.model import Life
from registrar.products import Booking
from storage import deadlines, jobs, notices, zones
from storage.database import Database
from tests.desk_world import ADMIN, CUSTOMER, HOLDER, NAME, DeskWorld
from zones.name import from_text
from zones.zone import Mode, Zone

APEX = from_text(NAME)


@pytest.fixture
def world(database: Database) -> DeskWorld:
    """A desk with two contacts."""
    return DeskWorld(database).set_up()


def test_an_order_prepares_its_zone_and_asks_the_registry(world: DeskWorld) -> None:
    """What is ordered has a zone that nobody is answered from, a check to do, and a deadline."""
    outcome = world.place()
    assert outcome.done
    assert outcome.state is not None
    assert outcome.state.life is Life.ORDERED
    with world.database.read() as session:
        entry = registrations.get(session, NAME)
        zone = zones.get_zone(session, APEX)
        [job] = jobs.listed(session)
        due = deadlines.listed(session)
    assert entry.life == "ordered"
    assert entry.made_zone
    assert zone.suspended
    assert (job.kind, job.name) == ("check", NAME)
    assert [item.deadline.kind for item in due] == ["forward-order"]


@pytest.mark.requirement("REG-6")
def test_an_order_is_refused_with_every_reason(world: DeskWorld) -> None:
    """A role for an Admin-C, no terms accepted, no such contact: all at once, nothing stored."""
    role = replace(ADMIN, id="NOBODY", name="Hostmaster", kind=ContactKind.PERSON)
    outcome = world.place(admin=role, terms_accepted=False)
    assert {reason.rule for reason in outcome.reasons} >= {
        "admin-not-a-person",
        "terms-not-accepted",
        "contact-unknown",
    }
    with world.database.read() as session:
        assert registrations.find(session, NAME) is None
        assert zones.find_zone(session, APEX) is None


def test_a_name_is_ordered_once(world: DeskWorld) -> None:
    """A second order of a name that is in the books is refused; after its end it is not."""
    assert world.place().done
    assert [reason.rule for reason in world.place().reasons] == ["name-here"]
    assert world.act(Action.WITHDRAW_ORDER).done
    with world.database.read() as session:
        assert zones.find_zone(session, APEX) is None
        assert {job.state.value for job in jobs.listed(session)} == {"cancelled"}
    world.clock.forward(hours=1)
    assert world.place().done


def test_a_zone_that_was_there_outlives_an_order_that_fails(world: DeskWorld) -> None:
    """Withdrawing a transfer to us does not delete the zone that we host for the domain."""
    with world.database.write() as session:
        zones.add_zone(session, Zone(APEX, customer=CUSTOMER), now=1.0, actor="")
    assert world.place(kind="transfer", forward=False).done
    world.act(Action.WITHDRAW_ORDER)
    with world.database.read() as session:
        assert not zones.get_zone(session, APEX).suspended


def test_a_dry_run_writes_nothing(world: DeskWorld) -> None:
    """What would follow is told, and nothing is stored."""
    world.place(forward=False)
    told = world.act(Action.CREATE, dry_run=True)
    assert told.reasons == ()
    assert not told.done
    assert "at the registry: create" in told.effects
    assert "zone: serve" in told.effects
    with world.database.read() as session:
        assert registrations.get(session, NAME).life == "ordered"
        assert len(jobs.listed(session)) == 1


def register(world: DeskWorld, name: str = NAME) -> None:
    """Have a domain ordered and registered, as if the registry had told so."""
    world.place(name)
    with world.database.write() as session:
        for fact in (
            facts.Sent(world.clock.now),
            facts.Registered(world.clock.now, world.clock.now + timedelta(days=365)),
        ):
            assert acting.record(
                session, world.desk, name, fact, now=world.clock.now, actor="registry"
            ).done


@pytest.mark.requirement("REG-4")
def test_a_registration_is_told_at_once(world: DeskWorld) -> None:
    """With the registry's word the zone is served, the term begins, and notices are due."""
    register(world)
    with world.database.read() as session:
        assert not zones.get_zone(session, APEX).suspended
        kinds = {notice.kind for notice in notices.pending(session)}
    assert kinds == {"registered", "contract-begun"}


@pytest.mark.requirement("REG-11")
def test_a_cancellation_without_its_documents_is_kept(world: DeskWorld) -> None:
    """It counts as not declared, the missing ones are listed; when they come it counts."""
    register(world, "example.de")
    world.clock.forward(days=90)
    outcome = world.act(Action.CANCEL, "example.de")
    assert [reason.rule for reason in outcome.reasons] == ["document-missing"]
    assert outcome.kept
    assert not outcome.done
    with world.database.write() as session:
        told = acting.document(
            session, world.desk, "example.de", "close-request", now=world.clock.now, actor="karl"
        )
    assert "contract: running → cancelled" in told.steps


def test_four_eyes(world: DeskWorld) -> None:
    """Who orders a deletion does not confirm it; another person does, and work follows."""
    register(world)
    world.clock.forward(days=90)
    assert world.act(Action.DELETE).done
    assert [reason.rule for reason in world.act(Action.GIVE_BACK).reasons] == ["same-person"]
    outcome = world.act(Action.GIVE_BACK, actor="karl")
    assert outcome.done, outcome.reasons
    assert outcome.state is not None
    assert outcome.state.life is Life.REDEMPTION
    with world.database.read() as session:
        kinds = [job.kind for job in reversed(jobs.listed(session))]
    assert kinds[-2:] == ["remove DS", "delete"]


def test_an_auth_code_is_told_once_and_stored_as_a_hash(world: DeskWorld) -> None:
    """The code is in the outcome; the store has its hash, and the secret of the work to do."""
    register(world)
    world.clock.forward(days=90)
    outcome = world.act(Action.TRANSFER_OUT)
    assert len(outcome.auth) >= 8
    assert outcome.auth not in repr(outcome)
    with world.database.read() as session:
        entry = registrations.get(session, NAME)
        [job] = [job for job in jobs.listed(session) if job.kind == "set auth"]
        told = [dict(notice.data) for notice in notices.pending(session)]
    assert entry.auth_hash
    assert outcome.auth not in entry.auth_hash
    assert job.secret == outcome.auth
    assert outcome.auth not in str(told)


@pytest.mark.requirement("REG-6")
def test_changed_contacts_are_due_at_the_registry(world: DeskWorld) -> None:
    """A changed contact is work for each domain that it serves, due within seven days."""
    register(world)
    moved = replace(HOLDER, street=("Nebenstraße 2",))
    with world.database.write() as session:
        told = contacts.update(session, world.desk, moved, now=world.clock.now, actor="erika")
    assert told == [NAME]
    with world.database.read() as session:
        kinds = {item.deadline.kind for item in deadlines.listed(session)}
        work = [job.kind for job in jobs.listed(session)]
    assert "forward-contact-change" in kinds
    assert "update contacts" in work


def test_bad_contacts_are_refused_with_every_fault(world: DeskWorld) -> None:
    """All faults of a contact are told at once."""
    bad = replace(HOLDER, id="X", phone="12", email="nobody", country="XX")
    with world.database.write() as session, pytest.raises(RegistrarError) as caught:
        contacts.add(session, bad, customer=CUSTOMER, now=world.clock.now, actor="erika")
    assert len(caught.value.reasons) >= 3


@pytest.mark.requirement("REG-16")
def test_a_contact_is_erased_once_nothing_needs_it(world: DeskWorld) -> None:
    """While a domain has it, it stays, with the reason; afterwards only its id is left."""
    register(world)
    with world.database.write() as session:
        reasons = contacts.erase(session, HOLDER.id, now=world.clock.now, actor="erika")
        assert [reason.rule for reason in reasons] == ["contact-in-use"]
        gone = facts.TransferredAway(world.clock.now)
        acting.record(session, world.desk, NAME, gone, now=world.clock.now, actor="registry")
        assert contacts.erase(session, HOLDER.id, now=world.clock.now, actor="erika") == []
        left = contacts.get(session, HOLDER.id)
    assert left.erased_at is not None
    assert left.contact.organisation == ""


def test_unknown_names_are_guessed_at(world: DeskWorld) -> None:
    """A name that is not in the books is answered with the one that may have been meant."""
    world.place()
    with pytest.raises(RegistrarError, match=r"did you mean example\.org"):
        world.act(Action.RENEW, "exampel.org")


def test_a_mode_that_the_product_does_not_allow(world: DeskWorld) -> None:
    """A product without name servers of its own is refused with hidden primary (DNS-8)."""
    booking = Booking(world.desk.policies.catalogues["n"], "homepage-basic")
    outcome = world.place(booking=booking, mode=Mode.HIDDEN_PRIMARY)
    assert "product-without-name-server" in {reason.rule for reason in outcome.reasons}
