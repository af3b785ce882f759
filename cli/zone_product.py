"""The product of a zone: shown with it, asked before its records or its mode are changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cli.app import App
from zones.errors import DNSError
from zones.name import Name, display

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from registrar.products import Booking
    from registrar.reason import Reason
    from zones.version import ZoneVersion
    from zones.zone import Mode, Zone


def booking_of(app: App, session: Session, apex: Name) -> Booking | None:
    """Return what a zone is booked with, ``None`` where it has no product."""
    from storage import products

    found = products.get(session, apex)
    if found is None:
        return None
    return make_booking(app, found.product, found.options, found.own_mx, found.catalogue)


def make_booking(
    app: App,
    product: str,
    options: tuple[str, ...] = (),
    own_mx: tuple[tuple[int, str], ...] = (),
    catalogue: str | None = None,
) -> Booking:
    """Return a booking; raises ``DNSError`` for a product or catalogue that there is not."""
    from cli.command import did_you_mean
    from cli.product import catalogue as known_catalogue
    from registrar.products import Booking

    known = known_catalogue(app, catalogue)
    if product not in known.products:
        raise DNSError(f"there is no product {product!r}{did_you_mean(product, known.products)}")
    return Booking(known, product, options, own_mx)


def refuse(what: str, booking: Booking, reasons: list[Reason]) -> None:
    """Raise a ``DNSError`` with every reason and the product; nothing where there is none."""
    if reasons:
        lines = [f"{reason.sentence} [{reason.rule}; {reason.source}]" for reason in reasons]
        last = f"{what}: the product is {booking.rights.title}; nothing was changed"
        raise DNSError("\n".join([*lines, last]))


def refuse_change(
    app: App, session: Session, zone: Zone, before: ZoneVersion, after: ZoneVersion
) -> None:
    """Raise a ``DNSError`` where the zone's product does not allow a change of its records."""
    reasons, booking = change_reasons(app, session, zone, before, after)
    if booking is not None:
        refuse(f"zone {display(zone.apex)}", booking, reasons)


def refuse_presets(
    app: App, session: Session, zone: Zone, before: ZoneVersion, after: ZoneVersion
) -> None:
    """Raise a ``DNSError`` where an old version would change what the product presets."""
    if zone.mode.is_secondary:
        return
    reasons, booking = change_reasons(app, session, zone, before, after)
    if booking is not None:
        preset = [reason for reason in reasons if reason.rule == "preset"]
        refuse(f"zone {display(zone.apex)}", booking, preset)


def change_reasons(
    app: App, session: Session, zone: Zone, before: ZoneVersion, after: ZoneVersion
) -> tuple[list[Reason], Booking | None]:
    """Return every reason of the zone's product against a change of its records."""
    booking = booking_of(app, session, zone.apex)
    if booking is None:
        return [], None
    from registrar.presets import check_change

    return check_change(booking, before, after), booking


def refuse_mode(app: App, session: Session, apex: Name, mode: Mode) -> None:
    """Raise a ``DNSError`` where the zone's product does not allow a mode (DNS-8)."""
    booking = booking_of(app, session, apex)
    if booking is not None:
        from registrar.products import check_mode

        refuse(f"zone {display(apex)}", booking, check_mode(booking, mode))


def preset_titles(app: App, session: Session, apex: Name) -> dict[tuple[Name, int], str]:
    """Return owner and type of the records that nobody edits, with what they are there for."""
    booking = booking_of(app, session, apex)
    if booking is None:
        return {}
    from registrar.presets import preset_places

    return preset_places(booking, apex)


def as_data(app: App, session: Session, zone: Zone) -> dict[str, Any]:
    """Return what is shown of a zone's product; nothing where it has none."""
    booking = booking_of(app, session, zone.apex)
    if booking is None:
        return {"product": None}
    from registrar.products import preset_records, records_to_enter
    from zones.zone import Mode

    preset = preset_records(booking, zone.apex) if zone.mode is Mode.HOSTED else []
    return {
        "product": booking.product,
        "product_title": booking.rights.title,
        "options": list(booking.options),
        "own_records": booking.rights.own_records.value,
        "own_name_server": booking.rights.own_name_server.value,
        "preset": [_record(record) for record in preset],
        "to_enter": [_record(record) for record in records_to_enter(booking, zone.mode, zone.apex)],
    }


def _record(record: Any) -> str:
    from zones import rdata

    kind = rdata.type_text(record.rtype)
    text = rdata.to_text(record.rtype, record.rdata)
    return f"{display(record.owner)} {record.ttl} {kind} {text}"


def mail_servers(texts: tuple[str, ...]) -> tuple[tuple[int, str], ...]:
    """Return the customer's mail servers, written ``PREFERENCE HOST`` or ``HOST``."""
    from cli.domain_check import host_name

    found = []
    for text in texts:
        number, _space, host = text.strip().rpartition(" ")
        if number and not number.strip().isdigit():
            raise click.UsageError(f"--own-mx {text!r}: PREFERENCE HOST is meant")
        found.append((int(number or 10), host_name(host)))
    return tuple(found)


def set_product(  # noqa: PLR0917  the session first, then as in a sentence
    app: App,
    session: Session,
    zone: Zone,
    product: str,
    options: tuple[str, ...],
    own_mx: tuple[tuple[int, str], ...],
) -> list[str]:
    """Give a zone another product, or none; its preset records follow. Return what changed.

    Raises ``DNSError`` with every reason against it.
    """
    from cli.arguments import now
    from registrar.desk.desk import Occasion
    from registrar.desk.presets import follow_product
    from registrar.products import check_booking, check_mode
    from storage import products, registrations

    name, moment = display(zone.apex), now()
    if any(row.closed_at is None for row in registrations.by_name(session, name)):
        raise DNSError(f"{name} is registered here: nsctl domain product {name} changes it")
    before = booking_of(app, session, zone.apex)
    after = make_booking(app, product, options, own_mx) if product else None
    if after is not None:
        reasons = [*check_booking(after), *check_mode(after, zone.mode)]
        refuse(f"zone {name}", after, reasons)
    lines = follow_product(session, zone, before, after, Occasion(moment, app.actor))
    if after is None:
        products.delete(session, zone.apex, now=moment.timestamp(), actor=app.actor)
    else:
        made = products.ZoneProduct(zone.apex, after.catalogue.id, product, options, own_mx)
        products.put(session, made, now=moment.timestamp(), actor=app.actor)
    return lines
