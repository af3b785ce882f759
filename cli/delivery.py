"""``nsctl delivery``: the messages to customers and operators, and what became of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from cli.app import App
from cli.arguments import ROW, limited
from cli.command import Command, Group
from cli.output import ago, emit, iso, print_facts, print_table

if TYPE_CHECKING:
    from storage.deliveries import Delivery

delivery = Group("delivery", help="Messages: what was sent, what waits, what was given up.")

STATES = {"waiting": "pending", "sent": "ok", "failed": "error"}


def as_data(one: Delivery, *, whole: bool = False) -> dict[str, Any]:
    """Return a delivery for JSON."""
    data = {
        "id": one.id,
        "state": one.state.value,
        "channel": one.channel.value,
        "recipient": one.recipient,
        "customer": one.customer,
        "subject": one.subject,
        "attempts": one.attempts,
        "created": iso(one.created),
        "sent": iso(one.sent),
        "next_attempt": iso(one.next_attempt) if one.state.value == "waiting" else None,
        "last_error": one.last_error or None,
        "message_id": one.token,
    }
    return data | ({"body": one.body} if whole else {})


@delivery.command(
    "list",
    cls=Command,
    example="""nsctl delivery list
    nsctl delivery list --state failed --customer 4711""",
)
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(["waiting", "sent", "failed"]),
    help="In this state only; default: what did not arrive.",
)
@click.option("--all", "everything", is_flag=True, help="What was sent, too.")
@click.option("--customer", default=None, metavar="ID", help="To this customer only.")
@limited(50)
@click.pass_obj
def list_(
    app: App, *, states: tuple[str, ...], everything: bool, customer: str | None, limit: int
) -> None:
    """List messages, newest first."""
    from storage import deliveries
    from storage.deliveries import DeliveryState

    if everything and states:
        raise click.UsageError("--all and --state exclude each other")
    wanted = [DeliveryState(state) for state in states or ("waiting", "failed")]
    with app.read() as session:
        found = deliveries.list_deliveries(
            session, states=() if everything else wanted, customer=customer, limit=limit
        )
    now = time.time()
    rows = [
        (
            one.id,
            one.state.value,
            one.recipient,
            one.subject[:40],
            ago(one.sent or one.next_attempt, now) if one.state.value != "failed" else "",
        )
        for one in found
    ]

    def tell() -> None:
        if not rows:
            click.echo("no such message" if everything or states else "all messages have arrived")
            return
        print_table(("Id", "State", "To", "Subject", "When"), rows, right=("Id",))
        reasons = {one.last_error for one in found if one.last_error}
        for reason in sorted(reasons)[:5]:
            click.echo(f"reason: {reason}")

    emit(app, [as_data(one) for one in found], tell)


@delivery.command("show", cls=Command, example="nsctl delivery show 17")
@click.argument("delivery_id", metavar="ID", type=ROW)
@click.pass_obj
def show(app: App, *, delivery_id: int) -> None:
    """Show one message, with its text and what became of it."""
    from storage import deliveries

    with app.read() as session:
        one = deliveries.get_delivery(session, delivery_id)
    now = time.time()

    def tell() -> None:
        print_facts(
            f"delivery {one.id}",
            {
                "To": f"{one.recipient} ({one.channel.value})",
                "Customer": one.customer or "",
                "Subject": one.subject,
                "Made": ago(one.created, now),
                "Sent": ago(one.sent, now) if one.sent else "",
                "Attempts": one.attempts,
                "Next": ago(one.next_attempt, now) if one.state.value == "waiting" else "",
                "Reason": one.last_error,
            },
            state=STATES[one.state.value],
        )
        click.echo()
        click.echo(one.body.rstrip())

    emit(app, as_data(one, whole=True), tell)


@delivery.command("retry", cls=Command, example="nsctl delivery retry 17 18")
@click.argument("ids", metavar="ID...", nargs=-1, type=ROW)
@click.option("--failed", is_flag=True, help="All that were given up.")
@click.pass_obj
def retry(app: App, *, ids: tuple[int, ...], failed: bool) -> None:
    """Send messages now that wait or were given up; a running server does it."""
    from storage import deliveries
    from storage.deliveries import DeliveryState

    if bool(ids) == failed:
        raise click.UsageError("name messages, or --failed for all that were given up")
    with app.write() as session:
        if failed:
            found = deliveries.list_deliveries(
                session, states=[DeliveryState.FAILED], limit=1_000_000
            )
            ids = tuple(one.id for one in found)
        done = [deliveries.retry(session, one) for one in dict.fromkeys(ids)]

    def tell() -> None:
        for one in done:
            click.echo(f"delivery {one.id} to {one.recipient}: to be sent now")
        if not done:
            click.echo("nothing was given up")

    emit(app, [as_data(one) for one in done], tell)


@delivery.command(
    "test",
    cls=Command,
    example="""nsctl delivery test noc@example.org
    nsctl delivery test https://example.net/hook --customer 4711""",
)
@click.argument("recipient", metavar="ADDRESS")
@click.option("--customer", default=None, metavar="ID", help="Whose webhook it is.")
@click.pass_obj
def test(app: App, *, recipient: str, customer: str | None) -> None:
    """Have a message sent to a mail address or a webhook, to see whether it arrives."""
    import json

    from storage import deliveries, recipients
    from storage.deliveries import Channel

    channel = Channel.WEBHOOK if "://" in recipient else Channel.MAIL
    now = time.time()
    text = "This is a test of the messages of the name service. There is nothing to do.\n"
    body = {"type": "test", "timestamp": iso(now), "data": {"customer": customer, "text": text}}
    key = f"test:{recipient}:{now!r}"
    with app.write() as session:
        address = recipients.checked_address(channel, recipient)
        deliveries.enqueue(
            session,
            channel=channel,
            recipient=address,
            subject="[nsctl] test",
            body=text if channel is Channel.MAIL else json.dumps(body),
            customer=customer,
            key=key,
            now=now,
        )
        made = deliveries.list_deliveries(session, limit=1)[0]
    emit(
        app,
        as_data(made),
        lambda: click.echo(
            f"delivery {made.id} to {made.recipient}: enqueued; see: nsctl delivery show {made.id}"
        ),
    )
