"""TLS towards primaries (RFC 9103): the contexts, pins, and what went wrong as a sentence.

Strict throughout: a primary that is not who it should be is not asked, and never without TLS.
"""

from __future__ import annotations

import base64
import hashlib
import ssl
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cachetools import LRUCache

from axfr import own_certificate
from axfr.own_certificate import OwnCertificate, Seen
from zones.secondary import Primary, PrimaryTls

ALPN: Final = "dot"  # RFC 9103 7.1
NO_TLS: Final = "tls-failed"
WRONG_CERTIFICATE: Final = "tls-certificate"
MOST_CONTEXTS: Final = 1024

# By the numbers of X.509 verification errors in OpenSSL.
CERTIFICATE_REASONS: Final = {
    9: "its certificate is not valid yet",
    10: "its certificate has expired",
    18: "its certificate is signed by itself, not by a known issuer",
    19: "its certificate is signed by itself, not by a known issuer",
    20: "its certificate comes from an unknown issuer",
    21: "its certificate comes from an unknown issuer",
    62: "its certificate is not for {name}",
    64: "its certificate is not for {name}",
}


class PinMismatch(Exception):
    """A certificate with another public key than the one agreed on; ``found`` is its pin."""

    def __init__(self, found: str) -> None:
        super().__init__(found)
        self.found = found


class Contexts:
    """The contexts for connections to primaries, by how these are known.

    ``own`` is what we show of ourselves; after a change of its files contexts are made anew.
    """

    def __init__(self, own: OwnCertificate | None = None) -> None:
        self._own = own
        self._made: LRUCache[PrimaryTls, tuple[Seen, ssl.SSLContext]] = LRUCache(MOST_CONTEXTS)

    def of(self, tls: PrimaryTls) -> ssl.SSLContext:
        """Return the context for primaries known in this way.

        Raises ``ssl.SSLError`` and ``UnusableCertificate``.
        """
        seen = self._own.seen() if self._own else ()
        made = self._made.get(tls)
        if made is None or made[0] != seen:
            made = self._made[tls] = seen, self._make(tls)
        return made[1]

    def _make(self, tls: PrimaryTls) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3  # RFC 9103 7.2
        context.set_alpn_protocols([ALPN])
        if tls.pin:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        elif tls.ca:
            context.load_verify_locations(cadata=tls.ca)
        else:
            context.load_default_certs()
        if self._own is not None:
            self._own.load_into(context)
        return context


def server_name(primary: Primary) -> str:
    """Return the name that the certificate has to have, the address where none is agreed on."""
    assert primary.tls is not None
    return primary.tls.name or primary.address


def pin_of(certificate: bytes) -> str:
    """Return the pin of a certificate in DER form: the SHA-256 of its public key, in base64."""
    # Few primaries are pinned, and this takes eight megabytes.
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    public_key = x509.load_der_x509_certificate(certificate).public_key()
    octets = public_key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(hashlib.sha256(octets).digest()).decode()


@dataclass(frozen=True, slots=True)
class Shown:
    """What a primary's certificate says, and until when; ``pin`` is that of its key."""

    names: tuple[str, ...]
    issuer: str
    ends: datetime
    pin: str

    @classmethod
    def of(cls, certificate: bytes) -> Shown:
        """Return what a certificate in DER form says."""
        from cryptography import x509  # noqa: PLC0415  as in ``pin_of``: eight megabytes

        found = x509.load_der_x509_certificate(certificate)
        names: list[str] = []
        try:
            alternative = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        except x509.ExtensionNotFound:
            pass
        else:
            names += alternative.value.get_values_for_type(x509.DNSName)
            names += map(str, alternative.value.get_values_for_type(x509.IPAddress))
        issuer = found.issuer.rfc4514_string() or "nobody by name"
        return cls(tuple(names), issuer, found.not_valid_after_utc, pin_of(certificate))


def check_pin(tls: PrimaryTls, secured: ssl.SSLObject) -> None:
    """Raise ``PinMismatch`` where a connection is not to who is pinned."""
    if tls.pin:
        found = pin_of(secured.getpeercert(binary_form=True) or b"")
        if found != tls.pin:
            raise PinMismatch(found)


def reason_of(error: Exception, primary: Primary) -> tuple[str, str]:
    """Return the rule that a failed handshake broke, and a sentence."""
    if told := own_certificate.said_of_us(error):
        return own_certificate.RULE, told
    if isinstance(error, PinMismatch):
        return WRONG_CERTIFICATE, f"its certificate has another key than the pin: {error.found}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return WRONG_CERTIFICATE, _certificate_reason(error, primary)
    if isinstance(error, ssl.SSLError):
        return NO_TLS, _handshake_reason(error)
    if isinstance(error, TimeoutError) or "longer than" in str(error):
        return NO_TLS, "it took the connection and said nothing of TLS"
    return NO_TLS, "it broke the connection off before TLS 1.3 was agreed on"


def _certificate_reason(error: ssl.SSLCertVerificationError, primary: Primary) -> str:
    if (reason := CERTIFICATE_REASONS.get(error.verify_code)) is not None:
        return reason.format(name=server_name(primary))
    return f"its certificate cannot be verified: {error.verify_message}"


def _handshake_reason(error: ssl.SSLError) -> str:
    reason = error.reason or ""
    if reason in ("WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST"):
        return "there is no TLS on that port"
    if "PROTOCOL_VERSION" in reason or reason == "UNSUPPORTED_PROTOCOL":
        return "it does not offer TLS 1.3"
    if "NO_APPLICATION_PROTOCOL" in reason:
        return "it does not know the protocol dot (RFC 9103)"
    told = reason.replace("_", " ").lower() or str(error)
    return f"no TLS came about: {told}"
