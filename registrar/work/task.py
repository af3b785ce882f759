"""A piece of work at a registry, what it knows of the domain, and what can come of it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from registrar.commands import Command, InfoDomain
from registrar.connector import Capabilities, Refused
from registrar.contact import Contact
from registrar.fact import Fact
from registrar.model import Life, State
from registrar.objects import DomainInfo, NameServer, Period, PeriodUnit, SecDns
from registrar.policy import Tld

ABSENT: Final = 2303
EXISTS: Final = 2302
NOT_SPONSOR: Final = 2201
WITH_US: Final = frozenset((Life.REGISTERED, Life.CLOSING))


@dataclass(frozen=True, slots=True)
class Task:
    """Everything that is known of a domain when work on it is done.

    ``contacts`` are the data of the contacts by our id, ``holder``, ``admin`` and ``tech`` ids of
    them, ``secret`` an auth code that goes with the work, ``auth`` the first one of a new domain,
    ``detail`` the particulars with which the work was ordered, ``client`` who we are there.
    """

    name: str
    state: State
    tld: Tld
    capabilities: Capabilities
    now: datetime
    holder: str
    admin: str
    tech: str
    contacts: dict[str, Contact]
    name_servers: tuple[NameServer, ...]
    sec_dns: SecDns
    ordered_at: datetime
    client: str = ""
    forward: bool = True
    auth: str = ""
    secret: str = ""
    detail: Any = None

    @property
    def host_objects(self) -> bool:
        """Tell whether name servers are objects of their own at this registry."""
        return self.capabilities.host_objects


@dataclass(frozen=True, slots=True)
class Finished:
    """It is done; the facts are what the registry has thereby told, ``words`` what was found."""

    facts: tuple[Fact, ...] = ()
    words: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """It cannot be done as it is: somebody has to look at it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """It is not time yet: to be looked at again."""

    reason: str


Result: TypeAlias = Finished | Failed | Waiting
Steps: TypeAlias = Generator[Command[Any], Any, Result]
Judged: TypeAlias = Generator[Command[Any], Any, Finished | Failed]


def info_of(task: Task) -> Generator[Command[Any], Any, DomainInfo | Refused]:
    """Ask what the registry has of the domain."""
    outcome = yield InfoDomain(task.name)
    if isinstance(outcome, Refused):
        return outcome
    info: DomainInfo = outcome.value
    return info


def period_of(months: int) -> Period | None:
    """Return so many months as registries count them: in years where it can be."""
    if not months:
        return None
    return Period(months // 12) if months % 12 == 0 else Period(months, PeriodUnit.MONTH)


def moment_of(text: str | None) -> datetime | None:
    """Return a moment of the particulars of a piece of work, or none."""
    return datetime.fromisoformat(text) if text else None
