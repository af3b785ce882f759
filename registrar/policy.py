"""The rules that differ: contracts, top-level domains and products, as data with their sources.

Every value is a table with the value and the section it comes from::

    term_months = { value = 12, source = "N 4.1; H 19(1)" }

``registrar.policy_text`` reads and checks the files, ``registrar.policy_files`` finds them.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Final, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from registrar.days import STATES
from registrar.statuses import RgpStatus

T = TypeVar("T")

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(gt=0)]


class Data(BaseModel):
    """What all policy data have in common: they are whole, known to the last key, and stay."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Sourced(Data, Generic[T]):
    """A value and where it stands."""

    value: T
    source: Text


class Notice(Data):
    """How long before the end a notice has to arrive: one of days, weeks, months."""

    days: Count = 0
    weeks: Count = 0
    months: Count = 0
    source: Text

    @model_validator(mode="after")
    def _one(self) -> Notice:
        if sum(map(bool, (self.days, self.weeks, self.months))) > 1:
            raise ValueError("days, weeks and months exclude each other")
        return self

    def __str__(self) -> str:
        for count, word in ((self.weeks, "week"), (self.months, "month")):
            if count:
                return f"{count} {word}{'s' if count != 1 else ''}"
        return f"{self.days} day{'s' if self.days != 1 else ''}"


class Form(StrEnum):
    """How a declaration reaches the desk."""

    LETTER = "letter"
    FAX = "fax"
    TEXT = "text"  # mail, or text typed elsewhere
    SELF_SERVICE = "self-service"  # the customer's own pages, signed in
    PHONE = "phone"


class Effect(StrEnum):
    """When a cancelled domain is given back."""

    END_OF_TERM = "end-of-term"
    CHOSEN_MOMENT = "chosen-moment"  # of the customer, or else the end of the term


class Forwarding(Data):
    """Within how many working days an order goes to the registry."""

    days: Positive
    alarm_day: Positive
    saturdays: bool
    source: Text


class Termination(Data):
    """From when on arrears are an important reason; in cents, gross, and in months."""

    arrears_cents: Positive
    arrears_months: Positive
    source: Text


# What a merchant has to keep of business letters, where a contract's file has nothing of its own.
BOOKS_YEARS: Final = Sourced[Positive](value=6, source="HGB 257(1)(2), (4), (5)")


class Contract(Data):
    """What one set of terms says about registrations.

    ``renewal_months`` is 0 where the contract goes on without an end after its term.
    ``term_months_of`` has other first terms, by TLD. ``books_years``, counted from the end of the
    year in which a registration ended, is how long what was done with it is kept.
    """

    kind: Literal["contract"]
    id: Id
    title: Text
    source: Text
    state: Sourced[str]
    term_months: Sourced[Positive]
    term_months_of: dict[str, Sourced[Positive]] = {}
    renewal_months: Sourced[Count]
    notice: Notice
    cancellation_forms: Sourced[list[Form]]
    cancellation_effect: Sourced[Effect]
    documents_with_cancellation: Sourced[bool]
    forwarding: Forwarding
    contact_change_days: Sourced[Positive]
    proof_days: Sourced[Positive]
    disclosure_days: Sourced[Count]
    lien: Sourced[bool]
    termination: Termination
    suspension_holds: Sourced[bool]
    four_eyes: Sourced[bool]
    manual_orders_may_be_declined: Sourced[bool]
    erasure_days: Sourced[Count]
    books_years: Sourced[Positive] = BOOKS_YEARS
    invoice_months: Sourced[Positive]

    @model_validator(mode="after")
    def _state(self) -> Contract:
        if self.state.value not in STATES:
            raise ValueError(f"state: {self.state.value!r} is none of {', '.join(sorted(STATES))}")
        if self.forwarding.alarm_day > self.forwarding.days:
            raise ValueError("forwarding: the alarm comes after the end")
        return self

    def first_term(self, tld: str) -> int:
        """Return the months of the first term of a domain below a TLD."""
        own = self.term_months_of.get(tld)
        return (own or self.term_months).value


class Renewal(StrEnum):
    """How a registration at the registry goes on."""

    AUTO = "auto"  # the registry renews at expiry
    EXPLICIT = "explicit"  # it lapses unless it is renewed
    NONE = "none"  # it has no end


class Surrender(StrEnum):
    """What becomes of a domain that the provider gives up without the holder's word."""

    DELETE = "delete"
    TRANSIT = "transit"  # handed to the registry itself


class LienRule(StrEnum):
    """How far a registry lets a provider keep a domain for its claims."""

    HOLD_AND_PAST_DEBT = "hold-and-past-debt"
    NO_AUTH_CODE = "no-auth-code"
    FORBIDDEN = "forbidden"


class SecurityData(StrEnum):
    """What of DNSSEC the registry takes (RFC 5910)."""

    DS = "ds"
    DNSKEY = "dnskey"


