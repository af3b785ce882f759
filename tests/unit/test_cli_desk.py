"""The desk's commands: contacts, orders, what is done with registrations, and what is refused."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from registrar import facts
from registrar.desk import recording, registrations
from registrar.fact import Fact
from storage.database import Database
from tests.desk_world import desk
from tests.unit.cli_fixtures import Nsctl, nsctl, zone_text

__all__ = ["nsctl"]

NOW = "2026-04-30T14:00:00+00:00"  # the first of May is a holiday
PERSON = (
    "--name=Erika Beispiel", "--street=Ring 1", "--postal-code=50667", "--city=Köln",
    "--country=DE", "--phone=+49221123456", "--email=erika@example.org",
)  # fmt: skip
FIRM = ("--organisation=Beispiel GmbH", *PERSON[1:-1], "--email=info@example.org", "--language=en")
ORDER = ("--holder=C-2", "--admin=C-1", "--accept-terms")


class Desk:
    """The command line of a desk, at a moment; ``tell`` writes down what a registry would say."""

    def __init__(self, nsctl: Nsctl) -> None:
        self.nsctl = nsctl
        config = nsctl.file(
            "nsctl.toml",
            'customer = "4711"\n[hosted]\nnameservers = ["ns1.example.net", "ns2.example.net"]\n'
            '[desk]\ncontract = "h"\n',
        )
        nsctl.environment |= {"NSCTL_CONFIG": config, "NSCTL_REHEARSAL": NOW}
        nsctl("contact", "add", "C-1", "--customer", "4711", *PERSON)
        nsctl("contact", "add", "C-2", "--customer", "4711", *FIRM)

    def at(self, moment: str) -> None:
        """Set the time."""
        self.nsctl.environment["NSCTL_REHEARSAL"] = moment

    def order(self, name: str = "example.org", *more: str) -> Any:
        """Order a domain."""
        return self.nsctl.json("domain", "order", name, *ORDER, *more)

    def tell(self, name: str, *told: Fact) -> None:
        """Write facts down as the registry's."""
        with closing(self.database()) as database, database.write() as session:
            entry = registrations.get(session, name)
            found = recording.record(
                session, desk(), entry, told, now=told[-1].at, actor="registry", keep_denied=True
            )
            assert not found.reasons

    def registered(self, name: str = "example.org", *more: str) -> datetime:
        """Order a domain and have it registered an hour later."""
        self.order(name, *more)
        at = datetime.fromisoformat(NOW) + timedelta(hours=1)
        expires = None if name.endswith(".de") else at.replace(year=at.year + 1)
        self.tell(name, facts.Sent(at - timedelta(minutes=1)), facts.Registered(at, expires))
        return at

    def database(self) -> Database:
        """Open the store."""
        return Database.open(f"sqlite:///{self.nsctl.directory}/nsctl.db")


@pytest.fixture
def books(nsctl: Nsctl) -> Desk:
    """A desk with a person and an organisation as contacts."""
    return Desk(nsctl)


# ---- contacts


@pytest.mark.requirement("REG-6")
def test_contacts_are_checked_and_every_fault_is_told(books: Desk) -> None:
    """A wrong address, telephone and mail are told at once, and nothing is stored."""
    wrong = ("--name=X", "--postal-code=1", "--country=DE", "--phone=0221", "--email=x")
    told = books.nsctl("contact", "add", "C-3", "--customer=4711", *wrong, code=1).stderr
    for words in ("postal code", "telephone", "mail address", "street", "city"):
        assert words in told
    assert len(books.nsctl.json("contact", "list")) == 2
    assert "did you mean 'C-1'" in books.nsctl("contact", "show", "C-11", code=1).stderr


