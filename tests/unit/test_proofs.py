"""Signed zones: every shape of answer proves itself, with NSEC, NSEC3 and opt-out.

Signatures are verified by dnspython, proofs by ``tests.answering.denial``.
"""

from __future__ import annotations

from functools import cache

import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from nameserver.respond import Transport
from nameserver.table import ServedZone, ZoneState, ZoneTable
from tests.answering import APEX, ask, version_of
from tests.answering.denial import Denial, assert_no_ds, assert_signed, next_closer, wildcard_at
from tests.answering.signing import Chain, sign
from zones.denial import MAX_ITERATIONS, choose_nsec3_parameters
from zones.rrset import NSEC3PARAM, RRset
from zones.version import ZoneVersion

LINES = (
    "ns1 A 192.0.2.53",
    "@ MX 10 www",
    "www A 192.0.2.1",
    "www TXT text",
    "alias CNAME www",
    "gone CNAME missing",
    "towild CNAME x.wild",
    "a.b.ent A 192.0.2.2",
    "*.wild A 192.0.2.3",
    "exact.wild TXT exact",
    "*.wildalias CNAME www",
    "*.wildgone CNAME missing",
    "x.*.wildent A 192.0.2.4",
    "old DNAME wild",
    "secure NS ns.secure",
    "secure DS 1 13 2 " + "00" * 32,
    "ns.secure A 192.0.2.5",
    "insecure NS ns.insecure",
    "ns.insecure A 192.0.2.6",
    "only.below.optent NS ns1",
    "* TXT wildcard-at-the-apex",
)
# Without the wildcard at the apex a name just below it can be missing.
BARE = LINES[:-1]

CHAINS = {
    "NSEC": Chain(),
    "NSEC3": Chain(iterations=0),
    "NSEC3-salted": Chain(iterations=5, salt=b"\xca\xfe"),
    "NSEC3-opt-out": Chain(iterations=0, opt_out=True),
}


@cache
def zone(chain: Chain, lines: tuple[str, ...]) -> ZoneVersion:
    """Return a signed zone."""
    return sign(version_of(*lines), chain)


def table_for(version: ZoneVersion) -> ZoneTable:
    """Return a table with one zone."""
    table = ZoneTable()
    table.replace(ServedZone(version.apex, ZoneState.SERVING, version))
    return table


@pytest.fixture(params=list(CHAINS.values()), ids=list(CHAINS))
def chain(request: pytest.FixtureRequest) -> Chain:
    """Each way to deny."""
    value: Chain = request.param
    return value


@pytest.fixture
def bare(chain: Chain) -> ZoneTable:
    """The zone without a wildcard at its apex."""
    return table_for(zone(chain, BARE))


def asked(table: ZoneTable, qname: str, rtype: str = "A") -> dns.message.Message:
    """Return the response with DNSSEC, after its signatures have been verified."""
    response = ask(table, qname, rtype, dnssec=True, payload=4096, transport=Transport.TCP)
    assert_signed(response)
    return response


def assert_soa(response: dns.message.Message, rcode: str) -> None:
    """Assert the frame of a negative answer."""
    assert dns.rcode.to_text(response.rcode()) == rcode
    assert "SOA" in {rrset.rdtype.name for rrset in response.authority}


def no_denial(response: dns.message.Message) -> bool:
    """Tell that there is no NSEC or NSEC3 record."""
    return not {rrset.rdtype.name for rrset in response.authority} & {"NSEC", "NSEC3"}


@pytest.mark.parametrize(
    ("qname", "rtype"),
    [("www", "A"), ("@", "DNSKEY"), ("@", "MX"), ("alias", "A"), ("exact.wild", "TXT")],
)
def test_positive(bare: ZoneTable, qname: str, rtype: str) -> None:
    """What exists is signed, and nothing is denied."""
    response = asked(bare, qname, rtype)
    assert response.answer
    assert no_denial(response)


