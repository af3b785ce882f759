"""DNS cookies: how a client shows that its address is its own (RFC 7873, RFC 9018).

A client sends a cookie of eight octets; the server gives it back with one of its own, which only
the owner of the address gets to see. The server keeps nothing: its cookie is a keyed hash of the
client's cookie, the address and the time (RFC 9018 4), the same for every server that has the
secret::

    version 1 | reserved, 3 octets | seconds since 1970, 4 octets | SipHash-2-4, 8 octets

Secrets are replaced in three steps (RFC 9018 5): the new one is added as the second, then made the
first, and the old one is taken out an hour later. The first one makes cookies; all are accepted.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from hashlib import blake2b
from hmac import compare_digest
from typing import Final

from nameserver.siphash import KEY_SIZE, siphash

SECRET_SIZE: Final = KEY_SIZE
MOST_SECRETS: Final = 4
CLIENT_SIZE: Final = 8  # octets of a client's cookie
SERVER_SIZE: Final = 16  # of a server's, as this server makes it
SIZES: Final = (8, *range(16, 41))  # of the option: any server's cookie has 8 to 32 (RFC 7873 4)

# RFC 9018 4.3, in seconds.
OLDEST: Final = 3600
NEWEST: Final = -300  # from a server whose clock is ahead
RENEWED_AFTER: Final = 1800
DAY: Final = 86_400

_VERSION: Final = b"\x01"
_RESERVED: Final = bytes(3)


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks, and when: an address of 4 or 16 octets, and seconds since 1970."""

    address: bytes
    now: int


def secrets_at(seed: bytes, now: float) -> tuple[bytes, ...]:
    """Return today's and yesterday's secret of a server that shares them with nobody.

    A secret is for one day (RFC 7873 7.1); ``seed`` has at least 16 octets that nobody else knows.
    """
    today = int(now // DAY)
    return tuple(
        blake2b(day.to_bytes(8, "big"), key=seed, digest_size=SECRET_SIZE).digest()
        for day in (today, today - 1)
    )


class Verdict(Enum):
    """What a query's COOKIE option is worth (RFC 7873 5.2)."""

    NONE = "none"  # there is no option, or cookies are not in use
    MALFORMED = "malformed"
    CLIENT_ONLY = "client-only"
    INVALID = "invalid"  # made by another server, for another address, too long ago, or up
    VALID = "valid"


@dataclass(frozen=True, slots=True)
class Cookie:
    """What to say to a query's COOKIE option; ``value`` is that of the response's option."""

    verdict: Verdict
    value: bytes = b""


NO_COOKIE: Final = Cookie(Verdict.NONE)
MALFORMED: Final = Cookie(Verdict.MALFORMED)


@lru_cache(maxsize=4096)
def packed(address: str) -> bytes:
    """Return the octets of an address given as text, without its zone."""
    return ipaddress.ip_address(address.partition("%")[0]).packed


def answer(value: bytes, client: Client | None, secrets: tuple[bytes, ...]) -> Cookie:
    """Judge the value of a query's option and return the response's (RFC 7873 5.2).

    Without a secret, or where the client is not known, there is none.

    A server cookie stays as it is for half an hour, so that a client need not learn a new one with
    each answer, unless it was made with a secret that is on its way in or out.
    """
    if len(value) not in SIZES:
        return MALFORMED
    if client is None or not secrets:
        return NO_COOKIE
    own, given = value[:CLIENT_SIZE], value[CLIENT_SIZE:]
    if not given:
        return Cookie(Verdict.CLIENT_ONLY, own + made(own, client, secrets[0]))
    secret = _maker(own, given, client, secrets)
    if secret == secrets[0] and _age(given, client.now) <= RENEWED_AFTER:
        return Cookie(Verdict.VALID, value)
    verdict = Verdict.VALID if secret else Verdict.INVALID
    return Cookie(verdict, own + made(own, client, secrets[0]))


def _maker(own: bytes, given: bytes, client: Client, secrets: tuple[bytes, ...]) -> bytes:
    """Return the secret that a server cookie was made with; empty for one that is not valid."""
    if len(given) != SERVER_SIZE or given[:1] != _VERSION:
        return b""
    if not NEWEST <= _age(given, client.now) <= OLDEST:
        return b""
    for secret in secrets:
        if compare_digest(given, _signed(own, given[:8], client.address, secret)):
            return secret
    return b""


def _age(given: bytes, now: int) -> int:
    # RFC 1982 arithmetic: seconds since 1970 will not fit into 32 bits for ever.
    return (now - int.from_bytes(given[4:8], "big") + 2**31) % 2**32 - 2**31


def made(own: bytes, client: Client, secret: bytes) -> bytes:
    """Return a new server cookie for a client and its cookie (RFC 9018 4)."""
    time = (client.now % 2**32).to_bytes(4, "big")
    return _signed(own, _VERSION + _RESERVED + time, client.address, secret)


def _signed(own: bytes, head: bytes, address: bytes, secret: bytes) -> bytes:
    # The reserved octets of a cookie that comes back are hashed as they are (RFC 9018 4.2).
    return head + siphash(secret, own + head + address).to_bytes(8, "little")
