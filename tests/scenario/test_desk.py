"""The desk with a registry in a file and a parent that answers: the tour, drift, billing."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from registrar import commands as ask
from registrar.commands import DomainChange
from registrar.connector import Done
from registrar.file_registry import FileRegistry
from registrar.objects import NameServer
from registrar.statuses import Status
from tests import desk_tour
from tests.peers import Knot
from tests.peers.fixtures import knot, place
from tests.registry_world import HOLDER
from tests.unit.cli_fixtures import nsctl
from tests.unit.test_cli_desk import Desk, books

__all__ = ["books", "knot", "nsctl", "place"]

PARENT = """\
$ORIGIN org.
$TTL 300
@ SOA ns1.example.net. hostmaster 1 14400 3600 1209600 3600
@ NS ns1.example.net.
example NS ns1.example.net.
example NS ns2.example.net.
"""
DS = "example DS 12345 13 2 " + "ab" * 32 + "\n"


@pytest.mark.requirement("REG-4", "REG-11", "REG-12")
def test_the_tour_is_as_it_is_told() -> None:
    """The commands of docs/desk.md write what stands there, from the order to the end."""
    page = desk_tour.PAGE.read_text(encoding="utf-8")
    assert page == desk_tour.page(), "run: python -m tests.desk_tour > docs/desk.md"


def account(books: Desk) -> Path:
    """Give the desk a registry in a file."""
    path = books.nsctl.directory / "registry.json"
    add = ("registry", "accounts", "add", "rehearsal", "--kind=file", f"--path={path}")
    books.nsctl(*add, "--tld=org", "--tld=de")
    return path


def plan(books: Desk, *options: str, code: int = 0) -> Any:
    """Compare the views of the domain."""
    return books.nsctl.json("domain", "plan", "example.org", *options, code=code)


@pytest.mark.interop("knotd")
def test_three_views_and_their_drift(books: Desk, knot: Knot) -> None:
    """In step at first; then the registry has other servers and a hold, and the parent a DS."""
    path = account(books)
    books.order()
    books.nsctl("registry", "run")
    knot.serve("org.", PARENT)
    with knot:
        parent = f"--parent=127.0.0.1@{knot.port}"
        found = plan(books, parent)
        assert found["in_step"]
        assert found["parent"]["name_servers"] == ["ns1.example.net", "ns2.example.net"]
        now = datetime.fromisoformat(books.nsctl.environment["NSCTL_REHEARSAL"] or "")
        change = ask.UpdateDomain(
            "example.org",
            add=DomainChange(statuses=frozenset({Status.CLIENT_HOLD})),
            remove=DomainChange(name_servers=(NameServer("ns2.example.net"),)),
        )
        with FileRegistry(path, client="nsctl").opened() as registry:
            assert isinstance(registry.perform("nsctl", change, "by hand", now), Done)
        knot.update_zone("org.", PARENT.replace("hostmaster 1 ", "hostmaster 2 ") + DS)
        knot.wait_serial("org.", 2)
        found = plan(books, parent, code=1)
    drift = {(one["party"], one["what"]): one for one in found["drift"]}
    assert set(drift) == {
        ("registry", "name servers"),
        ("registry", "statuses"),
        ("parent", "DS"),
    }
    repair = "nsctl domain name-servers example.org ns1.example.net ns2.example.net"
    assert drift["registry", "name servers"]["repair"] == repair
    assert drift["registry", "statuses"]["repair"] == "nsctl domain hold example.org --lift"
    assert drift["parent", "DS"]["theirs"] == "12345"
    told = books.nsctl("domain", "plan", "example.org", "--no-parent", code=1).stdout
    assert "name servers: ns1.example.net, ns2.example.net here, ns1.example.net at the" in told


def test_what_cannot_be_asked_is_said(books: Desk) -> None:
    """Without an account, and with a parent that is away, the plan says so and is no drift."""
    books.registered()
    found = plan(books, "--parent=127.0.0.1@9", "--timeout=0.2")
    assert "no registry account" in found["registry"]["problem"]
    assert found["parent"]["problem"]
    told = books.nsctl("domain", "plan", "example.org", "--no-parent").stdout
    assert "could not be compared" in told


@pytest.mark.requirement("REG-13", "REG-14", "REG-15")
def test_arrears_come_in_and_fees_go_out(books: Desk) -> None:
    """A list of what is open leads to dunning and a lien; the next list without it settles."""
    books.registered()
    books.at("2026-08-01T10:00:00+00:00")
    wrong = books.nsctl.file("wrong.csv", "customer,amount,since\n4711,75.001,2026-07-01\n,1,x\n")
    told = books.nsctl("customer", "arrears", wrong, code=1).stderr
    assert ":2: '75.001' is no amount in euros like 75.00" in told
    assert ":3: the customer is missing" in told
    text = 'customer,amount,since,past_period\n4711,"123,05",2026-05-01,yes\n9,1,2026-05-01,\n'
    file = books.nsctl.file("open.csv", text)
    dry = books.nsctl.json("customer", "arrears", file, "--dry-run")
    assert (dry["customers"], dry["registrations"], dry["unknown"]) == (1, 1, ["9"])
    assert books.nsctl.json("domain", "show", "example.org")["state"]["payment"] == "clear"
    books.nsctl("customer", "arrears", file)
    state = books.nsctl.json("domain", "show", "example.org")["state"]
    assert (state["payment"], state["arrears_cents"]) == ("dunning", 12_305)
    reasons = books.nsctl.json("domain", "why-not", "example.org", "suspend")["reasons"]
    assert reasons == []
    none = books.nsctl.file("none.csv", "customer,amount,since\n")
    assert books.nsctl.json("customer", "arrears", none)["settled"] == 1
    assert books.nsctl.json("domain", "show", "example.org")["state"]["payment"] == "clear"
    (fee,) = books.nsctl.json("customer", "fees")
    assert (fee["customer"], fee["months"], fee["from"]) == ("4711", 12, "2026-04-30")
    assert "4711,example.org" in books.nsctl("customer", "fees", "--csv").stdout
    books.nsctl("customer", "paid", "example.org", "--through", "2027-04-30")
    assert books.nsctl.json("customer", "fees") == []


@pytest.mark.requirement("REG-3")
def test_work_at_the_registry_is_shown_and_looked_after(books: Desk) -> None:
    """A name that is taken is refused, kept with its reason; nothing that waits is lost."""
    path = account(books)
    now = datetime.fromisoformat(books.nsctl.environment["NSCTL_REHEARSAL"] or "")
    taken = ask.CreateDomain(
        "example.de",
        registrant="THEIRS",
        name_servers=(NameServer("ns1.example.com"), NameServer("ns2.example.com")),
        auth="A-secret-1",
    )
    with FileRegistry(path, client="other").opened() as registry:
        registry.perform("other", ask.CreateContact("THEIRS", HOLDER), "1", now)
        outcome = registry.perform("other", taken, "2", now)
        assert isinstance(outcome, Done), outcome
    books.order("example.de")
    assert books.nsctl.json("registry", "run")["done"] >= 1
    shown = books.nsctl.json("domain", "show", "example.de")
    assert shown["life"] == "rejected"
    assert shown["state"]["refusal"]
    assert [one["notice"] for one in books.nsctl.json("domain", "notices")] == ["refused"]
    assert books.nsctl.json("registry", "jobs", "example.de")
    assert books.nsctl.json("registry", "poll") == []
    assert "rehearsal" in books.nsctl("registry", "accounts", "show", "rehearsal").stdout
    books.nsctl("registry", "accounts", "delete", "rehearsal")
    assert books.nsctl.json("registry", "accounts", "list") == []
    told = books.nsctl("registry", "poll", "--account", "rehearsal", code=1).stderr
    assert "there is no registry account rehearsal" in told
