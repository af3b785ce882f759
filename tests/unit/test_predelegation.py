"""The predelegation check: each rule is broken once by hand-made answers, and told by its id."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from registrar.objects import DsData, KeyData, NameServer, SecDns
from registrar.predelegation import check_keys, checks
from registrar.predelegation.request import (
    Endpoint,
    Gathered,
    Reply,
    Request,
    ServerAnswers,
)
from registrar.predelegation.rules import PROFILES, RULES
from tests.unit.cli_fixtures import Nsctl, nsctl

__all__ = ["nsctl"]

DOMAIN = "example.de"
ONE, TWO = "ns1.example.net", "ns2.example.net"
NOW = datetime(2026, 3, 2, tzinfo=UTC)
PRIVATE = [Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32) for seed in range(2)]
KEYS = [dns.dnssec.make_dnskey(key.public_key(), 15) for key in PRIVATE]


def rrset(kind: str, *texts: str, owner: str = DOMAIN) -> dns.rrset.RRset:
    """Return an RRset at the domain."""
    return dns.rrset.from_text(f"{owner}.", 3600, "IN", kind, *texts)


def reply(
    *sets: dns.rrset.RRset, kind: str = "SOA", flags: int = dns.flags.AA, rcode: int = 0
) -> Reply:
    """Return an answer with these sets in its answer section."""
    message = dns.message.make_response(dns.message.make_query(f"{DOMAIN}.", kind))
    message.flags |= flags
    message.set_rcode(dns.rcode.Rcode(rcode))
    message.answer += list(sets)
    return Reply(message)


def soa(mname: str = ONE, timers: str = "14400 3600 1209600 3600") -> dns.rrset.RRset:
    """Return a SOA record."""
    return rrset("SOA", f"{mname}. hostmaster.{mname}. 1 {timers}")


def signed(found: dns.rrset.RRset, number: int = 0) -> tuple[dns.rrset.RRset, dns.rrset.RRset]:
    """Return an RRset and its signature."""
    name = dns.name.from_text(DOMAIN)
    rrsig = dns.dnssec.sign(
        found,
        PRIVATE[number],
        name,
        KEYS[number],
        inception="20260101000000",
        expiration="20270101000000",
    )
    return found, dns.rrset.from_rdata(name, found.ttl, rrsig)


def keyset(*numbers: int) -> dns.rrset.RRset:
    """Return the DNSKEY records of some of the keys."""
    return dns.rrset.from_rdata_list(dns.name.from_text(DOMAIN), 3600, [KEYS[n] for n in numbers])


def key_data(number: int = 0, **changes: object) -> KeyData:
    """Return a key as the registry gets it."""
    key = KeyData(257, 3, 15, base64.b64encode(KEYS[number].key).decode())
    return replace(KeyData(KEYS[number].flags, 3, 15, key.public_key), **changes)  # type: ignore[arg-type]


def ds_data(number: int = 0) -> DsData:
    """Return a DS record as the registry gets it."""
    ds = dns.dnssec.make_ds(dns.name.from_text(DOMAIN), KEYS[number], "SHA256")
    return DsData(ds.key_tag, ds.algorithm, ds.digest_type, ds.digest.hex().upper())


@dataclass
class Setup:
    """Two good servers of a good zone; a test changes what is to be wrong."""

    servers: list[NameServer] = field(default_factory=lambda: [NameServer(ONE), NameServer(TWO)])
    resolved: dict[str, frozenset[str]] = field(
        default_factory=lambda: {ONE: frozenset({"192.0.2.1"}), TWO: frozenset({"198.51.100.1"})}
    )
    answers: list[ServerAnswers] = field(default_factory=list)
    sec_dns: SecDns = field(default_factory=SecDns)

    def __post_init__(self) -> None:
        """Let both servers answer well."""
        self.answers = [answer(ONE, "192.0.2.1"), answer(TWO, "198.51.100.1")]

    def change(self, number: int = 0, **changes: object) -> None:
        """Let one server answer otherwise."""
        self.answers[number] = replace(self.answers[number], **changes)  # type: ignore[arg-type]

    def rules(self, profile: str = "denic") -> list[str]:
        """Return the ids of what was found."""
        request = Request(DOMAIN, tuple(self.servers), self.sec_dns)
        gathered = Gathered(request, self.resolved, tuple(self.answers))
        found = checks.check(gathered, PROFILES[profile], NOW)
        assert all(issue.sentence for issue in found)
        return [issue.rule for issue in found]


def answer(name: str, host: str) -> ServerAnswers:
    """Return what a good server says."""
    return ServerAnswers(
        name,
        Endpoint(host),
        soa=reply(soa()),
        ns=reply(rrset("NS", f"{ONE}.", f"{TWO}."), kind="NS"),
        soa_tcp=reply(soa()),
        recursive=reply(soa()),
        keys=reply(*signed(keyset(0)), kind="DNSKEY"),
        signed_soa=reply(*signed(soa())),
    )


def test_a_good_set_up_is_good() -> None:
    """Two good servers have no issue, with DNSSEC data or without."""
    setup = Setup()
    assert setup.rules() == []
    setup.sec_dns = SecDns(keys=(key_data(),))
    assert setup.rules() == []
    setup.sec_dns = SecDns(ds=(ds_data(),))
    assert setup.rules("gtld") == []


def broken(rule: str, setup: Setup) -> None:  # noqa: C901, PLR0912, PLR0915  one case each
    """Break one rule."""
    within = NameServer("ns1.example.de", ("203.0.113.7",))
    match rule:
        case "not-resolvable":
            setup.resolved[TWO] = frozenset()
        case "not-reachable":
            silent = Reply(problem="no answer within 3 s")
            setup.change(soa=silent, ns=silent, soa_tcp=silent, recursive=silent)
        case "not-authoritative":
            setup.change(soa=reply(soa(), flags=0))
        case "too-few-servers":
            setup.servers.pop()
            setup.answers.pop()
        case "same-address":
            setup.resolved[TWO] = setup.resolved[ONE]
        case "no-ipv4":
            for number in range(2):
                setup.change(number, endpoint=Endpoint(f"2a00::{number}"))
        case "glue-missing":
            setup.servers.append(NameServer("ns1.example.de"))
        case "glue-differs":
            setup.servers.append(within)
            setup.change(addresses={within.name: frozenset({"203.0.113.8"})})
        case "glue-needless":
            setup.servers[0] = NameServer(ONE, ("192.0.2.1",))
        case "ipv6-not-routable":
            setup.resolved[ONE] |= {"fe80::1"}
        case "ns-differs":
            setup.change(1, ns=reply(rrset("NS", f"{ONE}."), kind="NS"))
        case "soa-not-direct":
            setup.change(soa=reply(rrset("CNAME", "www.example.net.")))
        case "referral-too-long":
            setup.servers += [NameServer(f"{number}{'x' * 50}.example") for number in range(5)]
        case "refresh":
            setup.change(soa=reply(soa(timers="3000 900 1209600 3600")))
        case "retry":
            setup.change(soa=reply(soa(timers="3600 800 1209600 3600")))
        case "retry-of-refresh":
            setup.change(soa=reply(soa(timers="14400 7200 1209600 3600")))
        case "expire":
            setup.change(soa=reply(soa(timers="14400 3600 3600001 3600")))
        case "negative-ttl":
            setup.change(soa=reply(soa(timers="14400 3600 1209600 60")))
        case "mname-differs":
            setup.change(soa=reply(soa(TWO)))
        case "recursion":
            setup.change(recursive=reply(soa(), flags=dns.flags.RA))
        case "no-tcp":
            setup.change(soa_tcp=Reply(problem="Connection refused"))
        case "key-flags":
            setup.sec_dns = SecDns(keys=(key_data(), key_data(flags=0)))
        case "key-algorithm":
            setup.sec_dns = SecDns(keys=(key_data(), key_data(algorithm=3)))
        case "key-form":
            setup.sec_dns = SecDns(keys=(key_data(), key_data(public_key="AAAA")))
        case "key-duplicate":
            setup.sec_dns = SecDns(keys=(key_data(), key_data()))
        case "too-many-keys":
            more = [key_data(1, flags=flags) for flags in (256, 257)]
            setup.sec_dns = SecDns(keys=(key_data(), *more * 3))
        case "keyset-unretrievable":
            setup.sec_dns = SecDns(keys=(key_data(),))
            setup.change(keys=Reply(problem="no answer within 3 s"))
        case "keyset-differs":
            setup.sec_dns = SecDns(keys=(key_data(),))
            setup.change(keys=reply(*signed(keyset(0, 1)), kind="DNSKEY"))
        case "no-key-visible":
            setup.sec_dns = SecDns(keys=(key_data(1),))
        case "no-proof-of-possession":
            setup.sec_dns = SecDns(keys=(key_data(1),))
            for number in range(2):
                setup.change(number, keys=reply(*signed(keyset(0, 1)), kind="DNSKEY"))
        case "soa-not-validated":
            setup.sec_dns = SecDns(keys=(key_data(),))
            setup.change(signed_soa=reply(*signed(soa(), 1)))
        case "no-do-bit":
            setup.sec_dns = SecDns(keys=(key_data(),))
            setup.change(keys=reply(keyset(0), kind="DNSKEY"))
        case "ds-without-key":
            setup.sec_dns = SecDns(ds=(ds_data(), ds_data(1)))
        case _:
            pytest.fail(f"no case for {rule}")


@pytest.mark.requirement("REG-1")
@pytest.mark.parametrize("rule", RULES)
def test_each_rule_is_found_broken(rule: str) -> None:
    """What breaks a rule is told by its id, and what else follows from it alone."""
    setup = Setup()
    broken(rule, setup)
    assert rule in setup.rules()
    follows = {
        "glue-missing": {"ns-differs", "not-resolvable"},
        "glue-differs": {"ns-differs"},
        "referral-too-long": {"ns-differs", "not-resolvable"},
        "too-few-servers": {"ns-differs"},
        "retry-of-refresh": set(),
        "key-flags": set(),
        "too-many-keys": {"key-duplicate"},
        "no-do-bit": {"no-proof-of-possession"},
    }
    setup.resolved |= {"ns1.example.de": frozenset({"203.0.113.7"})}
    assert set(setup.rules()) <= {rule, *follows.get(rule, set())}


def test_profiles_leave_out_what_their_registries_do_not_check() -> None:
    """One server is enough below .eu, and timers are nobody's business outside .de."""
    setup = Setup()
    broken("too-few-servers", setup)
    setup.change(ns=reply(rrset("NS", f"{ONE}."), kind="NS"))
    assert setup.rules("eu") == []
    assert setup.rules("gtld") == ["too-few-servers"]
    timers = Setup()
    broken("refresh", timers)
    assert timers.rules() == ["refresh"]
    assert timers.rules("gtld") == []


