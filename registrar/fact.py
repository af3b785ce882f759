"""What a fact is, and the words its particulars have."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from registrar.events import Event


class Party(StrEnum):
    """Who says something."""

    HOLDER = "holder"
    ADMIN_C = "admin-c"
    CUSTOMER = "customer"  # who has the contract, and is not always the holder
    PROVIDER = "provider"


class Cause(StrEnum):
    """Why a contract is terminated without notice (contract H 6(2), 20)."""

    ARREARS = "arrears"
    ABUSE = "abuse"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened at a moment; each kind of it is a class of its own."""

    at: datetime
    event: ClassVar[Event]