def test_without_do_there_is_no_dnssec(bare: ZoneTable) -> None:
    """RFC 4035 3.1: who does not set DO gets neither signatures nor proofs."""
    for qname in ("www", "missing", "insecure", "secure", "x.wild", "x.old"):
        response = ask(bare, qname)
        every = [*response.answer, *response.authority, *response.additional]
        assert not {rrset.rdtype.name for rrset in every} & {"RRSIG", "NSEC", "NSEC3", "DS"}


@pytest.mark.parametrize("qname", ["missing", "a.b.missing", "x.www", "zzz", "x.b.ent", "x.old2"])
def test_nxdomain(bare: ZoneTable, chain: Chain, qname: str) -> None:
    """RFC 4035 3.1.3.2, RFC 5155 7.2.2: neither the name nor a source of synthesis exists."""
    encloser = {"x.www": "www", "x.b.ent": "b.ent"}.get(qname, "@")
    response = asked(bare, qname)
    assert_soa(response, "NXDOMAIN")
    Denial(response, chain).assert_no_name(qname, encloser)


@pytest.mark.parametrize(
    ("qname", "rtype"), [("www", "MX"), ("@", "A"), ("ns1", "DS"), ("old", "A")]
)
def test_nodata(bare: ZoneTable, chain: Chain, qname: str, rtype: str) -> None:
    """RFC 4035 3.1.3.1, RFC 5155 7.2.3: the name's own record lacks type and CNAME."""
    response = asked(bare, qname, rtype)
    assert_soa(response, "NOERROR")
    types = Denial(response, chain).types(qname)
    assert types
    assert not types & {rtype, "CNAME"}


@pytest.mark.parametrize("qname", ["ent", "b.ent", "wild", "wildent", "*.wildent"])
def test_empty_non_terminal(bare: ZoneTable, chain: Chain, qname: str) -> None:
    """RFC 4592 2.2.2: the name exists, and has no types at all."""
    response = asked(bare, qname)
    assert_soa(response, "NOERROR")
    assert Denial(response, chain).types(qname) == set()


@pytest.mark.parametrize("qname", ["x.wild", "a.b.c.wild"])
def test_wildcard_answer(bare: ZoneTable, chain: Chain, qname: str) -> None:
    """RFC 4035 3.1.3.3, RFC 5155 7.2.6: the signature holds, and nothing is closer."""
    response = asked(bare, qname)
    assert response.answer[0][0].to_text() == "192.0.2.3"
    denial = Denial(response, chain)
    assert denial.covers(qname if chain.iterations is None else next_closer(qname, "wild"))
    assert len(denial.records) == 1


@pytest.mark.parametrize(("qname", "encloser"), [("x.wildalias", "wildalias"), ("towild", "wild")])
def test_wildcard_in_a_chain(bare: ZoneTable, chain: Chain, qname: str, encloser: str) -> None:
    """Each name of a chain that a wildcard stood in for has its proof."""
    response = asked(bare, qname)
    assert len(response.answer) == 4
    assert Denial(response, chain).covers(f"x.{encloser}")


def test_chain_that_ends_nowhere(bare: ZoneTable, chain: Chain) -> None:
    """What is proven at the end is that the last name does not exist."""
    response = asked(bare, "gone")
    assert_soa(response, "NXDOMAIN")
    Denial(response, chain).assert_no_name("missing", "@")
    response = asked(bare, "x.wildgone")
    denial = Denial(response, chain)
    denial.assert_no_name("missing", "@")
    assert denial.covers("x.wildgone")


