"""A clean departure: a domain that has left is served until its parent points elsewhere.

The parent's own servers are asked; when none of them names ours any more, caches may still do so
for the TTL of the delegation. The registration waits for that, and then the zone goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.resolver

from registrar.desk import recording, registrations
from registrar.desk.desk import Desk, seconds
from registrar.desk.registrations import Entry
from registrar.facts import DelegationGone
from registrar.lifecycle import project
from registrar.model import Delegation, Life, State
from registrar.predelegation.asker import Asker, Patience, system_resolver
from registrar.predelegation.request import Endpoint
from storage import registrations as stored
from storage.database import Database

# The longest TTL that delegations have at registries (.com); of what is there no more none is told.
LONGEST_TTL: Final = 172_800
LEFT: Final = (
    Life.REDEMPTION,
    Life.PENDING_DELETE,
    Life.RELEASED,
    Life.TRANSIT,
    Life.TRANSFERRED_AWAY,
)
GIVE_UP: Final = timedelta(days=90)  # after the end: whoever points to us still does so for ever
SERVERS: Final = 3  # of the parent that are asked
ACTOR: Final = "departure check"


@dataclass(frozen=True, slots=True)
class Referral:
    """What the parent says: the name servers of a domain, none where it has no delegation."""

    servers: frozenset[str]
    ttl: int


AskParent = Callable[[str], "Referral | None"]


def watch(database: Database, desk: Desk, now: datetime, ask: AskParent | None = None) -> list[str]:
    """Note for each domain that is leaving whether its parent has moved; return who has."""
    moved = []
    for entry, state in departing(database, desk, now):
        referral = (ask or ask_parent)(entry.name)
        ours = {server.name for server in entry.name_servers} | set(state.name_servers)
        if referral is None or referral.servers & ours:
            continue
        with database.write() as session:
            current = registrations.get_by_id(session, entry.id)
            fact = DelegationGone(now, referral.ttl)
            recording.record(session, desk, current, [fact], now=now, actor=ACTOR)
        moved.append(entry.name)
    return moved


def departing(database: Database, desk: Desk, now: datetime) -> list[tuple[Entry, State]]:
    """Return the domains that have left, and whose parent has not moved as far as we know."""
    found = []
    with database.read() as session:
        lives = [life.value for life in LEFT]
        for row in stored.left_since(session, lives, seconds(now - GIVE_UP)):
            entry = registrations.entry_of(row)
            state = project(registrations.registration(session, desk, entry), now)
            waiting = any(event == "caches empty" for event, _due in state.timers)
            if state.delegation is Delegation.LEAVING and not waiting:
                found.append((entry, state))
    return found


def ask_parent(
    name: str, servers: Iterable[Endpoint] = (), patience: Patience | None = None
) -> Referral | None:
    """Return what the servers of the parent say, ``None`` where not all that were asked answer.

    Several are asked, since they may be at different versions: as long as one of them names a
    server, it counts.
    """
    targets = list(servers) or _servers_of(name.partition(".")[2])
    found, ttl = set[str](), 0
    for target in targets[:SERVERS]:
        reply = Asker(target, patience or Patience()).ask(name, "NS")
        if reply.message is None or not _is_answer(reply.message):
            return None
        named, lives = _referral(name, reply.message)
        found |= named
        ttl = max(ttl, lives)
    return Referral(frozenset(found), ttl or LONGEST_TTL) if targets else None


def _is_answer(message: dns.message.Message) -> bool:
    return message.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)


def _referral(name: str, message: dns.message.Message) -> tuple[set[str], int]:
    owner = dns.name.from_text(name)
    for section in (message.answer, message.authority):
        for rrset in section:
            if rrset.name == owner and rrset.rdtype == dns.rdatatype.NS:
                hosts = {str(rdata.target).rstrip(".").lower() for rdata in rrset}
                return hosts, rrset.ttl
    return set(), 0


def _servers_of(zone: str) -> list[Endpoint]:
    try:
        answer = dns.resolver.resolve(f"{zone}.", "NS", lifetime=5)
    except (dns.exception.DNSException, OSError):
        return []
    resolve = system_resolver()
    hosts = [str(rdata.target).rstrip(".") for rdata in answer][:SERVERS]
    return [Endpoint(address) for host in hosts for address in list(resolve(host))[:1]]
