"""Products on zones: edits and modes that a product does not allow, records that follow it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from registrar.presets import check_change, follow
from registrar.products import Booking
from tests.registrations import policies
from tests.unit.cli_fixtures import Nsctl, nsctl, zone_text
from tests.zone_content import content
from zones.name import from_text
from zones.serial import SerialPolicy

__all__ = ["nsctl"]

ZONE = "example.org"
NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def hosted(nsctl: Nsctl) -> Nsctl:
    """The command line with a hosted zone that has records of its own."""
    more = ("www A 192.0.2.10", "mail A 192.0.2.25", "@ MX 10 mail")
    nsctl("zone", "import", nsctl.file(f"{ZONE}.zone", zone_text(1, *more)))
    return nsctl


def records(nsctl: Nsctl, kind: str, owner: str = "@") -> list[str]:
    """Return the data of the records of a type, sorted."""
    return sorted(one["rdata"] for one in nsctl.json("record", "list", ZONE, owner, kind))


@pytest.mark.requirement("DNS-8")
def test_a_product_without_records_refuses_edits_and_modes(hosted: Nsctl) -> None:
    """The product is named, with where it stands; nothing is changed; all reasons at once."""
    hosted("zone", "product", ZONE, "homepage-basic")
    before = hosted.json("zone", "show", ZONE)["serial"]
    refused = hosted("record", "set", ZONE, "blog", "TXT", "hello", code=1).stderr
    assert "Homepage Baukasten Basic has no records of its own." in refused
    assert "N 7, Eigene DNS-Einträge" in refused
    assert "the product is Homepage Baukasten Basic; nothing was changed" in refused
    mode = hosted("zone", "set", ZONE, "--mode", "hidden-primary", code=1).stderr
    assert "Homepage Baukasten Basic has no name servers of its own" in mode
    shown = hosted.json("zone", "show", ZONE)
    assert (shown["serial"], shown["mode"]) == (before, "hosted")
    assert shown["product"] == "homepage-basic"


@pytest.mark.requirement("DNS-8")
def test_record_types_by_the_contract(hosted: Nsctl) -> None:
    """The eight types can be edited, others not; without a product anything can."""
    hosted("record", "set", ZONE, "host", "SSHFP", "4 2 " + "ab" * 32)
    hosted("zone", "product", ZONE, "solodomain")
    hosted("record", "set", ZONE, "@", "CAA", "0 issue ca.example.net")
    refused = hosted("record", "delete", ZONE, "host", "SSHFP", code=1).stderr
    assert "SSHFP records cannot be edited; A, AAAA, CAA" in refused
    hosted("zone", "product", ZONE, "none")
    hosted("record", "delete", ZONE, "host", "SSHFP")


@pytest.mark.requirement("DNS-9")
def test_mail_boxes_bring_their_mx_and_keep_it(hosted: Nsctl) -> None:
    """The preset MX replaces the customer's, is shown as such, and cannot be edited or imported."""
    done = hosted("zone", "product", ZONE, "solodomain", "--option", "provider-mail")
    assert "+ example.org. 3600 IN MX 10 mx1.example.net." in done.stdout
    assert records(hosted, "MX") == ["10 mx1.example.net.", "10 mx2.example.net."]
    listed = hosted.json("record", "list", ZONE, "@", "MX")
    assert {one["preset"] for one in listed} == {"MX of the provider's mail servers"}
    assert "MX of the provider's" in hosted("record", "list", ZONE).stdout
    assert "10 mx1.example.net." in hosted("zone", "show", ZONE).stdout
    for arguments in (("set", ZONE, "@", "MX", "10 mail"), ("delete", ZONE, "@", "MX")):
        refused = hosted("record", *arguments, code=1).stderr
        assert "example.org MX is preset: MX of the provider's mail servers." in refused
    hosted("record", "set", ZONE, "blog", "A", "192.0.2.11")
    path = hosted.file(f"{ZONE}.zone", zone_text(99, "@ MX 10 mail", "mail A 192.0.2.25"))
    assert "MX is preset" in hosted("zone", "import", path, "--replace", code=1).output
    back = hosted("zone", "rollback", ZONE, "1", code=1).stderr
    assert "MX is preset" in back


