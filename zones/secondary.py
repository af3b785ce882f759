"""What is known of a secondary zone: its primaries, its standing, its past transfers.

All times are seconds since the epoch (UTC), as floats.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from zones.name import Name


@dataclass(frozen=True, slots=True)
class TsigKey:
    """A shared secret (RFC 8945); ``algorithm`` is its name there, as in ``hmac-sha256``."""

    name: Name
    algorithm: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PrimaryTls:
    """How a primary is known over TLS (RFC 9103 7.3.1: strict, by name or by pin).

    ``name`` stands in its certificate; without one its address does. ``ca`` has the certificates
    of the issuers that are trusted, in PEM form; without any, those of the system are. A ``pin``
    stands for all of that: the SHA-256 of the certificate's public key, in base64.
    """

    name: str = ""
    ca: str = field(default="", repr=False)
    pin: str = ""


@dataclass(frozen=True, slots=True)
class Primary:
    """A server that a zone is transferred from; asked in the order of ``position``.

    With ``tls`` it is asked over TLS and no other way. ``source`` is the address of ours that it
    is asked from, and ``transfers`` how many requests may be under way to it over connections at
    one time; ``None`` is what the server's settings say.
    """

    address: str
    port: int = 53
    key: Name | None = None
    position: int = 0
    tls: PrimaryTls | None = None
    source: str | None = None
    transfers: int | None = None

    def __str__(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}@{self.port}"


class Result(StrEnum):
    """How an attempt to refresh a zone ended."""

    ACCEPTED = "accepted"  # a new version was transferred and is served
    CURRENT = "current"  # the primary has nothing newer
    HELD = "held"  # transferred, waits for the customer's approval
    REFUSED = "refused"  # the content or the transfer broke a rule
    UNREACHABLE = "unreachable"  # no usable answer from any primary


class SecondaryStatus(StrEnum):
    """The standing of a secondary zone, as the customer sees it."""

    PENDING = "pending"  # never transferred yet
    OK = "ok"  # the last attempt succeeded
    FAILING = "failing"  # the last attempt failed; the last good version is served
    EXPIRED = "expired"  # SOA EXPIRE has run out; SERVFAIL
    SUSPENDED = "suspended"  # by the operator


@dataclass(frozen=True, slots=True)
class SecondaryState:
    """The persisted timers and findings of one secondary zone.

    ``serial``, ``refresh``, ``retry`` and ``expire`` (seconds, 0 where unknown) are those of the
    served version's SOA; ``expires_at`` counts from the last successful contact (RFC 1035 3.3.13)
    and is ``None`` before the first. ``refused_serial`` is the serial of a transfer that was
    refused since, at ``refused_at``. The ``last_`` texts tell about the last attempt.
    """

    apex: Name
    serial: int | None = None
    primary_serial: int | None = None
    last_result: Result | None = None
    last_rule: str = ""
    last_reason: str = ""
    last_attempt: float | None = None
    last_success: float | None = None
    next_refresh: float = 0.0
    expires_at: float | None = None
    failures: int = 0  # in a row
    refresh: int = 0
    retry: int = 0
    expire: int = 0
    refused_serial: int | None = None
    refused_at: float | None = None
    last_record: str = ""  # the offending record
    last_fix: str = ""  # what to change
    last_primary: str = ""  # ADDR@PORT

    def is_expired(self, now: float) -> bool:
        """Tell whether the zone may no longer be answered."""
        return self.expires_at is not None and now >= self.expires_at


@dataclass(frozen=True, slots=True)
class TransferAttempt:
    """One line of the transfer log."""

    apex: Name
    at: float
    primary: str  # ADDR@PORT
    kind: str  # SOA, AXFR or IXFR
    result: Result
    rule: str = ""
    reason: str = ""
    serial_from: int | None = None
    serial_to: int | None = None
    octets: int = 0
    records: int = 0
    seconds: float = 0.0
