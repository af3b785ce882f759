"""The RDAP view of a domain (RFC 9083), with what is not for everybody left out (RFC 9537); pure.

Whois is gone since 2025; RDAP has taken its place. What of a contact everybody sees is the
contract's and the law's to say (N 2.2.3; GDPR): of natural persons the country alone, of
organisations name, region and country as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from ipaddress import ip_address
from typing import Any, Final

from registrar import facts
from registrar.contact import Contact, ContactKind
from registrar.fact import Fact
from registrar.model import State
from registrar.notice_text import unicode_name
from registrar.objects import NameServer, SecDns
from registrar.statuses import rdap as words_of

CONFORMANCE: Final = ("rdap_level_0", "redacted")
REASON: Final = "Server policy: personal data (GDPR; contract N 2.2.3)"
# Facts that are events of RFC 9083 10.2.3.
EVENTS: Final[Mapping[type[Fact], str]] = {
    facts.Registered: "registration",
    facts.TransferredIn: "transfer",
    facts.Restored: "reinstantiation",
    facts.Deleted: "deletion",
    facts.HolderChanged: "last changed",
    facts.ContactChangeForwarded: "last changed",
    facts.NameServersSet: "last changed",
    facts.StatusesChanged: "last changed",
}
ONCE: Final = frozenset(("last changed", "transfer", "reinstantiation"))  # the latest counts


class Role(StrEnum):
    """What an entity does for a domain (RFC 9083 10.2.4)."""

    REGISTRANT = "registrant"
    ADMINISTRATIVE = "administrative"
    TECHNICAL = "technical"
    REGISTRAR = "registrar"


class Audience(StrEnum):
    """Who asks: everybody, or somebody who may see all data."""

    PUBLIC = "public"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Subject:
    """What is told of: a domain in A-labels, its state, and what is written down about it."""

    name: str
    state: State
    facts: tuple[Fact, ...] = ()
    contacts: Mapping[Role, Contact] = field(default_factory=dict)
    name_servers: tuple[NameServer, ...] = ()
    sec_dns: SecDns = field(default_factory=SecDns)
    registrar: str = ""


def domain_object(subject: Subject, audience: Audience = Audience.PUBLIC) -> dict[str, Any]:
    """Return the domain as the JSON object of RFC 9083 5.3, for this audience."""
    entities, redacted = _entities(subject, audience)
    found: dict[str, Any] = {
        "rdapConformance": list(CONFORMANCE),
        "objectClassName": "domain",
        "handle": subject.name,
        "ldhName": subject.name,
        "lang": "en",
    }
    if (shown := unicode_name(subject.name)) != subject.name:
        found["unicodeName"] = shown
    if statuses := _statuses(subject.state):
        found["status"] = statuses
    if events := _events(subject):
        found["events"] = events
    found["entities"] = entities
    found["nameservers"] = [_name_server(server) for server in subject.name_servers]
    found["secureDNS"] = _secure(subject.sec_dns)
    if redacted:
        found["redacted"] = redacted
    return found


def _statuses(state: State) -> list[str]:
    """Return statuses and grace periods in the words of RFC 8056 2."""
    return sorted({*map(words_of, state.statuses), *map(words_of, state.rgp)})


def _events(subject: Subject) -> list[dict[str, str]]:
    latest: dict[str, datetime] = {}
    for fact in subject.facts:
        action = EVENTS.get(type(fact))
        if action and fact.at <= subject.state.at and (action in ONCE or action not in latest):
            latest[action] = fact.at
    if subject.state.registry_expires is not None:
        latest["expiration"] = subject.state.registry_expires
    latest["last update of RDAP database"] = subject.state.at
    return [
        {"eventAction": action, "eventDate": _moment(at)}
        for action, at in sorted(latest.items(), key=lambda pair: (pair[1], pair[0]))
    ]


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _name_server(server: NameServer) -> dict[str, Any]:
    found: dict[str, Any] = {"objectClassName": "nameserver", "ldhName": server.name}
    if (shown := unicode_name(server.name)) != server.name:
        found["unicodeName"] = shown
    addresses: dict[str, list[str]] = {}
    for address in server.addresses:
        addresses.setdefault(f"v{ip_address(address).version}", []).append(address)
    if addresses:
        found["ipAddresses"] = addresses
    return found


def _secure(data: SecDns) -> dict[str, Any]:
    found: dict[str, Any] = {"delegationSigned": bool(data)}
    if data.max_sig_life is not None:
        found["maxSigLife"] = data.max_sig_life
    if data.ds:
        found["dsData"] = [
            {
                "keyTag": ds.key_tag,
                "algorithm": ds.algorithm,
                "digest": ds.digest,
                "digestType": ds.digest_type,
            }
            for ds in data.ds
        ]
    if data.keys:
        found["keyData"] = [
            {
                "flags": key.flags,
                "protocol": key.protocol,
                "algorithm": key.algorithm,
                "publicKey": key.public_key,
            }
            for key in data.keys
        ]
    return found


def _entities(
    subject: Subject, audience: Audience
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the entities, one for each contact with its roles, and what was left out of them."""
    roles: dict[str, list[Role]] = {}
    known = {contact.id: contact for contact in subject.contacts.values()}
    for role, contact in subject.contacts.items():
        roles.setdefault(contact.id, []).append(role)
    entities, redacted = [], []
    for number, contact in known.items():
        card, hidden = jcard(contact, audience)
        entity = {
            "objectClassName": "entity",
            "roles": [role.value for role in roles[number]],
            "vcardArray": card,
        }
        handle = audience is Audience.FULL or contact.kind is ContactKind.ORGANISATION
        entities.append(entity | ({"handle": number} if handle else {}))
        if not handle:
            hidden = ["handle", *hidden]
        redacted += [_redaction(roles[number][0], part) for part in hidden]
    if subject.registrar:
        card = ["vcard", [_version(), ["fn", {}, "text", subject.registrar]]]
        entities.append(
            {
                "objectClassName": "entity",
                "roles": [Role.REGISTRAR.value],
                "vcardArray": card,
            }
        )
    return entities, redacted


