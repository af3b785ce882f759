"""The registry of our own: the life of a domain there, TLD by TLD, by the clock."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from registrar import commands as ask
from registrar.commands import TransferOperation
from registrar.connector import Done, Pending, Refused
from registrar.errors import RegistrarError
from registrar.file_registry import FileRegistry, Registry
from registrar.file_registry.state import State, dump, load
from registrar.file_registry.view import statuses
from registrar.objects import (
    ActionNotice,
    ContactRole,
    DomainContact,
    NameServer,
    Period,
    Renewed,
    SecDns,
    TransferState,
)
from registrar.statuses import RgpStatus, Status, TransferStatus, faults
from tests.epp_grammar import complaints
from tests.epp_world import EppWorld
from tests.registry_world import DS, HOLDER, KEY, OTHERS, OURS, START, Clock, World, domain, report
from tests.registry_world import set_up as set_up_world


@pytest.fixture(params=[World, EppWorld], ids=["asked directly", "asked in XML"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A registry with contacts and hosts, without domains; asked in XML it tells the same.

    All XML of both sides has to be by the formal syntax of EPP.
    """
    made: World = request.param()
    set_up_world(made)
    yield made
    if isinstance(made, EppWorld):
        assert complaints(made.seen) == []


@pytest.fixture
def direct() -> World:
    """A registry for what EPP cannot say."""
    made = World()
    set_up_world(made)
    return made


def test_create_and_info(world: World) -> None:
    """A new domain is there with all that was ordered, in its add grace period."""
    created = world.done(domain(period=Period(2)))
    assert created.expires_at == datetime(2028, 3, 2, 9, 30, tzinfo=UTC)
    info = world.info("example.org")
    assert info.sponsorship.sponsor == OURS
    assert info.statuses == {Status.OK}
    assert info.rgp_statuses == {RgpStatus.ADD_PERIOD}
    assert info.registrant == "HOLDER-1"
    assert info.contacts == (DomainContact(ContactRole.ADMIN, "ADMIN-1"),)
    assert [server.name for server in info.name_servers] == ["ns1.example.net", "ns2.example.net"]
    assert info.sec_dns == SecDns(ds=(DS,))
    assert info.auth is None, "an authorisation is never told"
    world.clock.forward(days=5)
    assert world.info("example.org").rgp_statuses == frozenset()


def test_check(world: World) -> None:
    """A check tells free names, taken ones, and those that cannot be registered."""
    world.done(domain())
    names = ("example.org", "free.org", "sub.example.org", "-bad.org", "example")
    answers = world.done(ask.CheckDomains(names))
    assert [answer.available for answer in answers] == [False, True, False, False, False]
    assert all(answer.reason for answer in answers if not answer.available)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": "example.org"}, 2302),
        ({"name": "www.example.org"}, 2306),
        ({"registrant": None}, 2003),
        ({"registrant": "NOBODY"}, 2303),
        ({"contacts": ()}, 2003),
        ({"name_servers": (NameServer("ns9.example.net"),)}, 2303),
        ({"name_servers": (NameServer("ns1.example.net"),) * 2}, 2306),
        ({"period": Period(11)}, 2004),
        ({"sec_dns": SecDns(keys=(KEY,))}, 2306),
    ],
)
def test_create_refused(world: World, changes: dict[str, Any], code: int) -> None:
    """A create that is not right is refused with the code of its fault, and changes nothing."""
    world.done(domain("example.org"))
    before = set(world.registry.state.domains)
    assert world.refused(domain(**{"name": "example.com", **changes})).code == code
    assert set(world.registry.state.domains) == before


def test_create_refused_that_epp_cannot_say(direct: World) -> None:
    """A name in capitals, and addresses beside a host object, are refused."""
    assert direct.refused(domain("EXAMPLE.com")).code == 2005
    glued = (NameServer("ns1.example.net", ("192.0.2.1",)),)
    assert direct.refused(domain(name_servers=glued)).code == 2306


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"period": Period(1)}, 2102),
        ({"name_servers": (NameServer("ns1.example.net"),)}, 2306),
        ({"name_servers": (NameServer("ns1.example.net"), NameServer("ns.example.de"))}, 2003),
        ({"sec_dns": SecDns(ds=(DS,))}, 2306),
    ],
)
def test_de_create_refused(world: World, changes: dict[str, Any], code: int) -> None:
    """.de has no period, wants two name servers with glue where they are in the zone, and keys."""
    assert world.refused(domain("example.de", **changes)).code == code


