"""Asking a server on this machine whether it is there: one CHAOS query, as ``dig`` would."""

from __future__ import annotations

from collections.abc import Iterable

import dns.exception
import dns.message
import dns.query
import dns.rdataclass
import dns.rdatatype

from nameserver.address import Address

TIMEOUT = 0.5
ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  what listens on all, listens here


def probe(addresses: Iterable[Address]) -> list[tuple[Address, str | None]]:
    """Return for each address what the server there calls itself; ``None`` where none answers."""
    return [(address, identity(address)) for address in addresses]


def identity(address: Address) -> str | None:
    """Return ``id.server`` (RFC 4892), empty where the server does not tell."""
    query = dns.message.make_query("id.server.", dns.rdatatype.TXT, dns.rdataclass.CH)
    host = ANY.get(address.host, address.host)
    try:
        answer = dns.query.udp(query, host, TIMEOUT, address.port)
    except (dns.exception.DNSException, OSError):
        return None
    for rrset in answer.answer:
        for rdata in rrset:
            if rdata.rdtype == dns.rdatatype.TXT:
                return b"".join(rdata.strings).decode(errors="replace")
    return ""
