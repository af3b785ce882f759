"""Changing what a registration is made of: name servers, statuses, contacts, its product.

Every refusal has all its reasons. A dry run writes nothing and tells what would follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from registrar import facts
from registrar.actions import Action, why_not
from registrar.contact import check_admin
from registrar.desk import contacts, recording, registrations, zone_service
from registrar.desk.desk import Desk, Occasion
from registrar.desk.outcome import Outcome, foreseen, of_recorded, write_down
from registrar.desk.presets import follow_product
from registrar.desk.registrations import StoredBooking
from registrar.fact import Fact
from registrar.lifecycle import project
from registrar.model import Command, Registration
from registrar.objects import NameServer, SecDns
from registrar.products import check_booking, check_mode
from registrar.reason import Reason
from registrar.statuses import CLIENT, Status
from storage import registrations as stored
from storage import zones
from storage.session import Session
from zones.name import from_text
from zones.zone import Mode

SET_STATUSES: Final = "set statuses"  # work of the desk that no table asks for


def set_name_servers(
    session: Session,
    desk: Desk,
    name: str,
    servers: Sequence[NameServer],
    sec_dns: SecDns | None = None,
    *,
    now: datetime,
    actor: str,
    dry_run: bool = False,
) -> Outcome:
    """Have a domain delegated to these name servers; ``sec_dns`` is left as it is where ``None``."""
    entry = registrations.get(session, name)
    known = registrations.registration(session, desk, entry)
    wanted = entry.sec_dns if sec_dns is None else sec_dns
    hosts = tuple(server.name for server in servers)
    fact: Fact = facts.NameServersSet(now, hosts, secure=bool(wanted))
    if not servers:
        fact = facts.NameServersRemoved(now)
    reasons = [
        *why_not(known, Action.SET_NAME_SERVERS, now, fact if servers else None),
        *_server_count(known, len(set(hosts))),
    ]
    if reasons or dry_run:
        told = foreseen(entry, Action.SET_NAME_SERVERS, known, fact, now)
        return replace(told, reasons=tuple(dict.fromkeys([*reasons, *told.reasons])))
    columns = registrations.columns_of(replace(entry, name_servers=tuple(servers), sec_dns=wanted))
    stored.change(session, entry.id, servers=columns["servers"], sec_dns=columns["sec_dns"])
    entry = registrations.get_by_id(session, entry.id)
    occasion = Occasion(now, actor)
    return write_down(session, desk, entry, fact, occasion, action=Action.SET_NAME_SERVERS)


def set_statuses(
    session: Session,
    desk: Desk,
    name: str,
    *,
    add: frozenset[Status] = frozenset(),
    remove: frozenset[Status] = frozenset(),
    now: datetime,
    actor: str,
    dry_run: bool = False,
) -> Outcome:
    """Set and lift holds and prohibitions of ours; they count when the registry has them."""
    entry = registrations.get(session, name)
    known = registrations.registration(session, desk, entry)
    reasons = [
        Reason("status-not-ours", f"{status} is not ours to change.", "RFC 5731 2.3")
        for status in sorted(add | remove)
        if status not in CLIENT
    ]
    lifts = Status.CLIENT_UPDATE_PROHIBITED in remove
    if not lifts:
        reasons += why_not(known, Action.UPDATE, now)
    words = [f"set {status}" for status in sorted(add)]
    words += [f"lift {status}" for status in sorted(remove)]
    effects = (f"at the registry: {', '.join(words)}",)
    if reasons or dry_run:
        return Outcome(name, SET_STATUSES, tuple(reasons), effects=effects, dry_run=dry_run)
    detail = {"add": sorted(add), "remove": sorted(remove), "actor": actor}
    key = f"{SET_STATUSES}:{now.isoformat()}"
    recording.add_job(session, entry, SET_STATUSES, key, now=now, detail=detail)
    return Outcome(name, SET_STATUSES, (), effects=effects, state=project(known, now))


def change_contacts(
    session: Session,
    desk: Desk,
    name: str,
    *,
    holder: str = "",
    admin: str = "",
    tech: str = "",
    managers: Sequence[str] | None = None,
    opted_out: bool = False,
    now: datetime,
    actor: str,
    dry_run: bool = False,
) -> Outcome:
    """Give a domain another holder, Admin-C or technical contact; empty ones stay.

    ``managers`` are the contacts that the Admin-C lets manage its entries (contract I 3).
    """
    entry = registrations.get(session, name)
    known = registrations.registration(session, desk, entry)
    reasons = _check_roles(session, holder, admin, tech, managers or ())
    told: list[Fact] = []
    if holder and holder != entry.holder:
        told.append(facts.HolderChanged(now, opted_out))
    if entry.life in recording.WITH_US:
        reasons += why_not(known, Action.UPDATE, now)
        changed = [new for new in (holder, admin, tech) if new]
        told += [facts.ContactChangeReceived(now, new) for new in changed]
    effects = ("at the registry: update contacts",) if told else ()
    if reasons or dry_run:
        return Outcome(name, "contacts", tuple(reasons), effects=effects, dry_run=dry_run)
    new_roles: dict[str, Any] = {"holder": holder, "admin": admin, "tech": tech}
    columns = {role: number for role, number in new_roles.items() if number}
    if managers is not None:
        columns["managers"] = list(managers)
    stored.change(session, entry.id, **columns)
    if not told:
        return Outcome(name, "contacts", ())
    entry = registrations.get_by_id(session, entry.id)
    recorded = recording.record(session, desk, entry, told, now=now, actor=actor)
    key = f"{Command.UPDATE_CONTACTS}:{now.isoformat()}"
    recording.add_job(session, entry, Command.UPDATE_CONTACTS, key, now=now)
    return replace(of_recorded(name, "contacts", recorded), effects=effects)


def change_product(
    session: Session,
    desk: Desk,
    name: str,
    booking: StoredBooking,
    mode: Mode,
    *,
    now: datetime,
    actor: str,
    dry_run: bool = False,
) -> Outcome:
    """Book another product, other options, another mode of name service (DNS-8 to DNS-11)."""
    entry = registrations.get(session, name)
    booked = booking.booking(desk)
    reasons = [*check_booking(booked), *check_mode(booked, mode)]
    if reasons or dry_run:
        return Outcome(name, "product", tuple(reasons), dry_run=dry_run)
    changed = replace(entry, booking=booking, mode=mode)
    columns = registrations.columns_of(changed)
    stored.change(session, entry.id, booking=columns["booking"], mode=columns["mode"])
    occasion = Occasion(now, actor)
    zone = zones.find_zone(session, from_text(name))
    lines = []
    if zone is not None:
        lines = follow_product(session, zone, entry.booking.booking(desk), booked, occasion)
    zone_service.book(session, changed, occasion)
    zone_service.switch(session, changed, occasion)
    shown = [line for line in lines if " IN SOA " not in line]  # it counts the change, no more
    effects = (f"product {booking.product}, {mode}", *shown)
    return Outcome(name, "product", (), effects=effects)


def _server_count(known: Registration, count: int) -> list[Reason]:
    rules, reasons = known.tld.delegation, []
    if count < rules.min_servers.value and (count or rules.required.value):
        sentence = f"{known.tld.title} wants at least {rules.min_servers.value} name servers."
        reasons.append(Reason("too-few-name-servers", sentence, rules.min_servers.source))
    if count > rules.max_servers.value:
        sentence = f"{known.tld.title} takes at most {rules.max_servers.value} name servers."
        reasons.append(Reason("too-many-name-servers", sentence, rules.max_servers.source))
    return reasons


def _check_roles(
    session: Session, holder: str, admin: str, tech: str, managers: Sequence[str]
) -> list[Reason]:
    reasons = []
    for number in dict.fromkeys((holder, admin, tech, *managers)):
        if number:
            found = contacts.get(session, number)
            if found.erased_at is not None:
                sentence = f"Contact {number} was erased."
                reasons.append(Reason("contact-unknown", sentence, "N 2.2.3"))
    if admin and not reasons:
        reasons += check_admin(contacts.get(session, admin).contact)
    return reasons
