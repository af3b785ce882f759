"""Serial arithmetic and the policies for the next serial."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import serials
from zones.serial import HALF, MODULUS, SerialPolicy, is_newer

NOW = datetime(2024, 2, 29, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("candidate", "than", "newer"),
    [
        (1, 0, True),
        (0, 1, False),
        (5, 5, False),
        (0, MODULUS - 1, True),
        (HALF - 1, 0, True),
        (HALF, 0, False),
        (0, HALF, False),
        (HALF + 1, 0, False),
    ],
)
def test_comparison_of_rfc_1982(candidate: int, than: int, newer: bool) -> None:  # noqa: FBT001
    """Half the circle lies ahead; exactly opposite serials are newer in neither direction."""
    assert is_newer(candidate, than) is newer


@given(serials, st.integers(1, HALF - 1))
def test_adding_less_than_half_makes_newer(serial: int, addend: int) -> None:
    """RFC 1982 3.1 and 3.2 hold together, also across the wrap."""
    successor = (serial + addend) % MODULUS
    assert is_newer(successor, serial)
    assert not is_newer(serial, successor)


@given(serials, st.sampled_from(SerialPolicy))
def test_every_policy_goes_forward(serial: int, policy: SerialPolicy) -> None:
    """Whatever the current serial, secondaries take the next one for newer."""
    successor = policy.successor(serial, NOW)
    assert is_newer(successor, serial)
    assert 0 <= successor < MODULUS


def test_date_policy() -> None:
    """The first edit of a day gets its date, the next ones count up."""
    assert SerialPolicy.DATE.successor(2024022805, NOW) == 2024022900
    assert SerialPolicy.DATE.successor(2024022900, NOW) == 2024022901
    assert SerialPolicy.DATE.successor(2024022999, NOW) == 2024023000


def test_unixtime_policy() -> None:
    """The time in seconds, or the plain successor where the serial is there already."""
    assert SerialPolicy.UNIXTIME.successor(1, NOW) == int(NOW.timestamp())
    ahead = int(NOW.timestamp()) + 10
    assert SerialPolicy.UNIXTIME.successor(ahead, NOW) == ahead + 1


def test_increment_wraps() -> None:
    """After 2^32 - 1 comes 0."""
    assert SerialPolicy.INCREMENT.successor(MODULUS - 1, NOW) == 0