@pytest.mark.requirement("REG-6")
def test_a_change_of_contact_data_goes_to_the_registry(books: Desk) -> None:
    """It is due there in seven calendar days for each domain that has the contact."""
    books.registered()
    books.at("2026-05-10T10:00:00+00:00")
    changed = books.nsctl.json("contact", "update", "C-1", "--phone", "+49221999999")
    assert (changed["changed"], changed["forwarded_for"]) == (True, ["example.org"])
    due = {
        one["kind"]: one["due"] for one in books.nsctl.json("domain", "show", "example.org")["due"]
    }
    assert due["forward-contact-change"] == "2026-05-17T22:00:00Z"
    again = books.nsctl.json("contact", "update", "C-1", "--phone", "+49221999999")
    assert not again["changed"]


@pytest.mark.requirement("REG-16")
def test_a_contact_is_erased_when_no_domain_has_it(books: Desk) -> None:
    """While a domain has it, it stays, with the reason; afterwards the id alone is left."""
    books.order()
    told = books.nsctl("contact", "erase", "C-2", "--yes", code=1).stderr
    assert "example.org has it" in told
    books.nsctl("domain", "withdraw", "example.org")
    assert books.nsctl.json("contact", "erase", "C-2", "--yes")["erased"]
    shown = books.nsctl.json("contact", "show", "C-2")
    assert shown["erased"]
    assert shown["email"] == shown["organisation"] == ""
    assert "--yes" in books.nsctl("contact", "erase", "C-1", code=1).stderr


# ---- orders


@pytest.mark.requirement("REG-1", "REG-7")
def test_an_order_prepares_the_zone_and_the_work(books: Desk) -> None:
    """A dry run tells what would happen and stores nothing; then it happens, once."""
    dry = books.order("example.org", "--dry-run")
    assert dry["dry_run"]
    assert not dry["done"]
    assert books.nsctl.json("domain", "list") == []
    done = books.order()
    assert done["steps"][0] == "life cycle: draft → ordered"
    assert "zone prepared" in done["effects"]
    assert "ordered" in books.nsctl.json("zone", "show", "example.org")["suspended"]
    again = books.nsctl.json("domain", "order", "example.org", *ORDER, code=1)
    assert [reason["rule"] for reason in again["reasons"]] == ["name-here"]


@pytest.mark.requirement("REG-6", "REG-8")
def test_an_order_is_refused_with_every_reason(books: Desk) -> None:
    """An organisation as Admin-C, terms not accepted, a product without name servers: all told."""
    done = books.nsctl(
        "domain", "order", "example.org", "--holder=C-2", "--admin=C-2",
        "--product=homepage-basic", "--mode=external", "--server=ns1.example.com",
        code=1,
    )  # fmt: skip
    assert "[admin-not-a-person]  N 2.2.3" in done.stderr
    assert "[terms-not-accepted]" in done.stderr
    assert "[product-without-name-server]" in done.stderr
    missing = books.nsctl("domain", "order", "example.org", "--customer=1", code=1).stderr
    assert "holder is missing; say --holder" in missing
    assert "admin is missing; say --admin" in missing
    books.nsctl("domain", "order", "example.org", *ORDER, "--manual")
    assert books.nsctl.json("domain", "show", "example.org")["state"]["manual"]
    books.nsctl("domain", "decline", "example.org", "--reason", "no capacity")
    assert books.nsctl.json("domain", "list", "--ended")[0]["life"] == "rejected"


@pytest.mark.requirement("REG-2")
def test_the_order_is_due_in_seven_working_days(books: Desk) -> None:
    """Ordered on the eve of a holiday, it is due on the ninth of May; alarmed two working days before."""
    books.order()
    (due,) = [
        one
        for one in books.nsctl.json("domain", "show", "example.org")["due"]
        if one["kind"] == "forward-order"
    ]
    assert due["due"] == "2026-05-09T22:00:00Z"
    assert due["alarm"] < due["due"]
    assert "working days" in due["sentence"]


