"""What a product lets its customer do with the zone, and which records come with it.

The table in section 7 of contract N says which products have records and name servers of their
own; options like mail boxes and relays bring MX records that nobody edits (N 2.3, 2.4). With name
servers of the customer's own the provider has no influence on the records (N 2.2.9).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from registrar.errors import RegistrarError
from registrar.policy import Catalogue, Option, Preset, Product, Record
from registrar.reason import Reason
from zones import rdata
from zones.name import ROOT, Name, display, from_text, is_subdomain
from zones.zone import Mode

OWN_SERVER: Final = "own-mail-server"


@dataclass(frozen=True, slots=True)
class PresetRecord:
    """A record that a product makes: wire owner and rdata, and whose it is."""

    owner: Name
    rtype: int
    ttl: int
    rdata: bytes
    preset: str
    title: str


@dataclass(frozen=True, slots=True)
class Booking:
    """A product with its options, and the MX records of the customer's own mail server.

    ``own_mx`` are pairs of preference and host name. Raises ``RegistrarError`` for a product that
    the catalogue does not have.
    """

    catalogue: Catalogue
    product: str
    options: tuple[str, ...] = ()
    own_mx: tuple[tuple[int, str], ...] = ()

    def __post_init__(self) -> None:
        if self.product not in self.catalogue.products:
            raise RegistrarError(f"there is no product {self.product!r}")

    @property
    def rights(self) -> Product:
        """Return the column of the table of products."""
        return self.catalogue.products[self.product]

    @property
    def presets(self) -> dict[str, Preset]:
        """Return the presets in force, by id; an option that includes another stands for it."""
        booked = [self.catalogue.options[name] for name in self.options if self._knows(name)]
        included = {name for option in booked for name in option.includes}
        names = [
            self.catalogue.options[name].preset
            for name in self.options
            if self._knows(name) and name not in included
        ]
        replaced = {kind for name in names if name for kind in self._preset(name).replaces}
        own = [
            name
            for name in self.rights.presets
            if not replaced.intersection(self._preset(name).replaces)
        ]
        return {name: self._preset(name) for name in (*own, *names) if name}

    @property
    def work(self) -> frozenset[str]:
        """Return every option whose work is done: a secure relay stores and backs up as well."""
        found = {name for name in self.options if self._knows(name)}
        for name in tuple(found):
            found.update(self.catalogue.options[name].includes)
        return frozenset(found)

    def option(self, name: str) -> Option:
        """Return an option of the catalogue."""
        return self.catalogue.options[name]

    def _knows(self, name: str) -> bool:
        return name in self.catalogue.options

    def _preset(self, name: str) -> Preset:
        return self.catalogue.presets[name]


def check_booking(booking: Booking) -> list[Reason]:
    """Return every reason why product and options do not go together; none is good."""
    return list(_booking_reasons(booking))


def check_mode(booking: Booking, mode: Mode) -> list[Reason]:
    """Return every reason why a product does not allow a mode of name service (DNS-2, DNS-8)."""
    right = booking.rights.own_name_server
    if mode is Mode.HOSTED or right.value:
        return []
    sentence = f"{booking.rights.title} has no name servers of its own: {mode} is not possible."
    return [Reason("product-without-name-server", sentence, f"N 2.2.7; {right.source}")]


def check_edit(booking: Booking, mode: Mode, apex: Name, owner: Name, rtype: int) -> list[Reason]:
    """Return every reason why a customer may not edit the records of an owner and type."""
    if mode is not Mode.HOSTED:
        sentence = f"The records of {display(apex)} come from the customer's own name server."
        return [Reason("not-hosted", sentence, "N 2.2.9")]
    reasons = []
    kind, right = rdata.type_text(rtype), booking.rights.own_records
    if not right.value:
        sentence = f"{booking.rights.title} has no records of its own."
        reasons.append(Reason("product-without-records", sentence, f"N 2.2.7; {right.source}"))
    elif kind not in booking.catalogue.record_types.value:
        types = booking.catalogue.record_types
        sentence = f"{kind} records cannot be edited; {', '.join(types.value)} can."
        reasons.append(Reason("record-type", sentence, types.source))
    for name, preset in booking.presets.items():
        if _is_preset(booking, name, apex, owner, rtype):
            sentence = f"{display(owner)} {kind} is preset: {preset.title}."
            reasons.append(Reason("preset", sentence, preset.source))
    return reasons


def preset_records(booking: Booking, apex: Name) -> list[PresetRecord]:
    """Return the records that come with the product and its options, for a hosted zone."""
    found = []
    for name, preset in booking.presets.items():
        if preset.own_mail_server:
            found += [_mx(apex, name, preset.title, *pair) for pair in booking.own_mx]
        found += [_made(apex, name, preset, record) for record in preset.records]
    if not any("MX" in preset.replaces for preset in booking.presets.values()):
        found += _ordered_mx(booking, apex)
    return found


def records_to_enter(booking: Booking, mode: Mode, apex: Name) -> list[PresetRecord]:
    """Return what a customer with name servers of his own has to enter himself (H 20b(4))."""
    if mode is Mode.HOSTED:
        return []
    return [record for record in preset_records(booking, apex) if record.preset in _booked(booking)]


def _booking_reasons(booking: Booking) -> Iterator[Reason]:
    product, options = booking.rights, booking.options
    for name in options:
        if name not in booking.catalogue.options or name not in product.options:
            right = _table_right(product, name)
            sentence = f"{product.title} has no {_title(booking, name)}."
            yield Reason("option-not-offered", sentence, right)
    known = [name for name in options if name in booking.catalogue.options]
    for name in known:
        option = booking.option(name)
        for other in option.excludes:
            if other in known:
                sentence = f"{option.title} and {_title(booking, other)} exclude each other."
                yield Reason("options-exclude", sentence, option.source)
        for other in option.needs:
            if other not in known:
                sentence = f"{option.title} needs {_title(booking, other)}."
                yield Reason("option-needs", sentence, option.source)
    if OWN_SERVER in known and not booking.own_mx:
        sentence = "The host name of the customer's mail server is missing."
        yield Reason("mail-server-missing", sentence, "N 2.2.9")


def _table_right(product: Product, option: str) -> str:
    rights = {"server-alias": product.server_alias, "http-redirect": product.http_redirect}
    return rights[option].source if option in rights else "N 7"


def _title(booking: Booking, name: str) -> str:
    known = booking.catalogue.options.get(name)
    return known.title if known else repr(name)


def _booked(booking: Booking) -> Collection[str]:
    return [booking.option(name).preset or "" for name in booking.work]


def _is_preset(booking: Booking, name: str, apex: Name, owner: Name, rtype: int) -> bool:
    preset = booking.catalogue.presets[name]
    owners = {_owner(record.owner, apex) for record in preset.records}
    types = {rdata.type_from_text(kind) for kind in preset.replaces}
    return owner in owners and rtype in types and is_subdomain(owner, apex)


def _ordered_mx(booking: Booking, apex: Name) -> Sequence[PresetRecord]:
    """Return the MX records that are made on order for the customer's own server (N 2.2.9)."""
    if OWN_SERVER not in booking.options:
        return []
    option = booking.option(OWN_SERVER)
    return [
        _mx(apex, OWN_SERVER, option.title, preference, host) for preference, host in booking.own_mx
    ]


def _mx(apex: Name, name: str, title: str, preference: int, host: str) -> PresetRecord:
    kind = rdata.type_from_text("MX")
    wire = rdata.from_text(kind, f"{preference} {host.rstrip('.')}.", ROOT)
    return PresetRecord(apex, kind, 3600, wire, name, title)


def _made(apex: Name, name: str, preset: Preset, record: Record) -> PresetRecord:
    rtype = rdata.type_from_text(record.type)
    wire = rdata.from_text(rtype, record.rdata, apex)
    return PresetRecord(_owner(record.owner, apex), rtype, record.ttl, wire, name, preset.title)


def _owner(text: str, apex: Name) -> Name:
    return from_text(text, apex)