def test_idempotent_by_transaction_id(world: World) -> None:
    """The same command with the same id is carried out once and answered the same."""
    first = world.perform(domain(), trid="ORDER-1")
    history = len(world.registry.state.history)
    assert world.perform(domain(), trid="ORDER-1") == first
    assert len(world.registry.state.history) == history
    assert world.perform(domain(), trid="ORDER-2", client=OTHERS) != first


def test_forgetful_registry() -> None:
    """A registry as real ones are refuses what was sent twice."""
    world = World(Registry(remembering=False))
    set_up_world(world)
    assert isinstance(world.perform(domain(), trid="ORDER-1"), Done)
    again = world.perform(domain(), trid="ORDER-1")
    assert isinstance(again, Refused)
    assert again.code == 2302


def test_update(world: World) -> None:
    """Statuses, hosts, contacts, registrant and DNSSEC change together, or not at all."""
    world.done(domain())
    world.done(ask.CreateContact("HOLDER-2", HOLDER))
    new_ds = replace(DS, key_tag=54321)
    update = ask.UpdateDomain(
        "example.org",
        add=ask.DomainChange(
            contacts=(DomainContact(ContactRole.TECH, "ADMIN-1"),),
            statuses=frozenset({Status.CLIENT_HOLD}),
        ),
        remove=ask.DomainChange(name_servers=(NameServer("ns2.example.net"),)),
        registrant="HOLDER-2",
        sec_dns=ask.SecDnsChange(add=SecDns(ds=(new_ds,)), remove=SecDns(ds=(DS,))),
    )
    assert world.refused(update, OTHERS).code == 2201
    world.done(update)
    info = world.info("example.org")
    assert info.statuses == {Status.CLIENT_HOLD}
    assert info.name_servers == (NameServer("ns1.example.net"),)
    assert len(info.contacts) == 2
    assert info.registrant == "HOLDER-2"
    assert info.sec_dns.ds == (new_ds,)
    before = world.info("example.org")
    assert world.refused(update).code in (2303, 2306)
    assert world.info("example.org") == before


def test_no_name_servers_is_inactive(world: World) -> None:
    """A gTLD domain without name servers is registered and inactive."""
    world.done(domain(name_servers=()))
    assert world.info("example.org").statuses == {Status.INACTIVE}


def test_prohibitions(world: World) -> None:
    """A prohibition refuses its command; its own removal alone passes an update lock."""
    world.done(domain())
    locks = frozenset(
        {
            Status.CLIENT_UPDATE_PROHIBITED,
            Status.CLIENT_DELETE_PROHIBITED,
            Status.CLIENT_RENEW_PROHIBITED,
        }
    )
    world.done(ask.UpdateDomain("example.org", add=ask.DomainChange(statuses=locks)))
    expiry = world.info("example.org").expires_at.date()
    assert world.refused(ask.DeleteDomain("example.org")).code == 2304
    assert world.refused(ask.RenewDomain("example.org", expiry)).code == 2304
    assert world.refused(ask.UpdateDomain("example.org", registrant="ADMIN-1")).code == 2304
    world.done(ask.UpdateDomain("example.org", remove=ask.DomainChange(statuses=locks)))
    server_lock = ask.DomainChange(statuses=frozenset({Status.SERVER_HOLD}))
    assert world.refused(ask.UpdateDomain("example.org", add=server_lock)).code == 2306


def test_renew(world: World) -> None:
    """A renewal needs the expiry as it is: sent twice, it counts once."""
    world.done(domain())
    renew = ask.RenewDomain("example.org", datetime(2027, 3, 2, tzinfo=UTC).date(), Period(2))
    assert world.done(renew).expires_at == datetime(2029, 3, 2, 9, 30, tzinfo=UTC)
    assert world.refused(renew).code == 2105
    assert RgpStatus.RENEW_PERIOD in world.info("example.org").rgp_statuses
    too_far = replace(renew, current_expiry=datetime(2029, 3, 2, tzinfo=UTC).date())
    assert world.refused(replace(too_far, period=Period(9))).code == 2004


