"""Answering: one message in, one message out.

The way of a query::

    header      a response: silence; NOTIFY, UPDATE: others' work
    parse       FORMERR
    check       opcode, EDNS version, class; TSIG, AXFR, IXFR: others' work
    compose     the zone, its tree, the sections      (compose.py: RFC 1034 4.3.2)
    write       question, RRsets, TC, OPT             (message.py: RFC 1035 4.1)

What comes out depends on nothing but the zone table, the query, the transport and the settings: no
clock, no chance, no memory of earlier queries. Another engine that claims to do the same is
measured against this one, octet by octet.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from nameserver import chaos, edns, message
from nameserver.answer import Answer, Entry, Question, Section
from nameserver.compose import compose
from nameserver.message import Opcode, Query, Rcode, Writer
from nameserver.table import ZoneTable
from zones.errors import WireError
from zones.name import fold

CLASS_IN: Final = 1
IXFR: Final = 251
AXFR: Final = 252
MINIMUM_UDP: Final = 512  # RFC 6891 6.2.3: less is treated as this
MAXIMUM: Final = 65535


class Transport(Enum):
    """What carried the query."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"


class HandOver(Enum):
    """Says that a message is others' to answer: it asks for more than a zone's content."""

    NOTIFY = "notify"
    UPDATE = "update"
    TRANSFER = "transfer"  # AXFR or IXFR, over whatever transport
    TSIG = "tsig"  # any message that carries a TSIG record


OTHERS: Final[dict[int, HandOver]] = {
    Opcode.NOTIFY: HandOver.NOTIFY,
    Opcode.UPDATE: HandOver.UPDATE,
}


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    """How this server answers.

    ``identity`` is told as NSID and ``id.server``, ``version`` as ``version.server``; empty ones
    are not told. ``minimal_responses`` leaves out what a resolver can do without. ``udp_limit`` is
    the largest datagram sent, in octets; ``reserve`` of them are left free for a TSIG record.
    """

    identity: str = ""
    version: str = ""
    minimal_responses: bool = False
    udp_limit: int = 1232  # fits the IPv6 minimum MTU: DNS flag day 2020, RFC 9715 3
    reserve: int = 0


def respond(
    table: ZoneTable, query: bytes, transport: Transport, settings: AnswerSettings
) -> bytes | HandOver | None:
    """Return the response to a message; ``None`` for silence, ``HandOver`` for others' work.

    Raises nothing, whatever the message is.
    """
    header = message.read_header(query)
    # A response is never answered, or two servers could keep each other busy for ever.
    if header is None or header.is_response:
        return None
    if header.opcode in OTHERS:
        return OTHERS[header.opcode]
    try:
        parsed = message.parse_query(query)
    except WireError:
        # RFC 1035 4.1.1: "the name server does not support the requested kind of query" is all
        # that can be said of an unknown opcode; what its message has to look like is unknown.
        parsed = Query(header)
        wrong = Rcode.FORMERR if header.opcode == Opcode.QUERY else Rcode.NOTIMP
        return _write(parsed, _failure(parsed, wrong), transport, settings)
    if parsed.has_tsig:
        return HandOver.TSIG
    refused = _check(parsed)
    if refused is None and parsed.qclass == CLASS_IN and parsed.qtype in (AXFR, IXFR):
        return HandOver.TRANSFER
    answer = refused or _answer_class(table, parsed, transport, settings)
    return _write(parsed, answer, transport, settings)


def _check(query: Query) -> Answer | None:
    """Return the refusal of a query that is not looked into, ``None`` for any other."""
    if query.header.opcode != Opcode.QUERY:
        return _failure(query, Rcode.NOTIMP)
    # RFC 6891 6.1.3: a version above ours "MUST" be answered with BADVERS.
    if query.edns is not None and query.edns.version > edns.VERSION:
        return _failure(query, Rcode.BADVERS)
    if not query.qname:
        return _failure(query, Rcode.FORMERR)
    if query.qclass not in (CLASS_IN, chaos.CLASS_CH):
        return _failure(query, Rcode.REFUSED)
    return None


def _answer_class(
    table: ZoneTable, query: Query, transport: Transport, settings: AnswerSettings
) -> Answer:
    if query.qclass == chaos.CLASS_CH:
        return _answer_chaos(query, settings)
    dnssec = query.edns is not None and query.edns.dnssec_ok
    datagram = transport is Transport.UDP
    question = Question(fold(query.qname), query.qtype, dnssec=dnssec, datagram=datagram)
    return compose(table, question, minimal=settings.minimal_responses)


def _answer_chaos(query: Query, settings: AnswerSettings) -> Answer:
    name = fold(query.qname)
    text = chaos.text_of(name, identity=settings.identity, version=settings.version)
    if not text:
        return _failure(query, Rcode.REFUSED)
    answer = Answer(Question(name, query.qtype), authoritative=True)
    if rrset := chaos.rrset(name, query.qtype, text):
        answer.add(Section.ANSWER, Entry(name, rrset))
    return answer


def _failure(query: Query, rcode: Rcode) -> Answer:
    return Answer(Question(query.qname, query.qtype), rcode=rcode)


def _write(query: Query, answer: Answer, transport: Transport, settings: AnswerSettings) -> bytes:
    """Return the message: RRsets in whole, TC if a required one did not fit (RFC 2181 9).

    Nothing is written behind a required RRset that does not fit; others that do not are passed
    over. Room for the OPT record is kept from the start.
    """
    writer = Writer(_limit(query, transport, settings) - settings.reserve)
    if query.qname:
        writer.question(query)
    opt = _opt(query, answer, settings, MINIMUM_UDP - settings.reserve - len(writer))
    writer.limit -= len(opt)
    flags = _flags(query, answer)
    if not _write_sections(writer, answer):
        flags |= message.TC
    if opt:
        writer.opt(opt)
    return writer.finish(query.header.id, flags)


def _write_sections(writer: Writer, answer: Answer) -> bool:
    """Tell whether everything required found room."""
    for section, entries in answer.sections.items():
        for entry in entries:
            if not writer.entry(section, entry) and entry.required:
                return False
    return True


def _limit(query: Query, transport: Transport, settings: AnswerSettings) -> int:
    """Return the octets that a response may have (RFC 6891 6.2.3 to 6.2.5)."""
    if transport is not Transport.UDP:
        return MAXIMUM
    wanted = query.edns.udp_size if query.edns else MINIMUM_UDP
    return max(MINIMUM_UDP, min(wanted, settings.udp_limit))


def _flags(query: Query, answer: Answer) -> int:
    """Return the header's second field.

    RD is copied (RFC 1035 4.1.1), CD too (RFC 4035 3.1.6); AD and RA are never set: nothing is
    validated or looked up elsewhere.
    """
    flags = message.QR | query.header.opcode << 11 | answer.rcode & 0xF
    if answer.authoritative:
        flags |= message.AA
    return flags | query.header.flags & (message.RD | message.CD)


def _opt(query: Query, answer: Answer, settings: AnswerSettings, room: int) -> bytes:
    """Return the OPT record: for a query that has one (RFC 6891 6.1.1), and for no other."""
    if query.edns is None:
        return b""
    options = []
    if query.edns.has(edns.NSID) and settings.identity:  # RFC 5001 2.2
        options.append((edns.NSID, settings.identity.encode()))
    if answer.error is not None:
        options.append(answer.error.option)
    return edns.record(
        rcode=answer.rcode,
        udp_size=settings.udp_limit,
        dnssec_ok=query.edns.dnssec_ok,
        options=options,
        room=room,
    )
