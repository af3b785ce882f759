"""What is said about objects at a registry, in EPP's words (RFC 5731-5733, 5910, 3915).

Domain and host names are lower-case A-labels without a final dot, contact ids are the registry's;
addresses are text as ``ipaddress`` writes it; every ``datetime`` is aware and in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from registrar.statuses import RgpStatus, Status, TransferStatus


class PeriodUnit(StrEnum):
    """What a period is counted in (RFC 5731 2.4)."""

    YEAR = "y"
    MONTH = "m"


@dataclass(frozen=True, slots=True)
class Period:
    """A span of registration, 1 to 99 years or months (RFC 5731 2.4)."""

    count: int
    unit: PeriodUnit = PeriodUnit.YEAR

    @property
    def months(self) -> int:
        """Return the length in months."""
        return self.count * (12 if self.unit is PeriodUnit.YEAR else 1)

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"


@dataclass(frozen=True, slots=True)
class NameServer:
    """A name server of a delegation; with ``addresses`` where the domain carries glue itself.

    Registries know name servers as host objects or as host attributes of the domain (RFC 5731
    1.1); ``Capabilities.host_objects`` tells which.
    """

    name: str
    addresses: tuple[str, ...] = ()


class ContactRole(StrEnum):
    """What a contact does for a domain beside the registrant (RFC 5731 2.2)."""

    ADMIN = "admin"
    BILLING = "billing"
    TECH = "tech"


@dataclass(frozen=True, slots=True)
class DomainContact:
    """A contact of a domain in one role."""

    role: ContactRole
    id: str


@dataclass(frozen=True, slots=True)
class KeyData:
    """A DNSKEY as the registry gets it; ``public_key`` is base64 (RFC 5910 4.2)."""

    flags: int
    protocol: int
    algorithm: int
    public_key: str


@dataclass(frozen=True, slots=True)
class DsData:
    """A DS record for the parent zone; ``digest`` is upper-case hexadecimal (RFC 5910 4.1)."""

    key_tag: int
    algorithm: int
    digest_type: int
    digest: str
    key: KeyData | None = None


@dataclass(frozen=True, slots=True)
class SecDns:
    """The DNSSEC data of a delegation: DS data or key data, never both (RFC 5910 4)."""

    ds: tuple[DsData, ...] = ()
    keys: tuple[KeyData, ...] = ()
    max_sig_life: int | None = None  # seconds

    def __bool__(self) -> bool:
        return bool(self.ds or self.keys)


NO_SEC_DNS: Final = SecDns()


class PostalType(StrEnum):
    """Postal data in ASCII for everybody, or in the script of the country (RFC 5733 2.6)."""

    INTERNATIONALISED = "int"
    LOCALISED = "loc"


@dataclass(frozen=True, slots=True)
class PostalInfo:
    """Name and address of a contact; ``country`` is two letters of ISO 3166."""

    name: str
    city: str
    country: str
    organisation: str | None = None
    street: tuple[str, ...] = ()  # up to three lines
    state: str | None = None
    postal_code: str | None = None
    type: PostalType = PostalType.INTERNATIONALISED


@dataclass(frozen=True, slots=True)
class ContactData:
    """What a contact says of itself; phones are written ``+49.301234567`` (RFC 5733 2.5)."""

    postal: tuple[PostalInfo, ...]  # one of each type at most
    email: str
    voice: str | None = None
    fax: str | None = None


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether an object can be provisioned, and why not."""

    id: str
    available: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Sponsorship:
    """Who sponsors an object and when it was touched (RFC 5731 3.1.2)."""

    roid: str
    sponsor: str  # clID
    created_by: str | None = None
    created_at: datetime | None = None
    updated_by: str | None = None
    updated_at: datetime | None = None
    transferred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DomainInfo:
    """A domain as the registry has it; ``expires_at`` is ``None`` where it has no expiry (.de).

    ``subordinate_hosts`` are the host objects below the domain. ``auth`` is there for the sponsor
    alone, and only where the registry tells it.
    """

    name: str
    sponsorship: Sponsorship
    statuses: frozenset[Status] = frozenset()
    rgp_statuses: frozenset[RgpStatus] = frozenset()
    registrant: str | None = None
    contacts: tuple[DomainContact, ...] = ()
    name_servers: tuple[NameServer, ...] = ()
    subordinate_hosts: tuple[str, ...] = ()
    expires_at: datetime | None = None
    auth: str | None = field(default=None, repr=False)
    sec_dns: SecDns = NO_SEC_DNS
    delegation_failed: bool = False  # .de: the name server check failed, deleted after 30 days


@dataclass(frozen=True, slots=True)
class HostInfo:
    """A host object (RFC 5732 3.1.2)."""

    name: str
    sponsorship: Sponsorship
    statuses: frozenset[Status] = frozenset()
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContactInfo:
    """A contact object (RFC 5733 3.1.2)."""

    id: str
    sponsorship: Sponsorship
    data: ContactData
    statuses: frozenset[Status] = frozenset()
    auth: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class CreatedDomain:
    """A domain that was created; not yet valid where the outcome is pending."""

    name: str
    created_at: datetime
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Created:
    """A contact or a host that was created."""

    id: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Renewed:
    """A domain that was renewed."""

    name: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Restored:
    """How far the restore of a domain is (RFC 3915 4.2.5); no status: it is complete."""

    name: str
    rgp_status: RgpStatus | None = None


@dataclass(frozen=True, slots=True)
class TransferState:
    """The latest transfer of a domain (RFC 5731 3.1.3).

    ``acts_by`` has to answer, or has answered, at ``acts_at``.
    """

    name: str
    status: TransferStatus
    requested_by: str
    requested_at: datetime
    acts_by: str
    acts_at: datetime
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What ICANN wants to be told about a restore (RFC 3915 4.2.5)."""

    before: str  # registration data before the deletion
    after: str
    deleted_at: datetime
    restored_at: datetime
    reason: str
    statements: tuple[str, ...]  # two of them
    other: str | None = None


@dataclass(frozen=True, slots=True)
class ActionNotice:
    """How an action under review ended (RFC 5731 3.3), with the ids of the first command."""

    name: str
    approved: bool
    client_trid: str | None
    server_trid: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """The oldest message of the poll queue (RFC 5730 2.9.2.3); ``count`` messages are queued."""

    id: str
    count: int
    text: str
    queued_at: datetime | None = None
    data: TransferState | ActionNotice | DomainInfo | Renewed | None = None


@dataclass(frozen=True, slots=True)
class QueueLength:
    """What is left in the poll queue."""

    count: int
