"""A validator of negative answers: what the NSEC or NSEC3 records of a response deny.

It reads them as RFC 4035 5.4 and RFC 5155 8 ask of a validator; signatures are dnspython's to
verify. Names are texts relative to ``APEX``, ``@`` the apex itself.
"""

from __future__ import annotations

from base64 import b32hexencode

import dns.dnssec
import dns.message
import dns.name
import dns.node
import dns.rdataset
import dns.rdatatype
import dns.rrset

from tests.answering.asking import APEX
from tests.answering.signing import NOW, Chain, key

TYPES = {"A", "AAAA", "TXT", "MX", "NS", "SOA", "DS", "CNAME", "DNAME", "RRSIG", "NSEC"}


def assert_signed(response: dns.message.Message) -> None:
    """Assert that all has valid signatures, but for NS of cuts and synthesised CNAMEs."""
    apex = dns.name.from_text(APEX)
    keys: dict[dns.name.Name, dns.node.Node | dns.rdataset.Rdataset] = {
        apex: dns.rrset.from_rdata(apex, 3600, key()[1])
    }
    for section in (response.answer, response.authority):
        signatures = {(r.name, r.covers): r for r in section if r.rdtype == dns.rdatatype.RRSIG}
        has_dname = any(rrset.rdtype == dns.rdatatype.DNAME for rrset in section)
        for rrset in section:
            if rrset.rdtype == dns.rdatatype.RRSIG:
                continue
            found = signatures.pop((rrset.name, rrset.rdtype), None)
            if found is None:
                is_cut = rrset.rdtype == dns.rdatatype.NS and rrset.name != apex
                assert is_cut or (has_dname and rrset.rdtype == dns.rdatatype.CNAME), rrset
            else:
                dns.dnssec.validate(*plain(rrset, found), keys, now=NOW)
                assert found.ttl == rrset.ttl
        assert not signatures, "a signature over nothing"


def plain(
    rrset: dns.rrset.RRset, signature: dns.rrset.RRset
) -> tuple[dns.rrset.RRset, dns.rrset.RRset]:
    """Return both under another name where an asterisk asked for was itself synthesised.

    dnspython takes each owner that begins with ``*`` for the wildcard; RFC 4035 5.3.2 does not.
    """
    name = rrset.name
    if not name.is_wild() or signature[0].labels == len(name.labels) - 2:
        return rrset, signature
    other = dns.name.Name([b"x", *name.labels[1:]])
    return (
        dns.rrset.from_rdata_list(other, rrset.ttl, list(rrset)),
        dns.rrset.from_rdata_list(other, signature.ttl, list(signature)),
    )


class Denial:
    """What the NSEC or NSEC3 records of a response deny."""

    def __init__(self, response: dns.message.Message, chain: Chain) -> None:
        wanted = dns.rdatatype.NSEC if chain.iterations is None else dns.rdatatype.NSEC3
        self.chain = chain
        self.records = [rrset for rrset in response.authority if rrset.rdtype == wanted]

    def place(self, qname: str) -> dns.name.Name:
        """Return where a name stands in the order: itself, or its hash."""
        name = dns.name.from_text(qname, dns.name.from_text(APEX))
        if self.chain.iterations is None:
            return name
        return hashed(self.chain.hash(name.to_wire() or b""))

    def spans(self) -> list[tuple[dns.name.Name, dns.name.Name, dns.rrset.RRset]]:
        """Return each record with the place it stands at and the next one."""
        return [(rrset.name, following(rrset), rrset) for rrset in self.records]

    def covers(self, qname: str, *, opt_out: bool = False) -> bool:
        """Tell whether a record says that the name does not exist."""
        place = self.place(qname)
        return any(
            (start < place < end if start < end else place > start or place < end)
            and (not opt_out or rrset[0].flags & 1)
            for start, end, rrset in self.spans()
        )

    def types(self, qname: str) -> set[str] | None:
        """Return the types that a record says the name has, ``None`` where none speaks of it.

        An NSEC record whose next name is below the name shows it to be an empty non-terminal.
        """
        place = self.place(qname)
        for start, end, rrset in self.spans():
            if start == place:
                return set(rrset[0].to_text().split()) & TYPES
            if self.chain.iterations is None and start < place and end.is_subdomain(place):
                return set()
        return None

    def assert_no_name(self, qname: str, encloser: str) -> None:
        """Assert a proof of NXDOMAIN (RFC 4035 5.4, RFC 5155 8.4)."""
        self.assert_closest_encloser(qname, encloser)
        assert self.covers(wildcard_at(encloser))

    def assert_closest_encloser(self, qname: str, encloser: str) -> None:
        """Assert that nothing closer to the name than the encloser exists (RFC 5155 8.3)."""
        if self.chain.iterations is None:
            assert self.covers(qname)
        else:
            assert self.types(encloser) is not None
            assert self.covers(next_closer(qname, encloser))


def hashed(label: bytes) -> dns.name.Name:
    """Return the owner of a hash."""
    return dns.name.Name([label, *dns.name.from_text(APEX).labels])


def following(rrset: dns.rrset.RRset) -> dns.name.Name:
    """Return the place of the next record."""
    next_one = rrset[0].next
    return hashed(b32hexencode(next_one).lower()) if isinstance(next_one, bytes) else next_one


def wildcard_at(encloser: str) -> str:
    """Return the source of synthesis."""
    return "*" if encloser == "@" else f"*.{encloser}"


def next_closer(qname: str, encloser: str) -> str:
    """Return the ancestor of a name that is one label longer than the encloser."""
    depth = 0 if encloser == "@" else encloser.count(".") + 1
    return ".".join(qname.split(".")[-depth - 1 :])


def assert_no_ds(response: dns.message.Message, chain: Chain, cut: str, provable: str) -> None:
    """Assert the proof that a cut has no DS (RFC 4035 5.2, RFC 5155 8.6, 8.9)."""
    denial = Denial(response, chain)
    if chain.opt_out:
        assert denial.types(provable) is not None
        assert denial.covers(next_closer(cut, provable), opt_out=True)
    else:
        types = denial.types(cut)
        assert types
        assert "NS" in types
        assert not types & {"DS", "SOA"}
