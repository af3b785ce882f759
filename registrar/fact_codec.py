"""Facts as text, for the store: one JSON object each."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

from pydantic import TypeAdapter

from registrar import facts
from registrar.fact import Fact

FACTS: Final[dict[str, type[Fact]]] = {
    kind.event: kind
    for kind in vars(facts).values()
    if isinstance(kind, type) and issubclass(kind, Fact) and kind is not Fact
}

PREFIX: Final = '{"event": "'


@cache
def _adapter(event: str) -> TypeAdapter[Fact]:
    return TypeAdapter(FACTS[event])


def encode(fact: Fact) -> str:
    """Return a fact as JSON; ``decode`` reads it."""
    data: dict[str, Any] = _adapter(fact.event).dump_python(fact, mode="json")
    for key in ("added", "removed", "documents"):
        if key in data:
            data[key].sort()  # of sets; equal facts are equal texts
    return json.dumps({"event": fact.event, **data}, ensure_ascii=False)


def decode(text: str) -> Fact:
    """Return the fact that ``encode`` wrote; raises ``ValueError``."""
    event = _event_of(text)
    if event not in FACTS:
        raise ValueError(f"no fact: {text}")
    return _adapter(event).validate_json(text)  # which passes over the event


def _event_of(text: str) -> str:
    """Return the event of a fact: the first word, as ``encode`` writes it, or wherever it is."""
    if text.startswith(PREFIX) and (end := text.find('"', len(PREFIX))) > 0:
        return text[len(PREFIX) : end]
    data = json.loads(text)
    return str(data.get("event", "")) if isinstance(data, dict) else ""
