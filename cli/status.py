"""``nsctl status``: the whole at a glance."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from cli.app import App
from cli.command import Command
from cli.output import ago, count, emit, iso, print_facts, print_table
from cli.standing import standing
from zones.name import Name, display

if TYPE_CHECKING:
    from nameserver.address import Address
    from storage.events import Event
    from zones.secondary import SecondaryState

    Servers = Sequence[tuple[Address, str | None]]

SHOWN = 10


@click.command(cls=Command, example="nsctl status")
@click.pass_obj
def status(app: App) -> None:
    """Tell what there is, what needs attention, and whether a server answers."""
    from cli.probe import probe

    settings = app.settings()
    seen = look(app, time.time())
    servers = probe(settings.listen)

    def tell() -> None:
        print_overview(seen, servers)
        print_zones(seen)
        print_trouble(seen.standings, seen.states, seen.now)

    emit(app, as_data(seen, servers), tell)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the store tells at one moment.

    ``standings`` has the word for each zone's state, ``transfers`` the node that does the
    transfers, empty where only one uses the store.
    """

    now: float
    place: str
    modes: dict[Name, str]
    standings: dict[Name, str]
    states: dict[Name, SecondaryState]
    last: Event | None
    change: int
    transfers: str
    waiting: int
    given_up: int
    tried: int
    last_error: str


def look(app: App, now: float) -> Seen:
    """Read what is told; raises ``StorageError``."""
    from storage import deliveries, events, feed, leases, secondaries, zones
    from storage.deliveries import DeliveryState

    with app.opened() as database, database.read() as session:
        summaries = zones.list_zones(session)
        states = {state.apex: state for state in secondaries.list_states(session)}
        sent = deliveries.counts(session)
        overdue = deliveries.overdue(session, now)
        return Seen(
            now=now,
            place=database.place,
            modes={one.zone.apex: one.zone.mode.value for one in summaries},
            standings={
                one.zone.apex: standing(one.zone, one.serial, states.get(one.zone.apex), now)
                for one in summaries
            },
            states=states,
            last=next(iter(events.list_events(session, limit=1)), None),
            change=feed.latest(session),
            transfers=(leases.holder_of(session, "transfers") or "").partition("/")[0],
            waiting=sent[DeliveryState.WAITING],
            given_up=sent[DeliveryState.FAILED],
            tried=overdue.tried,
            last_error=overdue.last_error,
        )


def as_data(seen: Seen, servers: Servers) -> dict[str, Any]:
    """Return the whole for JSON."""
    return {
        "database": seen.place,
        "zones": len(seen.modes),
        "by_mode": dict(Counter(seen.modes.values())),
        "by_state": dict(Counter(seen.standings.values())),
        "failing": seen_as(seen, "failing"),
        "expired": seen_as(seen, "expired"),
        "transfers": seen.transfers or None,
        "last_change": seen.change,
        "undelivered": {
            "waiting": seen.waiting,
            "tried": seen.tried,
            "given_up": seen.given_up,
            "last_error": seen.last_error or None,
        },
        "last_event": {"at": iso(seen.last.at), "text": seen.last.text} if seen.last else None,
        "server": [
            {"address": str(address), "answers": answer is not None, "identity": answer or None}
            for address, answer in servers
        ],
    }


def seen_as(seen: Seen, word: str) -> list[str]:
    """Return the zones in one state, by name."""
    return sorted(display(apex) for apex, one in seen.standings.items() if one == word)


def print_overview(seen: Seen, servers: Servers) -> None:
    """Write whether servers answer, where the store is, and what happened last."""
    alive = [
        f"{address} ({answer})" if answer else str(address)
        for address, answer in servers
        if answer is not None
    ]
    silent = ", ".join(str(address) for address, answer in servers if answer is None)
    last = seen.last
    print_facts(
        "nsctl",
        {
            "Server": "answers on " + ", ".join(alive)
            if alive
            else f"no answer on {silent}; start it with: nsctl serve",
            "No answer": silent if alive else "",
            "Transfers": f"done by {seen.transfers}" if seen.transfers else "",
            "Database": seen.place,
            "Last event": f"{ago(last.at, seen.now)}: {last.text}" if last else "none yet",
            "Zones": count(len(seen.modes), "zone"),
            "Messages": undelivered(seen.waiting, seen.given_up, seen.last_error),
        },
        state="ok" if alive and not silent else "",
    )


def print_zones(seen: Seen) -> None:
    """Write how many zones there are of each mode and state."""
    numbers = Counter((mode, seen.standings[apex]) for apex, mode in seen.modes.items())
    if numbers:
        click.echo()
        rows = [(mode, state, f"{number:,}") for (mode, state), number in sorted(numbers.items())]
        print_table(("Mode", "State", "Zones"), rows, right=("Zones",))


def undelivered(waiting: int, given_up: int, last_error: str) -> str:
    """Return what is said of messages that did not arrive, nothing where all did."""
    parts = [f"{waiting:,} waiting"] if waiting else []
    parts += [f"{given_up:,} given up"] if given_up else []
    if not parts:
        return ""
    why = f" ({last_error})" if last_error else ""
    return ", ".join(parts) + why + "; see: nsctl delivery list"


def print_trouble(
    standings: dict[Name, str], states: dict[Name, SecondaryState], now: float
) -> None:
    """Write the secondary zones that somebody has to look at, those that expire first on top."""
    wrong = [apex for apex, one in standings.items() if one in ("failing", "expired")]
    if not wrong:
        return
    wrong.sort(key=lambda apex: states[apex].expires_at or 0)
    click.echo()
    rows = [
        (
            display(apex),
            standings[apex],
            ago(states[apex].expires_at, now),
            states[apex].last_rule or states[apex].last_result or "",
        )
        for apex in wrong[:SHOWN]
    ]
    print_table(("Needs attention", "State", "Expires", "Why"), rows)
    if len(wrong) > SHOWN:
        click.echo(f"and {count(len(wrong) - SHOWN, 'more zone')}; see: nsctl secondary list")
    click.echo("the reason in words: nsctl secondary explain ZONE")
