"""$GENERATE, an extension of zone files by BIND: one template, many numbers."""

from __future__ import annotations

import re
from typing import Final

_RANGE: Final = re.compile(r"(\d{1,10})-(\d{1,10})(?:/(\d{1,10}))?", re.ASCII)
_PLACE: Final = re.compile(r"\\.|\$\$|\$(?:\{([^}]*)\})?")
_MODIFIER: Final = re.compile(r"(-?\d{1,10})(?:,(\d{1,3})(?:,([doxXnN]))?)?", re.ASCII)


def read_range(text: str) -> range:
    """Return the numbers of ``start-stop`` or ``start-stop/step``; raises ``ValueError``."""
    match = _RANGE.fullmatch(text)
    if match is None or int(match[1]) > int(match[2]) or match[3] == "0":
        raise ValueError(f"{text!r} is not a range, such as 1-10 or 0-100/2")
    return range(int(match[1]), int(match[2]) + 1, int(match[3] or 1))


def fill(template: str, number: int) -> str:
    """Return the template with each ``$`` or ``${offset[,width[,base]]}`` replaced by the number.

    ``$$`` is a dollar sign, and what a backslash precedes is left alone. Raises ``ValueError``.
    """
    return _PLACE.sub(lambda match: _replacement(match, number), template)


def _replacement(match: re.Match[str], number: int) -> str:
    found = match.group()
    if found[0] == "\\":
        return found
    if found == "$$":
        return "\\$"
    if match[1] is None:
        return str(number)
    modifier = _MODIFIER.fullmatch(match[1])
    if modifier is None:
        raise ValueError(f"{found!r} is not a modifier, such as ${{0,3,d}}")
    value = number + int(modifier[1])
    if value < 0:
        raise ValueError(f"{found!r} makes a negative number of {number}")
    width, base = int(modifier[2] or 0), modifier[3] or "d"
    return _nibbles(value, width, base) if base in "nN" else f"{value:0{width}{base}}"


def _nibbles(value: int, width: int, base: str) -> str:
    """Return hexadecimal digits, lowest first, with dots between, as ip6.arpa has them."""
    digits = f"{value:{'x' if base == 'n' else 'X'}}"[::-1]
    return ".".join(digits.ljust((width + 1) // 2, "0"))
