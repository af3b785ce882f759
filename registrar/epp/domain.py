"""Domains, from the registrar's side (RFC 5731, with RFC 5910 and 3915 in extensions)."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree.ElementTree import Element

from registrar.commands import (
    CheckDomains,
    CreateDomain,
    DeleteDomain,
    DomainChange,
    InfoDomain,
    RenewDomain,
    RestoreDomain,
    SetAuth,
    TransferDomain,
    UpdateDomain,
)
from registrar.epp import rgp, secdns
from registrar.epp.document import (
    attribute,
    children,
    content,
    find,
    instant,
    needed_text,
    optional_instant,
    text,
    texts,
)
from registrar.epp.errors import EppError, SyntaxFault
from registrar.epp.markup import Markup, declared, element, optional, together
from registrar.epp.response import Response
from registrar.epp.sponsorship import read_availability, read_sponsorship, read_statuses
from registrar.objects import (
    Availability,
    ContactRole,
    CreatedDomain,
    DomainContact,
    DomainInfo,
    NameServer,
    Period,
    Renewed,
    Restored,
    TransferState,
)
from registrar.statuses import RgpStatus, Status, TransferStatus


def write_check(command: CheckDomains) -> Markup:
    """Return a check (RFC 5731 3.1.1)."""
    names = together([element("domain:name", name) for name in command.names])
    return element("check", declared("domain:check", names))


def write_info(command: InfoDomain) -> Markup:
    """Return an info (RFC 5731 3.1.2)."""
    name = element("domain:name", command.name, hosts="all")
    return element("info", declared("domain:info", name, _auth(command.auth)))


def write_create(command: CreateDomain, *, host_objects: bool) -> Markup:
    """Return a create, with its extension (RFC 5731 3.2.1)."""
    create = declared(
        "domain:create",
        element("domain:name", command.name),
        write_period(command.period),
        _name_servers(command.name_servers, host_objects=host_objects),
        optional("domain:registrant", command.registrant),
        _contacts(command.contacts),
        element("domain:authInfo", element("domain:pw", command.auth)),
    )
    return together((element("create", create), _extension(secdns.write_create(command.sec_dns))))


def write_update(command: UpdateDomain, *, host_objects: bool) -> Markup:
    """Return an update, with its extension (RFC 5731 3.2.5)."""
    changed = None
    if command.registrant is not None:
        changed = element("domain:chg", element("domain:registrant", command.registrant))
    update = declared(
        "domain:update",
        element("domain:name", command.name),
        _change("domain:add", command.add, host_objects=host_objects),
        _change("domain:rem", command.remove, host_objects=host_objects),
        changed,
    )
    return together((element("update", update), _extension(secdns.write_update(command.sec_dns))))


def write_set_auth(command: SetAuth) -> Markup:
    """Return the update that sets or takes away the authorisation (RFC 5731 3.2.5)."""
    if command.auth is None:
        auth = element("domain:authInfo", element("domain:null"))
    else:
        auth = element("domain:authInfo", element("domain:pw", command.auth))
    update = declared(
        "domain:update", element("domain:name", command.name), element("domain:chg", auth)
    )
    return element("update", update)


def write_renew(command: RenewDomain) -> Markup:
    """Return a renew (RFC 5731 3.2.3)."""
    renew = declared(
        "domain:renew",
        element("domain:name", command.name),
        element("domain:curExpDate", command.current_expiry.isoformat()),
        write_period(command.period),
    )
    return element("renew", renew)


def write_delete(command: DeleteDomain) -> Markup:
    """Return a delete (RFC 5731 3.2.2)."""
    return element("delete", declared("domain:delete", element("domain:name", command.name)))


def write_restore(command: RestoreDomain) -> Markup:
    """Return the update that restores (RFC 3915 4.2.5); the domain itself does not change."""
    update = declared("domain:update", element("domain:name", command.name), element("domain:chg"))
    return together((element("update", update), _extension(rgp.write_restore(command.report))))


def write_transfer(command: TransferDomain) -> Markup:
    """Return a transfer command (RFC 5731 3.2.4), or a query (3.1.3)."""
    transfer = declared(
        "domain:transfer",
        element("domain:name", command.name),
        write_period(command.period),
        _auth(command.auth),
    )
    return element("transfer", transfer, op=command.operation)


def _extension(markup: Markup | None) -> Markup | None:
    return None if markup is None else element("extension", markup)


def write_period(period: Period | None) -> Markup | None:
    """Return a period."""
    if period is None:
        return None
    return element("domain:period", str(period.count), unit=period.unit)


def _auth(auth: str | None) -> Markup | None:
    if auth is None:
        return None
    return element("domain:authInfo", element("domain:pw", auth))


def _contacts(contacts: Iterable[DomainContact]) -> Markup:
    return together(
        [element("domain:contact", contact.id, type=contact.role) for contact in contacts]
    )


def _name_servers(servers: tuple[NameServer, ...], *, host_objects: bool) -> Markup | None:
    if not servers:
        return None
    if host_objects:
        if glued := [server.name for server in servers if server.addresses]:
            raise EppError(f"{glued[0]}: its addresses belong to its host object (RFC 5731 1.1)")
        hosts = [element("domain:hostObj", server.name) for server in servers]
    else:
        hosts = [
            element(
                "domain:hostAttr",
                element("domain:hostName", server.name),
                together([address("domain:hostAddr", value) for value in server.addresses]),
            )
            for server in servers
        ]
    return element("domain:ns", together(hosts))


def address(name: str, value: str) -> Markup:
    """Return an address element with its family (RFC 5732 2.5)."""
    return element(name, value, ip="v6" if ":" in value else "v4")


def _change(name: str, change: DomainChange, *, host_objects: bool) -> Markup | None:
    if not change:
        return None
    statuses = [element("domain:status", s=status) for status in sorted(change.statuses)]
    return element(
        name,
        _name_servers(change.name_servers, host_objects=host_objects),
        _contacts(change.contacts),
        together(statuses),
    )


def read_check(response: Response) -> tuple[Availability, ...]:
    """Read what a check found."""
    return read_availability(response.needed_data("domain:chkData"), "domain", "name")


def read_info(response: Response) -> DomainInfo:
    """Read all about a domain, its DNSSEC data and grace periods too."""
    found = response.needed_data("domain:infData")
    return DomainInfo(
        name=needed_text(found, "domain:name").lower(),
        sponsorship=read_sponsorship(found, "domain"),
        statuses=read_statuses(found, "domain"),
        rgp_statuses=rgp.read_statuses(response.extension, "rgp:infData"),
        registrant=text(found, "domain:registrant"),
        contacts=read_contacts(found),
        name_servers=read_name_servers(found),
        subordinate_hosts=tuple(host.lower() for host in texts(found, "domain:host")),
        expires_at=optional_instant(found, "domain:exDate"),
        auth=text(found, "domain:authInfo/domain:pw"),
        sec_dns=secdns.read_info(response.extension),
    )


def read_created(response: Response) -> CreatedDomain:
    """Read when a domain was created and until when."""
    found = response.needed_data("domain:creData")
    return CreatedDomain(
        name=needed_text(found, "domain:name").lower(),
        created_at=instant(needed_text(found, "domain:crDate")),
        expires_at=optional_instant(found, "domain:exDate"),
    )


def read_renewed(response: Response) -> Renewed:
    """Read until when a domain is registered now."""
    return renewed(response.needed_data("domain:renData"))


def renewed(found: Element) -> Renewed:
    """Read ``domain:renData``."""
    expires_at = optional_instant(found, "domain:exDate")
    return Renewed(needed_text(found, "domain:name").lower(), expires_at)


def read_restored(command: RestoreDomain, response: Response) -> Restored:
    """Read how far a restore is."""
    statuses = rgp.read_statuses(response.extension, "rgp:upData")
    under_way = RgpStatus.PENDING_RESTORE in statuses
    return Restored(command.name, RgpStatus.PENDING_RESTORE if under_way else None)


def read_transfer(response: Response) -> TransferState:
    """Read how a transfer stands."""
    return transfer_state(response.needed_data("domain:trnData"))


def transfer_state(found: Element) -> TransferState:
    """Read ``domain:trnData``; raises ``SyntaxFault``."""
    status = needed_text(found, "domain:trStatus")
    if status not in set(TransferStatus):
        raise SyntaxFault(f"transfer status {status[:40]!r}")
    return TransferState(
        name=needed_text(found, "domain:name").lower(),
        status=TransferStatus(status),
        requested_by=needed_text(found, "domain:reID"),
        requested_at=instant(needed_text(found, "domain:reDate")),
        acts_by=needed_text(found, "domain:acID"),
        acts_at=instant(needed_text(found, "domain:acDate")),
        expires_at=optional_instant(found, "domain:exDate"),
    )


def read_contacts(parent: Element) -> tuple[DomainContact, ...]:
    """Read the contacts of a domain; raises ``SyntaxFault`` for roles that EPP does not have."""
    contacts = []
    for found in children(parent, "domain:contact"):
        role = attribute(found, "type")
        if role not in set(ContactRole):
            raise SyntaxFault(f"contact type {role[:40]!r}")
        contacts.append(DomainContact(ContactRole(role), content(found)))
    return tuple(contacts)


def read_name_servers(parent: Element) -> tuple[NameServer, ...]:
    """Read name servers, host objects or host attributes."""
    found = find(parent, "domain:ns")
    if found is None:
        return ()
    objects = [NameServer(name.lower()) for name in texts(found, "domain:hostObj")]
    attributes = [
        NameServer(needed_text(host, "domain:hostName").lower(), texts(host, "domain:hostAddr"))
        for host in children(found, "domain:hostAttr")
    ]
    return (*objects, *attributes)


def statuses_of(parent: Element) -> frozenset[Status]:
    """Read the statuses in an add or a rem."""
    return read_statuses(parent, "domain")
