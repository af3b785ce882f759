"""What tests of answering share: zones from text, questions, and a signer of zones."""

from __future__ import annotations

from tests.answering.asking import APEX, ask, ask_wire, records, section, table_of, version_of

__all__ = ["APEX", "ask", "ask_wire", "records", "section", "table_of", "version_of"]
