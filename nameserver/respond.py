"""Answering: one message in, one message out.

The way of a query::

    header      a response: silence; NOTIFY, UPDATE: others' work
    parse       FORMERR
    cookie      is the client's address its own?      (cookies.py: RFC 7873)
    check       opcode, EDNS version, class; TSIG, AXFR, IXFR: others' work
    compose     the zone, its tree, the sections      (compose.py: RFC 1034 4.3.2)
    write       question, RRsets, TC, OPT             (message.py: RFC 1035 4.1)

What comes out depends on nothing but the zone table, the query, the transport, the settings, and
who asks when: no clock, no chance, no memory of earlier queries. Another engine that claims to do the same is
measured against this one, octet by octet.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from nameserver import chaos, cookies, edns, message
from nameserver.answer import Answer, Entry, Kind, Question, Section
from nameserver.compose import compose
from nameserver.cookies import NO_COOKIE, Client, Cookie, Verdict
from nameserver.edns import Edns
from nameserver.message import Opcode, Query, Rcode, Writer
from nameserver.table import ZoneTable
from zones.errors import WireError
from zones.name import Name, fold, label_count
from zones.rrset import SOA
from zones.version import ZoneVersion

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
    EXPIRE = "expire"  # for a SOA, and how long it is good for (RFC 7314)


# What is said to a query for a cookie alone (RFC 7873 5.4).
WITHOUT_QUESTION: Final = {
    Verdict.NONE: Rcode.FORMERR,
    Verdict.CLIENT_ONLY: Rcode.NOERROR,
    Verdict.INVALID: Rcode.BADCOOKIE,
    Verdict.VALID: Rcode.NOERROR,
}
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
    ``cookie_secrets`` make and check DNS cookies; without one there are none. ``keepalive`` is how
    long an idle connection stays open, in tenths of a second; 0 is not told. ``expire`` leaves it
    to others to answer a query for a SOA that asks for EXPIRE (RFC 7314); without it the option is
    passed over.
    """

    identity: str = ""
    version: str = ""
    minimal_responses: bool = False
    udp_limit: int = 1232  # fits the IPv6 minimum MTU: DNS flag day 2020, RFC 9715 3
    reserve: int = 0
    cookie_secrets: tuple[bytes, ...] = ()
    keepalive: int = 0
    expire: bool = True


@dataclass(frozen=True, slots=True)
class Response:
    """A response and what is to be known of it: see ``Answer.kind`` and ``Answer.subject``."""

    message: bytes
    kind: Kind
    subject: Name
    cookie: Verdict


def respond(
    table: ZoneTable,
    query: bytes,
    transport: Transport,
    settings: AnswerSettings,
    client: Client | None = None,
) -> bytes | HandOver | None:
    """Return the response to a message; ``None`` for silence, ``HandOver`` for others' work.

    Where the client is not told, it gets no cookie. Raises nothing, whatever the message is.
    """
    response = response_to(table, query, transport, settings, client)
    return response.message if isinstance(response, Response) else response


def response_to(
    table: ZoneTable,
    query: bytes,
    transport: Transport,
    settings: AnswerSettings,
    client: Client | None,
) -> Response | HandOver | None:
    """Do what ``respond`` does, and tell more about it."""
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
        exchange = _Exchange(parsed, transport, settings, NO_COOKIE)
        return exchange.response(_failure(parsed, wrong))
    if parsed.has_tsig:
        return HandOver.TSIG
    exchange = _Exchange(parsed, transport, settings, _cookie(parsed, settings, client))
    refused = _check(parsed, exchange.cookie.verdict)
    if refused is None and (others := _others(parsed, settings)):
        return others
    return exchange.response(refused or _answer_class(table, parsed, transport, settings))


def _others(query: Query, settings: AnswerSettings) -> HandOver | None:
    """Return why a query is others' to answer; EXPIRE means something for a SOA (RFC 7314 3)."""
    if query.qclass != CLASS_IN:
        return None
    if query.qtype in (AXFR, IXFR):
        return HandOver.TRANSFER
    wants_expire = query.edns is not None and query.edns.has(edns.EXPIRE)
    return HandOver.EXPIRE if wants_expire and settings.expire and query.qtype == SOA else None


def brief_response(
    query: bytes, settings: AnswerSettings, client: Client | None, *, badcookie: bool
) -> bytes:
    """Return an answer without any records to a datagram that ``respond`` has answered.

    It is truncated: the client comes back over TCP, which nobody does who forged an address. With
    ``badcookie``, a client that sent a cookie is told to come back with the one it gets here (RFC
    7873 5.2.3).
    """
    parsed = message.parse_query(query)
    cookie = _cookie(parsed, settings, client)
    answer = _failure(parsed, Rcode.NOERROR)
    if badcookie and cookie.verdict in (Verdict.CLIENT_ONLY, Verdict.INVALID):
        answer.rcode = Rcode.BADCOOKIE
    else:
        answer.truncated = True
    return _Exchange(parsed, Transport.UDP, settings, cookie).response(answer).message


def _cookie(query: Query, settings: AnswerSettings, client: Client | None) -> Cookie:
    value = query.edns.value(edns.COOKIE) if query.edns else None
    return NO_COOKIE if value is None else cookies.answer(value, client, settings.cookie_secrets)


