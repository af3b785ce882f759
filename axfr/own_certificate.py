"""Our certificate towards primaries that ask for one (RFC 9103 9.3.3), from files in PEM form."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Final, TypeAlias

RULE: Final = "tls-own-certificate"

# The ends of what OpenSSL calls the alert by which a primary tells what it thinks of us.
ALERTS: Final = {
    "CERTIFICATE_REQUIRED": "it wants a certificate from us, and none is set",
    "UNKNOWN_CA": "it does not know the issuer of our certificate",
    "CERTIFICATE_EXPIRED": "it says that our certificate has expired",
    "BAD_CERTIFICATE": "it does not accept our certificate",
    "CERTIFICATE_UNKNOWN": "it does not accept our certificate",
    "UNSUPPORTED_CERTIFICATE": "it does not accept our certificate",
    "ACCESS_DENIED": "it does not let us in with our certificate",
}

Seen: TypeAlias = tuple[tuple[int, int, int], ...]  # inode, time of change and size of each file


def seen(files: Iterable[Path]) -> Seen:
    """Return what changes whenever one of the files does; zeros for one that is not there."""
    found = []
    for path in files:
        try:
            stat = path.stat()
        except OSError:
            found.append((0, 0, 0))
        else:
            found.append((stat.st_ino, stat.st_mtime_ns, stat.st_size))
    return tuple(found)


class UnusableCertificate(Exception):
    """The files have no certificate and key that fit each other; ``reason`` is a phrase."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class OwnCertificate:
    """The files; ``key`` may stand in that of the certificate. A changed file counts at once."""

    def __init__(self, certificate: Path, key: Path | None = None) -> None:
        self._certificate = certificate
        self._key = key

    def seen(self) -> Seen:
        """Return what changes whenever one of the files does."""
        return seen(self._files())

    def load_into(self, context: ssl.SSLContext) -> None:
        """Have a context show the certificate to who asks; raises ``UnusableCertificate``."""
        for path in self._files():
            if not path.is_file():
                raise UnusableCertificate(f"our certificate cannot be used: no file {path}")
        try:
            context.load_cert_chain(self._certificate, self._key, password=lambda: "")
        except (OSError, ValueError):  # errors of TLS are among them
            files = " and ".join(map(str, self._files()))
            raise UnusableCertificate(
                f"our certificate cannot be used: {files} must have a certificate and the key that"
                " fits it, without a password, in PEM form"
            ) from None

    def _files(self) -> list[Path]:
        return [path for path in (self._certificate, self._key) if path is not None]


def said_of_us(error: Exception) -> str:
    """Return what is wrong with our certificate, by the primary or by us, empty where nothing is."""
    if isinstance(error, UnusableCertificate):
        return error.reason
    reason = (getattr(error, "reason", None) or "") if isinstance(error, ssl.SSLError) else ""
    return next((told for end, told in ALERTS.items() if reason.endswith(f"ALERT_{end}")), "")


def said_by_closing(error: Exception | None, *, at_once: bool) -> str:
    """Return what a primary that ended a connection thinks of our certificate, empty for nothing.

    ``at_once`` tells that TLS was agreed on, and no octet came after it. Some (BIND) close without
    a word then.
    """
    if error is not None and (told := said_of_us(error)):
        return told
    if at_once and (error is None or isinstance(error, ConnectionError)):
        return (
            "it closed the connection as soon as TLS was agreed on, as primaries do that want a"
            " certificate from us, or another one"
        )
    return ""
