"""What is sent reads the same to a decoder that shares no code with ours, nor with dnspython."""

from __future__ import annotations

import dns.message
import dnslib  # type: ignore[import-untyped]
import pytest

from nameserver.respond import Transport, respond
from tests.answering.asking import SETTINGS, table_of
from zones.name import fold

TABLE = table_of(
    "@ MX 10 mail",
    "@ MX 20 backup.example.net.",
    '@ TXT "v=spf1 mx -all" "second string"',
    '@ CAA 0 issue "ca.example.net"',
    "ns1 A 192.0.2.53",
    "mail A 192.0.2.25",
    "mail AAAA 2001:db8::25",
    "www CNAME web",
    "web A 192.0.2.80",
    "_sip._tcp SRV 10 5 5060 mail",
    "sub NS ns.sub",
    "sub NS ns1",
    "ns.sub A 192.0.2.54",
    "old DNAME web",
    '*.wild TXT "anything"',
    "a.b.c A 192.0.2.1",
)  # fmt: skip


@pytest.mark.parametrize("edns", [False, True], ids=["plain", "EDNS"])
@pytest.mark.parametrize(
    ("name", "rtype"),
    [
        ("", "SOA"),
        ("", "NS"),
        ("", "MX"),
        ("", "TXT"),
        ("", "CAA"),
        ("www", "A"),
        ("WwW", "AAAA"),
        ("_sip._tcp", "SRV"),
        ("host.sub", "A"),
        ("x.old", "A"),
        ("some.wild", "TXT"),
        ("b.c", "A"),
        ("missing", "A"),
    ],
)
def test_dnslib_reads_what_dnspython_reads(name: str, rtype: str, *, edns: bool) -> None:
    """Both decoders find the same header, names, types, TTLs and rdata in each section."""
    qname = f"{name}.example.org." if name else "example.org."
    query = dns.message.make_query(qname, rtype, use_edns=0 if edns else False)
    wire = respond(TABLE, query.to_wire(), Transport.UDP, SETTINGS)
    assert isinstance(wire, bytes)
    ours, theirs = dns.message.from_wire(wire), dnslib.DNSRecord.parse(wire)
    assert theirs.header.id == query.id
    assert theirs.header.rcode == ours.rcode()
    assert str(theirs.q.qname) == qname
    sections = (
        (ours.answer, theirs.rr),
        (ours.authority, theirs.auth),
        (ours.additional, [record for record in theirs.ar if record.rtype != dnslib.QTYPE.OPT]),
    )
    for mine, other in sections:
        mine_records = [
            (fold(rrset.name.to_wire() or b""), int(rrset.rdtype), rrset.ttl, rdata.to_wire())
            for rrset in mine
            for rdata in rrset
        ]
        assert sorted(mine_records) == sorted(map(record, other))


def record(decoded: dnslib.RR) -> tuple[bytes, int, int, bytes]:
    """Return owner, type, TTL and uncompressed rdata as dnslib has read them."""
    buffer = dnslib.DNSBuffer()
    buffer.encode_name_nocompress(decoded.rname)
    owner = bytes(buffer.data).lower()
    packed = dnslib.DNSBuffer()
    packed.encode_name = packed.encode_name_nocompress
    decoded.rdata.pack(packed)
    return owner, decoded.rtype, decoded.ttl, bytes(packed.data)
