"""Edits as transactions, and new zones."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.zone_strategies import APEX, rrset, rrsets, soa, zone_versions
from zones import rdata
from zones.check import check
from zones.edit import Edit
from zones.errors import ZoneError
from zones.finding import errors
from zones.name import BadName, Name, from_text, to_text
from zones.new_zone import mailbox_name, new_zone
from zones.rrset import CNAME, MX, NS, RRSIG, SOA, TXT, A, RRset
from zones.serial import SerialPolicy
from zones.splice import Layout
from zones.version import ZoneVersion

NOW = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
WWW, FTP = from_text("www", APEX), from_text("ftp", APEX)
ONE, TWO = bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))


def base(*texts: str, serial: int = 7) -> ZoneVersion:
    """Return a sound version of example.org with these RRsets."""
    usual = ("@ 3600 NS ns.example.net.", "www 300 A 192.0.2.1", *texts)
    return ZoneVersion.of(APEX, [soa(serial), *map(rrset, usual)])


def finished(edit: Edit, policy: SerialPolicy = SerialPolicy.INCREMENT) -> ZoneVersion:
    """Return the version that an edit makes."""
    return edit.finish(policy, NOW)


def reasons(edit: Edit) -> list[str]:
    """Return the reasons against an edit."""
    with pytest.raises(ZoneError) as caught:
        finished(edit)
    return list(caught.value.reasons)


def lines(version: ZoneVersion, owner: Name) -> list[str]:
    """Return the records at a name, without the name."""
    return [
        line.partition(" ")[2]
        for rrset in version
        if rrset.owner == owner
        for line in rrset.lines()
    ]


def test_set_replaces_an_rrset() -> None:
    """What was there before is gone; without a TTL, that of the set before stays."""
    edit = Edit(base())
    edit.set(WWW, A, None, [TWO])
    assert lines(finished(edit), WWW) == ["300 IN A 192.0.2.2"]


def test_add_puts_records_beside_others() -> None:
    """The set has one TTL: the one given last. A new set without one gets the SOA's."""
    edit = Edit(base())
    edit.add(WWW, A, 60, [TWO])
    edit.add(FTP.upper(), A, None, [TWO])
    after = finished(edit)
    assert lines(after, WWW) == ["60 IN A 192.0.2.1", "60 IN A 192.0.2.2"]
    assert lines(after, FTP) == ["3600 IN A 192.0.2.2"]


@pytest.mark.parametrize(
    ("rtype", "record", "left"),
    [
        (A, ONE, ["300 IN A 192.0.2.2", "60 IN TXT x"]),
        (A, None, ["60 IN TXT x"]),
        (None, None, []),
    ],
)
def test_delete(rtype: int | None, record: bytes | None, left: list[str]) -> None:
    """One record, a set, or everything at a name is removed."""
    version = base("www 60 TXT x")
    edit = Edit(version)
    edit.add(WWW, A, 300, [TWO])
    edit.delete(WWW, rtype, record)
    assert [line.replace('"', "") for line in lines(finished(edit), WWW)] == left


def test_changes_of_one_edit_build_on_each_other() -> None:
    """A name is moved from addresses to an alias in one edit, which no single step could do."""
    edit = Edit(base())
    edit.delete(WWW)
    edit.add(WWW, CNAME, 300, [from_text("example.net.")])
    assert lines(finished(edit), WWW) == ["300 IN CNAME example.net."]


def test_an_edit_that_changes_nothing_returns_the_base() -> None:
    """No serial is spent on what is so already."""
    version = base()
    edit = Edit(version)
    edit.set(WWW, A, 300, [ONE])
    edit.add(FTP, A, 300, [ONE])
    edit.delete(FTP)
    assert finished(edit) is version


@pytest.mark.parametrize(
    ("policy", "serial"),
    [
        (SerialPolicy.INCREMENT, 8),
        (SerialPolicy.DATE, 2024050600),
        (SerialPolicy.UNIXTIME, int(NOW.timestamp())),
    ],
)
def test_the_serial_follows_the_policy(policy: SerialPolicy, serial: int) -> None:
    """The SOA of the new version has the policy's next serial, and so has the version."""
    edit = Edit(base())
    edit.add(WWW, A, None, [TWO])
    after = finished(edit, policy)
    assert after.serial == serial
    assert int.from_bytes(after.soa.rdatas[0][-20:-16], "big") == serial


