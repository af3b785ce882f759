"""RDAP: the object has the structure of RFC 9083, and says no more than its audience may see."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from registrar import facts
from registrar.contact import Contact, ContactKind
from registrar.lifecycle import project
from registrar.model import Registration
from registrar.objects import DsData, KeyData, NameServer, SecDns
from registrar.rdap import Audience, Role, Subject, contacts_by_role, domain_object
from registrar.statuses import Status
from tests.registrations import START, registered

HOLDER = Contact(
    "C-1", ContactKind.PERSON, "Erika Beispiel", "", ("Hauptstraße 1", "Hinterhaus"), "50667",
    "Köln", "NW", "DE", "+49221123456", "holder@example.org",
)  # fmt: skip
FIRM = Contact(
    "C-2", ContactKind.ORGANISATION, "", "Beispiel GmbH", ("Ring 2",), "10115", "Berlin", "BE",
    "DE", "+4930123456", "firm@example.org",
)  # fmt: skip

# ---- RFC 9083 as types: members that are not there may not be answered either.

Moment = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
ACTIONS = Literal[
    "registration", "reregistration", "last changed", "expiration", "deletion",
    "reinstantiation", "transfer", "locked", "unlocked", "last update of RDAP database",
]  # fmt: skip
STATUSES = {  # RFC 9083 10.2.2 and RFC 8056 2
    "active", "inactive", "associated", "locked", "removed", "obscured", "private", "proxy",
    "pending create", "pending renew", "pending transfer", "pending update", "pending delete",
    "add period", "auto renew period", "renew period", "transfer period", "redemption period",
    "pending restore", "client hold", "server hold", "client delete prohibited",
    "client renew prohibited", "client transfer prohibited", "client update prohibited",
    "server delete prohibited", "server renew prohibited", "server transfer prohibited",
    "server update prohibited",
}  # fmt: skip


class Rfc9083(BaseModel):
    """A JSON object with these members and no others."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Event(Rfc9083):
    """RFC 9083 4.5."""

    eventAction: ACTIONS  # noqa: N815
    eventDate: Moment  # noqa: N815


class Entity(Rfc9083):
    """RFC 9083 5.1."""

    objectClassName: Literal["entity"]  # noqa: N815
    handle: str | None = None
    roles: list[Literal["registrant", "administrative", "technical", "registrar"]]
    vcardArray: list[Any]  # noqa: N815

    @field_validator("vcardArray")
    @classmethod
    def _jcard(cls, value: list[Any]) -> list[Any]:
        """RFC 7095 3.2, 3.3: name, parameters, type, values; version first."""
        kind, properties = value
        assert kind == "vcard"
        assert properties[0] == ["version", {}, "text", "4.0"]
        assert any(one[0] == "fn" for one in properties)
        for name, parameters, type_, *values in properties:
            assert isinstance(parameters, dict)
            assert type_ in ("text", "uri")
            assert len(values) == 1
            assert name != "adr" or len(values[0]) == 7
        return value


class Addresses(Rfc9083):
    """RFC 9083 5.2."""

    v4: list[str] = []
    v6: list[str] = []


class Server(Rfc9083):
    """RFC 9083 5.2."""

    objectClassName: Literal["nameserver"]  # noqa: N815
    ldhName: str  # noqa: N815
    unicodeName: str | None = None  # noqa: N815
    ipAddresses: Addresses | None = None  # noqa: N815


class Ds(Rfc9083):
    """RFC 9083 5.3."""

    keyTag: int  # noqa: N815
    algorithm: int
    digest: str
    digestType: int  # noqa: N815


class Key(Rfc9083):
    """RFC 9083 5.3."""

    flags: int
    protocol: int
    publicKey: str  # noqa: N815
    algorithm: int


class Secure(Rfc9083):
    """RFC 9083 5.3."""

    delegationSigned: bool  # noqa: N815
    maxSigLife: int | None = None  # noqa: N815
    dsData: list[Ds] | None = None  # noqa: N815
    keyData: list[Key] | None = None  # noqa: N815


class Name(Rfc9083):
    """RFC 9537 4.2: a registered type, or a description."""

    description: str


class Redacted(Rfc9083):
    """RFC 9537 4.2."""

    name: Name
    prePath: str | None = None  # noqa: N815
    postPath: str | None = None  # noqa: N815
    pathLang: Literal["jsonpath"]  # noqa: N815
    method: Literal["removal", "emptyValue"]
    reason: Name


class Domain(Rfc9083):
    """RFC 9083 5.3."""

    rdapConformance: list[Literal["rdap_level_0", "redacted"]]  # noqa: N815
    objectClassName: Literal["domain"]  # noqa: N815
    handle: str
    ldhName: Annotated[str, StringConstraints(pattern=r"^[a-z0-9.-]+$")]  # noqa: N815
    unicodeName: str | None = None  # noqa: N815
    lang: str
    status: list[str] = Field(min_length=1)
    events: list[Event]
    entities: list[Entity]
    nameservers: list[Server]
    secureDNS: Secure  # noqa: N815
    redacted: list[Redacted] | None = None

    @field_validator("status")
    @classmethod
    def _known(cls, value: list[str]) -> list[str]:
        assert set(value) <= STATUSES
        return value