def _check(query: Query, cookie: Verdict) -> Answer | None:
    """Return the answer to a query that is not looked into, ``None`` for any other."""
    if query.header.opcode != Opcode.QUERY:
        return _failure(query, Rcode.NOTIMP)
    # RFC 6891 6.1.3: a version above ours "MUST" be answered with BADVERS.
    if query.edns is not None and query.edns.version > edns.VERSION:
        return _failure(query, Rcode.BADVERS)
    if cookie is Verdict.MALFORMED:  # RFC 7873 5.2.2
        return _failure(query, Rcode.FORMERR)
    if not query.qname:
        return _failure(query, WITHOUT_QUESTION[cookie])
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


@dataclass(frozen=True, slots=True)
class _Exchange:
    """A query that is understood, and what its response has to keep to whatever it says."""

    query: Query
    transport: Transport
    settings: AnswerSettings
    cookie: Cookie

    def response(self, answer: Answer) -> Response:
        """Return the message: RRsets in whole, TC if a required one did not fit (RFC 2181 9).

        Nothing is written behind a required RRset that does not fit; others that do not are passed
        over. Room for the OPT record is kept from the start.
        """
        writer = Writer(self._limit() - self.settings.reserve)
        if self.query.qname:
            writer.question(self.query)
        opt = self._opt(answer, MINIMUM_UDP - self.settings.reserve - len(writer))
        writer.limit -= len(opt)
        flags = self._flags(answer)
        if not _write_sections(writer, answer):
            flags |= message.TC
        if opt:
            writer.opt(self._padded(opt, len(writer)))
        octets = writer.finish(self.query.header.id, flags)
        return Response(octets, answer.kind, answer.subject, self.cookie.verdict)

    def _limit(self) -> int:
        """Return the octets that a response may have (RFC 6891 6.2.3 to 6.2.5)."""
        if self.transport is not Transport.UDP:
            return MAXIMUM
        wanted = self.query.edns.udp_size if self.query.edns else MINIMUM_UDP
        return max(MINIMUM_UDP, min(wanted, self.settings.udp_limit))

    def _flags(self, answer: Answer) -> int:
        """Return the header's second field.

        RD is copied (RFC 1035 4.1.1), CD too (RFC 4035 3.1.6); AD and RA are never set: nothing is
        validated or looked up elsewhere.
        """
        flags = message.QR | self.query.header.opcode << 11 | answer.rcode & 0xF
        if answer.authoritative:
            flags |= message.AA
        if answer.truncated:
            flags |= message.TC
        return flags | self.query.header.flags & (message.RD | message.CD)

    def _opt(self, answer: Answer, room: int) -> bytes:
        """Return the OPT record: for a query that has one (RFC 6891 6.1.1), and for no other."""
        if self.query.edns is None:
            return b""
        return edns.record(
            rcode=answer.rcode,
            udp_size=self.settings.udp_limit,
            dnssec_ok=self.query.edns.dnssec_ok,
            options=self._options(self.query.edns, answer),
            room=room,
        )

    def _padded(self, opt: bytes, written: int) -> bytes:
        """Hide how long the response is, from those who see it encrypted only (RFC 7830 6)."""
        wanted = self.query.edns is not None and self.query.edns.has(edns.PADDING)
        if self.transport is not Transport.TLS or not wanted:
            return opt
        reserve = self.settings.reserve
        return edns.padded(opt, written + len(opt), reserve=reserve, limit=MAXIMUM - reserve)

    def _options(self, asked: Edns, answer: Answer) -> list[edns.Option]:
        """Return the options of the OPT record; a cookie is first, and always has room."""
        settings, options = self.settings, []
        if self.cookie.value:
            options.append((edns.COOKIE, self.cookie.value))
        if asked.has(edns.NSID) and settings.identity:  # RFC 5001 2.2
            options.append((edns.NSID, settings.identity.encode()))
        # RFC 7828 3.3.2: for those who ask; over UDP the option means nothing.
        is_stream = self.transport is not Transport.UDP
        if is_stream and settings.keepalive and asked.has(edns.TCP_KEEPALIVE):
            options.append((edns.TCP_KEEPALIVE, settings.keepalive.to_bytes(2, "big")))
        if asked.has(edns.ZONEVERSION) and answer.content is not None:
            options += _zone_version(answer.content)
        if answer.error is not None:
            options.append(answer.error.option)
        return options


def _zone_version(content: ZoneVersion) -> list[edns.Option]:
    """Return the version of the zone that the name asked for is in, whatever the answer is.

    RFC 9660 3.2: what the query's option holds is ignored. Of a referral it is the zone that
    refers, of an alias the zone that the alias is in.
    """
    apex = content.node(content.apex)
    soa = apex.rrsets.get(SOA) if apex else None
    if soa is None:
        return []
    return [edns.zone_version(label_count(content.apex), soa.rdatas[0][-20:-16])]


def _write_sections(writer: Writer, answer: Answer) -> bool:
    """Tell whether everything required found room."""
    for section, entries in answer.sections.items():
        for entry in entries:
            if not writer.entry(section, entry) and entry.required:
                return False
    return True
