"""Faulty primaries, and what their owners read of ``nsctl secondary explain``.

The expected texts are in ``explained/``, one file for each set-up, with addresses and times made
stable. ``EXPLAIN_WRITE=1`` writes them anew: read what changed as somebody who knows DNS a little.
"""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dns.dnssec
import dns.rcode
import dns.zone
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cli.main import cli as command_line
from tests.peers import Bind, Key, Nsctl, PlainPrimary, Remote
from tests.peers import faulty as ways
from tests.peers.faulty import Answering, Lame, Silent, SlowClock, WithoutTcp
from tests.peers.zonetext import zone_text

EXPLAINED = Path(__file__).parent / "explained"
WRITE = bool(os.environ.get("EXPLAIN_WRITE"))
MANY = [f"host{number:02} 300 A 192.0.2.{number}" for number in range(1, 21)]
MAIL = ["@ 300 MX 10 mail.example.net."]
NEW = "www 300 A 192.0.2.80"
SECRET = Key("transfer.example.", "c2VjcmV0IHNlY3JldCBzZWNyZXQ=")


@dataclass
class Case:
    """A set-up: what the primary has first, what it has or does then, and the rule that is broken.

    ``first`` is ``None`` where it is faulty from the start. ``way`` replaces the transfer.
    """

    name: str
    rule: str
    then: Callable[[str], str] | None = None
    first: Callable[[str], str] | None = None
    way: Any = None
    kind: type[PlainPrimary] = PlainPrimary
    key: Key | None = None
    before: list[list[str]] = field(default_factory=list)  # commands, before the fault
    after: list[list[str]] = field(default_factory=list)  # commands, after it was told
    rcode: dns.rcode.Rcode = dns.rcode.REFUSED

    @property
    def apex(self) -> str:
        """The zone of this case."""
        return f"{self.name}.example."


def zone(serial: int, *records: str, **how: Any) -> Callable[[str], str]:
    """Return what writes a zone of any apex."""
    return lambda apex: zone_text(serial, *records, apex=apex, **how)


def good(serial: int = 1) -> Callable[[str], str]:
    """Return what writes a sound zone, with mail and many hosts."""
    return zone(serial, *MAIL, *MANY)


def changed(*records: str, **how: Any) -> dict[str, Any]:
    """Return the two versions: a sound one, and the next with these records besides."""
    return {"first": good(), "then": zone(2, *MAIL, *MANY, *records, **how)}


def signed(serial: int, *records: str, days: int = 30) -> Callable[[str], str]:
    """Return what writes a zone signed for so many days from now."""

    def write(apex: str) -> str:
        made = dns.zone.from_text(zone_text(serial, *records, apex=apex), apex, relativize=False)
        private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
        key = dns.dnssec.make_dnskey(private.public_key(), "ED25519", 257)
        now = datetime.now(UTC)
        with made.writer() as change:
            dns.dnssec.sign_zone(
                made,
                change,
                [(private, key)],
                inception=now - timedelta(days=60),
                expiration=now + timedelta(days=days),
                dnskey_ttl=300,
            )
        return str(made.to_text(relativize=False)).replace(" IN ", " ")

    return write


WRONG_ZONEMD = "@ 300 ZONEMD 2 1 1 " + "ab" * 48
OTHER_SOA = "@ 300 SOA ns9.example.net. hostmaster 9 3600 600 86400 300"
BOGUS_DS = "12345 13 2 " + "0f" * 32

