"""Response rate limiting: what is limited, and that both engines limit the same."""

from __future__ import annotations

from ipaddress import ip_network
from random import Random
from typing import TYPE_CHECKING, Protocol

import pytest

from nameserver.answer import Kind
from nameserver.cookies import packed
from nameserver.rrl import WAYS, Action, Limiter, RateLimits

if TYPE_CHECKING:
    from nameserver._rrl import CompiledLimiter

KEY = bytes(range(16))
CLIENT = packed("192.0.2.1")
NAME = b"\x03www\x07example\x03org\x00"
SEND, DROP, SLIP = Action.SEND, Action.DROP, Action.SLIP


class Judge(Protocol):
    """What either limiter does."""

    def judge(self, address: bytes, kind: Kind, subject: bytes, milliseconds: int, /) -> Action:
        """Book an answer and return what to do with it."""


def compiled(limits: RateLimits) -> CompiledLimiter:
    """Return the limiter of the workers, or skip the test."""
    module = pytest.importorskip("nameserver._rrl")
    limiter: CompiledLimiter = module.CompiledLimiter(limits)
    return limiter


@pytest.fixture(params=["python", "compiled"])
def new(request: pytest.FixtureRequest) -> type[Limiter]:
    """Return each of the two limiters."""
    return Limiter if request.param == "python" else compiled  # type: ignore[return-value]


def ask(limiter: Judge, times: int, at: int, kind: Kind = Kind.POSITIVE) -> list[Action]:
    """Ask for the same so many times at once."""
    return [limiter.judge(CLIENT, kind, NAME, at) for _ in range(times)]


def test_rate_is_sent(new: type[Limiter]) -> None:
    """In a second as many answers are sent as the rate says; of the others each second slips."""
    limiter = new(RateLimits(KEY, rate=5, window=2, slip=2))
    assert ask(limiter, 9, at=1000) == [SEND] * 5 + [SLIP, DROP, SLIP, DROP]


def test_ordinary_clients_are_not_limited(new: type[Limiter]) -> None:
    """Who asks at the rate, whatever his rhythm, is never limited."""
    limiter = new(RateLimits(KEY, rate=100))
    for second in range(50):
        assert ask(limiter, 100, at=1000 * second) == [SEND] * 100
    for moment in range(0, 100_000, 10):
        assert ask(limiter, 1, at=100_000 + moment) == [SEND]


def test_a_flood_is_limited_as_long_as_it_lasts(new: type[Limiter]) -> None:
    """A client that goes on far above the rate gets nothing more, and all again a while later."""
    limiter = new(RateLimits(KEY, rate=5, window=3, slip=0))
    actions = [ask(limiter, 1, at=moment)[0] for moment in range(0, 20_000, 20)]
    assert SEND not in actions[50:]
    assert ask(limiter, 1, at=20_000 + 2_900) == [DROP]
    assert ask(limiter, 5, at=20_000 + 8_000) == [SEND] * 5


@pytest.mark.parametrize(("slip", "expected"), [(0, [DROP] * 4), (1, [SLIP] * 4)])
def test_slip(new: type[Limiter], slip: int, expected: list[Action]) -> None:
    """Slip 0 drops all that is limited, slip 1 drops nothing."""
    limiter = new(RateLimits(KEY, rate=1, slip=slip))
    assert ask(limiter, 5, at=0)[1:] == expected


def test_accounts_are_apart(new: type[Limiter]) -> None:
    """Other nets, other kinds of answers and other names have accounts of their own."""
    limiter = new(RateLimits(KEY, rate=1, slip=0))
    assert ask(limiter, 2, at=0) == [SEND, DROP]
    assert ask(limiter, 2, at=0, kind=Kind.NXDOMAIN) == [SEND, DROP]
    assert limiter.judge(packed("192.0.3.1"), Kind.POSITIVE, NAME, 0) is SEND
    assert limiter.judge(CLIENT, Kind.POSITIVE, b"\x03ftp" + NAME[4:], 0) is SEND
    assert limiter.judge(packed("192.0.2.200"), Kind.POSITIVE, NAME, 0) is DROP