def test_a_list_of_orders_is_planned_and_resumed(books: Desk) -> None:
    """Rows with faults are told with their lines; the others are ordered, and only once."""
    lines = ["name,product,options,own_mx,contract"]
    lines += [f"bulk{number}.org,,,," for number in range(5)]
    lines += ["mail.org,solodomain,own-mail-server,10 mx.example.com,n", "bad.org,nothing,,,"]
    file = books.nsctl.file("orders.csv", "\n".join(lines) + "\n")
    run = ("domain", "order", "--file", file, *ORDER)
    plan = books.nsctl.json(*run, "--dry-run", code=1)
    assert [one["result"] for one in plan] == ["would be ordered"] * 6 + ["refused"]
    assert books.nsctl.json("domain", "list") == []
    done = books.nsctl(*run, code=1)
    assert "7 rows: 6 ordered, 1 refused" in done.stdout
    assert "there is no product 'nothing'" in done.stdout
    again = books.nsctl.json(*run, code=1)
    assert [one["result"] for one in again] == ["ordered before"] * 6 + ["refused"]
    assert books.nsctl.json("domain", "show", "mail.org")["contract"] == "n"
    wrong = books.nsctl.file("wrong.csv", "name,prodct\nfoo.org,x\nfoo.org,x\nno name,x\n")
    told = books.nsctl("domain", "order", "--file", wrong, *ORDER, code=1).stderr
    assert ":1: there is no column 'prodct'" in told
    assert ":3: foo.org stands in line 2 too" in told
    assert ":4: " in told


def test_names_are_given_one_way_or_the_other(books: Desk) -> None:
    """Names, or a file; a name below another is no domain of a registry."""
    books.nsctl("domain", "order", *ORDER, code=2)
    told = books.nsctl("domain", "order", "www.example.org", *ORDER, code=2).stderr
    assert "no name right below a TLD" in told


# ---- what is known


@pytest.mark.requirement("REG-4", "REG-5")
def test_a_registration_is_shown_with_its_clocks(books: Desk) -> None:
    """Stage, statuses, grace, contract and registry expiry; what is due; what is possible."""
    books.registered()
    books.at("2026-05-02T10:00:00+00:00")
    shown = books.nsctl.json("domain", "show", "example.org")
    state = shown["state"]
    assert (state["life"], state["contract"]) == ("registered", "running")
    assert state["registry_expires"] == "2027-04-30T15:00:00Z"
    assert state["contract_last_day"] == "2027-04-30"
    assert state["rgp"] == ["addPeriod"]
    assert "notice" in {one["kind"] for one in shown["due"]}
    assert "renew" in shown["possible"]
    told = books.nsctl("domain", "show", "example.org").stdout
    assert "Registry expires" in told
    assert max(map(len, told.splitlines())) <= 240
    kinds = [one["notice"] for one in books.nsctl.json("domain", "notices", "example.org")]
    assert set(kinds) == {"registered", "contract-begun"}
    text = books.nsctl("domain", "notices", "example.org", "--text").stdout
    assert "To: info@example.org, erika@example.org" in text
    assert "Subject: example.org is registered" in text  # the holder reads English


@pytest.mark.requirement("REG-10", "REG-12")
def test_the_future_is_told(books: Desk) -> None:
    """A timeline and a projection, of one domain and of all; the day of a cancellation in it."""
    books.registered()
    books.at("2026-05-02T10:00:00+00:00")
    at = ("--at", "2028-06-01")
    assert (
        books.nsctl.json("domain", "project", "example.org", *at)["contract_last_day"]
        == "2029-04-30"
    )
    books.nsctl("domain", "cancel", "example.org")
    assert books.nsctl.json("domain", "project", "example.org", *at)["life"] in (
        "closing",
        "released",
    )
    whole = books.nsctl.json("domain", "project", "--at", "2026-06-01")
    assert whole["stages"] == {"registered": 1}
    lines = books.nsctl.json("domain", "timeline", "example.org", "--until", "2028-01-01")
    assert any("cancelled" in one["what"] and not one["future"] for one in lines)
    assert any(one["future"] and one["expected"] for one in lines)
    assert "  now" in books.nsctl("domain", "timeline", "example.org").stdout
    books.nsctl("domain", "project", "example.org", "--at", "soon", code=2)