@pytest.mark.parametrize(
    ("qname", "encloser", "types"), [("x.wild", "wild", {"A"}), ("a.wildent", "wildent", set())]
)
def test_wildcard_nodata(
    bare: ZoneTable, chain: Chain, qname: str, encloser: str, types: set[str]
) -> None:
    """RFC 4035 3.1.3.4, RFC 5155 7.2.5: the name does not exist, the source lacks the type."""
    response = asked(bare, qname, "TXT")
    assert_soa(response, "NOERROR")
    denial = Denial(response, chain)
    denial.assert_closest_encloser(qname, encloser)
    told = denial.types(wildcard_at(encloser))
    assert told is not None
    assert told - {"RRSIG", "NSEC"} == types


def test_wildcard_at_the_apex(chain: Chain) -> None:
    """A wildcard right below the apex answers, and its absence of data is proven."""
    table = table_for(zone(chain, LINES))
    response = asked(table, "a.b.missing", "TXT")
    assert str(response.answer[0].name) == f"a.b.missing.{APEX}"
    assert Denial(response, chain).covers("missing")
    response = asked(table, "a.b.missing", "A")
    Denial(response, chain).assert_closest_encloser("a.b.missing", "@")


@pytest.mark.parametrize("qname", ["secure", "www.secure"])
def test_secure_referral(bare: ZoneTable, qname: str) -> None:
    """RFC 4035 3.1.4: DS with its signature goes with the NS RRset, and nothing is denied."""
    response = asked(bare, qname)
    assert [rrset.rdtype.name for rrset in response.authority] == ["NS", "DS", "RRSIG"]
    assert response.additional


@pytest.mark.parametrize("qname", ["insecure", "www.insecure"])
def test_insecure_referral(bare: ZoneTable, chain: Chain, qname: str) -> None:
    """RFC 4035 3.1.4, RFC 5155 7.2.7: it is proven that there is no DS, or opted out of."""
    response = asked(bare, qname)
    assert response.authority[0].rdtype.name == "NS"
    assert_no_ds(response, chain, "insecure", "@")


def test_ds_at_an_insecure_cut(bare: ZoneTable, chain: Chain) -> None:
    """RFC 5155 7.2.4: NODATA by the parent, with the same proof."""
    response = asked(bare, "insecure", "DS")
    assert_soa(response, "NOERROR")
    assert_no_ds(response, chain, "insecure", "@")


@pytest.mark.parametrize("rtype", ["A", "DS"])
def test_cut_below_an_opted_out_name(bare: ZoneTable, chain: Chain, rtype: str) -> None:
    """With opt-out, an empty non-terminal above insecure cuts only has no record either."""
    response = asked(bare, "only.below.optent", rtype)
    assert_no_ds(response, chain, "only.below.optent", "@")


@pytest.mark.parametrize("qname", ["optent", "below.optent", "x.optent"])
def test_names_around_an_opted_out_cut(bare: ZoneTable, chain: Chain, qname: str) -> None:
    """A closest encloser without a record of its own is replaced by the provable one."""
    response = asked(bare, qname)
    assert_soa(response, "NXDOMAIN" if qname == "x.optent" else "NOERROR")
    denial = Denial(response, chain)
    if chain.opt_out:
        denial.assert_closest_encloser(qname, "@")
        assert denial.covers("optent", opt_out=True)
    elif qname == "x.optent":
        denial.assert_no_name(qname, "optent")
    else:
        assert denial.types(qname) == set()


def test_dname(bare: ZoneTable, chain: Chain) -> None:
    """RFC 6672 5.3.1: DNAME is signed, the CNAME made of it is not; wildcards behind are proven."""
    response = asked(bare, "x.old")
    assert [rrset.rdtype.name for rrset in response.answer] == [
        "DNAME",
        "RRSIG",
        "CNAME",
        "A",
        "RRSIG",
    ]
    assert Denial(response, chain).covers("x.wild")


