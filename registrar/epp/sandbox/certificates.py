"""Certificates made on the spot for the sandbox: an authority, a server, a client."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Certificates:
    """Where the files are."""

    authority: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path

    def server_context(self) -> ssl.SSLContext:
        """Return the server's side of TLS: it wants a certificate of its authority (RFC 5734 9)."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=self.authority)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_cert_chain(self.server, self.server_key)
        return context


def make_certificates(folder: Path, now: datetime) -> Certificates:
    """Write certificates for 127.0.0.1, ::1 and localhost, valid a month around ``now``."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority_name = _name("nsctl sandbox authority")
    authority = _sign(
        _builder(authority_name, authority_name, authority_key, now).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        ),
        authority_key,
        authority_key,
    )
    files = Certificates(
        folder / "authority.pem",
        folder / "server.pem",
        folder / "server.key",
        folder / "client.pem",
        folder / "client.key",
    )
    _write(files.authority, authority)
    for path, key_path, usage in (
        (files.server, files.server_key, ExtendedKeyUsageOID.SERVER_AUTH),
        (files.client, files.client_key, ExtendedKeyUsageOID.CLIENT_AUTH),
    ):
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(f"nsctl sandbox {path.stem}"), authority_name, key, now)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        builder = builder.add_extension(x509.SubjectAlternativeName(_places()), critical=False)
        _write(path, _sign(builder, authority_key, authority_key))
        _write_key(key_path, key)
    return files


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _places() -> list[x509.GeneralName]:
    addresses = [x509.IPAddress(ip_address(value)) for value in ("127.0.0.1", "::1")]
    return [x509.DNSName("localhost"), *addresses]


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - VALID)
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _sign(
    builder: x509.CertificateBuilder,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    return builder.add_extension(identifier, critical=False).sign(key, hashes.SHA256())


def _write(path: Path, certificate: x509.Certificate) -> None:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    path.touch(mode=0o600)
    octets = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(octets)
