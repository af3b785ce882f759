"""A mail relay with STARTTLS and login, that remembers what it took."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.peers.waiting import LOOPBACK, free_port

USER, PASSWORD = "nsctl", "correct horse"


@dataclass
class Relay:
    """A relay on a free port. ``refusals`` maps a recipient to the answer to RCPT.

    With a ``directory`` for its certificate it wants STARTTLS and a login.
    """

    directory: Path | None = None
    refusals: dict[str, str] = field(default_factory=dict)
    mails: list[EmailMessage] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> Self:
        """Begin to listen."""
        more: dict[str, Any] = {}
        if self.directory is not None:
            more = {
                "tls_context": server_context(self.directory),
                "require_starttls": True,
                "auth_required": True,
                "authenticator": authenticate,
            }
        self.port = free_port()
        self.controller = Controller(self, hostname=LOOPBACK, port=self.port, **more)
        self.controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        self.controller.stop()

    def ca_file(self) -> str:
        """Return the certificate to trust."""
        assert self.directory is not None
        return str(self.directory / "relay.pem")

    async def handle_EHLO(  # noqa: N802  aiosmtpd's name
        self, _server: object, session: Any, _envelope: Envelope, hostname: str, responses: Any
    ) -> Any:
        """Count who comes."""
        session.host_name = hostname
        self.connections += 1
        return responses

    async def handle_RCPT(  # noqa: N802
        self, _server: object, _session: object, envelope: Envelope, address: str, _options: object
    ) -> str:
        """Take a recipient, or not."""
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, _server: object, _session: object, envelope: Envelope
    ) -> str:
        """Take a mail."""
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"


def authenticate(_server: object, _session: object, _envelope: object, _mechanism: object,
                 data: Any) -> AuthResult:  # fmt: skip
    """Check the login."""
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (
        USER.encode(),
        PASSWORD.encode(),
    )
    return AuthResult(success=right, handled=right or False)


def server_context(directory: Path) -> ssl.SSLContext:
    """Return TLS with a new certificate for the loopback address."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "relay.example.org")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address(LOOPBACK))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (directory / "relay.pem").write_bytes(pem)
    (directory / "relay-key.pem").write_bytes(private + pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "relay-key.pem")
    return context