CASES = [
    # Reaching the primary
    Case("nothing-listens", "unreachable", way="nobody"),
    Case("silent", "timeout", kind=Silent),
    Case("died", "unreachable", first=good(), way="stopped"),
    Case("no-tcp", "unreachable", kind=WithoutTcp, first=None),
    Case("source-not-ours", "source-address", first=good(), way="source"),
    # What it answers
    Case("transfer-refused", "refused-by-primary", way=ways.refused),
    Case("query-refused", "refused-by-primary", kind=Answering),
    Case("server-failure", "primary-failed", kind=Answering, rcode=dns.rcode.SERVFAIL),
    Case("zone-unknown", "primary-not-authoritative", kind=Answering, rcode=dns.rcode.NXDOMAIN),
    Case("not-authoritative", "primary-not-authoritative", kind=Answering, rcode=dns.rcode.NOTAUTH),
    Case("lame", "primary-not-authoritative", kind=Lame, first=zone(1, *MANY, refresh=1, retry=1)),
    Case("cut-off", "cut-short", way=ways.cut),
    Case("empty-answer", "empty-answer", way=ways.empty),
    Case("garbage", "malformed", way=ways.garbage),
    Case("too-many-records", "too-many-records",
         first=good(), then=zone(2, *[f"h{n} 300 A 192.0.2.1" for n in range(700)])),
    Case("soa-changed-midway", "soa-changed-midway",
         first=good(), then=zone(2, *MAIL, *MANY, OTHER_SOA), way=ways.changed_midway),
    # Signed transfers
    Case("clock-wrong", "tsig-time", kind=SlowClock, key=SECRET),
    Case("unsigned-answers", "tsig-missing", way=ways.unsigned, key=SECRET),
    # Serials
    Case("serial-went-back", "serial-went-back", first=good(7), then=good(3)),
    # Content
    Case("no-ns", "ns-missing", **changed(ns=False)),
    Case("expire-zero", "soa-timers-zero", **changed(expire=0)),
    Case("expire-too-short", "soa-expire-too-short", **changed(expire=3600)),
    Case("alias-beside-records", "cname-and-other-data",
         **changed("host01 300 CNAME host02")),
    Case("two-aliases", "cname-multiple",
         **changed("www 300 CNAME host01", "www 300 CNAME host02")),
    Case("below-dname", "names-below-dname",
         **changed("old 300 DNAME new.example.", "a.old 300 A 192.0.2.9")),
    Case("second-soa", "soa-not-at-apex", **changed(f"sub {OTHER_SOA[2:]}")),
    Case("several-faults", "cname-and-other-data",
         **changed("host01 300 CNAME host02", ns=False, refresh=60)),
    Case("faulty-from-the-start", "ns-missing", first=None, then=zone(1, NEW, ns=False)),
    Case("zonemd-wrong", "zonemd-wrong", **changed(WRONG_ZONEMD)),
    # DNSSEC
    Case("signatures-lapsed", "dnssec-signature-expired", first=signed(1, *MAIL, *MANY),
         then=signed(2, *MAIL, *MANY, days=-1),
         before=[["guard", "--validate", "signatures"]]),
    Case("not-signed-any-more", "dnssec-unsigned", first=signed(1, *MAIL, *MANY), then=good(2),
         before=[["guard", "--validate", "signatures"]]),
    Case("ds-not-fitting", "dnssec-ds-mismatch", first=signed(1, *MAIL, *MANY),
         then=signed(2, *MAIL, *MANY, NEW),
         before=[["guard", "--ds", BOGUS_DS, "--validate", "ds"]]),
    # Held
    Case("half-of-names-lost", "names-lost", first=good(), then=zone(2, *MAIL, *MANY[:8])),
    Case("emptied", "zone-emptied", first=good(), then=zone(2, *MAIL)),
    Case("mail-gone", "apex-mx-gone", first=good(), then=zone(2, *MANY)),
    Case("servers-replaced", "apex-ns-replaced", first=good(),
         then=zone(2, "@ 300 NS ns1.elsewhere.example.", *MAIL, *MANY, ns=False)),
    Case("keys-gone", "dnskey-gone", first=signed(1, *MAIL, *MANY), then=good(2)),
    Case("serial-jumps", "serial-jump", first=good(), then=good(2026112201),
         before=[["guard", "--serial-jump", "1000000"]]),
    Case("pinned", "pinned", **changed(NEW), before=[["pin"]]),
    Case("discarded", "discarded", first=good(), then=zone(2, *MANY),
         after=[["discard", "--reason", "the export was incomplete"]]),
    # The operator
    Case("suspended-primary", "primary-suspended", first=good(), way="suspend"),
    # The end
    Case("expired", "ns-missing", first=zone(1, *MANY, refresh=1, retry=1, expire=2),
         then=zone(2, *MANY, refresh=1, retry=1, ns=False)),
]  # fmt: skip


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nsctl]:
    """One server for all set-ups: each has a zone of its own."""
    server = Nsctl(
        tmp_path_factory.mktemp("explain"),
        transfers_max_records=500,
        transfers_timeout=1,
        timers_retry_min=1,
    )
    server.add_key(SECRET)
    with server:
        yield server


