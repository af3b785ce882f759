"""Answers from zone content: which records go into which section, with which rcode and AA."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.rcode
import pytest

from nameserver.respond import AnswerSettings, Transport
from tests.answering import ask, records, section, table_of, version_of

SOA = "@ 300 SOA ns1 hostmaster 1 7200 900 1209600 300"
NS = "@ 3600 NS ns1"


def is_authoritative(response: dns.message.Message) -> bool:
    """Tell whether AA is set."""
    return bool(response.flags & dns.flags.AA)


def assert_negative(response: dns.message.Message, rcode: str, answer: list[str]) -> None:
    """Assert a negative answer: rcode, AA, the chain that led to it, and the SOA alone."""
    assert dns.rcode.to_text(response.rcode()) == rcode
    assert is_authoritative(response)
    assert records(response) == (answer, [SOA], [])


def test_positive() -> None:
    """An existing RRset is the answer; the apex NS RRset and its addresses come along."""
    table = table_of(
        "ns1 A 192.0.2.1", "ns1 AAAA 2001:db8::1", "www A 192.0.2.3", "www A 192.0.2.2"
    )
    response = ask(table, "www")
    assert response.rcode() == dns.rcode.NOERROR
    assert is_authoritative(response)
    assert records(response) == (
        ["www 3600 A 192.0.2.2", "www 3600 A 192.0.2.3"],
        [NS],
        ["ns1 3600 A 192.0.2.1", "ns1 3600 AAAA 2001:db8::1"],
    )


def test_minimal_responses() -> None:
    """With minimal responses only what was asked for is in a positive answer."""
    table = table_of("ns1 A 192.0.2.1", "@ MX 10 ns1")
    response = ask(table, "@", "MX", settings=AnswerSettings(minimal_responses=True))
    assert records(response) == (["@ 3600 MX 10 ns1"], [], [])


def test_no_record_twice() -> None:
    """What is in the answer is not repeated in the other sections."""
    table = table_of("ns1 A 192.0.2.1")
    assert records(ask(table, "@", "NS")) == ([NS], [], ["ns1 3600 A 192.0.2.1"])
    assert records(ask(table, "ns1")) == (["ns1 3600 A 192.0.2.1"], [NS], [])


def test_nodata_has_the_soa_with_the_negative_ttl() -> None:
    """RFC 2308 3: the SOA's TTL is the smaller one of its own (600) and MINIMUM (300)."""
    assert_negative(ask(table_of("www A 192.0.2.1"), "www", "AAAA"), "NOERROR", [])


def test_soa_ttl_below_minimum() -> None:
    """RFC 2308 3: a SOA whose TTL is below MINIMUM keeps it."""
    table = table_of()
    response = ask(table, "@", "TXT")
    assert section(response.authority) == [SOA]
    assert section(ask(table, "@", "SOA").answer) == [SOA.replace(" 300 ", " 600 ", 1)]


def test_nxdomain() -> None:
    """A name that does not exist, and none below it, gets NXDOMAIN."""
    table = table_of("www A 192.0.2.1")
    assert_negative(ask(table, "missing"), "NXDOMAIN", [])
    assert_negative(ask(table, "a.www"), "NXDOMAIN", [])


def test_empty_non_terminal() -> None:
    """RFC 4592 2.2.2: a name exists if anything exists below it; it has no data."""
    table = table_of("a.b.c A 192.0.2.1")
    assert_negative(ask(table, "c"), "NOERROR", [])
    assert_negative(ask(table, "b.c"), "NOERROR", [])
    assert_negative(ask(table, "x.c"), "NXDOMAIN", [])


# --- wildcards: RFC 4592 ---------------------------------------------------------------------

WILDCARDS = table_of(
    "ns1 A 192.0.2.53",
    "* MX 10 host1",
    "sub.* TXT this-is-not-a-wildcard",
    "host1 A 192.0.2.1",
    "_ssh._tcp.host1 SRV 0 0 22 host1",
    "_ssh._tcp.host2 SRV 0 0 22 host1",
    "subdel NS ns.example.com.",
    "*.alias CNAME host1",
    "*.gone CNAME missing.host1",
    "*.loop CNAME a.b.loop",
    "x.*.ent A 192.0.2.2",
)