def test_auto_renew(world: World) -> None:
    """A gTLD domain that is not deleted is renewed by a year, with a message and 45 days' grace."""
    world.done(domain())
    world.clock.forward(days=365)
    info = world.info("example.org")
    assert info.expires_at == datetime(2028, 3, 2, 9, 30, tzinfo=UTC)
    assert info.rgp_statuses == {RgpStatus.AUTO_RENEW_PERIOD}
    [message] = world.messages()
    assert message.data == Renewed("example.org", info.expires_at)
    world.pending(ask.DeleteDomain("example.org"))
    assert world.info("example.org").expires_at == datetime(2027, 3, 2, 9, 30, tzinfo=UTC)


def test_delete_in_add_grace(world: World) -> None:
    """Within the add grace period a delete is at once and final (RFC 3915 2)."""
    world.done(domain())
    world.done(ask.DeleteDomain("example.org"))
    assert world.refused(ask.InfoDomain("example.org")).code == 2303


def test_redemption_to_release(world: World) -> None:
    """A deleted gTLD domain is 30 days in redemption, 5 in pendingDelete, then free."""
    world.done(domain())
    world.clock.forward(days=10)
    world.pending(ask.DeleteDomain("example.org"))
    info = world.info("example.org")
    assert info.statuses == {Status.PENDING_DELETE}
    assert info.rgp_statuses == {RgpStatus.REDEMPTION_PERIOD}
    assert world.refused(ask.UpdateDomain("example.org", registrant="ADMIN-1")).code == 2304
    assert world.refused(domain()).code == 2302
    world.clock.forward(days=30)
    assert world.info("example.org").rgp_statuses == {RgpStatus.PENDING_DELETE}
    assert world.refused(ask.RestoreDomain("example.org")).code == 2304
    world.clock.forward(days=5)
    assert world.refused(ask.InfoDomain("example.org")).code == 2303
    assert "deleted" in world.messages()[-1].text
    world.done(domain())


def test_restore_with_report(world: World) -> None:
    """A gTLD restore is a request and then a report, after which all is as before."""
    world.done(domain())
    world.clock.forward(days=10)
    world.pending(ask.DeleteDomain("example.org"))
    deleted = world.clock.forward(days=29)
    asked = world.done(ask.RestoreDomain("example.org"))
    assert asked.rgp_status is RgpStatus.PENDING_RESTORE
    told = report(deleted, world.clock.now)
    assert world.done(ask.RestoreDomain("example.org", told)).rgp_status is None
    assert world.info("example.org").statuses == {Status.OK}


def test_restore_without_report(world: World) -> None:
    """Without the report, redemption goes on after 7 days with what was left of it."""
    world.done(domain())
    world.clock.forward(days=10)
    world.pending(ask.DeleteDomain("example.org"))
    world.clock.forward(days=29)
    world.done(ask.RestoreDomain("example.org"))
    world.clock.forward(days=7)
    assert world.info("example.org").rgp_statuses == {RgpStatus.REDEMPTION_PERIOD}
    assert "No restore report" in world.messages()[-1].text
    world.clock.forward(days=1)
    assert world.info("example.org").rgp_statuses == {RgpStatus.PENDING_DELETE}


@pytest.mark.parametrize(("name", "days"), [("example.de", 30), ("example.eu", 40)])
def test_simple_redemption(world: World, name: str, days: int) -> None:
    """.de and .eu restore at once, within 30 and 40 days, and release without pendingDelete."""
    world.done(domain(name))
    world.pending(ask.DeleteDomain(name))
    world.clock.forward(days=days - 1)
    world.done(ask.RestoreDomain(name))
    assert world.info(name).statuses == {Status.OK}
    world.pending(ask.DeleteDomain(name))
    world.clock.forward(days=days)
    assert world.refused(ask.InfoDomain(name)).code == 2303


