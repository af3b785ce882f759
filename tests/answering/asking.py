"""Zones from a few lines of text, and questions to ``respond`` without any network."""

from __future__ import annotations

from collections.abc import Iterable

import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import dns.rrset

from nameserver.respond import AnswerSettings, Transport, respond
from nameserver.table import ServedZone, ZoneState, ZoneTable
from zones.name import from_text
from zones.version import ZoneVersion
from zones.zonefile import read_zone_file

APEX = "example.org."
SETTINGS = AnswerSettings(identity="ns1.example.net", version="nsctl test")
HEAD = "@ 600 SOA ns1 hostmaster 1 7200 900 1209600 300\n@ 3600 NS ns1\n"


def version_of(*lines: str, apex: str = APEX, head: str = HEAD) -> ZoneVersion:
    """Return a zone with a SOA, an NS and these lines; names are relative to the apex."""
    text = f"$ORIGIN {apex}\n$TTL 3600\n{head}" + "\n".join(lines) + "\n"
    return ZoneVersion(read_zone_file(text, filename="test", apex=from_text(apex)).blob)


def table_of(*content: ZoneVersion | ServedZone | str) -> ZoneTable:
    """Return a table with these zones; lines of text make up one zone at ``APEX``."""
    table = ZoneTable()
    lines = [item for item in content if isinstance(item, str)]
    zones = [item for item in content if not isinstance(item, str)]
    for zone in [*zones, *([version_of(*lines)] if lines or not zones else [])]:
        if isinstance(zone, ZoneVersion):
            table.replace(ServedZone(zone.apex, ZoneState.SERVING, zone))
        else:
            table.replace(zone)
    return table


def absolute(name: str) -> str:
    """Return a name relative to ``APEX``; one with a final dot stays as it is."""
    if name == "@":
        return APEX
    return name if name.endswith(".") else f"{name}.{APEX}"


def ask(
    table: ZoneTable,
    qname: str,
    rtype: str = "A",
    *,
    transport: Transport = Transport.UDP,
    settings: AnswerSettings = SETTINGS,
    dnssec: bool = False,
    **how: object,
) -> dns.message.Message:
    """Return the response to a question, without EDNS unless it is asked for."""
    query = dns.message.make_query(absolute(qname), rtype, want_dnssec=dnssec, **how)  # type: ignore[arg-type]
    return dns.message.from_wire(ask_wire(table, query.to_wire(), transport, settings))


def ask_wire(
    table: ZoneTable,
    query: bytes,
    transport: Transport = Transport.UDP,
    settings: AnswerSettings = SETTINGS,
) -> bytes:
    """Return the response to a message, which must be answered."""
    response = respond(table, query, transport, settings)
    assert isinstance(response, bytes)
    return response


def section(rrsets: Iterable[dns.rrset.RRset]) -> list[str]:
    """Return a section as lines ``owner TTL TYPE rdata``, relative to ``APEX``, in its order."""
    origin = dns.name.from_text(APEX)
    return [
        f"{rrset.name.relativize(origin)} {rrset.ttl} {dns.rdatatype.to_text(rrset.rdtype)} "
        f"{rdata.to_text(origin=origin)}"
        for rrset in rrsets
        for rdata in rrset
    ]


def records(response: dns.message.Message) -> tuple[list[str], list[str], list[str]]:
    """Return answer, authority and additional section, each as ``section`` does."""
    return section(response.answer), section(response.authority), section(response.additional)
