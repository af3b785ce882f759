"""Three views of a delegation, ours, the registry's and the parent's, and where they differ; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from registrar.model import Life
from registrar.objects import DomainInfo, NameServer, SecDns
from registrar.statuses import Status

WITH_US: Final = frozenset((Life.REGISTERED, Life.CLOSING))
# Statuses that the registry derives itself.
DERIVED: Final = frozenset((Status.OK, Status.INACTIVE, Status.LINKED))


@dataclass(frozen=True, slots=True)
class View:
    """A delegation as one party has it; what the party does not know is ``None``.

    ``glue`` has addresses by name, of servers within the domain. ``ds`` are key tags.
    """

    servers: frozenset[str] | None = None
    glue: tuple[tuple[str, tuple[str, ...]], ...] = ()
    keys: frozenset[int] | None = None
    statuses: frozenset[Status] | None = None
    registrant: str | None = None
    expires: datetime | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Drift:
    """Something in which two views differ, and what would put it right."""

    what: str
    ours: str
    theirs: str
    party: str
    repair: str


def of_desk(
    servers: tuple[NameServer, ...],
    sec_dns: SecDns,
    statuses: frozenset[Status],
    expires: datetime | None,
    tags: frozenset[int],
) -> View:
    """Return our own view; ``tags`` are the key tags of the DNSSEC data."""
    return View(
        frozenset(server.name for server in servers),
        tuple(sorted((server.name, server.addresses) for server in servers if server.addresses)),
        tags if sec_dns else frozenset(),
        statuses,
        expires=expires,
    )


def of_registry(info: DomainInfo, tags: frozenset[int]) -> View:
    """Return the registry's view."""
    return View(
        frozenset(server.name for server in info.name_servers),
        tuple(sorted((s.name, s.addresses) for s in info.name_servers if s.addresses)),
        tags,
        info.statuses,
        info.registrant,
        info.expires_at,
    )


def compare(name: str, life: Life, ours: View, registry: View, parent: View) -> list[Drift]:
    """Return everything in which the registry, or the parent's servers, differ from our data."""
    if life not in WITH_US:
        return list(_gone(life, registry, parent))
    return [*_registry(name, ours, registry), *_parent(name, ours, registry, parent)]


def _gone(life: Life, registry: View, parent: View) -> Iterator[Drift]:
    """Yield what is still there of a domain that is not with us."""
    if life in (Life.RELEASED, Life.TRANSFERRED_AWAY) and registry.servers is not None:
        theirs = _listed(registry.servers)
        repair = "look why the registry still has it: nsctl registry poll"
        yield Drift("registration", str(life), theirs, "registry", repair)
    if life is Life.RELEASED and parent.servers:
        repair = "wait for the parent's zone; serve the domain until it is gone"
        yield Drift("delegation", "none", _listed(parent.servers), "parent", repair)


def _registry(name: str, ours: View, registry: View) -> Iterator[Drift]:
    if registry.servers is None:
        return
    if ours.servers != registry.servers:
        servers = " ".join(sorted(ours.servers or ()))
        repair = f"nsctl domain name-servers {name} {servers or '--none'}"
        yield Drift(
            "name servers", _listed(ours.servers), _listed(registry.servers), "registry", repair
        )
    elif ours.glue != registry.glue and (ours.glue or registry.glue):
        words = [f"{host}={','.join(addresses)}" for host, addresses in ours.glue]
        others = sorted((ours.servers or frozenset()) - {host for host, _a in ours.glue})
        repair = f"nsctl domain name-servers {name} {' '.join([*words, *others])}"
        yield Drift("glue", _glue(ours), _glue(registry), "registry", repair)
    if ours.keys != registry.keys:
        repair = f"nsctl domain name-servers {name} ... --dnskey or --ds, or --no-dnssec"
        yield Drift("DNSSEC", _tags(ours.keys), _tags(registry.keys), "registry", repair)
    yield from _statuses(name, ours, registry)
    if ours.expires and registry.expires and ours.expires.date() != registry.expires.date():
        repair = "nsctl registry run takes the registry's date over"
        theirs = str(registry.expires.date())
        yield Drift("expiry", str(ours.expires.date()), theirs, "registry", repair)


def _statuses(name: str, ours: View, registry: View) -> Iterator[Drift]:
    mine = (ours.statuses or frozenset()) - DERIVED
    theirs = (registry.statuses or frozenset()) - DERIVED
    if mine == theirs:
        return
    repairs = []
    if Status.CLIENT_HOLD in mine ^ theirs:
        repairs.append(f"nsctl domain hold {name}{'' if Status.CLIENT_HOLD in mine else ' --lift'}")
    if {s for s in mine ^ theirs if s.endswith("Prohibited") and s.startswith("client")}:
        lift = "" if any(s.endswith("Prohibited") for s in mine) else " --lift"
        repairs.append(f"nsctl domain lock {name}{lift}")
    repair = "; ".join(repairs) or "nsctl registry run asks the registry again"
    yield Drift("statuses", _listed(mine), _listed(theirs), "registry", repair)


def _parent(name: str, ours: View, registry: View, parent: View) -> Iterator[Drift]:
    if parent.servers is None:
        return
    held = Status.CLIENT_HOLD in (ours.statuses or ()) or Status.SERVER_HOLD in (
        registry.statuses or ()
    )
    wanted = frozenset() if held else ours.servers or frozenset()
    if wanted != parent.servers:
        at_registry = registry.servers == ours.servers
        repair = (
            "the registry has it right: wait for the parent's zone to be published"
            if at_registry
            else "put the registry right first"
        )
        yield Drift("delegation", _listed(wanted), _listed(parent.servers), "parent", repair)
    if parent.keys is not None and not held and (ours.keys or frozenset()) != parent.keys:
        repair = (
            f"a DS that leads to no key breaks the domain: nsctl domain check {name}"
            if parent.keys
            else "wait for the parent's zone to be published"
        )
        yield Drift("DS", _tags(ours.keys), _tags(parent.keys), "parent", repair)


def _listed(names: frozenset[str] | frozenset[Status] | None) -> str:
    return ", ".join(sorted(map(str, names or ()))) or "none"


def _tags(tags: frozenset[int] | None) -> str:
    return ", ".join(map(str, sorted(tags or ()))) or "none"


def _glue(view: View) -> str:
    return "; ".join(f"{host} {', '.join(found)}" for host, found in view.glue) or "none"
