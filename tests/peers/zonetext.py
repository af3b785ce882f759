"""Zone files for the tests: one record a line, so that every server and ``PlainPrimary`` read them."""

from __future__ import annotations

ORIGIN = "example.org."


def zone_text(
    serial: int,
    *records: str,
    apex: str = ORIGIN,
    refresh: int = 3600,
    retry: int = 600,
    expire: int = 86400,
    minimum: int = 300,
    ns: bool = True,
    soa: bool = True,
) -> str:
    """Return a zone file with these records besides SOA and NS.

    The name servers' names are out of the zone: no glue, and nobody is NOTIFYed for them.
    """
    timers = f"{refresh} {retry} {expire} {minimum}"
    lines = [f"$ORIGIN {apex}", "$TTL 300"]
    if soa:
        lines.append(f"@ 300 SOA ns1.example.net. hostmaster {serial} {timers}")
    if ns:
        lines += ["@ 300 NS ns1.example.net.", "@ 300 NS ns2.example.net."]
    return "\n".join([*lines, *records]) + "\n"
