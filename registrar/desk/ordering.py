"""Taking orders: everything is checked, then the registration begins, with its zone prepared."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from registrar import names
from registrar.desk import recording, registrations, zone_service
from registrar.desk.desk import Desk, Occasion, moment
from registrar.desk.outcome import Outcome, of_recorded
from registrar.desk.presets import follow_product
from registrar.desk.registrations import Entry, StoredBooking
from registrar.errors import RegistrarError
from registrar.facts import NameServersSet, TransferInSent
from registrar.model import Life, Registration
from registrar.objects import NO_SEC_DNS, NameServer, SecDns
from registrar.order import Order, check_order, submit
from registrar.policy import Tld
from registrar.reason import Reason
from storage import contacts, registry_accounts, zones
from storage import registrations as stored
from storage.session import Session
from zones.name import from_text
from zones.zone import Mode

ACTION: Final = "order"


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order as the desk takes it; holder and Admin-C are contacts in the store.

    ``kind`` is whether the name is to be created or transferred in, with ``auth``. ``forward``:
    it goes to the registry as soon as that says that the name is free; otherwise somebody sends
    it (``Action.CREATE``, ``Action.TRANSFER_IN``). ``account`` is chosen by the TLD where it is empty.
    """

    order: Order
    customer: str
    account: str = ""
    kind: Literal["create", "transfer"] = "create"
    auth: str = field(default="", repr=False)
    name_servers: tuple[NameServer, ...] = ()
    sec_dns: SecDns = NO_SEC_DNS
    forward: bool = True
    tech: str = ""


def place(
    session: Session,
    desk: Desk,
    new: NewOrder,
    *,
    now: datetime,
    actor: str,
    dry_run: bool = False,
) -> Outcome:
    """Take an order, or return every reason why it cannot be taken; nothing is stored then."""
    order, occasion = new.order, Occasion(now, actor)
    reasons = [*check_order(order, desk.policies), *_check_here(session, desk, new)]
    if reasons:
        return Outcome(order.name, ACTION, tuple(reasons), dry_run=dry_run)
    draft = submit(order, desk.policies, now)
    entry = _entry(session, desk, new, draft, occasion)
    if dry_run:
        return Outcome(entry.name, ACTION, (), effects=_foreseen(entry), dry_run=True)
    number = stored.add(session, registrations.columns_of(entry), now=occasion.seconds, actor=actor)
    entry = registrations.get_by_id(session, number)
    hosts = tuple(server.name for server in entry.name_servers)
    facts = [*draft.facts]
    if hosts:
        facts.append(NameServersSet(now, hosts, secure=bool(entry.sec_dns)))
    recorded = recording.record(session, desk, entry, facts, now=now, actor=actor)
    if recorded.reasons:
        raise RegistrarError(reason.sentence for reason in recorded.reasons)
    zone_service.book(session, entry, occasion)
    zone = zones.find_zone(session, from_text(entry.name))
    if zone is not None:  # it may have been here before the order
        follow_product(session, zone, None, order.booking, occasion)
    if new.kind == "transfer" and new.forward:
        entry = registrations.get_by_id(session, number)
        recorded = recording.record(
            session, desk, entry, [TransferInSent(now)], now=now, actor=actor, secret=new.auth
        )
    return of_recorded(entry.name, ACTION, recorded)


def random_auth(profile: Tld) -> str:
    """Return an auth code of the length that a registry takes; every kind of character is in it."""
    shortest, longest = profile.transfer.code_length.value
    length = min(longest, max(shortest, 16))
    kinds = ("abcdefghijkmnopqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789", "-+=%")
    letters = [secrets.choice(kind) for kind in kinds]
    letters += [secrets.choice("".join(kinds)) for _ in range(length - len(kinds))]
    secrets.SystemRandom().shuffle(letters)
    return "".join(letters)


def account_for(session: Session, tld: str) -> str:
    """Return the account that a TLD is registered with, empty where there is none."""
    for account in registry_accounts.listed(session):
        if account.enabled and tld in account.tlds:
            return account.id
    return ""


def _check_here(session: Session, desk: Desk, new: NewOrder) -> list[Reason]:
    """Return what stands against an order in our own books."""
    reasons = []
    for role, contact in (("holder", new.order.holder.id), ("administrator", new.order.admin.id),
                          ("technical contact", new.tech)):  # fmt: skip
        found = contacts.find_contact(session, contact) if contact else None
        if contact and (found is None or found.erased_at is not None):
            sentence = f"{role}: there is no contact {contact}."
            reasons.append(Reason("contact-unknown", sentence, "N 2.2.3"))
    if new.kind == "transfer" and new.forward and not new.auth:
        sentence = "A transfer needs the auth code that the present registrar gave."
        reasons.append(Reason("auth-missing", sentence, "RFC 5731 3.2.4"))
    hosted = new.order.mode is Mode.HOSTED
    if hosted and not (new.name_servers or new.order.name_servers or desk.hosting.name_servers):
        sentence = "There are no name servers of the provider: set them in [hosted]."
        reasons.append(Reason("name-servers-unknown", sentence, "N 2.2.7"))
    try:
        name = names.parse(new.order.name).name
    except RegistrarError:
        return reasons
    for row in stored.by_name(session, name):
        if row.closed_at is None and row.life != Life.DRAFT.value:
            sentence = f"{name} is in our books already ({row.life}, {row.customer})."
            reasons.append(Reason("name-here", sentence, "RFC 5731 3.2.1"))
    zone = zones.find_zone(session, from_text(name))
    if zone is not None and zone.customer and zone.customer != new.customer:
        sentence = f"The zone {name} is customer {zone.customer}'s."
        reasons.append(Reason("zone-of-another", sentence, "N 2.2.7"))
    return reasons


def _entry(
    session: Session, desk: Desk, new: NewOrder, draft: Registration, occasion: Occasion
) -> Entry:
    order, booking = new.order, new.order.booking
    catalogue = booking.catalogue.id
    servers = new.name_servers or tuple(map(NameServer, order.name_servers))
    if not servers and order.mode is Mode.HOSTED:
        servers = tuple(NameServer(host.rstrip(".")) for host in desk.hosting.name_servers)
    return Entry(
        id=0,
        name=draft.name,
        customer=new.customer,
        contract=order.contract,
        profile=draft.tld.id,
        account=new.account or account_for(session, draft.suffix),
        order=new.kind,
        forward=new.forward,
        holder=order.holder.id,
        admin=order.admin.id,
        tech=new.tech,
        managers=(),
        mode=order.mode,
        booking=StoredBooking(catalogue, booking.product, booking.options, booking.own_mx),
        made_zone=False,
        name_servers=servers,
        sec_dns=new.sec_dns,
        auth_hash="",
        life=Life.DRAFT.value,
        lived_until=None,
        next_due=None,
        created_at=moment(occasion.seconds),
        created_by=occasion.actor,
        closed_at=None,
    )


def _foreseen(entry: Entry) -> tuple[str, ...]:
    where = entry.account or "no account: add one with 'nsctl registry accounts'"
    zone = ("zone prepared",) if entry.mode is Mode.HOSTED else ()
    return (*zone, f"at the registry ({where}): {entry.order}")
