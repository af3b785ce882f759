"""TLS: the server's certificate, loaded anew when it changes, and what a client showed of itself."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import structlog

from axfr.own_certificate import Seen, seen
from zones.errors import DNSError

log = structlog.get_logger()

ALPN: Final = "dot"  # RFC 7858 3.1 has none, RFC 9103 7.1 does
SOON: Final = 14 * 86_400  # seconds before its end at which a certificate is worth a warning


class TlsError(DNSError):
    """A certificate or key that cannot be used."""


@dataclass(frozen=True, slots=True)
class Session:
    """What a connection of TLS tells: its version, and the names in the client's certificate.

    There are names only where the certificate was verified.
    """

    version: str = ""
    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, secured: ssl.SSLObject) -> Session:
        """Return that of a connection after its handshake."""
        shown: dict[str, Any] = secured.getpeercert() or {}
        names = {value for kind, value in shown.get("subjectAltName", ()) if kind == "DNS"}
        if not names:  # RFC 6125 6.4.4: where there is no other name
            parts = [pair for part in shown.get("subject", ()) for pair in part]
            names = {value for kind, value in parts if kind == "commonName"}
        return cls(secured.version() or "", frozenset(str(name).lower() for name in names))

    @property
    def may_carry_transfers(self) -> bool:
        """Tell whether it is what RFC 9103 7.2 asks for."""
        return self.version == "TLSv1.3"


class Certificate:
    """The server's certificate and key, and the issuers of its clients' certificates.

    All are files in PEM form; ``key`` may stand in that of the certificate. ``context`` is for new
    connections, and another one after each change. Raises ``TlsError``.
    """

    def __init__(self, certificate: Path, key: Path | None, client_ca: Path | None) -> None:
        self._certificate = certificate
        self._key = key
        self._client_ca = client_ca
        self._tried: Seen = ()
        self.context = self._load()

    def renew(self, now: float, *, force: bool = False) -> bool:
        """Load the files again where one has changed; tell whether that was done.

        Files that cannot be used are told in the log, once, and those before them stay in use.
        """
        if not force and seen(self._files()) == self._tried:
            return False
        try:
            self.context = self._load()
        except TlsError as error:
            log.error("the new certificate is not used", reason=str(error))
            return False
        log.info("certificate loaded", certificate=str(self._certificate))
        self.warn(now)
        return True

    def warn(self, now: float) -> None:
        """Say so where the certificate has come to its end, or will soon."""
        from cryptography import x509  # noqa: PLC0415  ``Session`` is everywhere, certificates are not

        ends = x509.load_pem_x509_certificate(self._certificate.read_bytes()).not_valid_after_utc
        told = ends.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
        if ends <= datetime.fromtimestamp(now, UTC):
            log.error("certificate has ended", certificate=str(self._certificate), ended=told)
        elif ends.timestamp() - now < SOON:
            log.warning("certificate ends soon", certificate=str(self._certificate), ends=told)

    def _files(self) -> list[Path]:
        return [path for path in (self._certificate, self._key, self._client_ca) if path]

    def _load(self) -> ssl.SSLContext:
        self._tried = seen(self._files())
        for path in self._files():
            try:
                path.read_bytes()
            except OSError as error:
                raise TlsError(f"{path} cannot be read: {(error.strerror or '').lower()}") from None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
        context.set_alpn_protocols([ALPN])
        try:
            context.load_cert_chain(self._certificate, self._key, password=lambda: "")
        except (ssl.SSLError, ValueError) as error:
            raise TlsError(self._reason(error)) from None
        if self._client_ca is not None:
            context.verify_mode = ssl.CERT_OPTIONAL
            try:
                context.load_verify_locations(self._client_ca)
            except ssl.SSLError:
                raise TlsError(f"{self._client_ca} has no certificate of an issuer") from None
        return context

    def _reason(self, error: Exception) -> str:
        key = self._key or self._certificate
        reason = getattr(error, "reason", "") or ""
        if reason == "KEY_VALUES_MISMATCH":
            return f"the key in {key} is not that of the certificate in {self._certificate}"
        if "BAD_DECRYPT" in reason or "BAD_PASSWORD" in reason or "PASSWORD" in str(error).upper():
            return f"the key in {key} is encrypted: store it without a password"
        return f"{self._certificate} and {key} have no usable certificate and key in PEM form"
