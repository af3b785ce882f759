"""What is checked, what was gathered about it, and what was found: values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import dns.message

from registrar.objects import NO_SEC_DNS, NameServer, SecDns
from registrar.predelegation.rules import RULES
from zones.finding import Severity


class Endpoint(NamedTuple):
    """Where a server is asked: an address as ``ipaddress`` writes it, and a port."""

    host: str
    port: int = 53

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == 53 else f"{host}@{self.port}"


@dataclass(frozen=True, slots=True)
class Request:
    """What would go to the registry: name servers with their glue, and DNSSEC data.

    ``stand_ins`` has, by name, where a server is asked in place of its addresses.
    """

    domain: str
    name_servers: tuple[NameServer, ...]
    sec_dns: SecDns = NO_SEC_DNS
    stand_ins: dict[str, tuple[Endpoint, ...]] = field(default_factory=dict)

    def is_within(self, host: str) -> bool:
        """Tell whether a name server's own name is in the domain, so that it needs glue."""
        return host == self.domain or host.endswith(f".{self.domain}")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, or why there is none."""

    message: dns.message.Message | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ServerAnswers:
    """What one server said at one of its addresses.

    ``recursive`` is the answer to a query that desires recursion; ``keys`` and ``signed_soa`` are
    those to queries with the DO bit. ``addresses`` are A and AAAA by name, for names within the
    domain; ``None`` where the server did not say.
    """

    name: str
    endpoint: Endpoint
    soa: Reply
    ns: Reply
    soa_tcp: Reply
    recursive: Reply
    keys: Reply
    signed_soa: Reply
    addresses: dict[str, frozenset[str] | None] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """Return the server as sentences name it."""
        return f"{self.name} ({self.endpoint})"


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything that a check is made on; ``resolved`` has the addresses of servers by name."""

    request: Request
    resolved: dict[str, frozenset[str]]
    answers: tuple[ServerAnswers, ...]


@dataclass(frozen=True, slots=True)
class Issue:
    """One broken rule; ``server`` is empty where it is about all of them."""

    rule: str
    sentence: str
    server: str = ""

    @property
    def severity(self) -> Severity:
        """Return whether the registry would refuse for it."""
        return RULES[self.rule].severity
