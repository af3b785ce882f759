"""One message from the network to its answer: by ``respond``, by a transfer, by NOTIFY."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import structlog

from axfr import edns as axfr_edns
from axfr import message as dns_message
from axfr import outbound, outbound_changes, tsig
from axfr.log import line
from axfr.outbound import TransferQuery
from axfr.secondaries import Secondaries
from axfr.tsig import Signer
from nameserver import edns
from nameserver.access import Access
from nameserver.cookies import Client, packed
from nameserver.counters import Counters
from nameserver.differences import Differences
from nameserver.engine import Engine
from nameserver.message import Rcode
from nameserver.respond import AXFR, AnswerSettings, HandOver, Transport
from nameserver.table import ServedZone
from nameserver.tcp import Answer
from nameserver.tls import Session
from zones.errors import WireError
from zones.name import Name, display
from zones.serial import is_newer
from zones.version import ZoneVersion

log = structlog.get_logger()

_HEAD: Final = struct.Struct("!HHHHHH")
EXPIRE_OCTETS: Final = 8  # of the option (RFC 7314 2)
_ECHOED: Final = 0x7910  # opcode, RD and CD come back in an answer
_QR: Final = 0x8000
_TC: Final = 0x0200

Stream = AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Asker:
    """Who sent a message, and how; ``session`` where it came over TLS."""

    address: str
    port: int
    transport: Transport
    session: Session | None = None

    def __str__(self) -> str:
        return self.address + (" over TLS" if self.session else "")


class Dispatcher:
    """Answers whole messages; both listeners call it on the event loop.

    ``access`` is replaced when peers or keys change, ``settings`` when secrets do. Nothing that a message holds makes it raise:
    what is unexpected is counted, logged, and answered SERVFAIL.
    """

    def __init__(
        self,
        engine: Engine,
        settings: AnswerSettings,
        secondaries: Secondaries,
        counters: Counters,
        clock: Callable[[], float],
        *,
        differences: Differences | None = None,
    ) -> None:
        self.access = Access()
        self._differences = differences
        self.settings = settings
        self._engine = engine
        self._table = engine.table
        self._secondaries = secondaries
        self._counters = counters
        self._clock = clock

    def answer_datagram(self, message: bytes, address: str, port: int) -> bytes | None:
        """Return the answer to a datagram, ``None`` for silence."""
        answer = self._answer(message, Asker(address, port, Transport.UDP))
        return self._count("udp", answer if isinstance(answer, bytes) else None)

    def answer_stream(
        self, message: bytes, address: str, port: int, session: Session | None = None
    ) -> bytes | Stream | None:
        """Return the answer to a message of a connection; a transfer is several messages."""
        transport = Transport.TCP if session is None else Transport.TLS
        answer = self._answer(message, Asker(address, port, transport, session))
        if answer is None or isinstance(answer, bytes):
            return self._count(transport.value, answer)
        self._counters.count(f"{transport.value}.transfers")
        return answer

    def answer_of(self, session: Session | None) -> Answer:
        """Return what answers the messages of one connection over TLS."""
        return partial(self.answer_stream, session=session)

    def _count(self, transport: str, answer: bytes | None) -> bytes | None:
        self._counters.count(f"{transport}.queries")
        if answer is None:
            self._counters.count(f"{transport}.silence")
        else:
            self._counters.count(f"{transport}.rcode.{answer[3] & 0xF}")
        return answer

    def _answer(self, message: bytes, asker: Asker) -> bytes | Stream | None:
        try:
            client = Client(packed(asker.address), int(self._clock()))
            answer = self._engine.respond(message, asker.transport, self.settings, client)
            if isinstance(answer, HandOver):
                return self._handed_over(answer, message, asker)
        except WireError as error:
            return bare_answer(message, error.rcode)
        except Exception:  # a defect must cost one answer, not the service
            self._counters.count("internal-errors")
            log.exception(
                "a message could not be answered", client=asker.address, octets=message.hex()
            )
            return bare_answer(message, Rcode.SERVFAIL)
        return answer

    def _handed_over(self, kind: HandOver, message: bytes, asker: Asker) -> bytes | Stream | None:
        match kind:
            case HandOver.NOTIFY:
                return self._secondaries.answer_notify(message, asker.address, asker.port)
            case HandOver.TRANSFER:
                return self._transfer(message, asker, None)
            case HandOver.TSIG:
                return self._signed(message, asker)
            case HandOver.EXPIRE:
                return self._expiring(message, asker, self.settings)
            case HandOver.UPDATE:  # RFC 2136 is not offered: zones are edited by nsctl
                return bare_answer(message, Rcode.NOTIMP)

    def _signed(self, message: bytes, asker: Asker) -> bytes | Stream | None:
        """Answer a message that carries a TSIG record (RFC 8945 5.2)."""
        now = self._clock()
        verified = tsig.verify(message, self.access.keys, now)
        if verified is None:
            return bare_answer(message, Rcode.FORMERR)
        if not verified.ok:
            self._counters.count("tsig.failed")
            return verified.error_answer()
        signer = verified.signer()
        # RFC 8945 5.3: the signed response has to fit, too.
        settings = replace(self.settings, reserve=signer.octets)
        answer = self._engine.respond(verified.message, asker.transport, settings)
        if isinstance(answer, HandOver):
            if answer is HandOver.TRANSFER:
                return self._transfer(verified.message, asker, verified)
            if answer is HandOver.EXPIRE:
                answer = self._expiring(verified.message, asker, settings, is_verified=True)
        if isinstance(answer, HandOver):
            answer = bare_answer(verified.message, Rcode.NOTIMP)
        return None if answer is None else signer.sign(answer, now)

    def _expiring(
        self, message: bytes, asker: Asker, settings: AnswerSettings, *, is_verified: bool = False
    ) -> bytes | None:
        """Answer a query for a SOA, with how long the zone may be answered from it (RFC 7314)."""
        left = self._expires_in(dns_message.read_question(message).name)
        reserve = settings.reserve + (0 if left is None else EXPIRE_OCTETS)
        plain = replace(settings, expire=False, reserve=reserve)
        client = None if is_verified else Client(packed(asker.address), int(self._clock()))
        answer = self._engine.respond(message, asker.transport, plain, client)
        if not isinstance(answer, bytes):
            return None
        if left is None or answer[3] & 0xF or answer[6:8] == b"\0\0":
            return answer
        opt = max(record.start for record in dns_message.iter_records(answer))
        return edns.with_expire(answer, opt, left)

    def _expires_in(self, apex: Name) -> int | None:
        """Return the seconds that a zone has left, ``None`` where there are none to be told.

        Hosted zones, of which this is the primary, have what their SOA says (RFC 7314 3.1).
        """
        zone = self._table.get(apex)
        if zone is None or zone.content is None:
            return None
        if self._secondaries.state(apex) is not None:
            return self._secondaries.expires_in(apex)
        return int.from_bytes(zone.content.soa.rdatas[0][-8:-4], "big")

    # -- transfers out

    def _transfer(
        self,
        message: bytes,
        asker: Asker,
        verified: tsig.Verified | None,
    ) -> bytes | Stream:
        query = outbound.parse_transfer_query(message)
        opt = axfr_edns.answering(message, self._expires_in(query.apex))
        query = replace(query, opt=opt)
        signer = verified.signer() if verified else None
        key = verified.key.name if verified and verified.key else None
        zone = self._table.get(query.apex)
        refusal = self._refusal(zone, query, asker, key)
        address = str(asker)
        if refusal is not None or zone is None or zone.content is None:
            rcode = Rcode.SERVFAIL if refusal is None else refusal
            self._log(query, address, rcode.name, key)
            return outbound.error_answer(query, rcode, signer=signer, now=self._clock())
        if asker.transport is Transport.UDP:
            return self._datagram(zone.content, query, signer)
        return self._messages(zone.content, query, signer, address, key)

    def _log(
        self, query: TransferQuery, address: str, told: str, key: Name | None, kind: str = ""
    ) -> None:
        kind = kind or ("AXFR" if query.qtype == AXFR else "IXFR")
        signed = f", key {display(key)}" if key else ""
        text = line(query.apex, kind, "outgoing, to", address + signed, told)
        log.info(text)

    def _refusal(
        self,
        zone: ServedZone | None,
        query: TransferQuery,
        asker: Asker,
        key: Name | None,
    ) -> Rcode | None:
        """Return why a transfer is not given, ``None`` where it is (RFC 5936 2.2.1)."""
        if zone is None:
            return Rcode.NOTAUTH
        if not self.access.may_transfer(query.apex, asker.address, key, asker.session):
            return Rcode.REFUSED
        if asker.transport is Transport.UDP and query.qtype == AXFR:  # RFC 5936 4.2
            return Rcode.FORMERR
        return Rcode.SERVFAIL if zone.content is None else None

    def _datagram(self, content: ZoneVersion, query: TransferQuery, signer: Signer | None) -> bytes:
        """Answer an IXFR over UDP: what does not fit is told by the SOA alone (RFC 1995 2)."""
        now = self._clock()
        if self._differences is not None and _is_behind(query, content):
            changes = self._differences.known(content, query.serial or 0)
            if changes is not None and changes.octets <= outbound_changes.MOST_UDP:
                whole = outbound_changes.change_datagram(changes, query, signer=signer, now=now)
                if whole is not None:
                    return whole
        return outbound.soa_only(content, query, signer=signer, now=now)

    async def _messages(
        self,
        content: ZoneVersion,
        query: TransferQuery,
        signer: Signer | None,
        address: str,
        key: Name | None,
    ) -> Stream:
        """Yield the messages of a transfer; others are served between any two of them."""
        changes = None
        if self._differences is not None and _is_behind(query, content):
            changes = await self._differences.find(content, query.serial or 0)
        now = self._clock()
        if changes is not None:
            told = f"serial {changes.serial} to {content.serial}, {len(changes.records)} records"
            self._log(query, address, told, key)
            messages = outbound_changes.change_messages(changes, query, signer=signer, now=now)
        else:
            whole = query.serial is None or _is_behind(query, content)
            told = f"serial {content.serial}"
            told += f", {content.record_count} records" if whole else ", up to date"
            self._log(query, address, told, key, "AXFR" if whole else "IXFR")
            messages = outbound.transfer_messages(content, query, signer=signer, now=now)
        for message in messages:
            yield message
            await asyncio.sleep(0)


def _is_behind(query: TransferQuery, content: ZoneVersion) -> bool:
    """Tell whether the client of an IXFR has an older version."""
    return query.serial is not None and is_newer(content.serial, query.serial)


def bare_answer(message: bytes, rcode: int) -> bytes | None:
    """Return an answer without any records, ``None`` where none may be sent (RFC 1035 4.1.1)."""
    if len(message) < _HEAD.size:
        return None
    identity, flags, *_counts = _HEAD.unpack_from(message)
    if flags & _QR:
        return None
    return _HEAD.pack(identity, _QR | flags & _ECHOED | rcode, 0, 0, 0, 0)