@pytest.mark.requirement("REG-9")
def test_why_not_tells_rule_source_and_end(books: Desk) -> None:
    """A transfer in the first sixty days: the lock, where it stands, and when it lifts."""
    books.registered()
    books.at("2026-05-02T10:00:00+00:00")
    told = books.nsctl.json("domain", "why-not", "example.org", "transfer-out", code=1)
    lock = next(one for one in told["reasons"] if one["lifts"])
    assert lock["lifts"] == "2026-06-29T15:00:00Z"
    assert "ICANN" in lock["source"]
    done = books.nsctl("domain", "why-not", "example.org", "transfer-out", code=1).stdout
    assert "lifts 2026-06-29 15:00 UTC" in done
    assert books.nsctl.json("domain", "why-not", "example.org", "renew")["possible"]
    assert len(books.nsctl.json("domain", "why-not", "example.org")) > 10
    wrong = books.nsctl("domain", "why-not", "example.org", "transferout", code=2).stderr
    assert "did you mean 'transfer-out'" in wrong
    unknown = books.nsctl("domain", "show", "exmaple.org", code=1).stderr
    assert "did you mean example.org" in unknown


# ---- the end


@pytest.mark.requirement("REG-11")
def test_a_cancellation_lacks_documents_until_they_come(books: Desk) -> None:
    """Kept and not declared, with the list; the customer is told; the document completes it."""
    books.registered("example.de")
    books.at("2026-06-01T10:00:00+00:00")
    dry = books.nsctl("domain", "cancel", "example.de", "--dry-run").stdout
    assert "would be kept, and not count as declared yet" in dry
    assert "close-request" in dry
    assert (
        "missing_documents" not in books.nsctl("domain", "notices", "example.de", "--json").stdout
    )
    assert books.nsctl.json("domain", "show", "example.de")["state"]["missing_documents"] == []
    told = books.nsctl.json("domain", "cancel", "example.de")
    assert (told["kept"], told["done"]) == (True, False)
    state = books.nsctl.json("domain", "show", "example.de")["state"]
    assert (state["contract"], state["missing_documents"]) == ("running", ["close-request"])
    text = books.nsctl("domain", "notices", "example.de", "--text").stdout
    assert "- close request" in text
    books.nsctl("domain", "document", "example.de", "close-request", "--note", "letter")
    state = books.nsctl.json("domain", "show", "example.de")["state"]
    assert (state["contract"], state["missing_documents"]) == ("cancelled", [])
    books.nsctl("domain", "withdraw", "example.de")
    assert books.nsctl.json("domain", "show", "example.de")["state"]["contract"] == "running"


@pytest.mark.requirement("REG-12")
def test_a_deletion_takes_two_people_and_shows_whom_it_hits(books: Desk) -> None:
    """Zones that use its hosts are shown before; who ordered it cannot confirm it."""
    books.registered()
    text = zone_text(1, "mail CNAME mx.example.org.", "@ MX 10 mx.example.org.")
    other = text.replace("@ NS ns1", "@ NS ns1\n@ NS ns.example.org.")
    books.nsctl("zone", "import", books.nsctl.file("example.com.zone", other))
    books.at("2026-06-01T10:00:00+00:00")
    dry = books.nsctl("domain", "delete", "example.org", "--dry-run")
    for record in (
        "example.com NS ns.example.org",
        "example.com MX mx",
        "mail.example.com CNAME mx",
    ):
        assert record in dry.stderr
    assert "1 zone and 0 registrations" in dry.stderr
    assert "--yes" in books.nsctl("domain", "delete", "example.org", code=1).stderr
    books.nsctl("domain", "delete", "example.org", "--yes")
    same = books.nsctl("domain", "confirm", "example.org", "--yes", code=1).stderr
    assert "another person has to confirm" in same
    done = books.nsctl.json("domain", "confirm", "example.org", "--yes", "--actor", "second")
    assert done["done"]
    assert books.nsctl.json("domain", "show", "example.org")["state"]["life"] == "redemptionPeriod"


