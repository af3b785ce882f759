"""``nsctl secondary list`` and ``status``: how the zones of customers' primaries stand."""

from __future__ import annotations

import dataclasses
import fnmatch
import time
from collections.abc import Sequence
from typing import Any

import click

from axfr.refresh import status as status_of
from cli.app import App
from cli.arguments import ZONE
from cli.command import Command
from cli.output import (
    STYLES,
    ago,
    count,
    duration,
    emit,
    iso,
    octets,
    print_facts,
    print_table,
    sentences,
    stamp,
    wrapped,
)
from cli.primary_options import primary_data, told_of
from zones.errors import DNSError
from zones.name import Name, display
from zones.secondary import Primary, Result, SecondaryState, SecondaryStatus, TransferAttempt
from zones.zone import Zone


class NoSecondary(DNSError):
    """A zone whose content does not come by transfer."""


def as_data(
    zone: Zone, state: SecondaryState, primaries: Sequence[Primary], now: float
) -> dict[str, Any]:
    """Return how a zone stands, for JSON."""
    standing = status_of(state, now, suspended=bool(zone.suspended))
    return {
        "zone": display(zone.apex),
        "mode": zone.mode.value,
        "customer": zone.customer,
        "state": standing.value,
        "serial": state.serial,
        "primary_serial": state.primary_serial,
        "last_result": state.last_result.value if state.last_result else None,
        "last_rule": state.last_rule or None,
        "last_reason": state.last_reason or None,
        "last_record": state.last_record or None,
        "last_fix": state.last_fix or None,
        "last_primary": state.last_primary or None,
        "last_attempt": iso(state.last_attempt),
        "last_success": iso(state.last_success),
        "next_refresh": iso(state.next_refresh),
        "expires_at": iso(state.expires_at),
        "expires_in": None if state.expires_at is None else round(state.expires_at - now),
        "failures": state.failures,
        "refused_serial": state.refused_serial,
        "pinned": zone.pinned,
        "suspended": zone.suspended or None,
        "primaries": [primary_data(primary) for primary in primaries],
    }


def attempt_data(attempt: TransferAttempt) -> dict[str, Any]:
    """Return a line of the transfer log, for JSON."""
    return {
        "at": iso(attempt.at),
        "primary": attempt.primary,
        "kind": attempt.kind,
        "result": attempt.result.value,
        "rule": attempt.rule or None,
        "reason": attempt.reason or None,
        "serial_from": attempt.serial_from,
        "serial_to": attempt.serial_to,
        "octets": attempt.octets,
        "records": attempt.records,
        "seconds": round(attempt.seconds, 6),
    }


@click.command(
    cls=Command,
    example="""nsctl secondary status example.org
    nsctl --json secondary status example.org""",
)
@click.argument("apex", metavar="ZONE", type=ZONE)
@click.option(
    "--attempts",
    "limit",
    type=click.IntRange(0),
    default=5,
    show_default=True,
    metavar="N",
    help="The last so many transfers.",
)
@click.pass_obj
def status(app: App, *, apex: Name, limit: int) -> None:
    """Tell how ZONE stands: serials, last result and its reason, time left, last transfers."""
    from storage import secondaries

    now = time.time()
    with app.read() as session:
        zone, state, primaries = load(session, apex)
        attempts = secondaries.attempts(session, apex, limit=max(limit, 1))[:limit]
    data = as_data(zone, state, primaries, now)
    data["attempts"] = [attempt_data(attempt) for attempt in attempts]

    def tell() -> None:
        print_status(zone, state, primaries, now)
        print_attempts(attempts, now)

    emit(app, data, tell)


def load(session: Any, apex: Name) -> tuple[Zone, SecondaryState, list[Primary]]:
    """Return a secondary zone, its state and its primaries; raises ``NoSecondary``."""
    from storage import kept_versions, secondaries, zones

    zone = zones.get_zone(session, apex)
    if not zone.mode.is_secondary:
        raise NoSecondary(
            f"zone {display(apex)} is {zone.mode.value}: its content does not come from a primary"
        )
    state = secondaries.get_state(session, apex)
    served = [info.serial for info in kept_versions.history(session, apex) if info.served]
    # After a rollback the timers stay those of the last transfer, the serial does not.
    state = dataclasses.replace(state, serial=served[0] if served else state.serial)
    return zone, state, secondaries.primaries(session, apex)


def print_status(
    zone: Zone, state: SecondaryState, primaries: Sequence[Primary], now: float
) -> None:
    """Write how a zone stands, for a person."""
    from axfr.refusal import served_meanwhile

    standing = status_of(state, now, suspended=bool(zone.suspended))
    attempt = ""
    if state.last_attempt:
        attempt = f"{ago(state.last_attempt, now)}: {state.last_result or 'no result'}"
        attempt += f", from {state.last_primary}" if state.last_primary else ""
    facts: dict[str, object] = {
        "Suspended": zone.suspended,
        "Serial": serial_text(state),
        "Last attempt": attempt or "never; a running server asks the primary soon",
        "Last success": f"{stamp(state.last_success)} ({ago(state.last_success, now)})"
        if state.last_success
        else "never",
        "Next refresh": ago(state.next_refresh, now) if state.next_refresh > now else "due",
        "Expires": expiry_text(state, now),
        "Primaries": ", ".join(told_of(primary) for primary in primaries) or "none",
        "Mode": zone.mode.value + (", pinned" if zone.pinned else ""),
        "Customer": zone.customer,
    }
    print_facts(display(zone.apex), facts, state=standing.value)
    if state.last_reason:
        click.echo()
        head = f"{state.last_result or 'failed'}"
        told = wrapped(f"{head}: {sentences(state.last_reason)}")
        click.secho(told, fg=STYLES.get(head, "red"))
        if state.last_fix:
            click.echo(wrapped(f"What to do: {state.last_fix}"))
        click.echo(wrapped(served_meanwhile(state, now)))
        click.echo(f"More: nsctl secondary explain {display(zone.apex)}")


