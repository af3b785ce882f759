"""Where a server listens or is reached: ``192.0.2.1@5300``, ``[2001:db8::1]@53``."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from zones.errors import DNSError


class BadAddress(DNSError, ValueError):
    """A text that is not an address, or not one with a port."""


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """An IP address and a port; ``host`` is the address in its shortest form."""

    host: str
    port: int = 53

    @classmethod
    def parse(cls, text: str, default_port: int = 53) -> Address:
        """Return the address written as ``text``; raises ``BadAddress``.

        The port may be left out. An IPv6 address stands in brackets where a port follows; without
        them it is understood as well, since ``@`` is no part of an address.
        """
        host, _at, port_text = text.strip().partition("@")
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        try:
            found = ipaddress.ip_address(host)
        except ValueError:
            raise BadAddress(f"{text!r} is not an address{_hint(host)}") from None
        port = default_port
        if _at:
            if not (port_text.isascii() and port_text.isdigit() and int(port_text) <= 65535):
                raise BadAddress(f"{text!r}: {port_text!r} is not a port (0 to 65535)")
            port = int(port_text)
        return cls(str(found), port)

    @property
    def is_ipv6(self) -> bool:
        """Tell whether this is an IPv6 address."""
        return ":" in self.host

    def __str__(self) -> str:
        host = f"[{self.host}]" if self.is_ipv6 else self.host
        return f"{host}@{self.port}"


def _hint(host: str) -> str:
    """Return what to write instead of a host that is no IP address."""
    before, colon, after = host.rpartition(":")
    if colon and after.isdigit():
        return f": the port follows an @, as in {before.strip('[]') or '192.0.2.1'}@{after}"
    return ": write an IP address and a port, as in 192.0.2.1@53 or [2001:db8::1]@53"
