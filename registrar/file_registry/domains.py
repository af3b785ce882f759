"""Domains at the registry: made, changed, renewed."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import Final

from registrar.commands import (
    CheckDomains,
    CreateDomain,
    InfoDomain,
    RenewDomain,
    SecDnsChange,
    SetAuth,
    UpdateDomain,
)
from registrar.connector import Done, Outcome, Pending
from registrar.days import moment_after_months
from registrar.file_registry.call import (
    Call,
    changed_statuses,
    check_addresses,
    check_count,
    check_host_name,
    fits,
    hashed,
    profile_for,
    refuse_prohibited,
)
from registrar.file_registry.profiles import Profile, profile_of
from registrar.file_registry.refusal import (
    ABSENT,
    EXISTS,
    MISSING,
    NOT_RENEWABLE,
    OUT_OF_RANGE,
    POLICY,
    STATUS,
    UNIMPLEMENTED_COMMAND,
    UNIMPLEMENTED_OPTION,
    WRONG_AUTH,
    Refusal,
)
from registrar.file_registry.state import DomainRecord, Grace, Stage
from registrar.file_registry.view import info, statuses
from registrar.objects import (
    Availability,
    CreatedDomain,
    DomainContact,
    DomainInfo,
    NameServer,
    Period,
    Renewed,
    SecDns,
)
from registrar.statuses import CLIENT, RgpStatus, Status, Verb, prohibiting

ONE_YEAR: Final = Period(1)
MAX_CHECKED: Final = 100


def check_domains(call: Call, command: CheckDomains) -> Outcome[tuple[Availability, ...]]:
    """Tell which names are free."""
    check_count(len(command.names), MAX_CHECKED, "names in a check")
    return Done(tuple(_availability(call, name) for name in command.names))


def _availability(call: Call, name: str) -> Availability:
    try:
        profile_for(name)
    except Refusal as refusal:
        return Availability(name, available=False, reason=refusal.explanation)
    taken = name in call.state.domains
    return Availability(name, available=not taken, reason="In use" if taken else None)


def info_domain(call: Call, command: InfoDomain) -> Outcome[DomainInfo]:
    """Tell all about a domain; an authorisation that does not fit is refused."""
    domain = call.domain(command.name)
    if command.auth is not None and not fits(command.auth, domain.auth, domain.name):
        raise Refusal(WRONG_AUTH, value=domain.name)
    return Done(info(call, domain))


def create_domain(call: Call, command: CreateDomain) -> Outcome[CreatedDomain]:
    """Register a domain, or put it under review."""
    profile = profile_for(command.name)
    if command.name in call.state.domains:
        raise Refusal(EXISTS, value=command.name)
    period = _period(profile, command.period)
    _check_sec_dns(profile, command.sec_dns)
    contacts = _contacts(call, profile, command.registrant, command.contacts)
    domain = DomainRecord(
        name=command.name,
        held=call.record("D"),
        registrant=command.registrant,
        contacts=contacts,
        name_servers=_name_servers(call, profile, command.name, command.name_servers),
        sec_dns=command.sec_dns,
        client_trid=call.client_trid,
        server_trid=call.server_trid,
        period=period,
        auth=hashed(command.auth, command.name) if command.auth else None,
    )
    if domain.auth and profile.auth_lifetime:
        domain.auth_ends = call.now + profile.auth_lifetime
    call.state.domains[domain.name] = domain
    if domain.name in call.state.reviewed:
        domain.stage = Stage.REVIEW
        return Pending(CreatedDomain(domain.name, call.now))
    begin_term(call, domain)
    return Done(CreatedDomain(domain.name, call.now, domain.expires_at))


def begin_term(call: Call, domain: DomainRecord) -> None:
    """Begin the first term: at creation, or when a review was passed."""
    profile = profile_of(domain.tld)
    domain.stage = Stage.REGISTERED
    domain.held.created_at = call.now
    if profile.expiry and domain.period is not None:
        domain.expires_at = moment_after_months(call.now, domain.period.months)
    grant(domain, RgpStatus.ADD_PERIOD, call, profile.add_grace)
    check_delegation(call, domain)


def grant(domain: DomainRecord, status: RgpStatus, call: Call, length: timedelta) -> None:
    """Begin a grace period, where the TLD has it."""
    if length:
        domain.graces.append(Grace(status, call.now + length))


def check_delegation(call: Call, domain: DomainRecord) -> None:
    """Ask whether the name servers answer, where the registry cares (.de: ``failed``)."""
    if profile_of(domain.tld).failed_delegation is None:
        return
    if call.delegation_check(domain.name, domain.name_servers):
        domain.failed_since = None
    elif domain.failed_since is None:
        domain.failed_since = call.now


def update_domain(call: Call, command: UpdateDomain) -> Outcome[None]:
    """Change a domain: all of it, or nothing."""
    domain = call.own_domain(command.name)
    profile = profile_of(domain.tld)
    _refuse_update(domain, command)
    after = changed_statuses(
        domain.held.statuses, command.add.statuses, command.remove.statuses, CLIENT
    )
    removed = {server.name for server in command.remove.name_servers}
    kept = [server for server in domain.name_servers if server.name not in removed]
    servers = domain.name_servers
    if command.add.name_servers or removed:
        _need_present(removed, {server.name for server in domain.name_servers})
        servers = _name_servers(call, profile, domain.name, (*kept, *command.add.name_servers))
    _need_present(set(command.remove.contacts), set(domain.contacts))
    left = [contact for contact in domain.contacts if contact not in command.remove.contacts]
    contacts = _contacts(
        call, profile, command.registrant or domain.registrant, (*left, *command.add.contacts)
    )
    sec_dns = _changed_sec_dns(profile, domain.sec_dns, command.sec_dns)
    domain.held.statuses = after
    domain.name_servers, domain.contacts, domain.sec_dns = servers, contacts, sec_dns
    domain.registrant = command.registrant or domain.registrant
    call.touch(domain.held)
    check_delegation(call, domain)
    return Done(None)


def _refuse_update(domain: DomainRecord, command: UpdateDomain) -> None:
    """Refuse while prohibited, save the lifting of the client's own prohibition (RFC 5731 2.3)."""
    if domain.stage is not Stage.REGISTERED:
        refuse_prohibited(statuses(domain), domain.name)
    against = set(prohibiting(domain.held.statuses, Verb.UPDATE))
    if command.remove.statuses >= {Status.CLIENT_UPDATE_PROHIBITED}:
        against.discard(Status.CLIENT_UPDATE_PROHIBITED)
    refuse_prohibited(against, domain.name)