class Names(Data):
    """Which names can be registered; lengths are of the label, in characters as typed."""

    min_length: Sourced[Positive]
    max_length: Sourced[Positive]
    idn: Sourced[bool]
    characters: Sourced[str] = Sourced[str](value="", source="none beside a-z, 0-9 and -")
    reserved: Sourced[list[str]]


class Term(Data):
    """How registrations run at the registry."""

    renewal: Sourced[Renewal]
    first_months: Sourced[Count]
    renewal_months: Sourced[Count]
    max_months: Sourced[Count]
    notices_before_days: Sourced[list[Positive]]
    notice_after_days: Sourced[Count]
    interruption_days: Sourced[Count]


class Grace(Data):
    """The lengths of the grace periods (RFC 3915 3.1), in days; 0 where there is none."""

    add: Sourced[Count]
    renew: Sourced[Count]
    auto_renew: Sourced[Count]
    transfer: Sourced[Count]
    redemption: Sourced[Count]
    pending_delete: Sourced[Count]
    restore_report: Sourced[Count]

    @cached_property
    def lengths(self) -> dict[RgpStatus, timedelta]:
        """Return the lengths of the periods in which an operation can be undone, where there are."""
        days = {
            RgpStatus.ADD_PERIOD: self.add.value,
            RgpStatus.RENEW_PERIOD: self.renew.value,
            RgpStatus.AUTO_RENEW_PERIOD: self.auto_renew.value,
            RgpStatus.TRANSFER_PERIOD: self.transfer.value,
        }
        return {period: timedelta(days=count) for period, count in days.items() if count}


class Transfers(Data):
    """How domains change their registrar.

    Locks and the life of a code are in hours. ``answer_days`` 0: a transfer is done at once.
    ``code_days`` is within how many days a code that was asked for has to be there.
    """

    answer_days: Sourced[Count]
    lock_hours: Sourced[Count]
    holder_change_lock_hours: Sourced[Count]
    code_days: Sourced[Count]
    code_life_hours: Sourced[Count]
    code_hashed: Sourced[bool]
    code_length: Sourced[list[Positive]]
    lien: Sourced[LienRule]
    adds_months: Sourced[Count]

    @cached_property
    def lock(self) -> timedelta:
        """Return how long a domain is locked after it was registered or transferred."""
        return timedelta(hours=self.lock_hours.value)

    @cached_property
    def holder_change_lock(self) -> timedelta:
        """Return how long a domain is locked after a change of its holder."""
        return timedelta(hours=self.holder_change_lock_hours.value)


class Delegations(Data):
    """What the registry wants of the name servers."""

    required: Sourced[bool]
    min_servers: Sourced[Count]
    max_servers: Sourced[Positive]
    failed_days: Sourced[Count]
    security: Sourced[SecurityData]


class Tld(Data):
    """What one registry, or a kind of registries, rules for the names below its TLDs."""

    kind: Literal["tld"]
    id: Id
    title: Text
    source: Text
    tlds: list[str]
    names: Names
    term: Term
    grace: Grace
    transfer: Transfers
    delegation: Delegations
    documents: Sourced[list[str]]
    signers: Sourced[list[str]]
    surrender: Sourced[Surrender]
    verification_days: Sourced[Count]
    residence: Sourced[list[str]]


class Record(Data):
    """A record that a preset makes; the owner is relative to the apex, which is ``@``."""

    owner: Text
    ttl: Positive
    type: Text
    rdata: Text


class Preset(Data):
    """Records that come with a product or an option; nobody edits them.

    ``replaces`` are the types at the apex that are the preset's alone. ``own_mail_server``: the MX
    records of the customer's own server stand before these.
    """

    title: Text
    source: Text
    replaces: list[str]
    own_mail_server: bool = False
    records: list[Record]


class Option(Data):
    """Something booked beside a product; ``includes`` are the options whose work it does too."""

    title: Text
    source: Text
    preset: Id | None = None
    includes: list[Id] = []
    excludes: list[Id] = []
    needs: list[Id] = []


class Product(Data):
    """A column of the table of products (N section 7), as far as DNS is concerned."""

    title: Text
    own_records: Sourced[bool]
    own_name_server: Sourced[bool]
    server_alias: Sourced[bool]
    http_redirect: Sourced[bool]
    options: list[Id] = []
    presets: list[Id] = []


class Catalogue(Data):
    """The products of one contract, their options, and the records that come with them."""

    kind: Literal["products"]
    id: Id
    title: Text
    source: Text
    record_types: Sourced[list[str]]
    products: dict[Id, Product]
    options: dict[Id, Option]
    presets: dict[Id, Preset]


class Policies(Data):
    """All policy data, by id; ``by_tld`` leads from a TLD to its profile."""

    contracts: dict[str, Contract]
    tlds: dict[str, Tld]
    catalogues: dict[str, Catalogue]

    def profile_of(self, tld: str) -> Tld | None:
        """Return the profile of a TLD, written as an A-label, ``None`` where it is not offered."""
        return next((profile for profile in self.tlds.values() if tld in profile.tlds), None)