@pytest.mark.parametrize(
    ("qname", "rtype", "expected"),
    [
        ("host3", "MX", "host3 3600 MX 10 host1"),
        ("foo.bar", "MX", "foo.bar 3600 MX 10 host1"),
        ("*", "MX", "* 3600 MX 10 host1"),
        ("sub.*", "TXT", 'sub.* 3600 TXT "this-is-not-a-wildcard"'),
        ("any.alias", "CNAME", "any.alias 3600 CNAME host1"),
    ],
)
def test_wildcard_answers(qname: str, rtype: str, expected: str) -> None:
    """RFC 4592 2.2.1: what is synthesised has the name asked for as its owner."""
    response = ask(WILDCARDS, qname, rtype)
    assert is_authoritative(response)
    assert section(response.answer) == [expected]
    assert section(response.authority) == [NS]


@pytest.mark.parametrize(
    ("qname", "rtype", "rcode"),
    [
        ("host3", "A", "NOERROR"),  # the wildcard has no A
        ("host1", "MX", "NOERROR"),  # the name exists
        ("_telnet._tcp.host1", "SRV", "NXDOMAIN"),  # closest encloser _tcp.host1
        ("host2", "MX", "NOERROR"),  # an empty non-terminal exists
        ("ghost.*", "MX", "NXDOMAIN"),  # closest encloser *, source of synthesis *.*
        ("a.ent", "A", "NOERROR"),  # the source of synthesis *.ent is an empty non-terminal
        ("y.*.ent", "A", "NXDOMAIN"),
        ("x.any.ent", "A", "NOERROR"),
    ],
)
def test_wildcards_that_do_not_answer(qname: str, rtype: str, rcode: str) -> None:
    """RFC 4592 2.2.1, 3.3.1: only a wildcard right at the closest encloser stands in."""
    assert_negative(ask(WILDCARDS, qname, rtype), rcode, [])


def test_wildcard_does_not_reach_below_a_cut() -> None:
    """RFC 4592 2.2.1: a name in a delegated zone is referred."""
    response = ask(WILDCARDS, "host.subdel", "A")
    assert section(response.authority) == ["subdel 3600 NS ns.example.com."]


def test_wildcard_alias_is_followed() -> None:
    """RFC 4592 3.3.3: a synthesised CNAME leads on as any other."""
    answer = ["x.alias 3600 CNAME host1", "host1 3600 A 192.0.2.1"]
    assert section(ask(WILDCARDS, "x.alias").answer) == answer
    assert_negative(ask(WILDCARDS, "x.gone"), "NXDOMAIN", ["x.gone 3600 CNAME missing.host1"])


def test_wildcard_alias_that_leads_to_itself() -> None:
    """A wildcard CNAME whose target it stands for itself ends as a loop."""
    response = ask(WILDCARDS, "x.loop")
    assert response.rcode() == dns.rcode.NOERROR
    assert records(response) == (
        ["x.loop 3600 CNAME a.b.loop", "a.b.loop 3600 CNAME a.b.loop"],
        [],
        [],
    )


def test_wildcard_name_servers_are_data() -> None:
    """RFC 4592 4.2: what an NS RRset at a wildcard means is open; it is no cut to other names."""
    table = table_of("ns1 A 192.0.2.53", "*.ns NS ns.example.com.")
    assert_negative(ask(table, "x.ns"), "NOERROR", [])
    assert section(ask(table, "x.ns", "NS").answer) == ["x.ns 3600 NS ns.example.com."]


# --- aliases ---------------------------------------------------------------------------------


def test_alias_chain() -> None:
    """RFC 1034 4.3.2 3a: a CNAME is given and its target looked up, several times over."""
    table = table_of("a CNAME b", "b CNAME c", "c A 192.0.2.1")
    chain = ["a 3600 CNAME b", "b 3600 CNAME c"]
    assert records(ask(table, "a")) == ([*chain, "c 3600 A 192.0.2.1"], [NS], [])
    assert section(ask(table, "a", "CNAME").answer) == chain[:1]


def test_alias_chain_that_ends_without_data() -> None:
    """RFC 6604 3: rcode and SOA are those of the end of the chain."""
    table = table_of("a CNAME c", "b CNAME missing", "c A 192.0.2.1")
    assert_negative(ask(table, "a", "AAAA"), "NOERROR", ["a 3600 CNAME c"])
    assert_negative(ask(table, "b"), "NXDOMAIN", ["b 3600 CNAME missing"])