def _request(world: World, name: str, auth: str) -> TransferState:
    return world.pending(ask.TransferDomain(TransferOperation.REQUEST, name, auth), OTHERS)


def test_transfer_approved_by_time(world: World) -> None:
    """A gTLD transfer that nobody answers is approved after 5 days and adds a year."""
    world.done(domain())
    assert world.refused(
        ask.TransferDomain(TransferOperation.REQUEST, "example.org", "first-secret"), OTHERS
    ).code == 2304, "locked for 60 days"  # fmt: skip
    world.clock.forward(days=60)
    assert world.refused(
        ask.TransferDomain(TransferOperation.REQUEST, "example.org", "guess"), OTHERS
    ).code == 2202  # fmt: skip
    asked = _request(world, "example.org", "first-secret")
    assert asked.status is TransferStatus.PENDING
    assert world.info("example.org").statuses == {Status.PENDING_TRANSFER}
    assert world.refused(ask.DeleteDomain("example.org")).code == 2304
    world.clock.forward(days=5)
    info = world.info("example.org", OTHERS)
    assert info.sponsorship.sponsor == OTHERS
    assert info.expires_at == datetime(2028, 3, 2, 9, 30, tzinfo=UTC)
    assert info.rgp_statuses == {RgpStatus.TRANSFER_PERIOD}
    told = [message.data.status for message in world.messages()]
    assert told == [TransferStatus.PENDING, TransferStatus.SERVER_APPROVED]
    assert [message.data.status for message in world.messages(OTHERS)] == told[1:]


@pytest.mark.parametrize(
    ("operation", "client", "status"),
    [
        (TransferOperation.APPROVE, OURS, TransferStatus.CLIENT_APPROVED),
        (TransferOperation.REJECT, OURS, TransferStatus.CLIENT_REJECTED),
        (TransferOperation.CANCEL, OTHERS, TransferStatus.CLIENT_CANCELLED),
    ],
)
def test_transfer_answers(
    world: World, operation: TransferOperation, client: str, status: TransferStatus
) -> None:
    """The losing registrar approves or rejects, the gaining one cancels, and no other way round."""
    world.done(domain())
    world.clock.forward(days=60)
    _request(world, "example.org", "first-secret")
    answer = ask.TransferDomain(operation, "example.org")
    assert world.refused(answer, OTHERS if client == OURS else OURS).code == 2201
    assert world.done(answer, client).status is status
    sponsor = OTHERS if status is TransferStatus.CLIENT_APPROVED else OURS
    assert world.info("example.org", sponsor).sponsorship.sponsor == sponsor
    assert world.refused(answer, client).code == 2301
    query = ask.TransferDomain(TransferOperation.QUERY, "example.org")
    assert world.done(query, OTHERS).status is status


def test_transfer_prohibited(world: World) -> None:
    """A lock of the sponsor's refuses a transfer, even with the right code."""
    world.done(domain())
    world.clock.forward(days=60)
    lock = ask.DomainChange(statuses=frozenset({Status.CLIENT_TRANSFER_PROHIBITED}))
    world.done(ask.UpdateDomain("example.org", add=lock))
    request = ask.TransferDomain(TransferOperation.REQUEST, "example.org", "first-secret")
    refused = world.refused(request, OTHERS)
    assert refused.code == 2304
    assert "clientTransferProhibited" in str(refused)


def test_chprov(direct: World) -> None:
    """.de: with AuthInfo1 the provider changes at once; the code is good for 30 days and once."""
    direct.done(domain("example.de", auth=""))
    chprov = ask.TransferDomain(TransferOperation.REQUEST, "example.de", "auth-info-1")
    assert direct.refused(chprov, OTHERS).code == 2202
    too_long = (START + timedelta(days=31)).date()
    set_auth = ask.SetAuth("example.de", "auth-info-1", (START + timedelta(days=14)).date())
    assert direct.refused(replace(set_auth, valid_until=too_long)).code == 2004
    direct.done(set_auth)
    assert "auth-info-1" not in dump(direct.registry.state).decode()
    direct.clock.forward(days=15)
    assert direct.refused(chprov, OTHERS).code == 2202, "it has run out"
    direct.done(replace(set_auth, valid_until=None))
    direct.clock.forward(days=29)
    assert direct.done(chprov, OTHERS).status is TransferStatus.SERVER_APPROVED
    assert direct.info("example.de").sponsorship.sponsor == OTHERS
    assert [message.data.requested_by for message in direct.messages()] == [OTHERS]
    back = replace(chprov, operation=TransferOperation.REQUEST)
    assert direct.refused(back).code == 2202, "it was used"