@pytest.mark.requirement("DNS-9")
def test_the_mx_of_an_own_server_is_made_on_order(hosted: Nsctl) -> None:
    """An own mail server brings its MX; a relay stands behind it; without them they go."""
    own = ("--option", "own-mail-server", "--own-mx", "10 mail.example.org")
    hosted("zone", "product", ZONE, "solodomain", *own)
    assert records(hosted, "MX") == ["10 mail.example.org."]
    hosted("zone", "product", ZONE, "solodomain", *own, "--option", "backup-relay")
    assert records(hosted, "MX") == ["10 mail.example.org.", "100 backup-relay.example.net."]
    missing = hosted("zone", "product", ZONE, "solodomain", "--option", "backup-relay", code=1)
    assert "Backup Relay needs the customer's own mail server." in missing.stderr
    hosted("zone", "product", ZONE, "solodomain")
    assert records(hosted, "MX") == []


@pytest.mark.requirement("DNS-11")
def test_redirect_and_alias_preset_addresses(hosted: Nsctl) -> None:
    """Http redirect and server alias point the domain and www at the provider's servers."""
    hosted("zone", "product", ZONE, "solodomain", "--option", "http-redirect")
    assert records(hosted, "A", "www") == ["192.0.2.81"]
    assert "is preset" in hosted("record", "set", ZONE, "www", "A", "192.0.2.9", code=1).stderr
    hosted("zone", "product", ZONE, "solodomain", "--option", "server-alias")
    assert records(hosted, "A", "www") == ["192.0.2.80"]
    both = ("--option", "server-alias", "--option", "http-redirect")
    assert (
        "exclude each other" in hosted("zone", "product", ZONE, "solodomain", *both, code=1).stderr
    )
    no_right = hosted("zone", "product", ZONE, "webhosting-plus", *both[:2], code=1).stderr
    assert "Webhosting Plus has no Serveralias." in no_right


@pytest.mark.requirement("DNS-10")
def test_own_servers_are_without_influence(nsctl: Nsctl) -> None:
    """With servers of the customer's own nothing is preset; what he has to enter is told."""
    nsctl("zone", "add", ZONE, "--mode", "external")
    options = ("--option", "own-mail-server", "--own-mx", "mail.example.org")
    nsctl("zone", "product", ZONE, "solodomain", *options, "--option", "spam-filter")
    shown = nsctl.json("zone", "show", ZONE)
    assert shown["preset"] == []
    assert "example.org 3600 MX 10 filter1.example.net." in shown["to_enter"]
    assert "To be entered" in nsctl("zone", "show", ZONE).stdout


def test_unknown_products_are_guessed(hosted: Nsctl) -> None:
    """A wrong name is answered with the likeliest; a wrong mail server is a usage error."""
    told = hosted("zone", "product", ZONE, "solodomian", code=1).stderr
    assert "did you mean 'solodomain'" in told
    hosted("zone", "product", ZONE, "solodomain", "--own-mx", "ten mail.example.org", code=2)


@pytest.mark.requirement("DNS-9")
def test_following_twice_changes_nothing() -> None:
    """Content that is as the booking has it stays the very same, with its serial."""
    apex = from_text(ZONE)
    booking = Booking(policies().catalogues["n"], "solodomain", ("provider-mail",))
    version = content(ZONE, serial=1, hosts=3)
    once = follow(version, None, booking, SerialPolicy.INCREMENT, NOW)
    assert once.serial == 2
    assert follow(once, booking, booking, SerialPolicy.INCREMENT, NOW) is once
    assert check_change(booking, once, once) == []
    without = follow(once, booking, None, SerialPolicy.INCREMENT, NOW)
    assert [rrset for rrset in without if rrset.rtype == 15] == []
    assert apex == without.apex
