"""The page about registrations: state diagrams and tables, drawn from the transition tables.

``python -m registrar.diagrams`` writes docs/registrations.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Final

from registrar.model import Region
from registrar.recorded import RECORDED
from registrar.transition import Transition
from registrar.transitions import INITIAL, TABLES

INTRODUCTION: Final = """\
# Registrations

A registration is a list of facts with timestamps; its state at any moment follows from them and
from the tables below. Its regions move beside each other: an event is told to all of them, and
each takes the first row for its state whose conditions hold. Where a wish meets a guard that has
reasons against it, no region moves, and the reasons are kept.

What a registry, or billing, tells to have happened is not judged: it has happened. A projection to
a day to come takes for granted that the commands due until then are carried out and succeed, and
lists them.

Three clocks are never mixed: the end of the **contract**, the day up to which is **paid**, and the
expiry at the **registry**, which `.de` does not have. The EPP statuses and the grace periods are
sets that follow from the regions: `ok` stands alone, pending operations exclude each other,
nothing is pending that is prohibited, and without name servers a domain is `inactive` (RFC 5731
2.3, 3915 3.1).

Periods, forms and lengths are data: `registrar/policies`, one file for each contract and each kind
of registry, with the source of every value. A file of the same name in a directory of the
operator's is laid over it. Sources: N, H and I are the service descriptions that this system
carries out, with their sections.

This page is written by `python -m registrar.diagrams`.
"""

EPP: Final = """\
## EPP statuses and grace periods

| status | while |
|---|---|
| `pendingCreate` | life cycle: pendingCreate |
| `pendingDelete` | life cycle: redemptionPeriod, pendingRestore, pendingDelete |
| `pendingTransfer` | transfer: pendingTransfer |
| `clientHold` | payment: suspended (by policy); contact verification: quarantine; the interruption \
before a terminated domain is deleted; set by hand |
| `inactive` | there are no name servers |
| `ok` | there is nothing else |
| the other `client...` and `server...` | as the registry tells; what forbids a pending operation \
is overridden by it |

| grace period | begins | ends |
|---|---|---|
| `addPeriod` | registered | `grace.add` days later |
| `transferPeriod` | transferred in | `grace.transfer` days later |
| `renewPeriod` | renewed by command | `grace.renew` days later |
| `autoRenewPeriod` | renewed by the registry | `grace.auto_renew` days later |
"""


def diagram(region: Region) -> str:
    """Return the state diagram of a region, in Mermaid."""
    rows = [f"    [*] --> {INITIAL[region]}"]
    for (state, target), events in _arrows(TABLES[region]).items():
        rows.append(f"    {state} --> {target} : {', '.join(events)}")
    ends = dict.fromkeys(row.target for row in TABLES[region] if not _leaves(region, row.target))
    rows += [f"    {state} --> [*]" for state in ends]
    return "\n".join(["```mermaid", "stateDiagram-v2", *rows, "```", ""])


def table(rows: Iterable[Transition]) -> str:
    """Return the rows of a table, in Markdown."""
    lines = [
        "| from | event | to | needs, timer | DNS | registry | notice | source |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [" | ".join(_cells(row)).join(("| ", " |")) for row in rows]
    return "\n".join(lines) + "\n"


def markdown() -> str:
    """Return the whole page."""
    parts = [INTRODUCTION]
    for region, rows in TABLES.items():
        parts.append(f"## {region.capitalize()}\n\n{diagram(region)}\n{table(rows)}")
    parts.append(EPP)
    parts.append(
        "## Facts that are kept as data\n\n| fact | what it does | source |\n|---|---|---|"
    )
    parts[-1] += "".join(
        f"\n| {recording.event} | {recording.words} | {recording.source} |"
        for recording in RECORDED.values()
    )
    return "\n".join(parts) + "\n"


def _arrows(rows: Iterable[Transition]) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        events = found.setdefault((row.state, row.target), [])
        if row.event not in events:
            events.append(row.event)
    return found


def _leaves(region: Region, state: str) -> bool:
    return any(row.state == state and row.target != state for row in TABLES[region])


def _cells(row: Transition) -> Iterator[str]:
    yield row.state
    yield row.event
    yield row.target
    words = [headline(guard.__doc__) for guard in row.guards]
    if row.when is not None:
        words.append(f"where {condition(row.when.__doc__)}")
    if row.timer:
        words.append(f"*{row.timer}*")
    yield "; ".join(words)
    yield row.dns or ""
    yield ", ".join(row.commands)
    yield row.notice
    yield row.source


def headline(doc: str | None) -> str:
    """Return the first line of a docstring, without its full stop."""
    return (doc or "").strip().splitlines()[0].rstrip(".")


def condition(doc: str | None) -> str:
    """Return what a condition's docstring says it tells."""
    return headline(doc).removeprefix("Tell whether ")


if __name__ == "__main__":
    sys.stdout.write(markdown())