def test_alias_that_leaves() -> None:
    """A target that is in no zone of this server ends the chain; AA is for the alias."""
    response = ask(table_of("a CNAME www.example.com."), "a")
    assert response.rcode() == dns.rcode.NOERROR
    assert is_authoritative(response)
    assert records(response) == (["a 3600 CNAME www.example.com."], [], [])


def test_alias_into_a_delegation() -> None:
    """A chain that enters a delegated zone ends in a referral; AA stays (RFC 1035 4.1.1)."""
    response = ask(table_of("a CNAME www.sub", "sub NS ns.sub", "ns.sub A 192.0.2.1"), "a")
    assert is_authoritative(response)
    assert records(response) == (
        ["a 3600 CNAME www.sub"],
        ["sub 3600 NS ns.sub"],
        ["ns.sub 3600 A 192.0.2.1"],
    )


def test_alias_loop() -> None:
    """A loop is answered with each of its CNAMEs once."""
    response = ask(table_of("a CNAME b", "b CNAME a"), "a")
    assert response.rcode() == dns.rcode.NOERROR
    assert records(response) == (["a 3600 CNAME b", "b 3600 CNAME a"], [], [])


def test_long_alias_chain_is_bounded() -> None:
    """A chain of any length is followed for sixteen aliases; the resolver goes on from there."""
    table = table_of(*(f"c{i} CNAME c{i + 1}" for i in range(30)))
    response = ask(table, "c0", transport=Transport.TCP)
    assert response.rcode() == dns.rcode.NOERROR
    assert len(response.answer) == 16


# --- DNAME: RFC 6672 -------------------------------------------------------------------------

DNAMES = table_of(
    "ns1 A 192.0.2.53",
    "old 1800 DNAME new",
    "old TXT beside",
    "host.new A 192.0.2.1",
    "away DNAME example.com.",
    "self DNAME below.self",
    "ping DNAME x.pong",
    "pong DNAME x.ping",
    "round1 DNAME round2",
    "round2 DNAME round1",
    "*.wild DNAME new",
    "short DNAME " + ".".join(["a" * 60] * 3) + ".long",
)


def test_dname_rewrites_names_below() -> None:
    """RFC 6672 3.1: DNAME, a CNAME with the same TTL, then the target's data."""
    response = ask(DNAMES, "host.old")
    assert section(response.answer) == [
        "old 1800 DNAME new",
        "host.old 1800 CNAME host.new",
        "host.new 3600 A 192.0.2.1",
    ]
    assert section(response.authority) == [NS]


def test_dname_leaves_its_owner_alone() -> None:
    """RFC 6672 2.3: the owner has its own data, and NODATA for the rest."""
    assert section(ask(DNAMES, "old", "TXT").answer) == ['old 3600 TXT "beside"']
    assert section(ask(DNAMES, "old", "DNAME").answer) == ["old 1800 DNAME new"]
    assert_negative(ask(DNAMES, "old"), "NOERROR", [])


def test_dname_to_a_missing_name() -> None:
    """RFC 6604 3: the rcode is that of the name which was led to."""
    chain = ["old 1800 DNAME new", "x.old 1800 CNAME x.new"]
    assert_negative(ask(DNAMES, "x.old"), "NXDOMAIN", chain)


def test_dname_out_of_the_zone() -> None:
    """A DNAME that leaves ends the answer with its CNAME."""
    response = ask(DNAMES, "a.b.away")
    assert records(response) == (
        ["away 3600 DNAME example.com.", "a.b.away 3600 CNAME a.b.example.com."],
        [],
        [],
    )


def test_dname_answers_a_question_for_cname() -> None:
    """The synthesised CNAME is what was asked for: its target is not looked up."""
    response = ask(DNAMES, "missing.old", "CNAME")
    assert response.rcode() == dns.rcode.NOERROR
    assert section(response.answer) == ["old 1800 DNAME new", "missing.old 1800 CNAME missing.new"]


def test_dname_that_makes_names_too_long() -> None:
    """RFC 6672 2.2: YXDOMAIN, with the DNAME and without a CNAME."""
    response = ask(DNAMES, "b" * 60 + ".short")
    assert response.rcode() == dns.rcode.YXDOMAIN
    assert is_authoritative(response)
    assert [rrset.rdtype.name for rrset in response.answer] == ["DNAME"]
    assert ask(DNAMES, "b.short").rcode() == dns.rcode.NXDOMAIN


