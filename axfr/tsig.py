"""Transaction signatures (RFC 8945) on whole messages in wire form.

The cryptography is dnspython's. Messages are never parsed record by record: one message of a
transfer holds thousands of answers, and only the last record of the last section is of interest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

import dns.exception
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.TSIG
import dns.tsig

from axfr.message import (
    CLASS_ANY,
    HEADER,
    NOTAUTH,
    QR,
    QUESTION_TAIL,
    RECORD_HEAD,
    TSIG,
    iter_records,
    read_header,
    read_name,
)
from zones.errors import WireError
from zones.name import Name, fold
from zones.secondary import TsigKey

FUDGE: Final = 300  # seconds; RFC 8945 10
BADSIG, BADKEY, BADTIME = 16, 17, 18
MAX_UNSIGNED: Final = 99  # messages between two signed ones; RFC 8945 5.3.1

# Two names, the fixed fields and the longest MAC take less than this many octets.
TAIL: Final = 1024
TYPE_OCTETS: Final = TSIG.to_bytes(2, "big")  # without them anywhere there is no TSIG record

# dnspython leaves these untyped.
TsigRdata: TypeAlias = dns.rdtypes.ANY.TSIG.TSIG
_new_rdata: Callable[..., TsigRdata] = dns.rdtypes.ANY.TSIG.TSIG
_sign: Callable[..., Any] = dns.tsig.sign
_validate: Callable[..., Any] = dns.tsig.validate

_HMAC_MD5 = "hmac-md5.sig-alg.reg.int"


class TsigError(WireError):
    """A response is not signed as it must be; ``rule`` is an id in ``axfr.refusal.RULES``."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(reason, NOTAUTH)
        self.rule = rule


@dataclass(frozen=True, slots=True)
class _Found:
    """The TSIG record of a message: where it starts, its owner and its rdata."""

    start: int
    owner: Name
    rdata: TsigRdata


@lru_cache(maxsize=1024)
def _dnspython_key(key: TsigKey) -> dns.tsig.Key:
    algorithm = _HMAC_MD5 if key.algorithm.lower() == "hmac-md5" else key.algorithm.lower()
    return dns.tsig.Key(
        dns.name.from_wire(key.name, 0)[0], key.secret, dns.name.from_text(algorithm)
    )


def _find(message: bytes, likely: Name | None = None) -> _Found | None:
    """Return the TSIG record of a message, ``None`` where it has none; raises ``WireError``.

    With the ``likely`` owner it is looked for from the end first. A wrong guess cannot pass for
    a right one: the MAC covers everything before the record.
    """
    if not read_header(message).additionals or TYPE_OCTETS not in message:
        return None
    start = _guess(message, likely) if likely else None
    if start is None:
        start = _walk(message)
        if start is None:
            return None
    owner, position = read_name(message, start)
    _rtype, rclass, ttl, length = RECORD_HEAD.unpack_from(message, position)
    position += RECORD_HEAD.size
    if rclass != CLASS_ANY or ttl != 0:
        raise WireError("the TSIG record is not of class ANY and TTL 0 (RFC 8945 4.2)")
    try:
        rdata = dns.rdata.from_wire(
            dns.rdataclass.ANY, dns.rdatatype.TSIG, message, position, length
        )
    except (dns.exception.DNSException, ValueError) as error:
        raise WireError("the TSIG record does not parse") from error
    assert isinstance(rdata, TsigRdata)
    return _Found(start, owner, rdata)


def _guess(message: bytes, owner: Name) -> int | None:
    """Return where a TSIG record of this owner closes the message."""
    head = owner + TSIG.to_bytes(2, "big") + CLASS_ANY.to_bytes(2, "big") + bytes(4)
    base = max(HEADER.size, len(message) - TAIL)
    found = fold(message[base:]).rfind(head)
    if found < 0:
        return None
    start = base + found
    position = start + len(head)
    length = int.from_bytes(message[position : position + 2], "big")
    return start if position + 2 + length == len(message) else None


def _walk(message: bytes) -> int | None:
    header = read_header(message)
    count = header.answers + header.authorities + header.additionals
    for number, record in enumerate(iter_records(message), start=1):
        if record.rtype != TSIG:
            continue
        if number != count or record.end != len(message):
            raise WireError("a TSIG record is not the last one (RFC 8945 5.1)")
        return record.start
    return None