class Story:
    """One set-up: ``begin``, ``go_wrong`` and ``read`` it; others go on meanwhile."""

    def __init__(self, case: Case, ours: Nsctl) -> None:
        self.case, self.ours, self.apex = case, ours, case.apex
        self.primary = case.kind(self.apex, self.text(), key=case.key)

    def text(self) -> str:
        """Return what the primary has at first."""
        return (self.case.first or self.case.then or good())(self.apex)

    def begin(self, stack: ExitStack) -> None:
        """Start the primary and follow it."""
        case, primary = self.case, self.primary
        remote = primary.remote()
        if case.way == "nobody":
            with primary:  # free from now on
                remote = primary.remote()
        else:
            stack.enter_context(primary)
        if isinstance(primary, Answering):
            primary.rcode = case.rcode
        if callable(case.way) and case.first is None:
            primary.transfer = case.way
        self.ours.follow(self.apex, remote)

    def go_wrong(self) -> None:
        """Once the first version is served, make what is wrong."""
        case, primary = self.case, self.primary
        if case.first is None:
            return
        serial = next(record for record in primary.records if record.is_soa).rdata.serial  # type: ignore[attr-defined]
        self.ours.wait_status(self.apex, serial=serial, seconds=20)
        for command, *options in case.before:
            group = "zone" if command == "pin" else "secondary"
            self.ours.cli(group, command, self.apex, *options)
        if callable(case.way):
            primary.transfer = case.way
        if isinstance(primary, Lame):
            primary.lame = True
            return  # the refresh timer finds out
        if case.way == "stopped":
            primary.reachable = False
            primary.__exit__(None, None, None)
        if case.way == "suspend":
            server = str(primary.remote())
            self.ours.cli("secondary", "suspend-primary", server, "--reason", "endless transfers")
        if case.way == "source":
            asked = ("--primary", str(primary.remote()), "--source", "192.0.2.77")
            self.ours.cli("secondary", "set-primary", self.apex, *asked)
        if case.then is not None:
            primary.load(case.then(self.apex))
        self.ours.cli("secondary", "refresh", self.apex)

    def read(self) -> str:
        """Wait until the fault is known, and return what its owner reads."""
        for command, *options in self.case.after:
            self.ours.wait_status(self.apex, last_result="held", seconds=20)
            self.ours.cli("secondary", command, self.apex, *options)
        self.ours.wait_status(self.apex, last_rule=self.case.rule, seconds=20)
        if self.case.name == "expired":
            self.ours.wait_status(self.apex, state="expired", seconds=20)
        return self.explained()

    def explained(self) -> str:
        """Return what its owner reads."""
        return explained(self.ours, self.apex)


# With BIND as the primary: what is wrong with keys is told by a real server.
AGREED = Key("agreed.example.", "YWdyZWVkIGFncmVlZCBhZ3JlZWQgYWdyZWVk")
KEYS = {
    "tsig-wrong-secret": ("tsig-wrong", Key(AGREED.name, "YW5vdGhlciBzZWNyZXQgYW5vdGhlciBvbmU=")),
    "tsig-unknown-key": ("tsig-wrong", Key("unknown.example.", AGREED.secret)),
    "tsig-not-used": ("refused-by-primary", None),
}


