"""``nsctl demo``: the main job, told on one machine.

Two servers: the provider's, and as a second process the customer's hidden primary. Every step is
an ``nsctl`` command that is shown and run, and every answer comes from a socket.
"""

from __future__ import annotations

import contextlib
import shlex
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cli.command import Command
from cli.demo_hosts import Host, ask, free_port, rcode_of, wait_for
from cli.output import WIDTH

HOSTED: Final = "garden.example"
CUSTOMER: Final = "shop.example"
EXPIRE: Final = 12  # seconds: a contract's weeks, told in a coffee break

ZONE: Final = """\
$ORIGIN {zone}.
$TTL 60
@    SOA  ns1.provider.example. hostmaster {serial} 4 2 {expire} 30
@    NS   ns1.provider.example.
@    NS   ns2.provider.example.
@    MX   10 mail
mail A    192.0.2.25
www  A    {address}
{more}"""
# A CNAME beside an address: what the world would see is a matter of luck (RFC 1034 3.6.2).
CLASH: Final = "www  CNAME mail\n"


@click.command(
    cls=Command,
    example="""nsctl demo
    nsctl demo --once        (stop when the story is told)""",
)
@click.option("--port", default=5300, show_default=True, help="Where the provider answers.")
@click.option("--once", is_flag=True, help="End with the story instead of serving on.")
def demo(*, port: int, once: bool) -> None:
    """Watch the main job run: a hidden primary is followed, checked, served, and expires.

    Two servers run on 127.0.0.1 for as long as this does. What they store is in a temporary
    directory; nothing is left behind.
    """
    screen = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    with ended_by_signals(), tempfile.TemporaryDirectory(prefix="nsctl-demo-") as directory:
        provider = Host("provider", Path(directory), free_port(port))
        primary = Host("hidden-primary", Path(directory), free_port(provider.port + 1))
        try:
            Story(provider, primary, screen).tell()
            if not once:
                serve_on(provider, screen)
        except KeyboardInterrupt:
            screen.print()
        finally:
            primary.stop()
            provider.stop()
    screen.print("Both servers are stopped, and their data are gone.", style="dim")


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """End like with Ctrl-C, with both servers stopped, when told to or when the terminal goes."""

    def end(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass
class Story:
    """The steps, in order."""

    provider: Host
    primary: Host
    screen: Console
    step: int = 0

    def tell(self) -> None:
        """Tell the whole story."""
        self.hosted_zone()
        self.hidden_primary()
        self.update()
        self.faulty_update()
        self.repair()
        self.expiry()
        self.recovery()

    # -- the steps

    def hosted_zone(self) -> None:
        """Make a zone with our own editor."""
        self.chapter("A hosted zone", "The provider's editor makes it, the server answers it.")
        self.provider.start()
        self.on(self.provider, "zone", "add", HOSTED, "--ns", f"ns1.{HOSTED}", quiet=True)
        self.on(self.provider, "record", "set", HOSTED, "ns1", "A", "192.0.2.53", quiet=True)
        self.on(self.provider, "record", "set", HOSTED, "www", "A", "192.0.2.80")
        self.expect(f"www.{HOSTED}", "192.0.2.80")

    def hidden_primary(self) -> None:
        """Follow a customer's server, which no NS record names."""
        self.chapter(
            "A hidden primary",
            f"The customer's own server has {CUSTOMER}, but no NS record names it. The provider"
            " fetches the zone from it and answers for it.",
        )
        self.publish(serial=1, address="192.0.2.10", shown=False)
        self.on(self.primary, "peer", "add", self.provider.address, quiet=True)
        self.primary.start()
        self.on(self.provider, "secondary", "add", CUSTOMER, "--primary", self.primary.address)
        self.expect(f"www.{CUSTOMER}", "192.0.2.10")
        self.on(self.provider, "secondary", "status", CUSTOMER)

    def update(self) -> None:
        """Take over a change that a NOTIFY announces."""
        self.chapter(
            "An update arrives",
            "The customer changes the zone. Their server sends a NOTIFY; ours fetches the change.",
        )
        self.publish(serial=2, address="192.0.2.20")
        self.expect(f"www.{CUSTOMER}", "192.0.2.20")

    def faulty_update(self) -> None:
        """Refuse a zone that breaks a rule; the one before it stays."""
        self.chapter(
            "A faulty update is refused and explained",
            "The customer's next version has a CNAME beside another record. It is not taken over;"
            " serial 2 stays in service.",
        )
        self.publish(serial=3, address="192.0.2.30", more=CLASH)
        wait_for(
            "the refusal",
            lambda: self.standing()["last_result"] == "refused",
            10,
        )
        self.on(self.provider, "secondary", "explain", CUSTOMER)
        self.expect(f"www.{CUSTOMER}", "192.0.2.20")

    def repair(self) -> None:
        """Take over what the customer has mended."""
        self.chapter("The customer repairs it", "The next serial is sound, and taken over at once.")
        self.publish(serial=4, address="192.0.2.40")
        self.expect(f"www.{CUSTOMER}", "192.0.2.40")

    def expiry(self) -> None:
        """Stop answering when the primary is gone for longer than EXPIRE."""
        self.chapter(
            "The primary goes away, and EXPIRE runs out",
            f"The zone is answered for another {EXPIRE} s, the EXPIRE of its last good version;"
            " after that nobody is given what may be wrong by now.",
        )
        self.primary.stop()
        name = f"www.{CUSTOMER}"
        with watching(self.screen, self.provider) as refresh:

            def expired() -> bool:
                refresh()
                return rcode_of(self.provider.port, name, "A") == "SERVFAIL"

            wait_for("the expiry", expired, EXPIRE + 10)
        self.show_query(name, f"SERVFAIL: {CUSTOMER} has expired")

    def recovery(self) -> None:
        """Answer again when the primary is back."""
        self.chapter("The primary is back", "The zone recovers by itself.")
        self.primary.start()
        self.expect(f"www.{CUSTOMER}", "192.0.2.40")
        self.on(self.provider, "secondary", "status", CUSTOMER)

    # -- how they are told

    def chapter(self, title: str, text: str) -> None:
        """Begin a step."""
        self.step += 1
        self.screen.print()
        self.screen.rule(f"[bold]{self.step}. {title}", align="left", style="dim")
        self.screen.print(text)
        self.screen.print()

    def on(self, host: Host, *arguments: str, quiet: bool = False) -> None:
        """Show a command, run it, and show what it says."""
        prompt = Text(f"{host.name}$ ", style="cyan")
        self.screen.print(prompt.append(f"nsctl {shlex.join(arguments)}", style="bold"))
        done = host.run(*arguments)
        said = (done.stdout if not quiet else "") + (done.stderr if done.returncode else "")
        if said.strip():
            self.screen.print(Text(said.rstrip()), style="dim")
        if done.returncode:
            raise click.ClickException(f"the command failed with exit code {done.returncode}")

    def publish(self, *, serial: int, address: str, more: str = "", shown: bool = True) -> None:
        """Give the customer's server a new version of the zone."""
        text = ZONE.format(zone=CUSTOMER, serial=serial, expire=EXPIRE, address=address, more=more)
        (self.primary.directory / f"{CUSTOMER}.zone").write_text(text)
        if shown:
            told = f"  serial {serial}: www A {address}" + (f", {more.strip()}" if more else "")
            self.screen.print(Text(told, style="yellow"))
        # Checks are off at the customer's: another product's server would not have ours.
        file = f"{CUSTOMER}.zone"
        self.on(self.primary, "zone", "import", file, "--replace", "--force", quiet=True)

    def expect(self, name: str, address: str) -> None:
        """Wait for an answer and show how to ask for it, and how long it took."""
        port = self.provider.port
        seconds = wait_for(
            f"{name} to be {address}", lambda: address in ask(port, name, "A")[1], 20
        )
        late = f"   ({seconds * 1000:.0f} ms after the command)" if seconds > 0.1 else ""
        self.show_query(name, f"{address}{late}")

    def show_query(self, name: str, answer: str) -> None:
        """Show a query that anybody may repeat, and its answer."""
        line = Text("anybody$ ", style="green")
        line.append(f"dig +short @127.0.0.1 -p {self.provider.port} {name} A", style="bold")
        self.screen.print(line)
        self.screen.print(Text(answer), style="dim")

    def standing(self) -> dict[str, object]:
        """Return how the provider sees the customer's zone."""
        found: dict[str, object] = self.provider.read("secondary", "status", CUSTOMER)
        return found


@contextlib.contextmanager
def watching(screen: Console, provider: Host) -> Iterator[Callable[[], None]]:
    """Show a table of the provider's zones that follows what happens.

    What is yielded is called to bring it up to date; at most twice a second it is.
    """
    last = 0.0
    with Live(console=screen, auto_refresh=False, transient=not screen.is_terminal) as live:

        def refresh() -> None:
            nonlocal last
            if not screen.is_terminal or time.monotonic() - last < 0.5:
                return
            last = time.monotonic()
            live.update(status_table(provider), refresh=True)

        yield refresh


def status_table(provider: Host) -> Table:
    """Return what stands of the provider's zones."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("Zone", "State", "Serial", "Answer for www", "Expires", "Last result"):
        table.add_column(column)
    standing = provider.read("secondary", "status", CUSTOMER)
    for zone in (HOSTED, CUSTOMER):
        rcode, answer = ask(provider.port, f"www.{zone}", "A")
        known = standing if zone == CUSTOMER else {}
        table.add_row(
            zone,
            str(known.get("state", "hosted")),
            str(known.get("serial", "")),
            ", ".join(answer) or rcode,
            str(known.get("expires_at", "never")),
            str(known.get("last_result", "")),
        )
    return table


def serve_on(provider: Host, screen: Console) -> None:
    """Keep the servers running until Ctrl-C."""
    port = provider.port
    screen.print()
    screen.rule("[bold]Your turn", align="left", style="dim")
    screen.print("The servers keep running until you press Ctrl-C. Try, in another terminal:\n")
    for query in (f"{HOSTED} SOA", f"www.{CUSTOMER} A", f"nothing.{CUSTOMER} A", f"{CUSTOMER} MX"):
        screen.print(f"    dig @127.0.0.1 -p {port} {query}")
    store = f"NSCTL_DATABASE=sqlite:///{provider.directory}/nsctl.db"
    screen.print(f"    {store} nsctl events\n", soft_wrap=True)
    with watching(screen, provider) as refresh:
        while True:
            refresh()
            time.sleep(0.5)
