"""Why a zone could not be moved."""

from __future__ import annotations

from zones.errors import DNSError
from zones.name import Name


class TransferError(DNSError):
    """A SOA query, a NOTIFY or a transfer failed.

    ``rule`` is an id in ``axfr.refusal.RULES``; ``reason`` one plain sentence without the zone's
    name; ``peer`` is ``ADDR@PORT``, empty where there was none; ``record`` the offending record;
    ``rcode`` that of an answer that is an error, else 0.
    """

    def __init__(self, zone: Name, peer: str, rule: str, reason: str, record: str = "") -> None:
        super().__init__(reason)
        self.zone = zone
        self.peer = peer
        self.rule = rule
        self.reason = reason
        self.record = record
        self.rcode = 0