def test_a_server_with_an_address_of_its_own_is_enough() -> None:
    """Two servers may share an address where one of them has another besides (DENIC-23 2.1.2)."""
    setup = Setup()
    setup.resolved[TWO] = setup.resolved[ONE] | {"2a00:1:2::3"}
    assert setup.rules() == []


def test_the_referral_is_counted_for_the_longest_name() -> None:
    """The question takes its 255 octets; names that end alike are compressed as the parent does."""
    request = Request(DOMAIN, (NameServer(ONE), NameServer(TWO)))
    size = checks.referral_size(Gathered(request, {}, ()))
    # Header, question, then two NS records: the owner is a pointer, the target as it compresses.
    assert size == 12 + 255 + 4 + (12 + 17) + (12 + 6)


@pytest.mark.parametrize(
    ("algorithm", "octets", "problem"),
    [
        (13, bytes(64), ""),
        (13, bytes(63), "has 63 octets, not 64"),
        (8, b"\3\1\0\1" + b"\xff" * 256, ""),
        (8, b"\3\1\0\1" + b"\xff" * 60, "has a modulus of 480 bits, not 512 to 4096"),
        (8, b"\0\0\x20" + b"\1" * 32 + b"\xff" * 256, "has an exponent out of range"),
        (8, b"\1", "is too short for an RSA key"),
    ],
)
def test_keys_have_the_form_of_their_algorithm(algorithm: int, octets: bytes, problem: str) -> None:
    """Lengths of curves, and of modulus and exponent (RFC 3110 2, 6605 4)."""
    key = KeyData(257, 3, algorithm, base64.b64encode(octets).decode())
    assert check_keys.form_problem(key) == problem


def test_rules_and_wrong_options_are_told(nsctl: Nsctl) -> None:
    """The list of rules stands in the command; what cannot be read is a usage error."""
    assert {one["rule"] for one in nsctl.json("domain", "check", "--rules")} == set(RULES)
    wrong: list[tuple[str, Callable[[str], bool]]] = [
        ("--server=ns1.example.net=nonsense", lambda text: "not an address" in text),
        ("--at=ns1.example.net", lambda text: "NAME=ADDRESS[@PORT]" in text),
        ("--dnskey=257 3", lambda text: "flags, protocol, algorithm" in text),
        ("--ds=1 2", lambda text: "key tag" in text),
    ]
    for option, expected in wrong:
        servers = [] if option.startswith("--server") else ["--server", ONE]
        assert expected(nsctl("domain", "check", DOMAIN, *servers, option, code=2).stderr)
    assert "name them with --server" in nsctl("domain", "check", DOMAIN, code=1).stderr
