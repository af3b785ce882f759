"""``nsctl key``: TSIG keys (RFC 8945), with what the other side has to enter."""

from __future__ import annotations

import base64
import secrets

import click

from cli.app import App
from cli.arguments import KEY, NAME
from cli.command import Command, Group
from cli.output import emit, print_table
from zones.name import Name, display
from zones.secondary import TsigKey

# Octets of a generated secret: those of the digest (RFC 8945 6).
ALGORITHMS = {
    "hmac-sha256": 32,
    "hmac-sha384": 48,
    "hmac-sha512": 64,
    "hmac-sha224": 28,
    "hmac-sha1": 20,
    "hmac-md5": 16,
}

key = Group("key", help="TSIG keys, by which transfers are signed.")


@key.command(
    "add",
    cls=Command,
    example="""nsctl key add transfer.example.org
    nsctl key add transfer.example.org --secret-file /run/secrets/tsig""",
)
@click.argument("name", type=NAME)
@click.option(
    "--algorithm",
    type=click.Choice(list(ALGORITHMS)),
    default="hmac-sha256",
    show_default=True,
    help="How messages are signed.",
)
@click.option("--secret", metavar="BASE64", help="The secret; by default a new one is made.")
@click.option(
    "--secret-file",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    help="Read the secret from here, where no one sees it in a list of processes.",
)
@click.pass_obj
def add(
    app: App, *, name: Name, algorithm: str, secret: str | None, secret_file: str | None
) -> None:
    """Add the TSIG key NAME, with a new random secret unless one is given."""
    from storage import keys

    if secret and secret_file:
        raise click.UsageError("give --secret or --secret-file, not both")
    if secret_file:
        with click.open_file(secret_file) as file:
            secret = file.read().strip()
    octets = decoded(secret) if secret else secrets.token_bytes(ALGORITHMS[algorithm])
    made = TsigKey(name, algorithm, octets)
    with app.write() as session:
        keys.add_key(session, made, actor=app.actor)
    emit(app, as_data(made), lambda: tell(made, "added"))
    if len(octets) < ALGORITHMS[algorithm] // 2:
        click.echo(
            f"warning: a secret of {len(octets)} octets is weak for {algorithm}"
            f" (RFC 8945 6: {ALGORITHMS[algorithm]})",
            err=True,
        )


def decoded(secret: str) -> bytes:
    """Return the octets of a secret in base64."""
    try:
        found = base64.b64decode(secret, validate=True)
    except ValueError as error:
        raise click.UsageError(f"the secret is not base64: {error}") from error
    if not found:
        raise click.UsageError("the secret is empty")
    return found


@key.command("list", cls=Command, example="nsctl key list")
@click.pass_obj
def list_(app: App) -> None:
    """List the keys, without their secrets."""
    from storage import keys

    with app.read() as session:
        known = keys.list_keys(session)
        used = {one.name: keys.uses(session, one.name, limit=3) for one in known}
    data = [
        {"name": display(one.name), "algorithm": one.algorithm, "used": used[one.name]}
        for one in known
    ]
    rows = [(one["name"], one["algorithm"], "; ".join(one["used"]) or "-") for one in data]
    emit(
        app,
        data,
        lambda: (
            print_table(("Key", "Algorithm", "Used as"), rows)
            if rows
            else click.echo("no keys yet; make one with: nsctl key add transfer.example.org")
        ),
    )


@key.command("show", cls=Command, example="nsctl key show transfer.example.org")
@click.argument("name", type=KEY)
@click.pass_obj
def show(app: App, *, name: Name) -> None:
    """Show a key with its secret, ready to be entered at the other side."""
    from storage import keys

    with app.read() as session:
        found = keys.get_key(session, name)
    emit(app, as_data(found), lambda: tell(found))


@key.command("delete", cls=Command, example="nsctl key delete transfer.example.org")
@click.argument("name", type=KEY)
@click.pass_obj
def delete(app: App, *, name: Name) -> None:
    """Delete a key that no primary and no peer uses any more."""
    from storage import keys

    with app.write() as session:
        keys.delete_key(session, name, actor=app.actor)
    data = {"name": display(name), "deleted": True}
    emit(app, data, lambda: click.echo(f"key {display(name)}: deleted"))


def as_data(found: TsigKey) -> dict[str, str]:
    """Return a key for JSON, with its secret."""
    return {
        "name": display(found.name),
        "algorithm": found.algorithm,
        "secret": base64.b64encode(found.secret).decode(),
    }


def tell(found: TsigKey, done: str = "") -> None:
    """Write a key as others' configuration has it."""
    data = as_data(found)
    click.echo(f"key {data['name']}: {done or data['algorithm']}")
    click.echo("\n# BIND, named.conf")
    click.echo(
        f'key "{data["name"]}" {{\n    algorithm {data["algorithm"]};\n'
        f'    secret "{data["secret"]}";\n}};'
    )
    click.echo("\n# Knot DNS, knot.conf")
    click.echo(
        f"key:\n  - id: {data['name']}\n    algorithm: {data['algorithm']}\n"
        f"    secret: {data['secret']}"
    )
