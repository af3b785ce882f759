"""``nsctl catalog``."""

from __future__ import annotations

from storage import catalogs, versions
from storage.database import Database
from storage.versions import Origin
from tests.unit.cli_fixtures import Nsctl, nsctl
from zones.catalog import Member, make_catalog
from zones.name import from_text

__all__ = ["nsctl"]

CATALOG = from_text("catalog.example.")
NOW = 1_700_000_000.0


def arrive(nsctl: Nsctl, serial: int, *names: str) -> None:
    """Let a version of the catalog arrive, as the server would."""
    members = [Member(from_text(name), name[:1].encode()) for name in names]
    database = Database.open(f"sqlite:///{nsctl.directory}/nsctl.db")
    with database.write() as session:
        version = make_catalog(CATALOG, serial, members)
        versions.publish(session, version, origin=Origin.TRANSFER, actor="t", reason="", now=NOW)
        catalogs.apply(session, CATALOG, now=NOW)
    database.close()


def test_a_catalog_is_followed(nsctl: Nsctl) -> None:
    """What was given is kept and shown; the zones come with the catalog, and go by approval."""
    nsctl("key", "add", "k.example")
    made = nsctl.json(
        *("catalog", "add", "catalog.example", "--primary", "192.0.2.1", "--key", "k.example"),
        *("--member-primary", "192.0.2.2@5301", "--customer", "4711", "--max-lost", "10"),
    )
    assert (made["role"], made["primaries"]) == ("consumer", ["192.0.2.2@5301"])
    arrive(nsctl, 1, *(f"{letter}.example" for letter in "abcdefgh"))
    status = nsctl.json("secondary", "status", "a.example")
    assert status["primaries"]
    assert nsctl.json("catalog", "list")[0]["members"] == 8
    arrive(nsctl, 2, "a.example")
    shown = nsctl("catalog", "show", "catalog.example").stdout
    assert "held" in shown
    assert "lose 7 of 8 zones" in shown
    assert "nsctl catalog approve catalog.example" in shown
    assert nsctl.json("catalog", "approve", "catalog.example")["deleted"] == 7
    assert [one["zone"] for one in nsctl.json("catalog", "show", "catalog.example")["members"]] == [
        "a.example"
    ]


def test_groups_have_primaries(nsctl: Nsctl) -> None:
    """A group is given primaries, loses them again, and needs one or the other to be said."""
    nsctl("catalog", "add", "catalog.example", "--primary", "192.0.2.1")
    done = nsctl.json("catalog", "group", "catalog.example", "signed", "--primary", "192.0.2.7")
    assert done["groups"] == {"signed": ["192.0.2.7@53"]}
    done = nsctl.json("catalog", "group", "catalog.example", "signed", "--delete")
    assert done["groups"] == {}
    nsctl("catalog", "group", "catalog.example", "signed", code=2)
    told = nsctl("catalog", "group", "x.example", "signed", "--delete", code=1).stderr
    assert "x.example" in told


def test_our_zones_are_listed(nsctl: Nsctl) -> None:
    """A catalog that is made here lists what there is; its table fits 100 columns."""
    assert "no catalogs" in nsctl("catalog", "list").stdout
    nsctl("zone", "add", "example.org")
    nsctl("catalog", "produce", "catalog.example")
    shown = nsctl.json("catalog", "show", "catalog.example")
    assert [one["zone"] for one in shown["members"]] == ["example.org"]
    assert "made here" in nsctl("catalog", "list").stdout
    records = nsctl("record", "list", "catalog.example").stdout
    assert "example.org" in records
    nsctl("catalog", "delete", "catalog.example")
    assert nsctl.json("catalog", "list") == []


def test_what_is_wrong_is_told(nsctl: Nsctl) -> None:
    """A catalog that is there, a key that is not, a zone that is none: told, nothing changed."""
    nsctl("zone", "add", "example.org")
    told = nsctl("catalog", "add", "example.org", "--primary", "192.0.2.1", code=1).stderr
    assert "exists already" in told
    done = nsctl(
        *("catalog", "add", "c.example", "--primary", "192.0.2.1", "--key", "none.example"), code=1
    )
    assert "none.example" in done.stderr
    assert "no catalog" in nsctl("catalog", "show", "example.org", code=1).stderr
    assert nsctl.json("catalog", "list") == []
    nsctl("catalog", "add", "c.example", code=2)


def test_members_stay_or_go_with_their_catalog(nsctl: Nsctl) -> None:
    """Deleting a catalog leaves its zones, unless they are to go too."""
    for serial, members, left in ((1, (), True), (2, ("--members",), False)):
        nsctl("catalog", "add", "catalog.example", "--primary", "192.0.2.1")
        arrive(nsctl, serial, f"m{serial}.example")
        nsctl("catalog", "delete", "catalog.example", *members)
        names = {one["zone"] for one in nsctl.json("zone", "list")}
        assert (f"m{serial}.example" in names) is left
