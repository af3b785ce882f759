"""The rules about name servers, on what was gathered; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from ipaddress import IPv6Address, ip_address
from typing import Final

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from registrar.predelegation import check_keys
from registrar.predelegation.request import Gathered, Issue, Reply, ServerAnswers
from registrar.predelegation.rules import RULES, Profile
from zones.finding import Severity

REFERRAL_LIMIT: Final = 512  # octets of a message without EDNS (RFC 1035 4.2.1)
MAX_NAME: Final = 255  # octets of the longest name that may be asked for
Check = Callable[[Gathered, Profile], Iterator[Issue]]


def check(gathered: Gathered, profile: Profile, now: datetime) -> list[Issue]:
    """Return every issue that a registry with this profile would have, errors first."""
    found = [issue for rule in CHECKS for issue in rule(gathered, profile)]
    found += check_keys.check(gathered, profile, now)
    told = dict.fromkeys(issue for issue in found if issue.rule in profile.rules)
    return sorted(told, key=lambda issue: (issue.severity is Severity.WARNING, *_place(issue)))


def _place(issue: Issue) -> tuple[int, str]:
    return list(RULES).index(issue.rule), issue.server


def _servers(gathered: Gathered, profile: Profile) -> Iterator[Issue]:
    servers = gathered.request.name_servers
    count = len({server.name for server in servers})
    if count < profile.min_servers:
        named = ", ".join(server.name for server in servers) or "none"
        yield Issue("too-few-servers", f"Only {count} name server is named: {named}.")
    for server in servers:
        if not gathered.resolved.get(server.name) and server.name not in gathered.request.stand_ins:
            yield Issue("not-resolvable", f"{server.name} has no address.", server.name)


def _addresses(gathered: Gathered, _profile: Profile) -> Iterator[Issue]:
    places: dict[str, frozenset[str]] = {}
    for server in gathered.request.name_servers:
        stand_ins = gathered.request.stand_ins.get(server.name)
        found = map(str, stand_ins) if stand_ins else gathered.resolved.get(server.name, ())
        places[server.name] = frozenset(found)
    known = {name: found for name, found in places.items() if found}
    if len(known) > 1 and not _differ(list(known.values())):
        shared = ", ".join(sorted(frozenset().union(*known.values())))
        yield Issue("same-address", f"All name servers have the same addresses: {shared}.")
    hosts = [answers.endpoint.host for answers in gathered.answers if answers.soa.message]
    if hosts and all(":" in host for host in hosts):
        yield Issue("no-ipv4", "No name server answers over IPv4.")
    for server in gathered.request.name_servers:
        for address in sorted({*server.addresses, *gathered.resolved.get(server.name, ())}):
            if (parsed := ip_address(address)).version == 6 and not _is_routed(parsed):
                sentence = f"{address} of {server.name} is not global unicast."
                yield Issue("ipv6-not-routable", sentence, server.name)


def _differ(places: list[frozenset[str]]) -> bool:
    """Tell whether at least one server has an address that no other one has."""
    for number, mine in enumerate(places):
        others = places[:number] + places[number + 1 :]
        if mine.difference(*others):
            return True
    return False


def _is_routed(address: object) -> bool:
    return isinstance(address, IPv6Address) and address.is_global and (int(address) >> 125) == 1


def _glue(gathered: Gathered, _profile: Profile) -> Iterator[Issue]:
    for server in gathered.request.name_servers:
        if not gathered.request.is_within(server.name):
            if server.addresses:
                listed = ", ".join(server.addresses)
                sentence = f"{server.name} is not in {gathered.request.domain}, yet has {listed}."
                yield Issue("glue-needless", sentence, server.name)
            continue
        if not server.addresses:
            sentence = f"{server.name} is in {gathered.request.domain} and has no addresses."
            yield Issue("glue-missing", sentence, server.name)
            continue
        for answers in gathered.answers:
            said = answers.addresses.get(server.name)
            if said is not None and said != frozenset(server.addresses):
                sentence = (
                    f"{server.name} has {', '.join(sorted(server.addresses))} in the request, and"
                    f" {', '.join(sorted(said)) or 'none'} at {answers.where}."
                )
                yield Issue("glue-differs", sentence, server.name)


def _authority(gathered: Gathered, _profile: Profile) -> Iterator[Issue]:
    for answers in gathered.answers:
        message = answers.soa.message
        if message is None:
            sentence = f"{answers.where} does not answer: {answers.soa.problem}."
            yield Issue("not-reachable", sentence, answers.name)
        elif message.rcode() != dns.rcode.NOERROR or not message.flags & dns.flags.AA:
            why = dns.rcode.to_text(message.rcode()) if message.rcode() else "no AA flag"
            sentence = f"{answers.where} is not authoritative for the zone ({why})."
            yield Issue("not-authoritative", sentence, answers.name)
        elif soa(gathered, answers.soa) is None:
            kinds = {dns.rdatatype.to_text(rrset.rdtype) for rrset in message.answer}
            got = f"{', '.join(sorted(kinds))} instead" if kinds else "no record"
            sentence = f"{answers.where} has no SOA at the zone itself; {got} is answered."
            yield Issue("soa-not-direct", sentence, answers.name)
        if message is not None and answers.soa_tcp.message is None:
            sentence = f"{answers.where} does not answer over TCP: {answers.soa_tcp.problem}."
            yield Issue("no-tcp", sentence, answers.name)
        if (asked := answers.recursive.message) is not None and asked.flags & dns.flags.RA:
            yield Issue("recursion", f"{answers.where} offers recursion.", answers.name)


def _name_servers(gathered: Gathered, _profile: Profile) -> Iterator[Issue]:
    wanted = {server.name for server in gathered.request.name_servers}
    for answers in authoritative(gathered):
        rrset = rrset_of(gathered, answers.ns, dns.rdatatype.NS)
        named = {_text(rdata.target) for rdata in rrset} if rrset is not None else set()
        if named != wanted:
            missing, more = sorted(wanted - named), sorted(named - wanted)
            told = [f"lacks {', '.join(missing)}"] if missing else []
            told += [f"has {', '.join(more)} besides"] if more else []
            sentence = f"The NS records at {answers.where} {' and '.join(told)}."
            yield Issue("ns-differs", sentence, answers.name)


def _referral(gathered: Gathered, _profile: Profile) -> Iterator[Issue]:
    size = referral_size(gathered)
    if size > REFERRAL_LIMIT:
        sentence = f"The referral has {size} octets for the longest name; {REFERRAL_LIMIT} fit."
        yield Issue("referral-too-long", sentence)


def referral_size(gathered: Gathered) -> int:
    """Return the octets of the parent's referral for the longest name below the domain."""
    domain = dns.name.from_text(gathered.request.domain)
    message = dns.message.make_response(dns.message.make_query(_longest(domain), "A"))
    servers = [server for server in gathered.request.name_servers if server.name]
    names = [f"{server.name}." for server in servers]
    if names:
        message.authority.append(dns.rrset.from_text(domain, 86_400, "IN", "NS", *names))
    for server in servers:
        if gathered.request.is_within(server.name):
            for address in server.addresses:
                kind = "AAAA" if ":" in address else "A"
                owner = f"{server.name}."
                message.additional.append(dns.rrset.from_text(owner, 86_400, "IN", kind, address))
    return len(message.to_wire(max_size=65_535))