def _append(message: bytes, owner: Name, rdata: dns.rdata.Rdata) -> bytes:
    """Return the message with a TSIG record added."""
    data = rdata.to_wire()
    assert data is not None
    additionals = int.from_bytes(message[10:12], "big") + 1
    return b"".join(
        (
            message[:10],
            additionals.to_bytes(2, "big"),
            message[12:],
            owner,
            RECORD_HEAD.pack(TSIG, CLASS_ANY, 0, len(data)),
            data,
        )
    )


def _without(message: bytes, found: _Found) -> bytes:
    """Return the message as it was before it was signed."""
    additionals = int.from_bytes(message[10:12], "big") - 1
    return message[:10] + additionals.to_bytes(2, "big") + message[12 : found.start]


def _unsigned_rdata(
    key: dns.tsig.Key, message_id: int, error: int = 0, other: bytes = b"", when: int = 0
) -> TsigRdata:
    return _new_rdata(
        dns.rdataclass.ANY,
        dns.rdatatype.TSIG,
        key.algorithm,
        when,
        FUDGE,
        b"",
        message_id,
        dns.rcode.Rcode.make(error),
        other,
    )


class Signer:
    """Signs one message, or the messages of one response to a signed request, in order."""

    def __init__(self, key: TsigKey, request_mac: bytes = b"") -> None:
        self._key = key
        self._request_mac = request_mac
        self._context: Any = None
        self.mac = b""  # of the last message signed

    @property
    def octets(self) -> int:
        """Return how many octets the TSIG record takes (RFC 8945 4.2)."""
        key = _dnspython_key(self._key)
        algorithm = key.algorithm.to_wire()
        assert algorithm is not None
        fixed = RECORD_HEAD.size + 16  # time, fudge, three lengths, id, error
        return len(self._key.name) + fixed + len(algorithm) + dns.tsig.mac_sizes[key.algorithm]

    def sign(self, message: bytes, now: float) -> bytes:
        """Return ``message`` with its TSIG record; from the second on as RFC 8945 5.3.1 says."""
        key = _dnspython_key(self._key)
        rdata = _unsigned_rdata(key, int.from_bytes(message[:2], "big"))
        try:
            signed, self._context = _sign(
                message, key, rdata, int(now), self._request_mac, self._context, multi=True
            )
        except NotImplementedError:
            reason = f"our key is of an algorithm that is not supported: {self._key.algorithm}"
            raise TsigError("key-unusable", reason) from None
        self.mac = bytes(signed.mac)
        return _append(message, self._key.name, signed)


class ResponseVerifier:
    """Verifies the message or messages that answer one signed request, in order.

    Raises ``TsigError`` and ``WireError``.
    """

    def __init__(self, key: TsigKey, request_mac: bytes) -> None:
        self._key = key
        self._request_mac = request_mac
        self._context: Any = None
        self._unsigned = 0
        self._first = True

    def verify(self, message: bytes, now: float) -> None:
        """Check the next message; one without TSIG may stand between signed ones."""
        found = _find(message, self._key.name)
        if found is None:
            self._skip(message)
            return
        _raise_peer_error(int(found.rdata.error))
        try:
            self._context = _validate(
                message,
                _dnspython_key(self._key),
                dns.name.from_wire(found.owner, 0)[0],
                found.rdata,
                int(now),
                self._request_mac,
                found.start,
                self._context,
                multi=True,
            )
        except dns.tsig.BadTime as error:
            raise TsigError("tsig-time", _clock_reason(found.rdata, now)) from error
        except (dns.tsig.BadKey, dns.tsig.BadAlgorithm) as error:
            raise TsigError(
                "tsig-wrong", "the answer is signed with another key or algorithm than ours"
            ) from error
        except (dns.exception.DNSException, NotImplementedError) as error:
            raise TsigError("tsig-wrong", "the signature of the answer does not verify") from error
        self._unsigned = 0
        self._first = False

    def _skip(self, message: bytes) -> None:
        self._unsigned += 1
        if self._first:
            raise TsigError("tsig-missing", "the answer is not signed, though our query was")
        if self._unsigned > MAX_UNSIGNED:
            raise TsigError(
                "tsig-missing", "more than 99 messages in a row are not signed (RFC 8945 5.3.1)"
            )
        self._context.update(message)

    def finish(self) -> None:
        """Check that the last message was a signed one."""
        if self._first or self._unsigned:
            raise TsigError("tsig-missing", "the last message of the answer is not signed")

    def raise_peer_error(self, message: bytes) -> None:
        """Raise ``TsigError`` where an error answer says that our signature is at fault."""
        found = _find(message, self._key.name)
        if found is not None:
            _raise_peer_error(int(found.rdata.error))


