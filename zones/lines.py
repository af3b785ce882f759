"""Zone file text into logical lines: comments gone, parentheses opened out (RFC 1035 5.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_SPECIAL: Final = re.compile(r'[();"\\]')
# What a physical line consists of, as far as lines and comments are concerned.
_PIECE: Final = re.compile(
    r'"(?:[^"\\]|\\.)*"|\\.|[^();"\\]+|(?P<comment>;)|(?P<open>\()|(?P<close>\))|(?P<bad>["\\])'
)


class LogicalLine(NamedTuple):
    """A record or directive on one line; ``number`` is where it starts, counted from 1.

    ``problem`` says why it cannot be read, empty where it can.
    """

    number: int
    text: str
    problem: str = ""


def logical_lines(text: str) -> Iterator[LogicalLine]:
    """Yield the lines that have something to say."""
    depth = start = 0
    gathered: list[str] = []
    problem = ""
    for number, physical in enumerate(text.split("\n"), 1):
        line = physical.removesuffix("\r")
        if not depth:
            if not _SPECIAL.search(line):
                if line and not line.isspace():
                    yield LogicalLine(number, line)
                continue
            start, gathered, problem = number, [], ""
        depth, why = _scan(line, depth, gathered)
        problem = problem or why
        if not depth and (problem or not "".join(gathered).isspace()) and any(gathered):
            yield LogicalLine(start, "".join(gathered), problem)
        gathered.append(" ")
    if depth:
        yield LogicalLine(start, "".join(gathered), "the parenthesis is never closed")


def _scan(line: str, depth: int, gathered: list[str]) -> tuple[int, str]:
    """Add what counts of a physical line; return how deep in parentheses it ends, and a problem."""
    problem = ""
    for match in _PIECE.finditer(line):
        kind = match.lastgroup
        if kind == "comment":
            break
        if kind is None:
            gathered.append(match.group())
            continue
        gathered.append(" ")
        if kind == "open":
            depth += 1
        elif kind == "bad":
            problem = (
                "a quote is never closed" if match.group() == '"' else "a lone backslash ends it"
            )
            break
        elif not depth:
            problem = "a closing parenthesis without an opening one"
        else:
            depth -= 1
    return depth, problem
