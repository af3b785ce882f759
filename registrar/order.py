"""An order: everything that is checked before a name is asked for at the registry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from registrar import names, products
from registrar.contact import Contact, check_admin, check_contact
from registrar.errors import RegistrarError
from registrar.facts import Submitted
from registrar.model import Registration
from registrar.names import DomainName
from registrar.policy import Policies, Tld
from registrar.products import Booking
from registrar.reason import Reason
from zones.zone import Mode


@dataclass(frozen=True, slots=True)
class Order:
    """What a customer orders; ``name`` as typed, ``contract`` the id of the terms agreed on."""

    name: str
    contract: str
    holder: Contact
    admin: Contact
    booking: Booking
    mode: Mode = Mode.HOSTED
    name_servers: tuple[str, ...] = ()
    terms_accepted: bool = False
    manual: bool = False


def check_order(order: Order, policies: Policies) -> list[Reason]:
    """Return every reason why an order cannot be taken; none is good."""
    return [*_check_name(order, policies), *_check_rest(order, policies)]


def submit(order: Order, policies: Policies, at: datetime) -> Registration:
    """Return the registration that an order begins, as a draft where something stands against it.

    Raises ``RegistrarError`` where there are no rules to put it under: no name, no profile of its
    TLD, no such contract.
    """
    name = names.parse(order.name)
    profile = policies.profile_of(name.tld)
    contract = policies.contracts.get(order.contract)
    if profile is None or contract is None:
        raise RegistrarError(reason.sentence for reason in check_order(order, policies))
    others = {reason.rule for reason in _check_rest(order, policies)} - {"terms-not-accepted"}
    submitted = Submitted(
        at,
        admin_is_person="admin-not-a-person" not in others,
        terms_accepted=order.terms_accepted,
        complete=not (others - {"admin-not-a-person"} or names.check_below(name, profile)),
        manual=order.manual,
    )
    return Registration(name.name, contract, profile, (submitted,))


def _check_name(order: Order, policies: Policies) -> list[Reason]:
    try:
        return names.check(names.parse(order.name), policies)
    except RegistrarError as error:
        return [Reason("name-malformed", f"{error}.", "RFC 5891; UTS 46")]


def _check_rest(order: Order, policies: Policies) -> Iterator[Reason]:
    if order.contract not in policies.contracts:
        sentence = f"There is no contract {order.contract!r}."
        yield Reason("contract-unknown", sentence, "registrar/policies")
    for reason in check_contact(order.holder):
        yield _about("holder", reason)
    for reason in check_admin(order.admin):
        yield _about("administrator", reason)
    yield from products.check_booking(order.booking)
    yield from products.check_mode(order.booking, order.mode)
    profile = _profile(order, policies)
    if profile is not None:
        yield from _check_profile(order, profile)


def _check_profile(order: Order, profile: Tld) -> Iterator[Reason]:
    if not order.terms_accepted:
        sentence = f"The terms of {profile.title} have to be accepted ({profile.source})."
        yield Reason("terms-not-accepted", sentence, "N 2.2.1; H 17(6)")
    places = profile.residence.value
    if places and not {order.holder.country, order.holder.citizenship}.intersection(places):
        sentence = f"The holder of a name below {profile.title} lives in, or is a citizen of: "
        yield Reason("residence", f"{sentence}{', '.join(places)}.", profile.residence.source)
    rules, count = profile.delegation, len(set(order.name_servers))
    if order.mode is Mode.HOSTED and not count:
        return  # the provider's own are entered
    if count < rules.min_servers.value and (count or rules.required.value):
        sentence = f"{profile.title} wants at least {rules.min_servers.value} name servers."
        yield Reason("too-few-name-servers", sentence, rules.min_servers.source)
    if count > rules.max_servers.value:
        sentence = f"{profile.title} takes at most {rules.max_servers.value} name servers."
        yield Reason("too-many-name-servers", sentence, rules.max_servers.source)


def _profile(order: Order, policies: Policies) -> Tld | None:
    name = _name(order)
    return policies.profile_of(name.tld) if name else None


def _name(order: Order) -> DomainName | None:
    try:
        return names.parse(order.name)
    except RegistrarError:
        return None


def _about(whom: str, reason: Reason) -> Reason:
    return Reason(reason.rule, f"{whom}: {reason.sentence}", reason.source)