def _raise_peer_error(error: int) -> None:
    match error:
        case 0:
            return
        case 16:
            raise TsigError("tsig-wrong", "the primary says that our signature is wrong (BADSIG)")
        case 17:
            raise TsigError("tsig-wrong", "the primary does not know our key (BADKEY)")
        case 18:
            raise TsigError("tsig-time", "the primary says that our clock is wrong (BADTIME)")
        case _:
            raise TsigError("tsig-wrong", f"the primary answered with TSIG error {error}")


def _clock_reason(rdata: TsigRdata, now: float) -> str:
    return (
        f"the answer was signed {abs(int(now) - int(rdata.time_signed))} seconds away from our"
        f" time; {int(rdata.fudge)} are allowed"
    )


@dataclass(frozen=True, slots=True)
class Verified:
    """What became of the TSIG record of a request.

    ``error`` is 0, or the TSIG error to answer with; ``key`` is ``None`` where it is unknown;
    ``message`` is the request without the record.
    """

    key: TsigKey | None
    message: bytes
    error: int
    owner: Name
    rdata: TsigRdata
    now: float

    @property
    def ok(self) -> bool:
        """Tell whether the signature verified."""
        return not self.error

    def signer(self) -> Signer:
        """Return what signs the response; only where the request verified."""
        assert self.ok
        assert self.key is not None
        return Signer(self.key, bytes(self.rdata.mac))

    def error_answer(self) -> bytes:
        """Return the whole response to a request that did not verify (RFC 8945 5.2, 5.3.2).

        It is signed for BADTIME alone, with the server's time in it (5.2.3).
        """
        head = read_header(self.message)
        flags = QR | (head.flags & 0x7900) | NOTAUTH
        end = HEADER.size
        if head.questions:
            end = read_name(self.message, end)[1] + QUESTION_TAIL.size
        counts = (min(head.questions, 1), 0, 0, 0)
        answer = HEADER.pack(head.message_id, flags, *counts) + self.message[HEADER.size : end]
        if self.error != BADTIME or self.key is None:
            rdata = self.rdata.replace(
                mac=b"",
                error=dns.rcode.Rcode.make(self.error),
                other=b"",
                time_signed=int(self.now),
            )
            return _append(answer, self.owner, rdata)
        key = _dnspython_key(self.key)
        other = int(self.now).to_bytes(6, "big")
        # 5.2.3: the client's own time, so that it can verify the answer
        when = int(self.rdata.time_signed)
        blank = _unsigned_rdata(key, head.message_id, BADTIME, other, when)
        signed, _ = _sign(answer, key, blank, when, bytes(self.rdata.mac))
        return _append(answer, self.owner, signed)


def verify(wire: bytes, keyring: Mapping[Name, TsigKey], now: float) -> Verified | None:
    """Check the TSIG record of a request; ``None`` where it has none.

    Raises ``WireError`` (FORMERR) where the record is malformed or not the last one.
    """
    found = _find(wire)
    if found is None:
        return None
    message = _without(wire, found)
    key = keyring.get(found.owner)
    error = _request_error(wire, found, key, now)
    return Verified(key, message, error, found.owner, found.rdata, now)


def _request_error(wire: bytes, found: _Found, key: TsigKey | None, now: float) -> int:
    if key is None:
        return BADKEY
    try:
        _validate(
            wire,
            _dnspython_key(key),
            dns.name.from_wire(found.owner, 0)[0],
            found.rdata,
            int(now),
            b"",
            found.start,
        )
    except dns.tsig.BadTime:
        return BADTIME
    except (dns.tsig.BadKey, dns.tsig.BadAlgorithm):
        return BADKEY
    except (dns.exception.DNSException, NotImplementedError):
        return BADSIG
    return 0


def sign_request(message: bytes, key: TsigKey, now: float) -> tuple[bytes, ResponseVerifier]:
    """Return the signed request and what verifies the answers to it."""
    signer = Signer(key)
    signed = signer.sign(message, now)
    return signed, ResponseVerifier(key, signer.mac)