@pytest.mark.requirement("REG-9", "REG-13")
def test_codes_are_told_once_and_locks_are_set(books: Desk) -> None:
    """After the lock the code is made and told; a lock of ours is work at the registry."""
    books.registered()
    books.at("2026-08-01T10:00:00+00:00")
    told = books.nsctl.json("domain", "authcode", "example.org")
    assert len(told["auth"]) >= 8
    stands = books.nsctl.json("domain", "transfer-out", "example.org")
    assert stands["transfer"] == "authIssued"
    assert told["auth"] not in json.dumps(books.nsctl.json("domain", "show", "example.org"))
    locked = books.nsctl.json("domain", "lock", "example.org")
    assert "set clientTransferProhibited" in " ".join(locked["effects"])
    held = books.nsctl.json("domain", "hold", "example.org", "--yes", "--dry-run")
    assert held["dry_run"]
    approve = books.nsctl("domain", "transfer-out", "example.org", "--approve", "--dry-run", code=1)
    assert "does not fit the state" in approve.stderr
    both = books.nsctl(
        "domain", "transfer-out", "example.org", "--approve", "--reject", "x", code=2
    )
    assert "either approved or refused" in both.stderr
    reject = books.nsctl("domain", "transfer-out", "example.org", "--reject", "no", code=1)
    assert "refused" in reject.stderr


@pytest.mark.requirement("REG-14")
def test_termination_takes_a_reason(books: Desk) -> None:
    """Without arrears there is none; abuse is one; it is taken back again."""
    books.registered()
    books.at("2026-06-01T10:00:00+00:00")
    no = books.nsctl("domain", "terminate", "example.org", "--cause=arrears", "--yes", code=1)
    assert "H 6(2)" in no.stderr
    yes = books.nsctl.json("domain", "terminate", "example.org", "--cause=abuse", "--yes")
    assert "contract: running → ended" in yes["steps"]
    books.nsctl("domain", "rescind", "example.org")
    assert books.nsctl.json("domain", "show", "example.org")["state"]["contract"] == "running"


@pytest.mark.requirement("REG-17")
def test_a_claimant_waits_for_the_customer(books: Desk) -> None:
    """Asked, told, and only after the time to answer are the data given."""
    books.registered()
    books.at("2026-06-01T10:00:00+00:00")
    books.nsctl("domain", "disclose", "example.org", "--asked", "Claimant Ltd")
    first = books.nsctl("domain", "disclose", "example.org", "--given", code=1).stderr
    assert "[holder-not-told]  H 9(2)" in first
    books.nsctl("domain", "disclose", "example.org", "--told")
    early = books.nsctl("domain", "disclose", "example.org", "--given", code=1).stderr
    assert "lifts 2026-06-08 10:00 UTC" in early
    books.at("2026-06-08T10:00:00+00:00")
    books.nsctl("domain", "disclose", "example.org", "--given")
    public = json.loads(books.nsctl("domain", "rdap", "example.org").stdout)
    assert public["ldhName"] == "example.org"
    assert "erika@" not in json.dumps(public)
    assert "erika@" in books.nsctl("domain", "rdap", "example.org", "--full").stdout


# ---- what it is made of