def test_de_has_no_expiry(world: World) -> None:
    """.de: no expiry, no renewal, for as long as it pleases."""
    world.done(domain("example.de"))
    world.clock.forward(days=4000)
    assert world.info("example.de").expires_at is None
    assert world.refused(ask.RenewDomain("example.de", START.date())).code == 2101


def test_transit(direct: World) -> None:
    """.de: TRANSIT leaves the domain to the registry; nobody else has it."""
    direct.done(domain("example.de"))
    direct.done(domain())
    direct.done(ask.DeleteDomain("example.de", transit=True))
    assert direct.info("example.de").sponsorship.sponsor == "TRANSIT"
    assert direct.refused(ask.DeleteDomain("example.de")).code == 2201
    assert direct.refused(ask.DeleteDomain("example.org", transit=True)).code == 2102


def test_failed_delegation() -> None:
    """.de: failed name servers: no TRANSIT, and after 30 days deleted without redemption."""
    good = set[str]()
    world = World(Registry(delegation_check=lambda name, _servers: name in good))
    set_up_world(world)
    world.done(domain("lost.de"))
    world.done(domain("saved.de"))
    assert world.info("lost.de").delegation_failed
    assert world.refused(ask.DeleteDomain("lost.de", transit=True)).code == 2304
    world.clock.forward(days=29)
    good.add("saved.de")
    world.registry.check_delegations(world.clock.now)
    assert not world.info("saved.de").delegation_failed
    world.clock.forward(days=1)
    assert world.refused(ask.InfoDomain("lost.de")).code == 2303
    assert "failed" in world.messages()[-1].text
    world.info("saved.de")


@pytest.mark.parametrize("approved", [True, False])
def test_review(world: World, approved: bool) -> None:  # noqa: FBT001 (a parameter of the test)
    """A name under review is pendingCreate until it is decided; a message tells how it ended."""
    world.registry.state.reviewed.add("example.org")
    outcome = world.perform(domain(), trid="ORDER-1")
    assert isinstance(outcome, Pending)
    assert world.info("example.org").statuses == {Status.PENDING_CREATE}
    assert world.refused(ask.DeleteDomain("example.org")).code == 2304
    decided = world.clock.forward(days=3)
    world.registry.decide("example.org", approved=approved, now=decided)
    [message] = world.messages()
    assert isinstance(message.data, ActionNotice)
    assert (message.data.approved, message.data.client_trid) == (approved, "ORDER-1")
    assert message.data.server_trid == outcome.server_trid
    if approved:
        assert world.info("example.org").sponsorship.created_at == decided
    else:
        assert world.refused(ask.InfoDomain("example.org")).code == 2303


def test_hosts(world: World) -> None:
    """Host objects: glue below our domains, linked while they serve, moved with the domain."""
    world.done(domain())
    assert world.refused(ask.CreateHost("ns1.example.org")).code == 2003
    assert world.refused(ask.CreateHost("ns9.example.net", ("192.0.2.1",))).code == 2306
    assert world.refused(ask.CreateHost("ns1.example.org", ("192.0.2.1",)), OTHERS).code == 2201
    world.done(ask.CreateHost("ns1.example.org", ("192.0.2.1", "2001:db8::1")))
    assert world.refused(ask.CreateHost("ns1.example.org", ("192.0.2.1",))).code == 2302
    own = ask.DomainChange(name_servers=(NameServer("ns1.example.org"),))
    world.done(ask.UpdateDomain("example.org", add=own))
    assert world.done(ask.InfoHost("ns1.example.org")).statuses == {Status.OK, Status.LINKED}
    assert world.refused(ask.DeleteHost("ns1.example.org")).code == 2305
    world.done(ask.UpdateHost("ns1.example.org", ("192.0.2.2",), ("192.0.2.1",)))
    assert world.done(ask.InfoHost("ns1.example.org")).addresses == ("2001:db8::1", "192.0.2.2")
    world.done(ask.UpdateHost("ns1.example.org", new_name="a.example.org"))
    assert NameServer("a.example.org") in world.info("example.org").name_servers
    assert world.info("example.org").subordinate_hosts == ("a.example.org",)
    world.clock.forward(days=60)
    _request(world, "example.org", "first-secret")
    world.clock.forward(days=5)
    assert world.done(ask.InfoHost("a.example.org")).sponsorship.sponsor == OTHERS