def subject(registration: Registration, at: datetime, **more: Any) -> Subject:
    """Return what is told of a registration at a moment."""
    state = project(registration, at)
    pairs = [
        (Role.REGISTRANT, more.pop("holder", FIRM)),
        (Role.ADMINISTRATIVE, HOLDER),
        (Role.TECHNICAL, None),
    ]
    made = contacts_by_role(pairs)
    return Subject(registration.name, state, registration.facts, made, **more)


def valid(found: dict[str, Any]) -> dict[str, Any]:
    """Return an object that has the structure of RFC 9083, having been through JSON."""
    text = json.dumps(found)
    Domain.model_validate_json(text)
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@pytest.mark.requirement("REG-17")
@pytest.mark.parametrize("audience", list(Audience))
@pytest.mark.parametrize("tld", ["gtld", "de", "eu"])
def test_the_object_is_that_of_the_rfc(tld: str, audience: Audience) -> None:
    """In every stage of a life, with DNSSEC and glue, for both audiences."""
    story = (
        facts.StatusesChanged(START + timedelta(days=3), frozenset({Status.CLIENT_HOLD})),
        facts.DeletionOrdered(START + timedelta(days=90)),
        facts.DeletionConfirmed(START + timedelta(days=90), "second"),
        facts.Deleted(START + timedelta(days=91)),
    )
    registration = registered(*story, tld=tld)
    for days in (0, 10, 92):
        told = subject(
            registration,
            START + timedelta(days=days),
            name_servers=(
                NameServer("ns1.example.net"),
                NameServer(f"ns.{registration.name}", ("192.0.2.1", "2001:db8::1")),
            ),
            sec_dns=SecDns(ds=(DsData(1, 13, 2, "AB" * 32),)),
            registrar="Example Hosting",
        )
        found = valid(domain_object(told, audience))
        assert found["nameservers"][1]["ipAddresses"]["v6"] == ["2001:db8::1"]
        assert found["secureDNS"]["dsData"][0]["keyTag"] == 1
    assert "pending delete" in found["status"]
    assert "redemption period" in found["status"]


@pytest.mark.requirement("REG-17")
def test_persons_are_not_shown_to_everybody() -> None:
    """Nothing of a natural person but the country is in the public view; what is left out is told."""
    registration = registered()
    found = domain_object(subject(registration, START, holder=HOLDER))
    text = json.dumps(found, ensure_ascii=False)
    for secret in ("Erika", "Hauptstraße", "50667", "Köln", "+49221", "holder@", "C-1"):
        assert secret not in text
    (person,) = found["entities"]
    assert person["roles"] == ["registrant", "administrative"]
    assert ["adr", {"cc": "DE"}, "text", ["", "", "", "", "", "", ""]] in person["vcardArray"][1]
    methods = {one["name"]["description"]: one["method"] for one in found["redacted"]}
    assert methods == {
        "Registrant Handle": "removal",
        "Registrant Name": "emptyValue",
        "Registrant Street, City and Postal Code": "emptyValue",
        "Registrant Phone": "removal",
        "Registrant Email": "removal",
    }


@pytest.mark.requirement("REG-17")
def test_organisations_and_those_who_may_see_all() -> None:
    """An organisation is named to everybody; who may see all data has them, and nothing redacted."""
    public = domain_object(subject(registered(), START))
    cards = {entity["roles"][0]: entity["vcardArray"][1] for entity in public["entities"]}
    assert ["fn", {}, "text", "Beispiel GmbH"] in cards["registrant"]
    assert "firm@" not in json.dumps(public)
    full = domain_object(subject(registered(), START), Audience.FULL)
    assert "redacted" not in full
    text = json.dumps(full, ensure_ascii=False)
    for known in ("firm@example.org", "tel:+49221123456", "Hinterhaus", "C-1"):
        assert known in text


@pytest.mark.requirement("REG-17")
def test_events_and_names() -> None:
    """The registry's dates, and the name as people write it."""
    registration = registered(facts.NameServersSet(START + timedelta(days=2), ("ns.example.net",)))
    found = domain_object(subject(registration, START + timedelta(days=9)))
    events = {one["eventAction"]: one["eventDate"] for one in found["events"]}
    assert events["registration"] == "2024-03-15T10:00:00Z"
    assert events["expiration"] == "2025-03-15T10:00:00Z"
    assert events["last changed"] == "2024-03-17T10:00:00Z"
    now = datetime(2026, 1, 1, tzinfo=UTC)
    named = Subject("xn--kln-sna.de", project(registration, now))
    assert valid(domain_object(named))["unicodeName"] == "köln.de"
    keys = SecDns(keys=(KeyData(257, 3, 13, "AAAA"),), max_sig_life=86_400)
    secure = valid(domain_object(Subject("example.de", named.state, sec_dns=keys)))["secureDNS"]
    assert secure["keyData"][0]["flags"] == 257
    assert secure["maxSigLife"] == 86_400
