"""Products: rights by the table of the contract, and records that come with them."""

from __future__ import annotations

import pytest

from registrar import products
from registrar.errors import RegistrarError
from registrar.products import Booking
from tests.registrations import policies
from zones import rdata
from zones.name import Name, display, from_text
from zones.zone import Mode

APEX = from_text("example.org")
WWW = from_text("www.example.org")
MAIL = from_text("mail.example.org")
OWN = ("own-mail-server",)
OWN_MX = ((10, "mail.example.org"),)
YES = ("solodomain", "webhosting-plus", "webhosting-premium")
NO = ("homepage-basic", "homepage-premium", "webhosting-basic")
TYPES = ("A", "AAAA", "CAA", "CNAME", "MX", "NS", "SRV", "TXT")


def booking(product: str = "solodomain", *options: str) -> Booking:
    """Return a booking with the customer's mail server where one is needed."""
    mail = OWN_MX if "own-mail-server" in options else ()
    return Booking(policies().catalogues["n"], product, options, mail)


def kinds(found: list[products.PresetRecord]) -> list[str]:
    """Return records as text."""
    return [
        f"{display(record.owner)} {rdata.type_text(record.rtype)} "
        f"{rdata.to_text(record.rtype, record.rdata)}"
        for record in found
    ]


def edit(made: Booking, kind: str, owner: Name = APEX, mode: Mode = Mode.HOSTED) -> set[str]:
    """Return the rules against an edit."""
    rtype = rdata.type_from_text(kind)
    return {reason.rule for reason in products.check_edit(made, mode, APEX, owner, rtype)}


@pytest.mark.requirement("DNS-8")
@pytest.mark.parametrize("product", YES + NO)
def test_own_records_and_name_servers_by_the_table(product: str) -> None:
    """The table in section 7 says which products have records and name servers of their own."""
    made = booking(product)
    allowed = product in YES
    assert (edit(made, "TXT", MAIL) == set()) == allowed
    for mode in (Mode.PRIMARY, Mode.HIDDEN_PRIMARY, Mode.EXTERNAL):
        assert (products.check_mode(made, mode) == []) == allowed
    assert products.check_mode(made, Mode.HOSTED) == []


@pytest.mark.requirement("DNS-8")
def test_the_product_is_named_in_a_refusal() -> None:
    """Who may not edit reads for which product that is, and where it stands."""
    (reason,) = products.check_mode(booking("webhosting-basic"), Mode.HIDDEN_PRIMARY)
    assert "Webhosting Basic" in reason.sentence
    assert "N 7" in reason.source


@pytest.mark.requirement("DNS-8")
@pytest.mark.parametrize("kind", TYPES)
def test_the_eight_types_can_be_edited(kind: str) -> None:
    """All record types of N 2.2.7 can be edited, and others cannot."""
    assert edit(booking(), kind) == set()
    assert edit(booking(), "PTR") == {"record-type"}


@pytest.mark.requirement("DNS-9")
def test_mail_boxes_preset_the_mx() -> None:
    """With mail boxes at the provider the MX is given, and nobody edits it (N 2.3)."""
    made = booking("solodomain", "provider-mail")
    assert kinds(products.preset_records(made, APEX)) == [
        "example.org MX 10 mx1.example.net.",
        "example.org MX 10 mx2.example.net.",
    ]
    assert edit(made, "MX") == {"preset"}
    assert edit(made, "MX", MAIL) == set()
    assert edit(made, "TXT") == set()


@pytest.mark.requirement("DNS-9")
def test_an_own_mail_server_has_its_mx_made_on_order() -> None:
    """The MX of the customer's own mail server is made, and stays his to change (N 2.2.9)."""
    made = booking("solodomain", *OWN)
    assert kinds(products.preset_records(made, APEX)) == ["example.org MX 10 mail.example.org."]
    assert edit(made, "MX") == set()


