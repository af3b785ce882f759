"""``nsctl policy`` and ``nsctl product``: rules shown with their sources, faults with their lines."""

from __future__ import annotations

import pytest

from tests.unit.cli_fixtures import Nsctl, nsctl

__all__ = ["nsctl"]

OVERLAY = """\
notice = { weeks = 8, source = "our own terms 3" }
"""
FAULTY = """\
term_months = { value = "x", source = "H 19" }

[termination]
arrears_cents = -1
arrears_months = 2
source = "H 6"
[extra]
foo = 1
"""


def test_policies_are_listed_and_shown_with_sources(nsctl: Nsctl) -> None:
    """Every policy is there under the name of its file; each value has where it stands."""
    listed = {one["policy"]: one for one in nsctl.json("policy", "list")}
    assert {"contract-n", "contract-h", "contract-consumer", "tld-de", "products-n"} <= set(listed)
    told = nsctl("policy", "show", "contract-h").stdout
    assert "notice.weeks" in told
    assert "H 6(1), 19(2)" in told
    assert nsctl.json("policy", "show", "tld-de")["tlds"] == ["de"]
    assert "did you mean 'contract-h'" in nsctl("policy", "show", "contract-hh", code=1).stderr


@pytest.mark.requirement("REG-10")
def test_a_directory_of_the_settings_is_laid_over(nsctl: Nsctl) -> None:
    """A file of the operator's with a shipped name changes the values that it has, and no others."""
    nsctl.file("own/contract-h.toml", OVERLAY)
    nsctl.environment["NSCTL_DESK_POLICIES"] = str(nsctl.directory / "own")
    shown = nsctl.json("policy", "show", "contract-h")
    assert (shown["notice"]["weeks"], shown["notice"]["source"]) == (8, "our own terms 3")
    assert shown["term_months"]["value"] == 12
    assert nsctl.json("policy", "check")["ok"]
    listed = {one["policy"]: one["changed"] for one in nsctl.json("policy", "list")}
    assert listed["contract-h"]
    assert not listed["contract-n"]


def test_faults_are_told_at_once_with_file_and_line(nsctl: Nsctl) -> None:
    """Everything wrong in all files is told in one go, each fault where it is."""
    first = nsctl.file("own/contract-h.toml", FAULTY)
    second = nsctl.file("own/tld-x.toml", "\nkind = \n")
    done = nsctl("policy", "check", str(nsctl.directory / "own"), code=1)
    assert f"{first}:1: term_months.value: " in done.stdout
    assert f"{first}:4: termination.arrears_cents: " in done.stdout
    assert f"{first}:7: extra: there is no such key" in done.stdout
    assert f"{second}:2: Invalid value" in done.stdout
    # What contract-consumer inherits from contract-h is told once.
    assert len(nsctl.json("policy", "check", first, second, code=1)["faults"]) == 4
    assert "No such file" in nsctl("policy", "check", "/nowhere/x.toml", code=1).stderr


@pytest.mark.requirement("DNS-8")
def test_products_have_the_rights_of_the_table(nsctl: Nsctl) -> None:
    """The products of N section 7 with what they may: own records, name servers, alias, redirect."""
    listed = {one["product"]: one for one in nsctl.json("product", "list")}
    assert listed["solodomain"]["server_alias"]
    assert listed["webhosting-plus"]["own_records"]
    assert not listed["webhosting-plus"]["http_redirect"]
    assert not listed["homepage-basic"]["own_name_server"]
    assert nsctl("product", "list").stdout.count("\n") == len(listed) + 1


@pytest.mark.requirement("DNS-9", "DNS-11")
def test_a_product_shows_what_comes_with_it(nsctl: Nsctl) -> None:
    """The preset records are told for the zone in question, those of options as well."""
    shown = nsctl.json("product", "show", "webhosting-plus", "--zone", "example.com")
    assert ("www.example.com", "A") in [(one["owner"], one["type"]) for one in shown["records"]]
    options = {one["option"]: one for one in shown["options"]}
    assert {one["type"] for one in options["provider-mail"]["records"]} == {"MX"}
    assert "http-redirect" not in options
    told = nsctl("product", "show", "solodomain").stdout
    assert "A, AAAA, CAA, CNAME, MX, NS, SRV, TXT" in told
    assert "did you mean 'solodomain'" in nsctl("product", "show", "solodomian", code=1).stderr
