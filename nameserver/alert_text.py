"""How alerts read: subject and text of a mail, and the JSON of a webhook."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from storage.deliveries import Channel
from storage.digests import Digest
from storage.events import EventSeverity

WIDTH: Final = 78
SUBJECT: Final = 100  # characters
TITLES: Final = {
    "zone-expiring": "will expire: no primary gives a usable version",
    "zone-expired": "expired and no longer answered",
    "zone-expiring-over": "out of danger: a primary is back",
    "signatures-lapsing": "signatures about to lapse",
    "signatures-lapsed": "signatures have lapsed: validating resolvers fail",
    "signatures-lapsing-over": "new signatures arrived",
    "drift": "content changed without a new serial",
    "drift-over": "served content is that of the primary again",
    "primaries-apart": "primaries differ for long",
    "primaries-apart-over": "primaries agree again",
    "zone-refused": "update refused; the last good version stays in service",
    "zone-held": "update held until somebody approves it",
    "zone-recovered": "nothing is wrong any more",
    "delivery-given-up": "message could not be delivered",
}


def compose(
    channel: Channel, customer: str, digests: Sequence[Digest], now: float
) -> tuple[str, str]:
    """Return subject and body of a message about these digests."""
    worst_first = sorted(digests, key=urgency, reverse=True)
    subject = subject_of(worst_first)
    if channel is Channel.WEBHOOK:
        return subject, as_json(customer, worst_first, now)
    return subject, as_text(customer, worst_first)


def urgency(digest: Digest) -> tuple[int, int]:
    """Return what puts the worst first, and of that the newest."""
    return list(EventSeverity).index(digest.severity), digest.first_event


def title_of(digest: Digest) -> str:
    """Return what a digest is about, in words."""
    return TITLES.get(digest.kind, digest.kind.replace("-", " "))


def heading(digest: Digest) -> str:
    """Return one line about a digest: how many of what."""
    zones = {str(line["zone"]) for line in digest.lines}
    if len(zones) == 1 and digest.count == len(digest.lines):
        (zone,) = zones
        times = f" ({digest.count} times)" if digest.count > 1 and not zone else ""
        return f"{zone}: {title_of(digest)}" if zone else title_of(digest) + times
    number = len(zones) if digest.count == len(digest.lines) else digest.count
    return f"{number:,} {'zones' if any(zones) else 'times'}: {title_of(digest)}"


def subject_of(digests: Sequence[Digest]) -> str:
    """Return the subject: the worst, and how many other matters there are."""
    more = len(digests) - 1
    tail = f" (and {more} more {'matter' if more == 1 else 'matters'})" if more else ""
    head = heading(digests[0])
    if len(head) > SUBJECT:
        head = head[: SUBJECT - 3] + "..."
    mark = "[nsctl] " if digests[0].severity is not EventSeverity.ERROR else "[nsctl] ERROR: "
    return mark + head + tail


def as_text(customer: str, digests: Sequence[Digest]) -> str:
    """Return the text of a mail."""
    parts = [section(one, customer) for one in digests]
    parts.append(
        "--\nThis is an automatic message of the name service. How a zone stands, and what to do:\n"
        "nsctl secondary explain ZONE"
    )
    return "\n\n".join(parts) + "\n"


def section(digest: Digest, customer: str) -> str:
    """Return what a mail says about one digest."""
    lines = [heading(digest), ""]
    for line in digest.lines:
        at = iso(float(line["at"])).replace("T", " ").replace("Z", " UTC")
        lines += textwrap.wrap(
            f"{at}  {line['text']}", WIDTH, subsequent_indent="    ", break_long_words=False
        )
        if fix := line["data"].get("fix"):
            lines += textwrap.wrap(
                f"What to change: {fix}", WIDTH, initial_indent="    ", subsequent_indent="    "
            )
        lines += [f"    {one}" for one in line["data"].get("changes", ())]
    more = digest.count - len(digest.lines)
    if more > 0:
        whose = f" --customer {customer}" if customer else ""
        lines += ["", f"and {more:,} more: nsctl events --kind {digest.kind}{whose}"]
    return "\n".join(lines)


def as_json(customer: str, digests: Sequence[Digest], now: float) -> str:
    """Return the body of a webhook."""
    body = {
        "type": "alert",
        "timestamp": iso(now),
        "data": {
            "customer": customer or None,
            "alerts": [
                {
                    "kind": one.kind,
                    "severity": one.severity.value,
                    "title": heading(one),
                    "count": one.count,
                    "events": [event_json(line) for line in one.lines],
                }
                for one in digests
            ],
        },
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def event_json(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event as a webhook has it."""
    return dict(line) | {"at": iso(float(line["at"])), "zone": line["zone"] or None}


def iso(at: float) -> str:
    """Return a time as RFC 3339 writes it, in UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