def set_auth(call: Call, command: SetAuth) -> Outcome[None]:
    """Set or take away the authorisation of a transfer; it is kept as a hash."""
    domain = call.own_domain(command.name)
    profile = profile_of(domain.tld)
    if domain.stage is not Stage.REGISTERED:
        refuse_prohibited(statuses(domain), domain.name)
    refuse_prohibited(prohibiting(domain.held.statuses, Verb.UPDATE), domain.name)
    ends = None
    if command.auth is not None and profile.auth_lifetime is not None:
        ends = call.now + profile.auth_lifetime
        if command.valid_until is not None:
            if not call.now.date() <= command.valid_until <= ends.date():
                longest = f"at most {profile.auth_lifetime.days} days"
                raise Refusal(OUT_OF_RANGE, longest, command.valid_until.isoformat())
            end = command.valid_until + timedelta(days=1)
            ends = call.now.replace(
                year=end.year, month=end.month, day=end.day, hour=0, minute=0, second=0,
                microsecond=0,
            )  # fmt: skip
    elif command.valid_until is not None:
        raise Refusal(UNIMPLEMENTED_OPTION, "authorisations do not end by themselves here")
    domain.auth = hashed(command.auth, domain.name) if command.auth else None
    domain.auth_ends = ends
    call.touch(domain.held)
    return Done(None)


