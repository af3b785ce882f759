"""Gathering answers: real queries over UDP and TCP, several servers at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import dns.exception
import dns.flags
import dns.message
import dns.nameserver
import dns.query
import dns.rdatatype
import dns.resolver

from registrar.predelegation.request import Endpoint, Gathered, Reply, Request, ServerAnswers

AT_ONCE: Final = 16  # servers that are asked beside each other
Resolve = Callable[[str], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one try waits, in seconds, and how many tries a question gets over UDP."""

    seconds: float = 3.0
    tries: int = 2


def gather(request: Request, resolve: Resolve, patience: Patience | None = None) -> Gathered:
    """Ask every server of a request, at each of its addresses.

    ``resolve`` returns the addresses of a host name, none where it has none.
    """
    resolved = {
        server.name: frozenset(server.addresses or _resolved(request, server.name, resolve))
        for server in request.name_servers
    }
    targets = [
        (server.name, endpoint)
        for server in dict.fromkeys(request.name_servers)
        for endpoint in request.stand_ins.get(server.name)
        or [Endpoint(address) for address in sorted(resolved[server.name])]
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = pool.map(
            lambda target: ask_server(request, target[0], target[1], patience or Patience()),
            targets,
        )
        return Gathered(request, resolved, tuple(answers))


def _resolved(request: Request, host: str, resolve: Resolve) -> Iterable[str]:
    """Look a host up; one within the domain has no address before the domain is delegated."""
    if host in request.stand_ins or request.is_within(host):
        return ()
    return resolve(host)


def system_resolver(servers: Iterable[Endpoint] = ()) -> Resolve:
    """Return a lookup by the system's resolver, or by these servers."""

    def resolve(host: str) -> list[str]:
        resolver = dns.resolver.Resolver(configure=not chosen)
        if chosen:
            resolver.nameservers = [
                dns.nameserver.Do53Nameserver(server.host, server.port) for server in chosen
            ]
        found = []
        for kind in ("A", "AAAA"):
            try:
                found += [str(rdata) for rdata in resolver.resolve(f"{host}.", kind, lifetime=5)]
            except (dns.exception.DNSException, OSError):
                continue
        return found

    chosen = tuple(servers)
    return resolve


def ask_server(
    request: Request, name: str, endpoint: Endpoint, patience: Patience
) -> ServerAnswers:
    """Ask one server at one address everything that the rules want to know."""
    asker = Asker(endpoint, patience)
    soa = asker.ask(request.domain, "SOA")
    if soa.message is None:
        silent = Reply(problem=soa.problem)
        return ServerAnswers(name, endpoint, silent, silent, silent, silent, silent, silent)
    secure = bool(request.sec_dns)
    return ServerAnswers(
        name,
        endpoint,
        soa=soa,
        ns=asker.ask(request.domain, "NS"),
        soa_tcp=asker.ask(request.domain, "SOA", tcp=True),
        recursive=asker.ask(request.domain, "SOA", recursion=True),
        keys=asker.ask(request.domain, "DNSKEY", dnssec=True) if secure else Reply(),
        signed_soa=asker.ask(request.domain, "SOA", dnssec=True) if secure else Reply(),
        addresses={
            server.name: asker.addresses(server.name)
            for server in request.name_servers
            if request.is_within(server.name)
        },
    )


@dataclass(frozen=True, slots=True)
class Asker:
    """Queries to one server at one address."""

    endpoint: Endpoint
    patience: Patience

    def ask(
        self,
        name: str,
        kind: str,
        *,
        tcp: bool = False,
        recursion: bool = False,
        dnssec: bool = False,
    ) -> Reply:
        """Ask one question; over UDP several times, and over TCP where the answer is cut."""
        query = dns.message.make_query(f"{name}.", kind, use_edns=dnssec, want_dnssec=dnssec)
        if not recursion:
            query.flags &= ~dns.flags.RD
        problem = ""
        for _try in range(1 if tcp else self.patience.tries):
            try:
                return Reply(self._send(query, tcp=tcp))
            except dns.exception.Timeout:
                problem = f"no answer within {self.patience.seconds:g} s"
            except OSError as error:
                problem = error.strerror or str(error)
            except dns.exception.DNSException as error:
                problem = f"an answer that makes no sense ({type(error).__name__})"
        return Reply(problem=problem)

    def addresses(self, host: str) -> frozenset[str] | None:
        """Return the addresses of a host as this server has them, ``None`` where it is silent."""
        found = set()
        for kind in ("A", "AAAA"):
            message = self.ask(host, kind).message
            if message is None or message.rcode() or not message.flags & dns.flags.AA:
                return None
            rdtype = dns.rdatatype.from_text(kind)
            found |= {
                str(rdata) for rrset in message.answer if rrset.rdtype == rdtype for rdata in rrset
            }
        return frozenset(found)

    def _send(self, query: dns.message.Message, *, tcp: bool) -> dns.message.Message:
        host, port = self.endpoint
        if tcp:
            return dns.query.tcp(query, host, self.patience.seconds, port)
        return dns.query.udp_with_fallback(query, host, self.patience.seconds, port)[0]
