"""``nsctl status``: the whole at a glance."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import click

from cli.app import App
from cli.command import Command
from cli.output import ago, count, emit, iso, print_facts, print_table
from cli.standing import standing
from zones.name import display

TROUBLE = ("expired", "failing", "suspended", "no content")
SHOWN = 10


@click.command(cls=Command, example="nsctl status")
@click.pass_obj
def status(app: App) -> None:
    """Tell what there is, what needs attention, and whether a server answers."""
    from cli.probe import probe
    from storage import deliveries, events, feed, leases, secondaries, zones
    from storage.deliveries import DeliveryState

    settings = app.settings()
    now = time.time()
    with app.opened() as database, database.read() as session:
        place = database.place
        summaries = zones.list_zones(session)
        states = {state.apex: state for state in secondaries.list_states(session)}
        last = events.list_events(session, limit=1)
        change = feed.latest(session)
        sent = deliveries.counts(session)
        overdue = deliveries.overdue(session, now)
        transfers = (leases.holder_of(session, "transfers") or "").partition("/")[0]
    standings = {
        summary.zone.apex: standing(
            summary.zone, summary.serial, states.get(summary.zone.apex), now
        )
        for summary in summaries
    }
    by_kind = Counter(
        (summary.zone.mode.value, standings[summary.zone.apex]) for summary in summaries
    )
    servers = probe(settings.listen)
    data: dict[str, Any] = {
        "database": place,
        "zones": len(summaries),
        "by_mode": dict(Counter(summary.zone.mode.value for summary in summaries)),
        "by_state": dict(Counter(standings.values())),
        "failing": sorted(display(apex) for apex, one in standings.items() if one == "failing"),
        "expired": sorted(display(apex) for apex, one in standings.items() if one == "expired"),
        "transfers": transfers or None,  # the node, where several share the store
        "last_change": change,
        "undelivered": {
            "waiting": sent[DeliveryState.WAITING],
            "tried": overdue.tried,
            "given_up": sent[DeliveryState.FAILED],
            "last_error": overdue.last_error or None,
        },
        "last_event": {"at": iso(last[0].at), "text": last[0].text} if last else None,
        "server": [
            {"address": str(address), "answers": answer is not None, "identity": answer or None}
            for address, answer in servers
        ],
    }

    def tell() -> None:
        alive = [
            f"{address} ({answer})" if answer else str(address)
            for address, answer in servers
            if answer is not None
        ]
        silent = [str(address) for address, answer in servers if answer is None]
        print_facts(
            "nsctl",
            {
                "Server": "answers on " + ", ".join(alive)
                if alive
                else "no answer on " + ", ".join(silent) + "; start it with: nsctl serve",
                "No answer": ", ".join(silent) if alive and silent else "",
                "Transfers": f"done by {transfers}" if transfers else "",
                "Database": place,
                "Last event": f"{ago(last[0].at, now)}: {last[0].text}" if last else "none yet",
                "Zones": count(len(summaries), "zone"),
                "Messages": undelivered(
                    sent[DeliveryState.WAITING], sent[DeliveryState.FAILED], overdue.last_error
                ),
            },
            state="ok" if alive and not silent else "",
        )
        if by_kind:
            click.echo()
            rows = [(mode, state, f"{n:,}") for (mode, state), n in sorted(by_kind.items())]
            print_table(("Mode", "State", "Zones"), rows, right=("Zones",))
        print_trouble(standings, states, now)

    emit(app, data, tell)


def undelivered(waiting: int, given_up: int, last_error: str) -> str:
    """Return what is said of messages that did not arrive, nothing where all did."""
    parts = [f"{waiting:,} waiting"] if waiting else []
    parts += [f"{given_up:,} given up"] if given_up else []
    if not parts:
        return ""
    why = f" ({last_error})" if last_error else ""
    return ", ".join(parts) + why + "; see: nsctl delivery list"


def print_trouble(standings: dict[bytes, str], states: dict[bytes, Any], now: float) -> None:
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