def test_dname_loops_end() -> None:
    """A DNAME below itself is used once; two that lead to each other end as well."""
    assert section(ask(DNAMES, "a.self").answer) == [
        "self 3600 DNAME below.self",
        "a.self 3600 CNAME a.below.self",
    ]
    assert len(ask(DNAMES, "a.round1").answer) == 4
    growing = section(ask(DNAMES, "a.ping").answer)
    assert len(growing) == 2 + 5
    assert growing[-1] == "a.x.x.x.x.ping 3600 CNAME a.x.x.x.x.x.pong"


def test_dname_at_a_wildcard() -> None:
    """RFC 4592 4.4: a DNAME does not rewrite its own owner, so not what a wildcard stands for."""
    assert_negative(ask(DNAMES, "a.wild"), "NOERROR", [])
    assert section(ask(DNAMES, "a.wild", "DNAME").answer) == ["a.wild 3600 DNAME new"]
    assert section(ask(DNAMES, "host.*.wild").answer)[0] == "*.wild 3600 DNAME new"


def test_names_below_a_dname_are_occluded() -> None:
    """RFC 6672 2.4: what stands below a DNAME all the same is not seen."""
    table = table_of("old DNAME new", "host.old A 192.0.2.66", "host.new A 192.0.2.1")
    assert section(ask(table, "host.old").answer)[-1] == "host.new 3600 A 192.0.2.1"


# --- delegations -----------------------------------------------------------------------------

CUTS = table_of(
    "ns1 A 192.0.2.53",
    "sub NS ns.sub",
    "sub NS ns.other",
    "sub NS ns1",
    "sub NS ns.example.com.",
    "sub TXT occluded",
    "ns.sub A 192.0.2.1",
    "ns.sub AAAA 2001:db8::1",
    "www.sub A 192.0.2.66",
    "deeper.sub NS ns.deeper.sub",
    "ns.deeper.sub A 192.0.2.67",
    "other NS ns.other",
    "ns.other A 192.0.2.2",
    "signed NS ns.example.com.",
    "signed DS 1 13 2 " + "00" * 32,
)


@pytest.mark.parametrize("qname", ["sub", "www.sub", "missing.sub", "ns.sub", "www.deeper.sub"])
@pytest.mark.parametrize("rtype", ["A", "NS", "TXT", "SOA", "ANY"])
def test_referral(qname: str, rtype: str) -> None:
    """RFC 1034 4.3.2 3b: at a cut and below, the uppermost one is referred to, whatever is there.

    In-domain glue stands before sibling glue and other addresses (RFC 9471 3).
    """
    response = ask(CUTS, qname, rtype)
    assert response.rcode() == dns.rcode.NOERROR
    assert not is_authoritative(response)
    assert records(response) == (
        [],
        [
            "sub 3600 NS ns.sub",
            "sub 3600 NS ns.other",
            "sub 3600 NS ns.example.com.",
            "sub 3600 NS ns1",
        ],
        [
            "ns.sub 3600 A 192.0.2.1",
            "ns.sub 3600 AAAA 2001:db8::1",
            "ns.other 3600 A 192.0.2.2",
            "ns1 3600 A 192.0.2.53",
        ],
    )


def test_minimal_responses_keep_glue() -> None:
    """A referral without its glue would lead nowhere."""
    response = ask(CUTS, "www.sub", settings=AnswerSettings(minimal_responses=True))
    assert "ns.sub 3600 A 192.0.2.1" in section(response.additional)


def test_ds_is_answered_by_the_parent() -> None:
    """RFC 4035 3.1.4.1: DS at a cut is the parent's own data, or its NODATA."""
    response = ask(CUTS, "signed", "DS")
    assert is_authoritative(response)
    assert section(response.answer) == ["signed 3600 DS 1 13 2 " + "00" * 32]
    assert_negative(ask(CUTS, "sub", "DS"), "NOERROR", [])
    assert not is_authoritative(ask(CUTS, "www.sub", "DS"))


# --- types -----------------------------------------------------------------------------------