def renew_domain(call: Call, command: RenewDomain) -> Outcome[Renewed]:
    """Lengthen a registration."""
    domain = call.own_domain(command.name)
    profile = profile_of(domain.tld)
    if domain.expires_at is None:
        raise Refusal(UNIMPLEMENTED_COMMAND, f".{domain.tld} has no expiry", domain.name)
    if domain.stage is not Stage.REGISTERED:
        raise Refusal(STATUS, ", ".join(sorted(statuses(domain))), domain.name)
    refuse_prohibited(prohibiting(statuses(domain), Verb.RENEW), domain.name)
    if domain.expires_at.date() != command.current_expiry:
        told = f"it expires on {domain.expires_at.date().isoformat()}"
        raise Refusal(NOT_RENEWABLE, told, command.current_expiry.isoformat())
    period = command.period or ONE_YEAR
    after = moment_after_months(domain.expires_at, period.months)
    if after > moment_after_months(call.now, 12 * profile.max_years):
        raise Refusal(OUT_OF_RANGE, f"at most {profile.max_years} years ahead", str(period))
    domain.expires_at = after
    grant(domain, RgpStatus.RENEW_PERIOD, call, profile.renew_grace)
    call.touch(domain.held)
    return Done(Renewed(domain.name, after))


def _period(profile: Profile, period: Period | None) -> Period | None:
    if not profile.expiry:
        if period is not None:
            raise Refusal(UNIMPLEMENTED_OPTION, "registrations have no period here", str(period))
        return None
    chosen = period or ONE_YEAR
    if not 12 <= chosen.months <= 12 * profile.max_years:
        raise Refusal(OUT_OF_RANGE, f"1 to {profile.max_years} years", str(chosen))
    return chosen


def _contacts(
    call: Call, profile: Profile, registrant: str | None, contacts: tuple[DomainContact, ...]
) -> tuple[DomainContact, ...]:
    if registrant is None:
        raise Refusal(MISSING, "a registrant")
    roles = {contact.role for contact in contacts}
    for role in profile.needed_roles:
        if role not in roles:
            raise Refusal(MISSING, f"a contact in the role {role}")
    for contact in (registrant, *(contact.id for contact in contacts)):
        if contact not in call.state.contacts:
            raise Refusal(ABSENT, "contact", contact)
    if len(set(contacts)) < len(contacts):
        raise Refusal(POLICY, "a contact twice in one role")
    return contacts


def _name_servers(
    call: Call, profile: Profile, name: str, servers: Iterable[NameServer]
) -> tuple[NameServer, ...]:
    """Return name servers as they are kept; refuse those the registry cannot delegate to."""
    checked = tuple(_name_server(call, profile, name, server) for server in servers)
    if len({server.name for server in checked}) < len(checked):
        raise Refusal(POLICY, "a name server twice")
    if not profile.min_name_servers <= len(checked) <= profile.max_name_servers:
        told = f"{profile.min_name_servers} to {profile.max_name_servers} name servers"
        raise Refusal(POLICY, told, str(len(checked)))
    return checked


def _name_server(call: Call, profile: Profile, name: str, server: NameServer) -> NameServer:
    check_host_name(server.name)
    addresses = check_addresses(server.addresses)
    if profile.host_objects:
        if server.name not in call.state.hosts:
            raise Refusal(ABSENT, "host", server.name)
        if addresses:
            raise Refusal(POLICY, "addresses belong to the host object", server.name)
    elif server.name.endswith(f".{name}") and not addresses:
        raise Refusal(MISSING, "addresses (glue) of a name server in the domain", server.name)
    return NameServer(server.name, addresses)


def _check_sec_dns(profile: Profile, data: SecDns) -> None:
    if data.ds and profile.key_data:
        raise Refusal(POLICY, "key data are wanted here, not DS data")
    if data.keys and not profile.key_data:
        raise Refusal(POLICY, "DS data are wanted here, not key data")


def _changed_sec_dns(profile: Profile, have: SecDns, change: SecDnsChange) -> SecDns:
    _check_sec_dns(profile, change.add)
    removed = have if change.remove_all else change.remove
    _need_present(set(removed.ds) | set(removed.keys), set(have.ds) | set(have.keys))
    ds = [record for record in have.ds if record not in removed.ds]
    keys = [key for key in have.keys if key not in removed.keys]
    if twice := {*ds, *keys} & {*change.add.ds, *change.add.keys}:
        raise Refusal(EXISTS, f"{len(twice)} DNSSEC record(s) are there already")
    life = have.max_sig_life if change.max_sig_life is None else change.max_sig_life
    return SecDns((*ds, *change.add.ds), (*keys, *change.add.keys), life)


def _need_present(removed: AbstractSet[object], have: AbstractSet[object]) -> None:
    """Refuse to take away what is not there."""
    for missing in removed - have:
        raise Refusal(ABSENT, "not to be removed", str(missing))
