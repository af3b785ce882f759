"""Responses of a registry (RFC 5730 2.6), from outcomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from registrar import commands as ask
from registrar.commands import Command
from registrar.connector import Outcome, Pending, Refused, RegistryReason
from registrar.epp import secdns
from registrar.epp.contact import write_data
from registrar.epp.domain import address
from registrar.epp.greeting import LANGUAGE, VERSION
from registrar.epp.markup import Markup, declared, document, element, instant, optional, together
from registrar.epp.namespaces import EXTENSIONS, OBJECTS, RGP, SECDNS
from registrar.epp.response import MESSAGE, NO_MESSAGES, PENDING
from registrar.file_registry.profiles import profile_of
from registrar.file_registry.refusal import TEXTS
from registrar.objects import (
    ActionNotice,
    Availability,
    ContactInfo,
    Created,
    CreatedDomain,
    DomainInfo,
    HostInfo,
    Message,
    NameServer,
    QueueLength,
    Renewed,
    Restored,
    Sponsorship,
    TransferState,
)

OK: Final = 1000


@dataclass(frozen=True, slots=True)
class Ids:
    """The transaction ids of a response."""

    client: str | None
    server: str


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a response has beside its result: the queue, object data, extensions."""

    data: Markup | None = None
    extension: Markup | None = None
    queue: Markup | None = None


def write_greeting(server: str, now: datetime) -> bytes:
    """Return a greeting."""
    services = element(
        "svcMenu",
        element("version", VERSION),
        element("lang", LANGUAGE),
        together([element("objURI", uri) for uri in OBJECTS]),
        element("svcExtension", together([element("extURI", uri) for uri in EXTENSIONS])),
    )
    statement = element(
        "statement",
        element("purpose", element("admin"), element("prov")),
        element("recipient", element("ours"), element("public")),
        element("retention", element("stated")),
    )
    policy = element("dcp", element("access", element("all")), statement)
    greeting = element(
        "greeting", element("svID", server), element("svDate", instant(now)), services, policy
    )
    return document(greeting)


def write_result(code: int, ids: Ids, explanation: str = "") -> bytes:
    """Return a response that only tells a result."""
    text = f"{TEXTS[code]}: {explanation}" if explanation else TEXTS[code]
    return _response([RegistryReason(code, text)], _Parts(), ids)


def write_outcome(
    command: Command[Any], outcome: Outcome[Any], ids: Ids, extensions: frozenset[str]
) -> bytes:
    """Return the response to a command; ``extensions`` are those the client logged in with."""
    if isinstance(outcome, Refused):
        return _response(list(outcome.reasons), _Parts(), ids)
    code = PENDING if isinstance(outcome, Pending) else OK
    if isinstance(command, ask.Poll):
        code = NO_MESSAGES if outcome.value is None else MESSAGE
    return _response(
        [RegistryReason(code, TEXTS[code])], _parts(command, outcome.value, extensions), ids
    )


def _response(reasons: list[RegistryReason], parts: _Parts, ids: Ids) -> bytes:
    trid = element("trID", optional("clTRID", ids.client), element("svTRID", ids.server))
    response = element(
        "response",
        together([_result(reason) for reason in reasons]),
        parts.queue,
        element("resData", parts.data) if parts.data else None,
        element("extension", parts.extension) if parts.extension else None,
        trid,
    )
    return document(response)


def _result(reason: RegistryReason) -> Markup:
    """Return a result; an explanation of ours goes beside the words of the RFC."""
    words = TEXTS.get(reason.code, reason.text)
    explanation = reason.text.removeprefix(words).removeprefix(": ")
    value = None if reason.value is None else element("value", element("text", reason.value))
    if explanation:
        about = value or element("value", element("undef"))
        value = element("extValue", about, element("reason", explanation))
    return element("result", element("msg", words), value, code=reason.code)


def _parts(command: Command[Any], value: Any, extensions: frozenset[str]) -> _Parts:
    if isinstance(value, DomainInfo):
        return _Parts(_domain(value), _domain_extension(value, extensions))
    if isinstance(value, Restored):
        return _Parts(extension=_restored(value))
    if isinstance(value, Message):
        return _message(value)
    if isinstance(command, ask.Acknowledge) and isinstance(value, QueueLength):
        return _Parts(queue=element("msgQ", count=value.count, id=command.message_id))
    return _Parts(_data(command, value))


def _data(command: Command[Any], value: Any) -> Markup | None:
    if isinstance(value, Created):
        return _created(command, value)
    if isinstance(value, tuple):
        return _checked(command, value)
    writer = _WRITERS.get(type(value))
    return None if writer is None else writer(value)


def _restored(value: Restored) -> Markup | None:
    if value.rgp_status is None:
        return None
    return declared("rgp:upData", element("rgp:rgpStatus", s=value.rgp_status))


def _checked(command: Command[Any], answers: tuple[Availability, ...]) -> Markup:
    prefix, key = {
        ask.CheckDomains: ("domain", "name"),
        ask.CheckHosts: ("host", "name"),
        ask.CheckContacts: ("contact", "id"),
    }[type(command)]
    entries = [
        element(
            f"{prefix}:cd",
            element(f"{prefix}:{key}", answer.id, avail=int(answer.available)),
            optional(f"{prefix}:reason", answer.reason),
        )
        for answer in answers
    ]
    return declared(f"{prefix}:chkData", together(entries))


