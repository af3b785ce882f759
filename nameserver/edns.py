"""EDNS(0): the OPT record of a query and of its response (RFC 6891)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from zones.errors import WireError

OPT: Final = 41
VERSION: Final = 0
DNSSEC_OK: Final = 0x8000  # RFC 3225 3
NSID: Final = 3  # RFC 5001
EXPIRE: Final = 9  # RFC 7314
COOKIE: Final = 10  # RFC 7873
TCP_KEEPALIVE: Final = 11  # RFC 7828
PADDING: Final = 12  # RFC 7830
BLOCK: Final = 468  # octets: RFC 8467 4.1 has responses padded to a multiple of this
EXTENDED_ERROR: Final = 15  # RFC 8914
ZONEVERSION: Final = 19  # RFC 9660

# Extended error codes, RFC 8914 4.
NOT_READY: Final = 14  # "not fully functional when the query was received"
BLOCKED: Final = 15  # "due to an internal security policy imposed by the operator of the server"
NOT_AUTHORITATIVE: Final = 20
INVALID_DATA: Final = 24  # "its most recent zone being too old or having expired"

Option = tuple[int, bytes]

_HEAD: Final = struct.Struct("!BHHIH")  # root owner, type, class, TTL, RDLENGTH
_OPTION: Final = struct.Struct("!HH")


@dataclass(frozen=True, slots=True)
class Edns:
    """What the OPT record of a query says; sizes in octets."""

    udp_size: int
    version: int
    dnssec_ok: bool
    options: tuple[Option, ...] = ()

    def has(self, code: int) -> bool:
        """Tell whether an option was sent; one that is not known here is passed over (6.1.2)."""
        return any(code == option for option, _ in self.options)

    def value(self, code: int) -> bytes | None:
        """Return the value of an option, of the first one where there are several."""
        return next((value for option, value in self.options if option == code), None)


@dataclass(frozen=True, slots=True)
class ExtendedError:
    """Why a query was not answered (RFC 8914); ``text`` is for people."""

    code: int
    text: str = ""

    @property
    def option(self) -> Option:
        """Return it as an EDNS option."""
        return EXTENDED_ERROR, self.code.to_bytes(2, "big") + self.text.encode()


def parse(rclass: int, ttl: int, rdata: bytes) -> Edns:
    """Return the meaning of an OPT record's fields (RFC 6891 6.1.3); raises ``WireError``."""
    return Edns(
        udp_size=rclass,
        version=ttl >> 16 & 0xFF,
        dnssec_ok=bool(ttl & DNSSEC_OK),
        options=_options(rdata),
    )


def _options(rdata: bytes) -> tuple[Option, ...]:
    found = []
    position = 0
    while position < len(rdata):
        if position + _OPTION.size > len(rdata):
            raise WireError("an EDNS option is cut short")
        code, length = _OPTION.unpack_from(rdata, position)
        position += _OPTION.size
        if position + length > len(rdata):
            raise WireError(f"EDNS option {code} is longer than the OPT record")
        found.append((code, rdata[position : position + length]))
        position += length
    return tuple(found)


def record(
    *, rcode: int, udp_size: int, dnssec_ok: bool, options: list[Option], room: int
) -> bytes:
    """Return the OPT record of a response; options that ``room`` octets do not hold are left out.

    ``rcode`` is the whole one: its upper eight bits stand here (6.1.3). The DO bit is copied from
    the query (RFC 3225 3).
    """
    rdata = b""
    for code, value in options:
        option = _OPTION.pack(code, len(value)) + value
        if _HEAD.size + len(rdata) + len(option) <= room:
            rdata += option
    ttl = (rcode >> 4) << 24 | VERSION << 16 | (DNSSEC_OK if dnssec_ok else 0)
    return _HEAD.pack(0, OPT, udp_size, ttl, len(rdata)) + rdata


def zone_version(apex_labels: int, serial: bytes) -> Option:
    """Return which version of a zone an answer is from (RFC 9660 2): type 0 is the SOA's serial."""
    return ZONEVERSION, bytes((apex_labels, 0)) + serial


def with_expire(message: bytes, start: int, seconds: int) -> bytes:
    """Return a response with EXPIRE in the OPT record that begins at ``start`` and ends it.

    RFC 7314 2 has the option.
    """
    at = start + _HEAD.size
    length = len(message) - at + _OPTION.size + 4
    option = _OPTION.pack(EXPIRE, 4) + seconds.to_bytes(4, "big")
    return message[: at - 2] + length.to_bytes(2, "big") + message[at:] + option


def padded(opt: bytes, size: int, *, reserve: int, limit: int) -> bytes:
    """Return an OPT record with padding (RFC 8467 4.1), or as it is where there is no room.

    ``size`` is that of the message with the record, which ends it; ``reserve`` octets follow.
    """
    size += _OPTION.size
    if size > limit:
        return opt
    count = min(-(size + reserve) % BLOCK, limit - size)
    length = len(opt) - _HEAD.size + _OPTION.size + count
    head = opt[: _HEAD.size - 2] + length.to_bytes(2, "big")
    return head + opt[_HEAD.size :] + _OPTION.pack(PADDING, count) + bytes(count)
