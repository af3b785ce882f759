"""Response rate limiting: what one net is sent of the same kind, in a second, over UDP.

The address of a datagram may be forged: whoever asks in the name of another has the answers sent
there. Answers are therefore booked to accounts, by the client's net, by what the answer is and by
what it is about (``Answer.kind``, ``Answer.subject``). An account is in debt by one for each
answer, and pays back ``rate`` of them in a second. With more than ``rate`` it is limited: answers
are dropped, but each ``slip``-th is sent without records, so that a real client can come back over
TCP, or with a cookie. Debt does not grow beyond ``window`` seconds' worth; what is dropped counts,
too, so that a flood is limited as long as it lasts.

Accounts are in a table of fixed size, in sets of four. A new one takes the place of the one in its
set that owes least: nothing is lost with an account without debts, and a flood cannot push out
those it has run into debt. The compiled engine has the same table, and does the same step by step;
so this one cannot be any of the caches there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Network, IPv6Network
from typing import Final

from nameserver.answer import Kind
from nameserver.siphash import siphash
from zones.name import Name

WAYS: Final = 4  # accounts of a set
NET_SIZE: Final = 8  # octets that stand for a net
ANSWER: Final = 1000  # what one answer costs; rate of it is paid back in a millisecond
MOST_RATE: Final = 10_000  # so that debts have 32 bits, with
MOST_WINDOW: Final = 300
MOST_EXEMPT: Final = 64
LATE: Final = 10_000  # milliseconds that one thread may be behind another
_WRAP: Final = 2**32


@dataclass(frozen=True, slots=True)
class RateLimits:
    """How much is too much: see the head of this module.

    ``rate`` is answers in a second, ``window`` seconds; ``slip`` 0 drops all that is limited, 1
    drops nothing. Nets are as long as the prefixes say, in bits (an IPv6 prefix has at most 64).
    ``badcookie`` sends BADCOOKIE in place of a truncated answer to clients that use cookies.
    ``key`` has 16 octets that nobody else knows.
    """

    key: bytes
    rate: int = 200
    window: int = 5
    slip: int = 2
    badcookie: bool = False
    ipv4_prefix: int = 24
    ipv6_prefix: int = 56
    accounts: int = 65_536
    exempt: tuple[IPv4Network | IPv6Network, ...] = ()

    @property
    def sets(self) -> int:
        """Return the number of sets in the table, a power of two."""
        return 1 << max(0, (self.accounts // WAYS - 1).bit_length())


class Action(IntEnum):
    """What is done with an answer."""

    SEND = 0
    DROP = 1
    SLIP = 2  # send it without records


@dataclass(slots=True)
class Account:
    """What a net owes for one kind of answer about one thing; ``time`` in milliseconds."""

    tag: int = 0
    time: int = 0
    debt: int = 0
    limited: int = 0  # answers since it was limited

    def elapsed(self, now: int) -> int:
        """Return the milliseconds since something was booked; none where ``now`` is a little less.

        Threads that share an account look at the clock first and book afterwards.
        """
        since = (now - self.time) % _WRAP
        return since if since < _WRAP - LATE else 0

    def debt_at(self, now: int, rate: int) -> int:
        """Return what is left of the debt."""
        return max(0, self.debt - self.elapsed(now) * rate)


class Limiter:
    """The accounts of all clients."""

    def __init__(self, limits: RateLimits) -> None:
        self.limits = limits
        self._sets: dict[int, list[Account]] = {}
        self._mask = limits.sets - 1
        self._exempt = [
            (net.network_address.packed, net.max_prefixlen - net.prefixlen) for net in limits.exempt
        ]

    def judge(self, address: bytes, kind: Kind, subject: Name, milliseconds: int) -> Action:
        """Book an answer and return what to do with it.

        ``milliseconds`` begin anywhere, and go back by less than ``LATE``.
        """
        if self._is_exempt(address):
            return Action.SEND
        limits, now = self.limits, milliseconds % _WRAP
        account = self._account(self.number(address, kind, subject), now)
        debt = account.debt_at(now, limits.rate) + ANSWER
        account.time = (account.time + account.elapsed(now)) % _WRAP
        account.debt = min(debt, ANSWER * limits.rate * (1 + limits.window))
        if debt <= ANSWER * limits.rate:
            account.limited = 0
            return Action.SEND
        slips = limits.slip and account.limited % limits.slip == 0
        account.limited = (account.limited + 1) % _WRAP
        return Action.SLIP if slips else Action.DROP

    def number(self, address: bytes, kind: Kind, subject: Name) -> int:
        """Return the number of the account that an answer is booked to."""
        return siphash(self.limits.key, self._net(address) + bytes((kind,)) + subject)

    def _account(self, number: int, now: int) -> Account:
        ways = self._sets.setdefault(number & self._mask, [])
        if not ways:
            ways += (Account() for _ in range(WAYS))
        tag = number >> 32
        for account in ways:
            if account.tag == tag:
                return account
        account = min(ways, key=lambda account: account.debt_at(now, self.limits.rate))
        account.tag, account.time, account.debt, account.limited = tag, now, 0, 0
        return account

    def _net(self, address: bytes) -> bytes:
        """Return what stands for a client's net: the same octets for all its addresses."""
        is_ipv4 = len(address) == 4
        prefix = self.limits.ipv4_prefix if is_ipv4 else self.limits.ipv6_prefix
        first = int.from_bytes(address[:NET_SIZE].ljust(NET_SIZE, b"\x00"), "big")
        kept = first >> (64 - prefix) << (64 - prefix)
        return (kept | is_ipv4).to_bytes(NET_SIZE, "big")

    def _is_exempt(self, address: bytes) -> bool:
        number = int.from_bytes(address, "big")
        return any(
            len(net) == len(address) and not (number ^ int.from_bytes(net, "big")) >> host_bits
            for net, host_bits in self._exempt
        )