def test_hosts_of_others_keep_a_domain(world: World) -> None:
    """A domain whose hosts serve other domains cannot be deleted (RFC 5731 3.2.2)."""
    world.done(domain())
    world.done(ask.CreateHost("ns1.example.org", ("192.0.2.1",)))
    world.done(domain("example.com", name_servers=(NameServer("ns1.example.org"),)))
    assert world.refused(ask.DeleteDomain("example.org")).code == 2305
    world.done(ask.DeleteDomain("example.com"))
    world.done(ask.DeleteDomain("example.org"))
    assert world.refused(ask.InfoHost("ns1.example.org")).code == 2303


def test_contacts(world: World) -> None:
    """Contacts: checked, changed, hidden from others, kept while a domain uses them."""
    world.done(domain())
    assert [a.available for a in world.done(ask.CheckContacts(("HOLDER-1", "NEW-1")))] == [
        False,
        True,
    ]
    assert world.done(ask.InfoContact("HOLDER-1")).data == HOLDER
    assert world.done(ask.InfoContact("HOLDER-1")).statuses == {Status.OK, Status.LINKED}
    assert world.refused(ask.InfoContact("HOLDER-1"), OTHERS).code == 2201
    assert world.done(ask.InfoContact("HOLDER-1", "contact-secret"), OTHERS).id == "HOLDER-1"
    assert world.refused(ask.DeleteContact("HOLDER-1")).code == 2305
    world.done(ask.UpdateContact("HOLDER-1", replace(HOLDER, voice=None)))
    assert world.done(ask.InfoContact("HOLDER-1")).data.voice is None


def test_contacts_refused(direct: World) -> None:
    """Contact data that are not by RFC 5733 are refused."""
    for wrong in (
        replace(HOLDER, voice="0221 123"),
        replace(HOLDER, email="nobody"),
        replace(HOLDER, postal=()),
        replace(HOLDER, postal=(replace(HOLDER.postal[0], country="Germany"),)),
    ):
        assert direct.refused(ask.CreateContact("NEW-1", wrong)).code in (2003, 2005)


def test_report_refused(direct: World) -> None:
    """A restore report with one statement, or from before the deletion, restores nothing."""
    direct.done(domain())
    direct.clock.forward(days=10)
    direct.pending(ask.DeleteDomain("example.org"))
    deleted = direct.clock.forward(days=1)
    direct.done(ask.RestoreDomain("example.org"))
    told = report(deleted, direct.clock.now)
    one = ask.RestoreDomain("example.org", replace(told, statements=("one",)))
    assert direct.refused(one).code == 2003
    before = ask.RestoreDomain("example.org", replace(told, restored_at=START))
    assert direct.refused(before).code == 2306
    assert direct.info("example.org").rgp_statuses == {RgpStatus.PENDING_RESTORE}


def test_poll_order(world: World) -> None:
    """Messages come in order, and only the oldest can be acknowledged."""
    for name in ("a-example.org", "b-example.org"):
        world.done(domain(name))
    world.clock.forward(days=365)
    oldest = world.done(ask.Poll())
    assert oldest is not None
    assert isinstance(oldest.data, Renewed)
    assert (oldest.count, oldest.data.name) == (2, "a-example.org")
    assert world.refused(ask.Acknowledge(str(int(oldest.id) + 1))).code == 2303
    assert world.done(ask.Acknowledge(oldest.id)).count == 1
    assert world.refused(ask.Acknowledge(oldest.id)).code == 2303