def test_unknown_type() -> None:
    """RFC 3597: a type that nobody knows is served octet by octet."""
    table = table_of("odd TYPE65280 \\# 4 01020304")
    assert section(ask(table, "odd", "TYPE65280").answer) == [
        "odd 3600 TYPE65280 \\# 4 01020304",
    ]


def test_any_gives_the_smallest_rrset_over_udp() -> None:
    """RFC 8482 4.1: a subset; over UDP the smallest RRset, on a connection all of them."""
    table = table_of(
        "x A 192.0.2.1", "x A 192.0.2.2", "x TXT longer-than-one-address", "x AAAA ::1"
    )
    assert section(ask(table, "x", "ANY").answer) == ["x 3600 A 192.0.2.1", "x 3600 A 192.0.2.2"]
    assert len(ask(table, "x", "ANY", transport=Transport.TCP).answer) == 3
    assert_negative(ask(table_of("a.b A 192.0.2.1"), "b", "ANY"), "NOERROR", [])


def test_any_at_an_alias_is_not_followed() -> None:
    """RFC 1034 3.6.2: ANY matches the CNAME itself."""
    table = table_of("a CNAME b", "b A 192.0.2.1")
    assert section(ask(table, "a", "ANY").answer) == ["a 3600 CNAME b"]


def test_root_zone() -> None:
    """A zone at the root works as any other."""
    root = version_of("www A 192.0.2.1", "org NS ns.example.com.", apex=".")
    table = table_of(root)
    assert [str(rrset.name) for rrset in ask(table, "www.", "A").answer] == ["www."]
    assert [str(rrset.name) for rrset in ask(table, "example.org.", "A").authority] == ["org."]
    assert ask(table, "missing.", "A").rcode() == dns.rcode.NXDOMAIN
    assert ask(table, ".", "DS").rcode() == dns.rcode.NOERROR


# --- additional section ----------------------------------------------------------------------

TARGETS = table_of(
    "ns1 A 192.0.2.53",
    "@ MX 10 mail",
    "@ MX 20 mail.example.com.",
    "mail A 192.0.2.1",
    "mail AAAA 2001:db8::1",
    "null MX 0 .",
    "_sip._tcp SRV 0 0 5060 mail",
    "_gone._tcp SRV 0 0 0 .",
    "glued MX 10 ns.sub",
    "sub NS ns.sub",
    "ns.sub A 192.0.2.2",
    "wild MX 10 any.w",
    "*.w A 192.0.2.3",
    "aliased MX 10 alias",
    "alias CNAME mail",
    "svc HTTPS 1 . alpn=h2",
    "svc A 192.0.2.4",
    "svcto SVCB 1 mail",
    "svcalias HTTPS 0 svc",
    "svcnone HTTPS 0 .",
    "svcnone A 192.0.2.5",
)
MAIL = ["mail 3600 A 192.0.2.1", "mail 3600 AAAA 2001:db8::1"]


@pytest.mark.parametrize(
    ("qname", "rtype", "expected"),
    [
        ("@", "MX", MAIL),
        ("_sip._tcp", "SRV", MAIL),
        ("null", "MX", []),
        ("_gone._tcp", "SRV", []),
        ("glued", "MX", ["ns.sub 3600 A 192.0.2.2"]),
        ("wild", "MX", []),
        ("aliased", "MX", []),
        ("svc", "HTTPS", ["svc 3600 A 192.0.2.4"]),
        ("svcto", "SVCB", MAIL),
        ("svcalias", "HTTPS", ["svc 3600 A 192.0.2.4", 'svc 3600 HTTPS 1 . alpn="h2"']),
        ("svcnone", "HTTPS", []),
    ],
)
def test_additional_records(qname: str, rtype: str, expected: list[str]) -> None:
    """Addresses of targets go along from this zone's data and glue; nothing is synthesised."""
    additional = section(ask(TARGETS, qname, rtype).additional)
    assert additional == [*expected, "ns1 3600 A 192.0.2.53"]


def test_case_of_the_question_is_kept() -> None:
    """The question comes back as it was written, and so does the owner that points at it."""
    response = ask(table_of("www A 192.0.2.1"), "WwW.ExAmPlE.oRg.")
    assert str(response.question[0].name) == "WwW.ExAmPlE.oRg."
    assert str(response.answer[0].name) == "WwW.ExAmPlE.oRg."