@pytest.mark.requirement("DNS-9")
@pytest.mark.parametrize(
    ("option", "expected", "work"),
    [
        (
            "backup-relay",
            ["10 mail.example.org.", "100 backup-relay.example.net."],
            {"backup-relay"},
        ),
        (
            "store-and-forward-relay",
            ["10 mailrelay1.example.net.", "20 mailrelay2.example.net."],
            {"backup-relay", "store-and-forward-relay"},
        ),
        (
            "secure-relay",
            ["10 secure-relay1.example.net.", "20 secure-relay2.example.net."],
            {"backup-relay", "store-and-forward-relay", "secure-relay"},
        ),
        ("spam-filter", ["10 filter1.example.net.", "20 filter2.example.net."], {"spam-filter"}),
    ],
)
def test_relays_and_filters_bring_their_mx(
    option: str, expected: list[str], work: set[str]
) -> None:
    """Behind a store-and-forward or secure relay the own server is not to be seen (N 2.4)."""
    made = booking("solodomain", *OWN, option)
    assert products.check_booking(made) == []
    assert kinds(products.preset_records(made, APEX)) == [
        f"example.org MX {record}" for record in expected
    ]
    assert made.work == {*OWN, *work}
    assert edit(made, "MX") == {"preset"}


@pytest.mark.requirement("DNS-9")
def test_an_including_relay_stands_for_those_within() -> None:
    """With backup and secure relay both booked there are the secure relay's MX alone."""
    both = booking("solodomain", *OWN, "backup-relay", "secure-relay")
    assert set(both.presets) == {"secure-relay"}


@pytest.mark.requirement("DNS-9")
@pytest.mark.parametrize(
    ("options", "rule"),
    [
        (("backup-relay",), "option-needs"),
        (("provider-mail", "own-mail-server"), "options-exclude"),
        ((*OWN, "spam-filter", "secure-relay"), "options-exclude"),
        (("surprise",), "option-not-offered"),
    ],
)
def test_options_that_do_not_go_together(options: tuple[str, ...], rule: str) -> None:
    """A relay needs a server of the customer's, and one set of MX excludes another."""
    assert rule in {
        reason.rule for reason in products.check_booking(booking("solodomain", *options))
    }


def test_an_own_mail_server_needs_a_name() -> None:
    """Without the host name no MX can be made."""
    bare = Booking(policies().catalogues["n"], "solodomain", OWN)
    assert [reason.rule for reason in products.check_booking(bare)] == ["mail-server-missing"]
    with pytest.raises(RegistrarError):
        booking("no such product")


@pytest.mark.requirement("DNS-10")
@pytest.mark.parametrize("mode", [Mode.PRIMARY, Mode.HIDDEN_PRIMARY, Mode.EXTERNAL])
def test_no_influence_on_records_of_own_servers(mode: Mode) -> None:
    """With name servers of the customer's own nothing is edited or preset here, MX included."""
    made = booking("solodomain", *OWN, "spam-filter")
    assert edit(made, "MX", mode=mode) == {"not-hosted"}
    entered = products.records_to_enter(made, mode, APEX)
    assert kinds(entered) == [
        "example.org MX 10 filter1.example.net.",
        "example.org MX 20 filter2.example.net.",
    ]
    assert products.records_to_enter(made, Mode.HOSTED, APEX) == []


@pytest.mark.requirement("DNS-11")
@pytest.mark.parametrize(
    ("option", "address"), [("server-alias", "192.0.2.80"), ("http-redirect", "192.0.2.81")]
)
def test_alias_and_redirect_preset_addresses(option: str, address: str) -> None:
    """Apex and www lead to the provider's servers, and stay so while the option is booked."""
    made = booking("solodomain", option)
    assert products.check_booking(made) == []
    found = kinds(products.preset_records(made, APEX))
    assert f"example.org A {address}" in found
    assert f"www.example.org A {address}" in found
    assert edit(made, "AAAA", WWW) == {"preset"}
    assert edit(made, "A", MAIL) == set()


@pytest.mark.requirement("DNS-8", "DNS-11")
@pytest.mark.parametrize("product", [*NO, *YES[1:]])
def test_alias_and_redirect_are_solodomain_alone(product: str) -> None:
    """No other product has server alias or redirect (N section 7)."""
    for option in ("server-alias", "http-redirect"):
        (reason,) = products.check_booking(booking(product, option))
        assert (reason.rule, reason.source[:3]) == ("option-not-offered", "N 7")


@pytest.mark.requirement("DNS-8")
def test_hosting_products_bring_their_addresses() -> None:
    """Web hosting and homepages come with records of their own."""
    assert "www.example.org A 192.0.2.83" in kinds(
        products.preset_records(booking("webhosting-plus"), APEX)
    )
    assert edit(booking("webhosting-plus"), "A", WWW) == {"preset"}