def _created(command: Command[Any], value: Created) -> Markup:
    prefix, key = ("host", "name") if isinstance(command, ask.CreateHost) else ("contact", "id")
    return declared(
        f"{prefix}:creData",
        element(f"{prefix}:{key}", value.id),
        element(f"{prefix}:crDate", instant(value.created_at)),
    )


def _created_domain(value: CreatedDomain) -> Markup:
    return declared(
        "domain:creData",
        element("domain:name", value.name),
        element("domain:crDate", instant(value.created_at)),
        _optional_instant("domain:exDate", value.expires_at),
    )


def _renewed(value: Renewed) -> Markup:
    expiry = _optional_instant("domain:exDate", value.expires_at)
    return declared("domain:renData", element("domain:name", value.name), expiry)


def _optional_instant(name: str, moment: datetime | None) -> Markup | None:
    return None if moment is None else element(name, instant(moment))


def _domain(value: DomainInfo) -> Markup:
    statuses = [element("domain:status", s=status) for status in sorted(value.statuses)]
    contacts = [element("domain:contact", other.id, type=other.role) for other in value.contacts]
    hosts = [element("domain:host", host) for host in value.subordinate_hosts]
    return declared(
        "domain:infData",
        element("domain:name", value.name),
        element("domain:roid", value.sponsorship.roid),
        together(statuses),
        optional("domain:registrant", value.registrant),
        together(contacts),
        _name_servers(value.name, value.name_servers),
        together(hosts),
        _sponsorship("domain", value.sponsorship),
        _optional_instant("domain:exDate", value.expires_at),
        _optional_instant("domain:trDate", value.sponsorship.transferred_at),
    )


def _name_servers(name: str, servers: tuple[NameServer, ...]) -> Markup | None:
    if not servers:
        return None
    if profile_of(name.rpartition(".")[2]).host_objects:
        hosts = [element("domain:hostObj", server.name) for server in servers]
    else:
        hosts = [
            element(
                "domain:hostAttr",
                element("domain:hostName", server.name),
                together([address("domain:hostAddr", glue) for glue in server.addresses]),
            )
            for server in servers
        ]
    return element("domain:ns", together(hosts))


def _sponsorship(prefix: str, held: Sponsorship) -> Markup:
    return together(
        (
            element(f"{prefix}:clID", held.sponsor),
            optional(f"{prefix}:crID", held.created_by),
            _optional_instant(f"{prefix}:crDate", held.created_at),
            optional(f"{prefix}:upID", held.updated_by),
            _optional_instant(f"{prefix}:upDate", held.updated_at),
        )
    )


def _domain_extension(value: DomainInfo, extensions: frozenset[str]) -> Markup | None:
    parts = []
    if value.sec_dns and SECDNS in extensions:
        parts.append(declared("secDNS:infData", secdns.write_data(value.sec_dns)))
    if value.rgp_statuses and RGP in extensions:
        marks = [element("rgp:rgpStatus", s=status) for status in sorted(value.rgp_statuses)]
        parts.append(declared("rgp:infData", together(marks)))
    return together(parts) or None


def _host(value: HostInfo) -> Markup:
    return declared(
        "host:infData",
        element("host:name", value.name),
        element("host:roid", value.sponsorship.roid),
        together([element("host:status", s=status) for status in sorted(value.statuses)]),
        together([address("host:addr", glue) for glue in value.addresses]),
        _sponsorship("host", value.sponsorship),
        _optional_instant("host:trDate", value.sponsorship.transferred_at),
    )


def _contact(value: ContactInfo) -> Markup:
    return declared(
        "contact:infData",
        element("contact:id", value.id),
        element("contact:roid", value.sponsorship.roid),
        together([element("contact:status", s=status) for status in sorted(value.statuses)]),
        write_data(value.data),
        _sponsorship("contact", value.sponsorship),
        _optional_instant("contact:trDate", value.sponsorship.transferred_at),
    )


def _transfer(value: TransferState) -> Markup:
    return declared(
        "domain:trnData",
        element("domain:name", value.name),
        element("domain:trStatus", value.status),
        element("domain:reID", value.requested_by),
        element("domain:reDate", instant(value.requested_at)),
        element("domain:acID", value.acts_by),
        element("domain:acDate", instant(value.acts_at)),
        _optional_instant("domain:exDate", value.expires_at),
    )


def _notice(value: ActionNotice) -> Markup:
    trid = element(
        "domain:paTRID",
        optional("clTRID", value.client_trid or None),
        element("svTRID", value.server_trid),
    )
    return declared(
        "domain:panData",
        element("domain:name", value.name, paResult=int(value.approved)),
        trid,
        element("domain:paDate", instant(value.at)),
    )


def _message(value: Message) -> _Parts:
    queued = _optional_instant("qDate", value.queued_at)
    queue = element("msgQ", queued, element("msg", value.text), count=value.count, id=value.id)
    writer = None if value.data is None else _WRITERS[type(value.data)]
    return _Parts(None if writer is None else writer(value.data), queue=queue)


_WRITERS: Final[dict[type, Callable[[Any], Markup]]] = {
    DomainInfo: _domain,
    HostInfo: _host,
    ContactInfo: _contact,
    CreatedDomain: _created_domain,
    Renewed: _renewed,
    TransferState: _transfer,
    ActionNotice: _notice,
}