@pytest.fixture(scope="module")
def bind(ours: Nsctl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bind]:
    """A BIND that gives its zones away to who has the key, followed with others."""
    server = Bind(tmp_path_factory.mktemp("bind"))
    for name, (_rule, key) in KEYS.items():
        apex = f"{name}.example."
        server.serve(apex, zone_text(1, *MANY, apex=apex), Remote(ours.port, AGREED))
        if key is not None:
            ours.add_key(key)
    server.start()
    try:
        for name, (_rule, key) in KEYS.items():
            ours.follow(f"{name}.example.", server.remote(key))
        yield server
    finally:
        server.stop()


@pytest.mark.interop("named")
@pytest.mark.parametrize("name", list(KEYS))
def test_what_the_owner_of_a_bind_reads(
    name: str, bind: Bind, ours: Nsctl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key with another secret, one that is not known there, and none: each has its words."""
    apex = f"{name}.example."
    ours.wait_status(apex, last_rule=KEYS[name][0], seconds=20)
    monkeypatch.setattr("cli.secondary_explain.WIDTH", 10_000)
    compare(name, stable(explained(ours, apex)))


def explained(ours: Nsctl, apex: str) -> str:
    """Return what the owner of a zone reads."""
    runner = CliRunner(env=ours.environment)
    done = runner.invoke(command_line, ["secondary", "explain", apex])
    assert done.exit_code == 0, done.output
    return done.stdout


def compare(name: str, text: str) -> None:
    """Assert that a text is the one agreed on, or write it."""
    page = EXPLAINED / f"{name}.txt"
    if WRITE:
        page.write_text(text)
    assert text == page.read_text(), "EXPLAIN_WRITE=1 writes what is read now"


@pytest.fixture(scope="module")
def stories(ours: Nsctl) -> Iterator[dict[str, Story]]:
    """All set-ups, each gone wrong."""
    found = {case.name: Story(case, ours) for case in CASES}
    with ExitStack() as stack:
        for story in found.values():
            story.begin(stack)
        for story in found.values():
            story.go_wrong()
        yield found


def stable(text: str) -> str:
    """Return a text without what is another one in each run."""
    text = re.sub(r"127\.0\.0\.1@\d+", "192.0.2.1@53", text)
    text = re.sub(
        r"\d{4}-\d\d-\d\d(\s+)\d\d:\d\d:\d\d(\s+)UTC", r"2026-12-24\g<1>12:00:00\2UTC", text
    )
    text = re.sub(r"\b\d+ (d|h|min|s)( \d+ (h|min|s))?\b", "1 h", text)
    text = re.sub(r"asked again (now|soon)\b", "asked again in 1 h", text)
    text = re.sub(r"(RRSIG \w+ 15 |DNSKEY 257 3 15 ).*", r"\1...", text)
    return "\n".join(map(fitting, text.splitlines())) + "\n"


def fitting(line: str) -> str:
    """Return a line in as many as it needs."""
    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.fill(line, 100, subsequent_indent=indent, break_on_hyphens=False)


@pytest.mark.parametrize("name", [case.name for case in CASES])
def test_what_the_owner_of_a_faulty_primary_reads(
    name: str, stories: dict[str, Story], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is wrong, where, what to change, what is served meanwhile: the sentences agreed on."""
    text = stories[name].read()
    assert all(len(line) <= 100 for line in text.splitlines())
    for heading in ("What is wrong", "What to change", "What is served meanwhile"):
        assert f"\n{heading}\n  " in text
    # Where lines break depends on how long the times are: they break when these are stable.
    monkeypatch.setattr("cli.secondary_explain.WIDTH", 10_000)
    compare(name, stable(stories[name].explained()))


def test_every_page_has_its_set_up() -> None:
    """There are no texts of set-ups that are gone, and there are at least twenty."""
    pages = {page.stem for page in EXPLAINED.glob("*.txt")}
    assert pages == {case.name for case in CASES} | KEYS.keys()
    assert len(pages) >= 20
