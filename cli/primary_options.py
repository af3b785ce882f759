"""How primaries are asked, as the command line is told it: key, TLS, our address, how many at once."""

from __future__ import annotations

import base64
import binascii
import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import click

from cli.arguments import KEY
from nameserver.address import Address, BadAddress
from zones.name import Name, display
from zones.secondary import Primary, PrimaryTls

DNS_PORT: Final = 53
TLS_PORT: Final = 853  # RFC 7858 3.1

OPTIONS: Final = (
    click.option("--key", type=KEY, metavar="NAME", help="TSIG key towards the primaries."),
    click.option(
        "--tls", is_flag=True, help="Over TLS alone (RFC 9103); the port is 853 by default."
    ),
    click.option("--tls-name", metavar="NAME", help="The name in the primary's certificate."),
    click.option(
        "--tls-ca",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Who issued it, in PEM form; default: the issuers that the system trusts.",
    ),
    click.option(
        "--tls-pin",
        metavar="SHA256",
        help="Instead of name and issuer: the digest of its public key.",
    ),
    click.option(
        "--source",
        "sources",
        multiple=True,
        metavar="ADDR",
        help="Our address to ask from; once for IPv4 and once for IPv6.  [default: as set]",
    ),
    click.option(
        "--transfers",
        type=click.IntRange(1),
        metavar="N",
        help="Most requests over connections to a primary at one time.  [default: as set]",
    ),
)


@dataclass(frozen=True, slots=True)
class Means:
    """How the primaries of one command are asked; ``sources`` has an address for each family."""

    key: Name | None = None
    tls: PrimaryTls | None = None
    sources: dict[int, str] = field(default_factory=dict)
    transfers: int | None = None

    def primaries(
        self, texts: Iterable[str], *, option: str = "--primary", key: Name | None = None
    ) -> tuple[Primary, ...]:
        """Return the primaries at these addresses, in order; raises ``UsageError``.

        ``key`` is one other than that of the others.
        """
        port = TLS_PORT if self.tls else DNS_PORT
        found = dict.fromkeys(address_of(text, port, option) for text in texts)
        if any(address.port == 0 for address in found):
            raise click.UsageError("a primary's port is 1 to 65535")
        return tuple(
            Primary(
                address.host,
                address.port,
                key or self.key,
                position,
                self.tls,
                self.sources.get(family(address.host)),
                self.transfers,
            )
            for position, address in enumerate(found)
        )

    def check_sources(self, primaries: Iterable[Primary]) -> None:
        """Raise ``UsageError`` for an address of ours that none of the primaries is asked from."""
        used = {primary.source for primary in primaries}
        for version, source in self.sources.items():
            if source not in used:
                raise click.UsageError(f"--source {source}: no primary has an IPv{version} address")


def with_means(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options to a command, which is given ``means`` for them."""

    @functools.wraps(command)
    def collected(*arguments: Any, **given: Any) -> None:
        tls = primary_tls(
            tls=given.pop("tls"),
            name=given.pop("tls_name"),
            ca=given.pop("tls_ca"),
            pin=given.pop("tls_pin"),
        )
        sources = sources_of(given.pop("sources"))
        means = Means(given.pop("key"), tls, sources, given.pop("transfers"))
        command(*arguments, means=means, **given)

    made: Callable[..., None] = collected
    for option in reversed(OPTIONS):
        made = option(made)
    return made


def sources_of(texts: Iterable[str]) -> dict[int, str]:
    """Return our addresses by IP version, 4 or 6; raises ``UsageError``."""
    found: dict[int, str] = {}
    for text in texts:
        if "@" in text:
            raise click.UsageError("--source takes an address without a port")
        host = address_of(text, DNS_PORT, "--source").host
        if family(host) in found:
            raise click.UsageError("--source: one IPv4 and one IPv6 address at the most")
        found[family(host)] = host
    return found


def family(host: str) -> int:
    """Return the IP version of an address."""
    return 6 if ":" in host else 4


def told_of(primary: Primary) -> str:
    """Return a primary and how it is asked, in words."""
    words = f"{primary}{' over TLS' if primary.tls else ''}"
    notes = [f"key {display(primary.key)}"] if primary.key else []
    notes += [f"from {primary.source}"] if primary.source else []
    notes += [f"{primary.transfers} at a time"] if primary.transfers else []
    return f"{words} ({', '.join(notes)})" if notes else words


def primary_data(primary: Primary) -> dict[str, Any]:
    """Return a primary for JSON."""
    return {
        "address": primary.address,
        "port": primary.port,
        "key": display(primary.key) if primary.key else None,
        "tls": as_data(primary.tls),
        "source": primary.source,
        "transfers": primary.transfers,
    }


def address_of(text: str, port: int, option: str = "--primary") -> Address:
    """Return the address of a primary; ``port`` is that where none is given."""
    try:
        return Address.parse(text, port)
    except BadAddress as error:
        raise click.BadParameter(str(error), param_hint=option) from error


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