def test_name_servers_contacts_and_proof(books: Desk) -> None:
    """Each change is judged; what it leads to at the registry is told."""
    books.registered()
    books.at("2026-06-01T10:00:00+00:00")
    servers = ("ns1.example.org=192.0.2.1,2001:db8::1", "ns2.example.net")
    told = books.nsctl.json("domain", "name-servers", "example.org", *servers)
    assert "at the registry: update name servers" in told["effects"]
    shown = books.nsctl.json("domain", "show", "example.org")
    assert shown["name_servers"][0]["addresses"] == ["192.0.2.1", "2001:db8::1"]
    books.nsctl("domain", "name-servers", "example.org", code=2)
    no = books.nsctl("domain", "contacts", "example.org", "--admin=C-2", code=1).stderr
    assert "[admin-not-a-person]" in no
    books.nsctl("domain", "contacts", "example.org", "--holder=C-1", "--manager=C-2")
    assert books.nsctl.json("domain", "show", "example.org")["managers"] == ["C-2"]
    books.nsctl("domain", "proof", "example.org", "--asked", "mail came back")
    books.at("2026-06-20T10:00:00+00:00")
    assert (
        books.nsctl.json("domain", "show", "example.org")["state"]["verification"] == "quarantine"
    )
    books.nsctl("contact", "verify", "C-1")
    assert books.nsctl.json("domain", "show", "example.org")["state"]["verification"] == "clear"
    books.nsctl("domain", "dispute", "example.org", "--open", "case 17")
    assert "case 17" in books.nsctl("domain", "show", "example.org").stdout


def test_the_check_takes_the_servers_of_the_registration(books: Desk) -> None:
    """Without servers named, those of the registration are asked, with their glue."""
    books.order("example.de", "--server=ns1.example.de=192.0.2.1", "--server=ns2.example.net")
    at = ("--at=ns1.example.de=127.0.0.1@9", "--at=ns2.example.net=127.0.0.1@9", "--timeout=0.1")
    found = books.nsctl.json("domain", "check", "example.de", *at, code=1)
    assert found["profile"] == "denic"
    assert [one["name"] for one in found["servers"]] == ["ns1.example.de", "ns2.example.net"]
    assert "not-reachable" in {one["rule"] for one in found["issues"]}


@pytest.mark.requirement("DNS-8", "DNS-9")
def test_the_zone_follows_the_product(books: Desk) -> None:
    """Another product changes the preset records of the zone; what it does not have is refused."""
    books.registered()
    books.at("2026-06-01T10:00:00+00:00")
    books.nsctl("domain", "product", "example.org", "solodomain", "--option", "provider-mail")
    mx = books.nsctl.json("record", "list", "example.org", "@", "MX")
    assert sorted(one["rdata"] for one in mx) == ["10 mx1.example.net.", "10 mx2.example.net."]
    done = books.nsctl(
        "domain", "product", "example.org", "homepage-basic", "--mode=external", code=1
    )
    assert "[product-without-name-server]" in done.stderr
    books.nsctl("domain", "product", "example.org", "homepage-basic")
    assert books.nsctl.json("record", "list", "example.org", "@", "MX") == []
    own = books.nsctl("zone", "product", "example.org", "solodomain", code=1).stderr
    assert "nsctl domain product example.org" in own


def test_every_command_has_help_with_an_example(nsctl: Nsctl) -> None:
    """Each command of the desk explains itself within a hundred columns."""
    from cli.contact import contact
    from cli.domain import domain

    names = [("domain", name) for name in domain.lazy] + [
        ("contact", name) for name in contact.commands
    ]
    for group, name in names:
        told = nsctl(group, name, "--help").stdout
        assert "Example" in told, name
        assert max(map(len, told.splitlines())) <= 100, name


def test_files_stay_where_they_are(tmp_path: Path, books: Desk) -> None:
    """A list that cannot be read is told with its path."""
    file = tmp_path / "latin.csv"
    file.write_bytes("name\nköln.de\n".encode("latin-1"))
    assert str(file) in books.nsctl("domain", "order", "--file", str(file), *ORDER, code=1).stderr
