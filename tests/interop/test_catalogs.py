"""Catalog zones (RFC 9432) with Knot, BIND and PowerDNS, as producers and as consumers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dns.rcode
import pytest

from tests.peers import Bind, Knot, Nsctl, Peer, PowerDNS, Remote
from tests.peers.waiting import wait_until
from tests.peers.zonetext import zone_text

CATALOG = "catalog.example."
A, B, C = "a.example.org.", "b.example.org.", "c.example.org."


def catalog_text(serial: int, *members: str) -> str:
    """Return a catalog zone file."""
    lines = [f"unique{name[0]}.zones PTR {name}" for name in members]
    return "\n".join(
        [
            f"$ORIGIN {CATALOG}",
            "$TTL 0",
            f"@ SOA invalid. invalid. {serial} 3600 600 2147483646 0",
            "@ NS invalid.",
            'version TXT "2"',
            *lines,
            "",
        ]
    )


class KnotProducer(Knot):
    """A Knot that lists its zones in a catalog."""

    def configure(self) -> list[str]:
        """Give the zones their roles."""
        command = super().configure()
        path = self.directory / "knot.conf"
        text = path.read_text()
        for apex in self.zones:
            line = f"  - domain: {apex}\n"
            role = f"    catalog-role: member\n    catalog-zone: {CATALOG}\n"
            text = text.replace(line, line + role)
        remotes = ", ".join(f"r{one.port}" for zone in self.zones.values() for one in zone.remotes)
        text += f"  - domain: {CATALOG}\n    catalog-role: generate\n    acl: acl-{A}\n"
        text += f"    notify: [{remotes.split(', ')[0]}]\n"
        path.write_text(text)
        return command

    def change(self) -> None:
        """Take over another configuration."""
        self.configure()
        self.reload(CATALOG)


class KnotConsumer(Knot):
    """A Knot that follows a catalog."""

    def configure(self) -> list[str]:
        """Interpret the catalog."""
        command = super().configure()
        path = self.directory / "knot.conf"
        source = self.zones[CATALOG].primary
        assert source is not None
        template = f"\n  - id: members\n    storage: .\n    master: r{source.port}\n"
        template += f"    acl: acl-{CATALOG}\n    zonefile-sync: -1\n"
        text = path.read_text().replace(
            "    zonefile-load: whole", "    zonefile-load: whole" + template
        )
        line = f"  - domain: {CATALOG}\n"
        role = "    catalog-role: interpret\n    catalog-template: members\n"
        path.write_text(text.replace(line, line + role))
        return command


class BindConsumer(Bind):
    """A BIND that follows a catalog."""

    def options(self) -> str:
        """Name the catalog."""
        source = self.zones[CATALOG].primary
        assert source is not None
        primaries = f"{{ {source.address} port {source.port}; }}"
        clause = f'catalog-zones {{ zone "{CATALOG}" default-primaries {primaries}'
        return (
            super()
            .options()
            .replace(
                "recursion no;",
                f"recursion no;\n  {clause} in-memory yes min-update-interval 1; }};",
            )
        )


class PowerDNSProducer(PowerDNS):
    """A PowerDNS that lists its zones in a catalog."""

    def configure(self) -> list[str]:
        """Make the catalog of what is there."""
        command = super().configure()
        self.command("pdnsutil", "set-kind", CATALOG, "producer")
        for apex in self.zones.keys() - {CATALOG}:
            self.list_zone(apex)
        return command

    def list_zone(self, apex: str) -> None:
        """Put one zone into the catalog."""
        self.command("pdnsutil", "set-catalog", apex, CATALOG)


class PowerDNSConsumer(PowerDNS):
    """A PowerDNS that follows a catalog."""

    def configure(self) -> list[str]:
        """Name the catalog."""
        command = super().configure()
        self.command("pdnsutil", "set-kind", CATALOG, "consumer")
        return command


def lent(server: Peer) -> Iterator[Peer]:
    """Lend a server to a test and stop it afterwards."""
    try:
        yield server
    finally:
        server.stop()
        print(f"--- log of {type(server).__name__}\n{server.log()[-6000:]}")


@pytest.fixture(
    params=[
        pytest.param(kind, id=kind.__name__, marks=pytest.mark.interop(kind.binary))
        for kind in (KnotConsumer, BindConsumer, PowerDNSConsumer)
    ]
)
def consumer(request: pytest.FixtureRequest, place: Path) -> Iterator[Peer]:
    """Each server that can follow a catalog, not started."""
    yield from lent(request.param(place))


def is_gone(server: Peer | Nsctl, apex: str) -> bool:
    """Tell whether a server has a zone no more."""
    return server.query(apex).rcode() in (dns.rcode.REFUSED, dns.rcode.NOTAUTH)


def follow(nsctl: Nsctl, primary: Peer) -> None:
    """Follow the catalog of a primary."""
    nsctl.cli("catalog", "add", CATALOG, "--primary", str(primary.remote()), "--customer", "4711")


@pytest.mark.cell("above: catalog", Knot.title)
@pytest.mark.interop("knotd")
def test_we_follow_a_catalog_of_knot(place: Path, nsctl: Nsctl) -> None:
    """The zones that Knot lists appear here; one that is added later too; one that goes, goes."""
    for knot in lent(KnotProducer(place)):
        assert isinstance(knot, KnotProducer)
        for apex in (A, B):
            knot.serve(apex, zone_text(1, apex=apex), nsctl.remote())
        knot.start()
        follow(nsctl, knot)
        nsctl.wait_serial(A, 1)
        nsctl.wait_serial(B, 1)
        knot.serve(C, zone_text(1, apex=C), nsctl.remote())
        del knot.zones[B]
        knot.change()
        nsctl.wait_serial(C, 1, seconds=20)
        wait_until(lambda: is_gone(nsctl, B), "the zone went", 20)
        shown = nsctl.cli("catalog", "show", CATALOG)
        assert {one["zone"] for one in shown["members"]} == {A[:-1], C[:-1]}
        assert nsctl.status(A)["state"] == "ok"
        assert nsctl.query(CATALOG).rcode() == dns.rcode.REFUSED, "a catalog is for nobody to read"


@pytest.mark.cell("above: catalog", Bind.title)
@pytest.mark.interop("named")
def test_we_follow_a_catalog_of_bind(bind: Peer, nsctl: Nsctl) -> None:
    """A catalog that BIND serves from a file brings its zones, and a mass removal is held."""
    for apex in (A, B, C):
        bind.serve(apex, zone_text(1, apex=apex), nsctl.remote())
    bind.serve(CATALOG, catalog_text(1, A, B), nsctl.remote())
    bind.start()
    nsctl.cli("catalog", "add", CATALOG, "--primary", str(bind.remote()), "--max-lost", "0")
    nsctl.wait_serial(A, 1)
    bind.update_zone(CATALOG, catalog_text(2, A, B, C))
    nsctl.wait_serial(C, 1)
    bind.update_zone(CATALOG, catalog_text(3, A).replace('TXT "2"', 'TXT "1"'))
    wait_until(lambda: nsctl.cli("catalog", "show", CATALOG)["trouble"], "it is broken")
    assert nsctl.serial(B) == 1
    bind.update_zone(CATALOG, catalog_text(4, A))
    wait_until(lambda: is_gone(nsctl, B) and is_gone(nsctl, C), "both went: few may always go")
    assert nsctl.cli("catalog", "list")[0]["trouble"] is None


@pytest.mark.cell("above: catalog", PowerDNS.title)
@pytest.mark.interop("pdns_server")
def test_we_follow_a_catalog_of_powerdns(place: Path, nsctl: Nsctl) -> None:
    """The zones of a PowerDNS producer appear here."""
    for server in lent(PowerDNSProducer(place)):
        assert isinstance(server, PowerDNSProducer)
        server.serve(CATALOG, zone_text(1, apex=CATALOG), nsctl.remote())
        for apex in (A, B):
            server.serve(apex, zone_text(1, apex=apex), nsctl.remote())
        server.start()
        follow(nsctl, server)
        nsctl.wait_serial(A, 1)
        nsctl.wait_serial(B, 1)


@pytest.mark.cell("below: catalog")
def test_each_server_follows_our_catalog(consumer: Peer, nsctl: Nsctl) -> None:
    """Our zones appear at the consumer, one added later too, and one deleted here goes there."""
    for apex in (A, B):
        nsctl.serve(apex, zone_text(1, apex=apex))
    nsctl.cli("peer", "add", str(Remote(consumer.port)))
    nsctl.cli("catalog", "produce", CATALOG)
    nsctl.wait_serial(B, 1)
    consumer.follow(CATALOG, nsctl.remote())
    consumer.start()
    consumer.wait_serial(A, 1, seconds=30)
    consumer.wait_serial(B, 1, seconds=30)
    nsctl.serve(C, zone_text(1, apex=C))
    consumer.wait_serial(C, 1, seconds=30)
    nsctl.cli("zone", "delete", B, "--yes")
    wait_until(lambda: is_gone(consumer, B), "the zone went there too", 30)
