"""Commands on domains, from the registry's side (RFC 5731, with RFC 5910 and 3915)."""

from __future__ import annotations

from typing import Any, Final
from xml.etree.ElementTree import Element

from registrar.commands import (
    NO_CHANGE,
    NO_SEC_DNS_CHANGE,
    CheckDomains,
    Command,
    CreateDomain,
    DeleteDomain,
    DomainChange,
    InfoDomain,
    RenewDomain,
    RestoreDomain,
    SecDnsChange,
    SetAuth,
    TransferDomain,
    TransferOperation,
    UpdateDomain,
)
from registrar.epp import secdns
from registrar.epp.document import (
    attribute,
    child,
    content,
    day,
    find,
    instant,
    needed_text,
    number,
    text,
    texts,
)
from registrar.epp.domain import read_contacts, read_name_servers
from registrar.epp.errors import SyntaxFault
from registrar.epp.namespaces import RGP, SECDNS
from registrar.epp.sponsorship import read_statuses
from registrar.file_registry.refusal import MISSING, UNIMPLEMENTED_OPTION, Refusal
from registrar.objects import NO_SEC_DNS, Period, PeriodUnit, RestoreReport, SecDns

UNIMPLEMENTED_EXTENSION: Final = 2103
TRUE: Final = frozenset({"1", "true"})


def refuse_extensions(extension: Element | None, *known: str) -> None:
    """Refuse a command with an extension that it does not have."""
    for found in () if extension is None else extension:
        namespace = str(found.tag).rpartition("}")[0].lstrip("{")
        if namespace not in known:
            raise Refusal(UNIMPLEMENTED_EXTENSION, value=namespace)


def _name(target: Element) -> str:
    return needed_text(target, "domain:name").lower()


def read_check(target: Element, extension: Element | None) -> CheckDomains:
    """Read a check."""
    refuse_extensions(extension)
    return CheckDomains(tuple(name.lower() for name in texts(target, "domain:name")))


def read_info(target: Element, extension: Element | None) -> InfoDomain:
    """Read an info."""
    refuse_extensions(extension)
    return InfoDomain(_name(target), text(target, "domain:authInfo/domain:pw"))


def read_create(target: Element, extension: Element | None) -> CreateDomain:
    """Read a create; ``authInfo`` is mandatory, though it may be empty (RFC 9154 4.2)."""
    refuse_extensions(extension, SECDNS)
    if find(target, "domain:authInfo") is None:
        raise Refusal(MISSING, "authInfo")
    sec_dns: SecDns = NO_SEC_DNS
    if extension is not None and (found := find(extension, "secDNS:create")) is not None:
        sec_dns = secdns.read_data(found)
    return CreateDomain(
        name=_name(target),
        registrant=text(target, "domain:registrant"),
        contacts=read_contacts(target),
        name_servers=read_name_servers(target),
        period=_period(target),
        auth=text(target, "domain:authInfo/domain:pw") or "",
        sec_dns=sec_dns,
    )


def _period(target: Element) -> Period | None:
    found = find(target, "domain:period")
    if found is None:
        return None
    unit = attribute(found, "unit")
    if unit not in set(PeriodUnit):
        raise SyntaxFault(f"period unit {unit[:40]!r}")
    return Period(number(content(found)), PeriodUnit(unit))


def read_update(target: Element, extension: Element | None) -> Command[Any]:
    """Read an update: a change, a restore, or a new authorisation."""
    refuse_extensions(extension, SECDNS, RGP)
    name = _name(target)
    if extension is not None and (found := find(extension, "rgp:update")) is not None:
        return RestoreDomain(name, _report(child(found, "rgp:restore")))
    change = NO_SEC_DNS_CHANGE
    if extension is not None and (found := find(extension, "secDNS:update")) is not None:
        change = _sec_dns_change(found)
    update = UpdateDomain(
        name=name,
        add=_change(find(target, "domain:add")),
        remove=_change(find(target, "domain:rem")),
        registrant=text(target, "domain:chg/domain:registrant") or None,
        sec_dns=change,
    )
    auth = find(target, "domain:chg/domain:authInfo")
    if auth is None:
        return update
    if update != UpdateDomain(name):
        raise Refusal(UNIMPLEMENTED_OPTION, "authInfo is changed by a command of its own")
    removed = find(auth, "domain:null") is not None
    return SetAuth(name, None if removed else needed_text(auth, "domain:pw"))


def _change(found: Element | None) -> DomainChange:
    if found is None:
        return NO_CHANGE
    return DomainChange(
        read_name_servers(found), read_contacts(found), read_statuses(found, "domain")
    )


def _sec_dns_change(found: Element) -> SecDnsChange:
    """Read a change of DNSSEC data (RFC 5910 5.2.5)."""
    removed, added = find(found, "secDNS:rem"), find(found, "secDNS:add")
    life = text(found, "secDNS:chg/secDNS:maxSigLife")
    everything = text(found, "secDNS:rem/secDNS:all") in TRUE
    return SecDnsChange(
        add=NO_SEC_DNS if added is None else secdns.read_data(added),
        remove=NO_SEC_DNS if removed is None else secdns.read_data(removed),
        remove_all=everything,
        max_sig_life=None if life is None else number(life),
    )


def _report(restore: Element) -> RestoreReport | None:
    """Read the report of a restore, ``None`` for the request of one (RFC 3915 4.2.5)."""
    operation = attribute(restore, "op")
    if operation == "request":
        return None
    if operation != "report":
        raise SyntaxFault(f"restore operation {operation[:40]!r}")
    report = child(restore, "rgp:report")
    return RestoreReport(
        before=needed_text(report, "rgp:preData"),
        after=needed_text(report, "rgp:postData"),
        deleted_at=instant(needed_text(report, "rgp:delTime")),
        restored_at=instant(needed_text(report, "rgp:resTime")),
        reason=needed_text(report, "rgp:resReason"),
        statements=texts(report, "rgp:statement"),
        other=text(report, "rgp:other"),
    )


def read_renew(target: Element, extension: Element | None) -> RenewDomain:
    """Read a renew."""
    refuse_extensions(extension)
    expiry = day(needed_text(target, "domain:curExpDate"))
    return RenewDomain(_name(target), expiry, _period(target))


def read_delete(target: Element, extension: Element | None) -> DeleteDomain:
    """Read a delete."""
    refuse_extensions(extension)
    return DeleteDomain(_name(target))


def read_transfer(target: Element, operation: TransferOperation) -> TransferDomain:
    """Read an operation on a transfer."""
    auth = text(target, "domain:authInfo/domain:pw")
    return TransferDomain(operation, _name(target), auth, _period(target))