def test_many_steps_equal_one(rng: random.Random) -> None:
    """Living through time day by day ends as one long step does, and no status set is broken."""
    one, many = World(), World()
    for world in (one, many):
        set_up_world(world)
        for name in ("a.org", "b.de", "c.eu", "d.com", "e.net", "f.org"):
            world.done(domain(name))
        world.clock.forward(days=61)
        world.pending(ask.DeleteDomain("a.org"))
        world.pending(ask.DeleteDomain("c.eu"))
        _request(world, "d.com", "first-secret")
        world.pending(ask.DeleteDomain("e.net"))
        world.done(ask.RestoreDomain("e.net"))
    days = 800
    one.clock.forward(days=days)
    one.registry.age(one.clock.now)
    passed = 0.0
    while passed < days:
        step = min(rng.uniform(0.01, 9), days - passed)
        passed += step
        now = many.clock.now = START + timedelta(days=61 + passed)
        many.registry.age(now)
        for record in many.registry.state.domains.values():
            assert not faults(statuses(record), delegated=True)
    many.registry.state.last_number = one.registry.state.last_number
    left, right = load(dump(one.registry.state)), load(dump(many.registry.state))
    left.now = right.now = None
    assert left == right


async def test_file(tmp_path: Path) -> None:
    """What a connector did is in its file: another one, after a restart, goes on from there."""
    clock = Clock()
    path = tmp_path / "registry.json"
    first = FileRegistry(path, client=OURS, clock=clock)
    assert isinstance(
        await first.contact.create(ask.CreateContact("HOLDER-1", HOLDER), trid="C-1"), Done
    )
    created = await first.create(domain("example.eu", contacts=()), trid="D-1")
    assert isinstance(created, Done)
    second = FileRegistry(path, client=OURS, clock=clock)
    assert await second.create(domain("example.eu", contacts=()), trid="D-1") == created
    info = await second.info("example.eu", trid="I-1")
    assert isinstance(info, Done)
    assert info.value.sponsorship.sponsor == OURS
    assert second.capabilities("de").transit
    assert not second.capabilities("org").transit
    assert _names(tmp_path) == ["registry.json", "registry.json.lock"]


def _names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


async def test_file_shared(tmp_path: Path) -> None:
    """Registrars in several threads share a file: no command is lost, and a fault stores nothing."""
    path = tmp_path / "registry.json"

    def make(client: str) -> None:
        registry = FileRegistry(path, client=client, clock=Clock())
        for number in range(10):
            create = ask.CreateContact(f"{client[:4]}-{number}", HOLDER)
            asyncio.run(registry.perform(create, f"C-{number}"))

    await asyncio.gather(*(asyncio.to_thread(make, client) for client in (OURS, OTHERS)))
    registry = FileRegistry(path, client=OURS, clock=Clock())
    with registry.opened() as opened:
        assert len(opened.state.contacts) == 20
    with suppress(RuntimeError), registry.opened() as opened:
        opened.state.contacts.clear()
        raise RuntimeError
    with registry.opened() as opened:
        assert len(opened.state.contacts) == 20


async def test_file_that_is_none(tmp_path: Path) -> None:
    """A file that is no registry is named, and left as it is."""
    path = tmp_path / "registry.json"
    path.write_text("{}x")
    with pytest.raises(RegistrarError, match=r"registry\.json: not a registry"):
        await FileRegistry(path, client=OURS).info("example.org", trid="I-1")
    assert path.read_text() == "{}x"


def test_state_is_deterministic(direct: World) -> None:
    """Equal commands at equal times make equal octets, and reading them back loses nothing."""
    other = World()
    set_up_world(other)
    for each in (direct, other):
        each.done(domain())
        each.done(
            ask.UpdateDomain(
                "example.org",
                add=ask.DomainChange(
                    statuses=frozenset({Status.CLIENT_HOLD, Status.CLIENT_RENEW_PROHIBITED})
                ),
            )
        )
    octets = dump(direct.registry.state)
    assert dump(other.registry.state) == octets
    assert dump(load(octets)) == octets
    assert load(dump(State())) == State()
