"""A portfolio in the store: registrations of up to ten years, one in ten of them cancelled."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from registrar.fact_codec import encode
from registrar.facts import CancellationReceived, Paid
from storage import bulk
from storage.database import Database
from storage.desk_models import FactRow, RegistrationRow
from storage.models import CustomerRow
from tests.registrations import registered

CUSTOMERS = 100


def fill(database: Database, count: int, now: datetime, rng: random.Random) -> None:
    """Write registrations that were last looked at a day ago; all of them are due."""
    rows, facts = [], []
    for number in range(1, count + 1):
        at = now - timedelta(days=rng.randrange(3650), hours=rng.randrange(24))
        story: list[Any] = [Paid(at + timedelta(days=3), (now + timedelta(days=100)).date())]
        if rng.random() < 0.1:
            documents = frozenset({"close-request"})
            story.append(CancellationReceived(at + timedelta(days=5), documents=documents))
        contract, tld = rng.choice(["n", "h", "consumer"]), rng.choice(["gtld", "de", "eu"])
        known = registered(*story, contract=contract, tld=tld, at=at)
        rows.append(_row(number, known.suffix, contract, tld, at, now))
        facts += [
            {"registration": number, "body": encode(fact), "recorded_at": 0.0, "actor": ""}
            for fact in known.facts
        ]
    customers = [{"id": f"c{number}", "name": "", "created_at": 0.0} for number in range(CUSTOMERS)]
    with database.write() as session:
        bulk.insert(session, CustomerRow, customers)
        bulk.insert(session, RegistrationRow, rows)
        bulk.insert(session, FactRow, facts)


def _row(  # noqa: PLR0917  the columns that differ
    number: int, suffix: str, contract: str, profile: str, at: datetime, now: datetime
) -> dict[str, Any]:
    return {
        "id": number,
        "name": f"example{number}.{suffix}",
        "customer": f"c{number % CUSTOMERS}",
        "contract": contract,
        "profile": profile,
        "account": "",
        "kind": "create",
        "forward": True,
        "holder": None,
        "admin": None,
        "tech": None,
        "managers": [],
        "mode": "external",
        "booking": {"catalogue": "n", "product": "solodomain"},
        "servers": [],
        "sec_dns": {},
        "auth_hash": "",
        "life": "registered",
        "lived_until": (now - timedelta(days=1)).timestamp(),
        "next_due": 0.0,
        "created_at": at.timestamp(),
        "created_by": "",
        "closed_at": None,
    }
