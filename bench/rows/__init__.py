"""The rows of the table, in its order."""

from __future__ import annotations

from bench.rows.answering import Dnssec, Flood, Tcp, Udp
from bench.rows.churn import Churn
from bench.rows.ixfr import Ixfr
from bench.rows.many import Start
from bench.rows.moving import Axfr, Storm
from bench.rows.notify import Notify
from bench.rows.row import Row

ROWS: tuple[type[Row], ...] = (Udp, Flood, Dnssec, Tcp, Start, Churn, Axfr, Ixfr, Notify, Storm)
NAMES: tuple[str, ...] = tuple(name for row in ROWS for name in row.names)

__all__ = ["NAMES", "ROWS", "Row"]
