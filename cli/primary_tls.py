"""How a primary is known over TLS, as the command line is told it."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Any, Final

import click

from nameserver.address import Address, BadAddress
from zones.secondary import PrimaryTls

DNS_PORT: Final = 53
TLS_PORT: Final = 853  # RFC 7858 3.1


def address_of(text: str, port: int) -> Address:
    """Return the address of a primary; ``port`` is that where none is given."""
    try:
        return Address.parse(text, port)
    except BadAddress as error:
        raise click.BadParameter(str(error), param_hint="--primary") from error


def primary_tls(
    *, tls: bool, name: str | None, ca: Path | None, pin: str | None
) -> PrimaryTls | None:
    """Return what the options say, ``None`` for a primary without TLS; raises ``UsageError``."""
    if not tls:
        options = (("--tls-name", name), ("--tls-ca", ca), ("--tls-pin", pin))
        given = [option for option, value in options if value]
        if given:
            raise click.UsageError(f"{' and '.join(given)} go with --tls")
        return None
    if pin and (name or ca):
        raise click.UsageError("a --tls-pin stands for name and issuer: leave those out")
    return PrimaryTls((name or "").rstrip(".").lower(), issuers(ca) if ca else "", digest(pin))


def issuers(path: Path) -> str:
    """Return the certificates in a file; raises ``UsageError`` where there is none."""
    from cryptography import x509

    try:
        text = path.read_text()
        x509.load_pem_x509_certificates(text.encode())
    except (OSError, ValueError) as error:
        raise click.UsageError(f"--tls-ca {path}: no certificate in PEM form") from error
    return text


def digest(pin: str | None) -> str:
    """Return a pin in base64; it may be given in hexadecimal too. Raises ``UsageError``."""
    if not pin:
        return ""
    try:
        is_hex = len(pin) == 64
        octets = bytes.fromhex(pin) if is_hex else base64.b64decode(pin, validate=True)
    except (ValueError, binascii.Error):
        octets = b""
    if len(octets) != 32:
        raise click.UsageError("--tls-pin: a SHA-256 has 64 hexadecimal digits, or 44 of base64")
    return base64.b64encode(octets).decode()


def as_data(tls: PrimaryTls | None) -> dict[str, Any] | None:
    """Return it for JSON; of the issuers only whether some were given."""
    if tls is None:
        return None
    return {
        "name": tls.name or None,
        "ca": "given" if tls.ca else "system" if not tls.pin else None,
        "pin": tls.pin or None,
    }