def test_any_and_rrsig(bare: ZoneTable) -> None:
    """RFC 8482: over UDP one RRset of ANY or RRSIG; on a connection all."""
    smallest = ask(bare, "www", "ANY", dnssec=True)
    assert [rrset.rdtype.name for rrset in smallest.answer] == ["A", "RRSIG"]
    everything = asked(bare, "www", "ANY")
    assert {rrset.rdtype.name for rrset in everything.answer} == {"A", "TXT", "RRSIG"}
    assert len(ask(bare, "www", "RRSIG").answer) == 1
    signatures = ask(bare, "www", "RRSIG", transport=Transport.TCP).answer
    assert {rrset.covers.name for rrset in signatures} >= {"A", "TXT"}
    assert not ask(bare, "ent", "RRSIG").answer


def test_nsec_is_answered_as_any_type() -> None:
    """RFC 4035 3.1.3: NSEC records are data that may be asked for."""
    table = table_for(zone(CHAINS["NSEC"], BARE))
    assert asked(table, "www", "NSEC").answer[0].rdtype == dns.rdatatype.NSEC
    assert ask(table, "www", "NSEC").answer


@pytest.mark.parametrize("rtype", ["NSEC3", "A", "ANY", "RRSIG"])
def test_hashed_names_do_not_exist(rtype: str) -> None:
    """RFC 5155 7.2.8: a question for the owner name of an NSEC3 record gets NXDOMAIN."""
    chain = CHAINS["NSEC3"]
    version = zone(chain, BARE)
    label = next(iter(version.hashed_nodes))[1:33].decode()
    for qname in (label, f"x.{label}"):
        response = asked(table_for(version), qname, rtype)
        assert_soa(response, "NXDOMAIN")
        Denial(response, chain).assert_no_name(qname, "@")


def test_too_many_iterations() -> None:
    """RFC 9276 3.2: above the limit nothing is hashed; the apex's record shows the parameters."""
    chain = Chain(iterations=MAX_ITERATIONS + 1)
    table = table_for(zone(chain, BARE))
    for qname in ("missing", "x.wild", "insecure"):
        (record,) = Denial(asked(table, qname), chain).records
        assert record[0].iterations == MAX_ITERATIONS + 1
        assert "SOA" in record[0].to_text().split()


def test_chain_without_nsec3param_is_not_used() -> None:
    """RFC 5155 10.4, 10.5: while a chain is built or torn down, the other one proves."""
    both = zone(CHAINS["NSEC"], BARE)
    hashed_part = [
        rrset
        for node in zone(CHAINS["NSEC3"], BARE).hashed_nodes.values()
        for rrset in (*node.rrsets.values(), *node.signatures.values())
    ]
    version = ZoneVersion.of(both.apex, [*both, *hashed_part])
    denial = Denial(asked(table_for(version), "missing"), CHAINS["NSEC"])
    denial.assert_no_name("missing", "@")
    parameters = RRset(both.apex, NSEC3PARAM, 0, (CHAINS["NSEC3"].parameters,))
    version = ZoneVersion.of(both.apex, [*version, parameters])
    denial = Denial(asked(table_for(version), "missing"), CHAINS["NSEC3"])
    denial.assert_no_name("missing", "@")


def test_choice_among_chains() -> None:
    """RFC 5155 4.1.2, 7.3: flags and unknown algorithms are passed over; fewest iterations win."""
    rdatas = [
        b"\1\0\0\5\1a",
        b"\1\0\0\2\0",
        b"\1\1\0\0\0",
        b"\2\0\0\0\0",
        b"\1\0\0",
        b"\1\0\0\0\5a",
    ]
    chosen = choose_nsec3_parameters(rdatas)
    assert chosen is not None
    assert (chosen.iterations, chosen.salt) == (2, b"")
    assert choose_nsec3_parameters([]) is None


def test_unsigned_zone_with_do() -> None:
    """A zone that is not signed is answered with DO as without."""
    table = table_for(version_of(*BARE))
    for qname in ("www", "missing", "insecure", "x.wild"):
        plain = ask(table, qname)
        signed = ask(table, qname, dnssec=True)
        assert signed.answer == plain.answer
        assert signed.authority == plain.authority