@pytest.mark.parametrize(
    ("address", "expected"),
    [("2001:db8:0:ff::1", DROP), ("2001:db8:0:100::1", SEND), ("32.1.13.184", SEND)],
)
def test_ipv6_nets(new: type[Limiter], address: str, expected: Action) -> None:
    """Clients of one IPv6 /56 share an account, and none with an IPv4 net of the same octets."""
    limiter = new(RateLimits(KEY, rate=1, slip=0))
    limiter.judge(packed("2001:db8::1"), Kind.POSITIVE, NAME, 0)
    assert limiter.judge(packed(address), Kind.POSITIVE, NAME, 0) is expected


@pytest.mark.parametrize(
    ("net", "address", "is_exempt"),
    [
        ("192.0.2.0/24", "192.0.2.255", True),
        ("192.0.2.0/24", "192.0.3.0", False),
        ("192.0.2.128/29", "192.0.2.135", True),
        ("192.0.2.128/29", "192.0.2.136", False),
        ("192.0.2.7/32", "192.0.2.7", True),
        ("192.0.2.7/32", "192.0.2.6", False),
        ("0.0.0.0/0", "198.51.100.1", True),
        ("0.0.0.0/0", "2001:db8::1", False),
        ("2001:db8::/33", "2001:db8:7fff::1", True),
        ("2001:db8::/33", "2001:db8:8000::1", False),
        ("2001:db8::1/128", "2001:db8::1", True),
        ("2001:db8::1/128", "2001:db8::2", False),
    ],
)
def test_exempt_nets(new: type[Limiter], net: str, address: str, *, is_exempt: bool) -> None:
    """Clients of exempt nets are never limited, their neighbours are."""
    limiter = new(RateLimits(KEY, rate=1, slip=0, exempt=(ip_network(net),)))
    actions = [limiter.judge(packed(address), Kind.POSITIVE, NAME, 0) for _ in range(2)]
    assert actions == [SEND, SEND if is_exempt else DROP]


def test_a_full_table_keeps_debtors(new: type[Limiter]) -> None:
    """Who is limited stays so while others, however many, come and go."""
    limiter = new(RateLimits(KEY, rate=2, slip=0, accounts=WAYS))
    assert ask(limiter, 10, at=0)[2:] == [DROP] * 8
    for number in range(1000):
        assert limiter.judge(packed("198.51.100.1"), Kind.POSITIVE, b"%d" % number, number) is SEND
    assert ask(limiter, 1, at=1000) == [DROP]


@pytest.mark.parametrize("accounts", [1, 4, 64, 65_536])
def test_both_limit_the_same(rng: Random, accounts: int) -> None:
    """For any clients, answers and times, both limiters do the same, step by step."""
    limits = RateLimits(
        rng.randbytes(16),
        rate=rng.choice((1, 3, 20)),
        window=rng.choice((1, 5, 300)),
        slip=rng.randrange(4),
        ipv4_prefix=rng.randint(1, 32),
        ipv6_prefix=rng.randint(1, 64),
        accounts=accounts,
        exempt=(ip_network("10.0.0.0/9"), ip_network("2001:db8::/31")),
    )
    one, other = Limiter(limits), compiled(limits)
    addresses = [rng.randbytes(rng.choice((4, 4, 16))) for _ in range(10)]
    addresses += [packed("10.1.2.3"), packed("10.128.0.1"), packed("2001:db9::1")]
    subjects = [rng.randbytes(rng.randrange(256)) for _ in range(10)]
    now = rng.randrange(2**34)
    for _ in range(5_000):
        now += rng.choice((0, 0, 1, 20, 300)) if rng.random() < 0.999 else rng.randrange(2**32)
        answer = rng.choice(addresses), rng.choice(list(Kind)), rng.choice(subjects), now
        assert one.judge(*answer) is other.judge(*answer)