def serial_text(state: SecondaryState) -> str:
    """Return the served serial, and the primary's where it differs."""
    if state.serial is None:
        known = f"; the primary has {state.primary_serial}" if state.primary_serial else ""
        return f"nothing served yet{known}"
    if state.primary_serial in (None, state.serial):
        return str(state.serial)
    return f"{state.serial} is served; the primary has {state.primary_serial}"


def expiry_text(state: SecondaryState, now: float) -> str:
    """Return when the zone expires, or that it has."""
    if state.expires_at is None:
        return "nothing to expire yet"
    if state.is_expired(now):
        return f"expired {ago(state.expires_at, now)}, at {stamp(state.expires_at)}"
    return f"in {duration(state.expires_at - now)}, at {stamp(state.expires_at)}"


def print_attempts(attempts: Sequence[TransferAttempt], now: float) -> None:
    """Write lines of the transfer log."""
    if not attempts:
        return
    rows = [
        (
            ago(attempt.at, now),
            attempt.primary,
            attempt.kind,
            attempt.result.value,
            serials(attempt),
            f"{count(attempt.records, 'record')}, {octets(attempt.octets)},"
            f" {attempt.seconds * 1000:.0f} ms"
            if attempt.records
            else shortened(attempt.reason),
        )
        for attempt in attempts
    ]
    click.echo()
    print_table(("When", "Primary", "How", "Result", "Serial", ""), rows)


def serials(attempt: TransferAttempt) -> str:
    """Return how the serial moved."""
    before, after = attempt.serial_from, attempt.serial_to
    if after is None or before in (None, after):
        return str(after if after is not None else before or "")
    return f"{before} → {after}"


def shortened(text: str, most: int = 60) -> str:
    """Return the beginning of a reason; all of it stands above."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


@click.command(
    "list",
    cls=Command,
    example="""nsctl secondary list
    nsctl secondary list --state failing --state expired""",
)
@click.argument("pattern", default="*")
@click.option(
    "--state",
    "wanted",
    multiple=True,
    type=click.Choice([status.value for status in SecondaryStatus]),
    help="In this state; repeat for several.",
)
@click.option("--customer", metavar="ID", help="Of this customer.")
@click.pass_obj
def list_(app: App, *, pattern: str, wanted: tuple[str, ...], customer: str | None) -> None:
    """List the secondary zones whose name matches PATTERN (with * and ?), all by default."""
    from storage import secondaries, zones

    now = time.time()
    with app.read() as session:
        states = {state.apex: state for state in secondaries.list_states(session)}
        summaries = zones.list_zones(session, customer=customer)
        primaries = secondaries.all_primaries(session)
    data = [
        as_data(
            summary.zone,
            states.get(summary.zone.apex, SecondaryState(summary.zone.apex)),
            primaries.get(summary.zone.apex, []),
            now,
        )
        for summary in summaries
        if summary.zone.mode.is_secondary
        and fnmatch.fnmatchcase(display(summary.zone.apex), pattern.lower())
    ]
    if wanted:
        data = [one for one in data if one["state"] in wanted]
    emit(app, data, lambda: print_list(data, states, now))


def print_list(
    data: Sequence[dict[str, Any]], states: dict[Name, SecondaryState], now: float
) -> None:
    """Write the list as a table."""
    if not data:
        click.echo("no such secondary zones; follow a primary with: nsctl secondary add --help")
        return
    by_name = {display(apex): state for apex, state in states.items()}
    rows = []
    for one in data:
        state = by_name.get(one["zone"])
        expires = "" if state is None or state.expires_at is None else ago(state.expires_at, now)
        attempt = "" if state is None or not state.last_attempt else ago(state.last_attempt, now)
        primaries = [f"{primary['address']}@{primary['port']}" for primary in one["primaries"]]
        more = f" +{len(primaries) - 1}" if len(primaries) > 1 else ""
        rows.append(
            (
                one["zone"],
                one["state"],
                one["serial"],
                (primaries[0] if primaries else "none") + more,
                one["last_result"] or "-",
                attempt,
                expires,
            )
        )
    columns = ("Zone", "State", "Serial", "Primary", "Last result", "Last attempt", "Expires")
    print_table(columns, rows, right=("Serial",))


def is_failure(result: Result | None) -> bool:
    """Tell whether a result is one that somebody has to look at."""
    return result in (Result.HELD, Result.REFUSED, Result.UNREACHABLE)