def _longest(domain: dns.name.Name) -> dns.name.Name:
    room = MAX_NAME - sum(len(label) + 1 for label in domain.labels)
    labels: list[bytes] = []
    while room > 1:
        length = min(63, room - 1)
        if room - 1 - length == 1:  # one octet alone would be left, and that is no label
            length -= 1
        labels.append(b"x" * length)
        room -= length + 1
    return dns.name.Name([*labels, *domain.labels])


def _timers(gathered: Gathered, profile: Profile) -> Iterator[Issue]:
    for answers in authoritative(gathered):
        record = soa(gathered, answers.soa)
        if record is None:
            continue
        for rule, value, (least, most) in (
            ("refresh", record.refresh, profile.refresh),
            ("retry", record.retry, profile.retry),
            ("expire", record.expire, profile.expire),
            ("negative-ttl", record.minimum, profile.minimum),
        ):
            if not least <= value <= most:
                yield Issue(rule, f"{RULES[rule].headline}: {value}, not {least} to {most}.")
        if not record.refresh <= record.retry * 8 or not record.retry * 3 <= record.refresh:
            sentence = f"RETRY {record.retry} is not 1/8 to 1/3 of REFRESH {record.refresh}."
            yield Issue("retry-of-refresh", sentence)


def _primaries(gathered: Gathered, _profile: Profile) -> Iterator[Issue]:
    named: dict[str, str] = {}
    for answers in authoritative(gathered):
        if (record := soa(gathered, answers.soa)) is not None:
            named.setdefault(_text(record.mname), answers.name)
    if len(named) > 1:
        told = "; ".join(f"{mname} at {server}" for mname, server in named.items())
        yield Issue("mname-differs", f"The SOA records name different primaries: {told}.")


def authoritative(gathered: Gathered) -> Iterator[ServerAnswers]:
    """Yield what the servers said that answer with authority."""
    for answers in gathered.answers:
        message = answers.soa.message
        if message is not None and not message.rcode() and message.flags & dns.flags.AA:
            yield answers


def rrset_of(
    gathered: Gathered, reply: Reply, kind: dns.rdatatype.RdataType
) -> dns.rrset.RRset | None:
    """Return the RRset of a type at the domain itself in an answer section."""
    if reply.message is None:
        return None
    name = dns.name.from_text(gathered.request.domain)
    return next(
        (found for found in reply.message.answer if found.name == name and found.rdtype == kind),
        None,
    )


def soa(gathered: Gathered, reply: Reply) -> dns.rdtypes.ANY.SOA.SOA | None:
    """Return the SOA record of an answer."""
    rrset = rrset_of(gathered, reply, dns.rdatatype.SOA)
    return rrset[0] if rrset else None


def _text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()


CHECKS: Final[tuple[Check, ...]] = (
    _servers,
    _addresses,
    _glue,
    _authority,
    _name_servers,
    _referral,
    _timers,
    _primaries,
)