def jcard(contact: Contact, audience: Audience) -> tuple[list[Any], list[str]]:
    """Return a contact as a jCard (RFC 7095) and the names of the properties left out of it."""
    everything = audience is Audience.FULL
    organisation = contact.kind is ContactKind.ORGANISATION
    name = contact.organisation if organisation else contact.name
    shown = everything or organisation
    card: list[list[Any]] = [_version(), ["fn", {}, "text", name if shown else ""]]
    hidden = [] if shown else ["fn"]
    card.append(["kind", {}, "text", "org" if organisation else "individual"])
    if contact.organisation and shown:
        card.append(["org", {"type": "work"}, "text", contact.organisation])
    card.append(_address(contact, audience))
    if not everything:
        hidden.append("adr")
    for part, value in (("tel", contact.phone), ("email", contact.email)):
        if not value:
            continue
        if not everything:
            hidden.append(part)
        elif part == "tel":
            card.append(["tel", {"type": "voice"}, "uri", f"tel:{value}"])
        else:
            card.append(["email", {}, "text", value])
    return ["vcard", card], hidden


def _version() -> list[Any]:
    return ["version", {}, "text", "4.0"]


def _address(contact: Contact, audience: Audience) -> list[Any]:
    """Return the address: box, extension, street, city, region, code, country (RFC 6350 6.3.1)."""
    street: str | list[str] = list(contact.street) if len(contact.street) > 1 else ""
    if len(contact.street) == 1:
        street = contact.street[0]
    parts: list[Any] = ["", "", street, contact.city, contact.region, contact.postal_code, ""]
    if audience is not Audience.FULL:
        region = contact.region if contact.kind is ContactKind.ORGANISATION else ""
        parts = ["", "", "", "", region, "", ""]
    return ["adr", {"cc": contact.country}, "text", parts]


NAMES: Final = {
    "handle": "Handle",
    "fn": "Name",
    "adr": "Street, City and Postal Code",
    "tel": "Phone",
    "email": "Email",
}


def _redaction(role: Role, part: str) -> dict[str, Any]:
    """Return a member of the redacted array (RFC 9537 4.2): emptied, or left out."""
    entity = f"$.entities[?(@.roles[0]=='{role}')]"
    name = {"description": f"{role.capitalize()} {NAMES[part]}"}
    found: dict[str, Any] = {"name": name}
    if part in ("fn", "adr"):
        found["postPath"] = f"{entity}.vcardArray[1][?(@[0]=='{part}')][3]"
        found |= {"pathLang": "jsonpath", "method": "emptyValue"}
    else:
        path = "handle" if part == "handle" else f"vcardArray[1][?(@[0]=='{part}')]"
        found["prePath"] = f"{entity}.{path}"
        found |= {"pathLang": "jsonpath", "method": "removal"}
    return found | {"reason": {"description": REASON}}


def contacts_by_role(pairs: Iterable[tuple[Role, Contact | None]]) -> dict[Role, Contact]:
    """Return the contacts that there are, by their roles."""
    return {
        role: contact
        for role, contact in pairs
        if contact is not None and (contact.name or contact.organisation)  # not an erased one
    }
