"""A zone with a record of every type, and how each server's zone files must write them.

Names are absolute: PowerDNS 4.7 does not complete them in all types. ``NAMED`` and ``OBSOLETE`` have types by name, each with an rdata; ``NUMBERED`` those that hardly
anybody can write: never used, no longer used, and numbers that mean nothing.
NS records are at the apex anyway. Types that exist only in queries and in messages (RFC 6895 3.1: 128 to 255, and OPT) are in no zone.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final

import dns.rdata
import dns.rdatatype

from tests.peers import Bind, Knot, Nsd, Peer, PowerDNS
from tests.peers.zonetext import ORIGIN, zone_text

KEY: Final = "257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ=="
DIGEST: Final = "12345 13 2 " + "ab" * 32
SIGNED: Final = f"A 13 2 300 20991231235959 20260101000000 12345 {ORIGIN} {'A' * 86}=="
HIP: Final = "2 200100107B1A74DF365639CC39F1D578 AwEAAbdxyhNuSutc5EMzxTs9LBPCIkOF"

NAMED: Final = {
    "A": "192.0.2.7",
    "AAAA": "2001:db8::7",
    "AFSDB": f"1 afs.{ORIGIN}",
    "AMTRELAY": "10 0 3 relay.example.net.",
    "APL": "1:192.0.2.0/24 !2:2001:db8::/32",
    "AVC": '"app-name:example"',
    "BRID": "b2N0ZXRz",
    "CAA": '0 issue "ca.example.net"',
    "CDNSKEY": KEY,
    "CDS": DIGEST,
    "CERT": "1 12345 13 ZXhhbXBsZQ==",
    "CNAME": f"www.{ORIGIN}",
    "CSYNC": "1 3 A NS AAAA",
    "DHCID": "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=",
    "DLV": DIGEST,
    "DNAME": f"target.{ORIGIN}",
    "DNSKEY": KEY,
    "DS": DIGEST,
    "DSYNC": "CDS NOTIFY 5359 scanner.example.net.",
    "EUI48": "00-00-5e-00-53-2a",
    "EUI64": "00-00-5e-ef-10-00-00-2a",
    "GPOS": "-32.6882 116.8652 10.0",
    "HHIT": "b2N0ZXRz",
    "HINFO": '"PC" "Linux"',
    "HIP": f"{HIP} rendezvous.example.net.",
    "HTTPS": f"1 www.{ORIGIN} alpn=h2",
    "IPSECKEY": "10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==",
    "ISDN": '"150862028003217" "004"',
    "KEY": KEY,
    "KX": f"1 kx.{ORIGIN}",
    "L32": "10 192.0.2.0",
    "L64": "10 2001:0db8:1140:1000",
    "LOC": "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000.00m 10.00m",
    "LP": f"10 l64.{ORIGIN}",
    "MX": f"10 mail.{ORIGIN}",
    "NAPTR": f'100 50 "s" "z3950+I2L" "" next.{ORIGIN}',
    "NID": "10 0014:4fff:ff20:ee64",
    "NINFO": '"zone status"',
    "NSAP": "0x47000580005a0000000001e133ffffff00016100",
    "NSAP-PTR": f"nsap.{ORIGIN}",
    "NSEC": f"next.{ORIGIN} A RRSIG NSEC",
    "NSEC3": "1 0 0 - 2vptu5timamqttgl4luu9kg21e0aor3s A RRSIG",
    "NSEC3PARAM": "1 0 0 -",
    "OPENPGPKEY": "b2N0ZXRz",
    "PTR": f"www.{ORIGIN}",
    "PX": f"1 map822.{ORIGIN} mapx400.{ORIGIN}",
    "RESINFO": "qnamemin exterr=15,16,17 infourl=https://resolver.example.com/guide",
    "RP": f"admin.{ORIGIN} text.{ORIGIN}",
    "RRSIG": SIGNED,
    "RT": f"1 relay.{ORIGIN}",
    "SIG": SIGNED,
    "SMIMEA": "3 1 1 " + "ab" * 32,
    "SPF": '"v=spf1 -all"',
    "SRV": f"0 5 5060 sip.{ORIGIN}",
    "SSHFP": "4 2 " + "ab" * 32,
    "SVCB": f"1 svc.{ORIGIN} port=853 ipv4hint=192.0.2.1",
    "TLSA": "3 1 1 " + "ab" * 32,
    "TXT": '"some text" "more"',
    "URI": '10 1 "https://www.example.org/"',
    "WALLET": '"BTC" "bc1example"',
    "WKS": "192.0.2.1 6 25 80",
    "X25": '"311061700956"',
    "ZONEMD": "1 241 1 " + "ab" * 48,
}
# These it knows the names of and cannot write.
OBSOLETE: Final = {"MB": ".", "MG": ".", "MR": ".", "MINFO": ". ."}
NAME: Final = "00"  # the root, which nobody can compress
OCTETS: Final = "010203"
NUMBERED: Final = {
    3: NAME,  # MD
    4: NAME,  # MF
    10: OCTETS,  # NULL
    30: f"{NAME}40",  # NXT
    31: OCTETS,  # EID
    32: OCTETS,  # NIMLOC
    34: "0131",  # ATMA
    38: f"00{'20010db8' + '00' * 11}07",  # A6
    40: OCTETS,  # SINK
    58: NAME + NAME,  # TALINK
    100: OCTETS,  # UINFO
    101: OCTETS,  # UID
    102: OCTETS,  # GID
    103: OCTETS,  # UNSPEC
    259: "00000001000000010100010203",  # DOA
    32768: "30390d02" + "ab" * 32,  # TA
    300: OCTETS,
    65280: OCTETS,  # for private use
    65534: "",  # the same, and empty
}
TEXTS: Final = {**NAMED, **OBSOLETE}
EVERY: Final = (*TEXTS, *(dns.rdatatype.to_text(dns.rdatatype.RdataType.make(n)) for n in NUMBERED))

UNKNOWN: Final = (
    *("AMTRELAY", "BRID", "DSYNC", "GPOS", "HHIT", "HIP", "NINFO", "NSAP-PTR", "RESINFO"),
    "WALLET",
)
# Types whose names a server's zone files do not know.
UNNAMED: Final[dict[type[Peer], tuple[str, ...]]] = {
    Bind: (),
    Knot: (*UNKNOWN, "AVC", "DLV", "ISDN", "MB", "MG", "MR", "NSAP", "PX", "SIG", "WKS", "X25"),
    Nsd: UNKNOWN,
    PowerDNS: (*UNKNOWN, "AVC", "ISDN", "NSAP", "PX", "RT", "SIG", "WKS", "X25"),
}
# Types that it takes in no form.
REFUSED: Final[dict[type[Peer], tuple[str, ...]]] = {
    Bind: ("MD", "MF"),  # obsolete since RFC 973
    Knot: (),
    Nsd: (),
    PowerDNS: (),
}
# Types that it loads and sends to nobody, unless it makes them itself.
UNSENT: Final[dict[type[Peer], tuple[str, ...]]] = {
    Bind: (),
    Knot: (),
    Nsd: (),
    PowerDNS: ("CDNSKEY", "CDS", "DNSKEY", "NSEC", "NSEC3PARAM", "RRSIG"),
}


def sent(server: type[Peer]) -> list[str]:
    """Return the types that a server can have in a zone that it does not sign."""
    return [one for one in EVERY if one not in (*REFUSED[server], *UNSENT[server])]


def owner(rtype: str) -> str:
    """Return the name that has the record of a type, relative to the zone."""
    # The owner of an NSEC3 record is a hash (RFC 5155 3).
    return "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom" if rtype == "NSEC3" else f"t-{rtype.lower()}"


def octets(rtype: str) -> str:
    """Return the rdata of a type, in hexadecimal digits."""
    if rtype in NAMED:
        rdata = dns.rdata.from_text("IN", rtype, NAMED[rtype], relativize=False)
        return rdata.to_digestable().hex()
    if rtype in OBSOLETE:
        return NAME * len(OBSOLETE[rtype].split())
    return NUMBERED[int(dns.rdatatype.from_text(rtype))]


def generic(rtype: str) -> tuple[str, str]:
    """Return a type and its rdata as RFC 3597 5 writes them."""
    data = octets(rtype)
    return f"TYPE{int(dns.rdatatype.from_text(rtype))}", f"\\# {len(data) // 2} {data}".rstrip()


def line(rtype: str, *, by_name: bool) -> str:
    """Return the line of a zone file that has the record of a type."""
    written = (rtype, TEXTS[rtype]) if by_name else generic(rtype)
    return f"{owner(rtype)} 300 {' '.join(written)}"


def zone(serial: int, server: type[Peer], unnamed: Container[str] | None = None) -> str:
    """Return the zone of all types that this server can have, as its own zone files have to write it.

    Elsewhere others may be ``unnamed``.
    """
    unnamed = UNNAMED[server] if unnamed is None else unnamed
    named = {rtype for rtype in TEXTS if rtype not in unnamed}
    return zone_text(serial, *(line(rtype, by_name=rtype in named) for rtype in sent(server)))
