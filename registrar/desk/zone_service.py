"""What a registration does to its zone: prepared, served, kept in the archive, deleted.

The zone is served before the domain is created, and until the parent has moved after it has left.
A zone that an operator has suspended for another reason stays so.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from registrar.desk.desk import Desk, Occasion
from registrar.desk.registrations import Entry
from registrar.model import Dns
from registrar.products import Booking, preset_records
from storage import products, versions, zones
from storage import registrations as stored
from storage.products import ZoneProduct
from storage.session import Session
from zones import rdata
from zones.name import Name, from_text
from zones.rrset import NS, SOA, RRset
from zones.version import ZoneVersion
from zones.zone import Mode, Zone

PREFIX: Final = "registration: "
PREPARED: Final = PREFIX + "ordered, and not yet sent to the registry"
ARCHIVED: Final = PREFIX + "the domain was deleted, and can still be restored"
FAILED_ORDER: Final = frozenset(("withdrawn", "rejected"))


def apply(session: Session, desk: Desk, entry: Entry, dns: Dns, occasion: Occasion) -> str:
    """Bring the zone of a registration to what its state asks for; return what was done."""
    if entry.mode is Mode.EXTERNAL and dns is not Dns.PURGE:
        return ""
    if dns in (Dns.ARCHIVE, Dns.PURGE) and _has_successor(session, entry):
        return ""  # the zone is another registration's now
    zone = zones.find_zone(session, from_text(entry.name))
    if zone is not None:
        return _treat(session, entry, zone, dns, occasion)
    if dns in (Dns.PREPARE, Dns.SERVE) and entry.mode is Mode.HOSTED:
        return _make(session, desk, entry, dns, occasion)
    return ""  # that of a secondary comes with its primaries


def _treat(session: Session, entry: Entry, zone: Zone, dns: Dns, occasion: Occasion) -> str:
    """Serve a zone that is there, keep it in the archive, or delete it."""
    if dns is Dns.PURGE:
        return _purge(session, entry, zone, occasion)
    if dns is Dns.ARCHIVE and not zone.suspended:
        _update(session, replace(zone, suspended=ARCHIVED), "archived", occasion)
        return "zone archived"
    if dns is Dns.SERVE and zone.suspended.startswith(PREFIX):
        _update(session, replace(zone, suspended=""), "the registration serves it", occasion)
        return "zone served"
    return ""


def first_content(desk: Desk, zone: Zone, booking: Booking | None, moment: datetime) -> ZoneVersion:
    """Return what a hosted zone begins with: SOA, NS, and the records of its product."""
    hosting, apex = desk.hosting, zone.apex
    servers = [from_text(name) for name in hosting.name_servers] or [from_text("ns1", apex)]
    mailbox = from_text(hosting.mailbox) if hosting.mailbox else from_text("hostmaster", apex)
    serial = zone.serial_policy.successor(0, moment)
    timers = (serial, hosting.refresh, hosting.retry, hosting.expire, hosting.minimum)
    soa = servers[0] + mailbox + b"".join(value.to_bytes(4, "big") for value in timers)
    rrsets = [
        RRset.of(apex, SOA, hosting.ttl, [rdata.canonical(SOA, soa)]),
        RRset.of(apex, NS, hosting.ttl, servers),
    ]
    return ZoneVersion.of(apex, [*rrsets, *_presets(booking, apex)])


def _presets(booking: Booking | None, apex: Name) -> list[RRset]:
    found: dict[tuple[Name, int], tuple[int, list[bytes]]] = {}
    for record in preset_records(booking, apex) if booking else ():
        _ttl, rdatas = found.setdefault((record.owner, record.rtype), (record.ttl, []))
        rdatas.append(record.rdata)
    return [RRset.of(owner, rtype, ttl, rdatas) for (owner, rtype), (ttl, rdatas) in found.items()]


def _make(session: Session, desk: Desk, entry: Entry, dns: Dns, occasion: Occasion) -> str:
    suspended = PREPARED if dns is Dns.PREPARE else ""
    zone = Zone(
        from_text(entry.name), mode=entry.mode, customer=entry.customer, suspended=suspended
    )
    booking = entry.booking.booking(desk)
    zones.add_zone(session, zone, now=occasion.seconds, actor=occasion.actor)
    versions.publish(
        session,
        first_content(desk, zone, booking, occasion.now),
        origin=versions.Origin.EDIT,
        actor=occasion.actor,
        reason="registration",
        now=occasion.seconds,
    )
    book(session, entry, occasion)
    stored.change(session, entry.id, booking=_marked(session, entry))
    return "zone prepared" if suspended else "zone served"


def book(session: Session, entry: Entry, occasion: Occasion) -> None:
    """Write the product of a registration down with its zone, where that exists."""
    apex, booking = from_text(entry.name), entry.booking
    if zones.find_zone(session, apex) is not None:
        made = ZoneProduct(
            apex, booking.catalogue, booking.product, booking.options, booking.own_mx
        )
        products.put(session, made, now=occasion.seconds, actor=occasion.actor)


def switch(session: Session, entry: Entry, occasion: Occasion) -> None:
    """Bring the mode of a zone to that of its registration; what it serves stays for now."""
    zone = zones.find_zone(session, from_text(entry.name))
    if zone is not None and zone.mode is not entry.mode:
        _update(session, replace(zone, mode=entry.mode), f"now {entry.mode}", occasion)


def _marked(session: Session, entry: Entry) -> dict[str, object]:
    row = stored.by_id(session, entry.id)
    return {**(row.booking if row else {}), "made_zone": True}


def _update(session: Session, zone: Zone, reason: str, occasion: Occasion) -> None:
    zones.update_zone(session, zone, now=occasion.seconds, actor=occasion.actor, reason=reason)


def _purge(session: Session, entry: Entry, zone: Zone, occasion: Occasion) -> str:
    """Delete the zone; one that was there before an order that came to nothing stays."""
    if entry.life in FAILED_ORDER and not entry.made_zone:
        return ""
    zones.delete_zone(session, zone.apex, now=occasion.seconds, actor=occasion.actor)
    return "zone deleted"


def _has_successor(session: Session, entry: Entry) -> bool:
    rows = stored.by_name(session, entry.name)
    return any(row.id > entry.id and row.closed_at is None for row in rows)
