"""Messages to customers' programs: an HTTP POST of JSON, signed.

Headers and signature are those of the Standard Webhooks specification, for which there are
libraries in most languages: ``webhook-id`` (the same at each attempt), ``webhook-timestamp``
(seconds), and ``webhook-signature``: ``v1,`` and the base64 of an HMAC-SHA256, by the octets of the
secret, over id, timestamp and body, with a dot between each two.

A customer chooses the URL, and this server stands in the provider's network: so only addresses that
are reached from everywhere are connected to, the name is resolved once, and no redirect is followed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import socket
import ssl
import threading
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from nameserver.delivering_errors import Failure
from nameserver.settings_alerts import WebhookSettings
from storage.deliveries import Delivery
from storage.recipients import SECRET_PREFIX

GONE: Final = 410
MOST_OF_ANSWER: Final = 4096  # octets; what it says does not matter
UNSIGNED: Final = "nobody has this webhook any more: there is no secret to sign it with"


def signature(secret: str, token: str, timestamp: int, body: bytes) -> str:
    """Return the value of ``webhook-signature``."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = b".".join((token.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def headers(secret: str, token: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers of one attempt."""
    return {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "nsctl",
        "Connection": "close",
        "webhook-id": token,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(secret, token, timestamp, body),
    }


def judge(status: int, reason: str) -> Failure | None:
    """Return what an answer means: any 2xx is arrival."""
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return Failure(f"answered {status} {reason}: redirects are not followed", lasting=True)
    return Failure(f"answered {status} {reason}", lasting=status == GONE)


def is_allowed(address: str, settings: WebhookSettings) -> bool:
    """Tell whether a webhook may be at this address."""
    ip: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if any(ip in net for net in settings.allowed_nets):
        return True
    mapped = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None)
    for one in (ip, mapped):
        if one is not None and (not one.is_global or one.is_multicast or one.is_reserved):
            return False
    return True


def post(delivery: Delivery, secret: str, settings: WebhookSettings, now: float) -> Failure | None:
    """Post a message and return what went wrong; blocks for a few timeouts at most."""
    url = urlsplit(delivery.recipient)
    if not secret:
        return Failure(UNSIGNED, lasting=True)
    if url.scheme != "https" and not settings.allow_http:
        return Failure("http is not allowed here, only https", lasting=True)
    try:
        addresses = resolve(url)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return Failure(f"{url.hostname}: {reason}", everybody=True)
    allowed = [one for one in addresses if is_allowed(one, settings)]
    if not allowed:
        return Failure(f"{url.hostname} is at {addresses[0]}, which is not on the public internet")
    body = delivery.body.encode()
    return exchange(
        url, allowed[:2], body, headers(secret, delivery.token, int(now), body), settings
    )


def resolve(url: SplitResult) -> list[str]:
    """Return the addresses of a URL's host; raises ``OSError``."""
    found = socket.getaddrinfo(url.hostname, url.port or 443, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def exchange(
    url: SplitResult,
    addresses: Sequence[str],
    body: bytes,
    sent: dict[str, str],
    settings: WebhookSettings,
) -> Failure | None:
    """Send the request to the first address that takes it, and read the answer."""
    connection = Connection(url, addresses, settings)
    # The timeout of a socket is that of one packet: who answers in drops is cut off here.
    watch = threading.Timer(settings.timeout, connection.cut)
    watch.daemon = True
    watch.start()
    try:
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        connection.request("POST", path, body=body, headers=sent)
        answer = connection.getresponse()
        answer.read(MOST_OF_ANSWER)
        return judge(answer.status, answer.reason)
    except (OSError, http.client.HTTPException, ValueError):
        if connection.was_cut:
            error = TimeoutError()
        return Failure(reason_of(error), everybody=True)
    finally:
        watch.cancel()
        connection.close()


class Connection(http.client.HTTPConnection):
    """A connection to one of the addresses given; the certificate is checked for the name."""

    def __init__(
        self, url: SplitResult, addresses: Sequence[str], settings: WebhookSettings
    ) -> None:
        self.default_port = 443 if url.scheme == "https" else 80
        super().__init__(str(url.hostname), url.port, timeout=settings.timeout)
        self._addresses = addresses
        self._context: ssl.SSLContext | None = None
        if url.scheme == "https":
            self._context = ssl.create_default_context()
            if settings.ca_file:
                self._context.load_verify_locations(settings.ca_file)
        self.was_cut = False

    def connect(self) -> None:
        """Connect; raises ``OSError``."""
        plain = self._connected()
        self.sock: Any = plain
        if self._context is not None:
            self.sock = self._context.wrap_socket(plain, server_hostname=self.host)
        if self.was_cut:
            raise TimeoutError

    def _connected(self) -> socket.socket:
        for number, address in enumerate(self._addresses, 1):
            try:
                return socket.create_connection((address, self.port), self.timeout)
            except OSError:
                if number == len(self._addresses):
                    raise
        raise OSError("no address")

    def cut(self) -> None:
        """End the exchange from another thread."""
        self.was_cut = True
        sock = self.sock
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it has ended already


def reason_of(error: Exception) -> str:
    """Return what went wrong with a connection, in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, http.client.HTTPException):
        return f"no HTTP answer ({type(error).__name__})"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__