@pytest.mark.parametrize(("given_serial", "serial"), [(5000, 5000), (7, 8), (3, 8)])
def test_an_edited_soa_keeps_a_newer_serial(given_serial: int, serial: int) -> None:
    """A newer serial that the edit itself set stays; an old one is replaced, the rest is kept."""
    edit = Edit(base())
    edit.set(APEX, SOA, 60, soa(given_serial, "7200 3600 1209600 3600").rdatas)
    after = finished(edit)
    assert after.serial == serial
    assert lines(after, APEX)[1].endswith(f" {serial} 7200 3600 1209600 3600")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda e: e.delete(FTP), "there are no records of ftp.example.org"),
        (
            lambda e: e.delete(from_text("wwww", APEX)),
            "there are no records of wwww.example.org; did you mean www.example.org?",
        ),
        (lambda e: e.delete(WWW, MX), "there is no record www.example.org MX"),
        (lambda e: e.delete(WWW, A, TWO), "there is no record www.example.org A 192.0.2.2"),
        (lambda e: e.add(WWW, A, 300, [ONE]), "www.example.org A 192.0.2.1 is there already"),
        (lambda e: e.set(WWW, A, 300, []), "www.example.org A would be left without any data"),
        (lambda e: e.set(WWW, A, -1, [ONE]), "www.example.org A has the TTL -1"),
        (lambda e: e.set(WWW, A, 2**31, [ONE]), "www.example.org A has the TTL 2147483648"),
        (lambda e: e.set(WWW, A, 300, [b"x"]), "www.example.org A \\# 1 78 is malformed"),
        (
            lambda e: e.set(from_text("example.net."), A, 300, [ONE]),
            "example.net A is not in the zone example.org",
        ),
        (lambda e: e.delete(APEX), "example.org is the zone itself"),
        (lambda e: e.delete(APEX, SOA), "example.org SOA cannot be deleted"),
        (lambda e: e.add(APEX, SOA, 60, soa(9).rdatas), "example.org SOA is there already"),
        (lambda e: e.delete(APEX, NS), "The zone example.org has no NS record"),
        (
            lambda e: e.add(WWW, CNAME, 60, [WWW]),
            "www.example.org has a CNAME record and beside it A.",
        ),
    ],
)
def test_what_is_refused(change: Callable[[Edit], None], reason: str) -> None:
    """An edit that cannot be made says why, with the record."""
    edit = Edit(base())
    change(edit)
    (found,) = reasons(edit)
    assert found.startswith(reason)


def test_all_reasons_are_told_at_once() -> None:
    """Each change that cannot be made has its reason."""
    edit = Edit(base())
    edit.delete(FTP)
    edit.add(WWW, A, 300, [ONE])
    edit.set(from_text("example.net."), A, -5, [b""])
    assert len(reasons(edit)) == 5


def test_warnings_do_not_refuse() -> None:
    """What is only unwise is made, and kept in the findings."""
    edit = Edit(base())
    edit.add(APEX, MX, 60, [rdata.from_text(MX, "10 mail", APEX)])
    finished(edit)
    assert [finding.rule for finding in edit.findings] == ["mx-target-without-address"]


def test_a_signed_zone_is_not_edited_into_a_broken_one() -> None:
    """An edit would leave signatures that fit no longer; removing them is allowed."""
    signed = "@ 60 RRSIG SOA 8 2 3600 20300101000000 20200101000000 1 example.org. AAAA"
    edit = Edit(base(signed))
    edit.add(FTP, A, 60, [ONE])
    (reason,) = reasons(edit)
    assert reason.startswith("example.org is signed with DNSSEC")
    edit.delete(APEX, RRSIG)
    assert finished(edit).serial == 8


@given(zone_versions(), st.lists(rrsets(), max_size=4), st.randoms())
def test_splicing_equals_packing_anew(
    version: ZoneVersion, new: list[RRset], chance: random.Random
) -> None:
    """Octets copied around a change make the same blob as packing all RRsets anew."""
    old = {one.key: one for one in version}
    changes: dict[tuple[Name, int, int], RRset | None] = {one.key: one for one in new}
    changes |= {key: None for key in old if chance.random() < 0.3}
    after = {key: one for key, one in (old | changes).items() if one is not None}
    spliced = Layout(version.blob).splice(changes)
    assert spliced == ZoneVersion.of(APEX, after.values()).blob


@given(zone_versions())
def test_a_layout_finds_every_rrset(version: ZoneVersion) -> None:
    """Each RRset is found by its key, and with the others of its name."""
    layout = Layout(version.blob)
    assert len(layout) == len(list(version))
    for one in version:
        assert layout.get(one.key) == one
        assert layout.at(one.owner)[one.key] == one
    assert layout.get((FTP, TXT, 0)) in (None, version.rrset(FTP, TXT))


@pytest.mark.parametrize(
    ("mailbox", "name"),
    [
        ("hostmaster@example.org", "hostmaster.example.org."),
        ("Jane.Doe@example.org", "jane\\.doe.example.org."),
        ("hostmaster.example.org", "hostmaster.example.org."),
    ],
)
def test_a_new_zone(mailbox: str, name: str) -> None:
    """It has an SOA and NS records, and nothing that a check would refuse or warn of."""
    servers = [from_text("ns1.example.net."), from_text("ns2.example.net.")]
    version = new_zone(APEX, servers, mailbox, NOW, SerialPolicy.DATE)
    assert version.serial == 2024050600
    assert lines(version, APEX) == [
        "3600 IN NS ns1.example.net.",
        "3600 IN NS ns2.example.net.",
        f"3600 IN SOA ns1.example.net. {name} 2024050600 14400 3600 1209600 3600",
    ]
    assert check(version) == []


def test_a_new_zone_needs_servers_and_a_mailbox() -> None:
    """What is missing is told."""
    with pytest.raises(ZoneError, match="at least one name server"):
        new_zone(APEX, [], "a@example.org", NOW, SerialPolicy.DATE)
    with pytest.raises(BadName, match="not a mail address"):
        mailbox_name("@example.org")
    with pytest.raises(ZoneError, match="EXPIRE 0"):
        new_zone(APEX, [WWW], "a.b", NOW, SerialPolicy.DATE, timers=(14400, 3600, 0, 60))


def test_an_edit_given_up_leaves_no_trace() -> None:
    """The base is the same after an edit that was refused."""
    version = base()
    before = version.blob
    edit = Edit(version)
    edit.add(WWW, CNAME, 60, [WWW])
    assert reasons(edit)
    assert version.blob == before
    assert errors(check(version)) == []
    assert to_text(version.apex) == "example.org."
