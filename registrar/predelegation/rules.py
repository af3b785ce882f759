"""What registries check of name servers before they delegate, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from zones.finding import Severity

DENIC: Final = "DENIC-23"


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that is checked; ``fix`` says what to do about it."""

    id: str
    severity: Severity
    headline: str
    fix: str
    source: str


@dataclass(frozen=True, slots=True)
class Profile:
    """What one registry, or a kind of registries, checks.

    Pairs are the least and the most that are good, in seconds. ``rules`` are ids of ``RULES``.
    """

    id: str
    title: str
    rules: frozenset[str]
    min_servers: int = 2
    max_keys: int = 5
    refresh: tuple[int, int] = (3600, 86_400)
    retry: tuple[int, int] = (900, 28_800)
    expire: tuple[int, int] = (604_800, 3_600_000)
    minimum: tuple[int, int] = (180, 86_400)


def _error(name: str, headline: str, fix: str, source: str) -> Rule:
    return Rule(name, Severity.ERROR, headline, fix, source)


def _warning(name: str, headline: str, fix: str, source: str) -> Rule:
    return Rule(name, Severity.WARNING, headline, fix, source)


_ALL: Final = (
    _error(
        "not-resolvable",
        "A name server has no address",
        "Give the name server A or AAAA records; within the domain itself, name its addresses.",
        f"{DENIC} 2.1.2; RFC 1035 3.3.11",
    ),
    _error(
        "not-reachable",
        "A name server does not answer over UDP",
        "Start the server, open port 53 for UDP, and check the address.",
        f"{DENIC} 2.1.1",
    ),
    _error(
        "not-authoritative",
        "A name server is not authoritative for the zone",
        "Load the zone on this server, as primary or secondary.",
        f"{DENIC} 2.1.1; RFC 1034 4.2.1",
    ),
    _error(
        "too-few-servers",
        "There are fewer than two name servers",
        "Name at least two name servers.",
        f"{DENIC} 2.1.2; RFC 1035 2.2",
    ),
    _error(
        "same-address",
        "No two name servers have different addresses",
        "Let at least one name server have an address that no other one has.",
        f"{DENIC} 2.1.2; RFC 2182 3.1",
    ),
    _error(
        "no-ipv4",
        "No name server is reached over IPv4",
        "Give at least one name server an IPv4 address.",
        f"{DENIC} 2.1.2; RFC 3901 4",
    ),
    _error(
        "glue-missing",
        "A name server within the domain comes without its addresses",
        "Name its addresses in the request: NAME=ADDRESS.",
        f"{DENIC} 2.1.3; RFC 1034 4.2.1",
    ),
    _error(
        "glue-differs",
        "Glue differs from the A and AAAA records in the zone",
        "Let the addresses in the request and those in the zone be the same.",
        f"{DENIC} 2.1.3",
    ),
    _warning(
        "glue-needless",
        "Addresses are named for a server outside the domain",
        "Leave the addresses out; the parent does not take them.",
        f"{DENIC} 2.1.3",
    ),
    _error(
        "ipv6-not-routable",
        "An IPv6 address is not global unicast",
        "Use an address that is routed in the Internet (2000::/3, and not for documentation).",
        f"{DENIC} 2.1.2; RFC 4291 2.4",
    ),
    _error(
        "ns-differs",
        "The NS records of the zone are not the servers of the request",
        "Let the NS records at the apex and the servers of the request be the same.",
        f"{DENIC} 2.1; RFC 1034 4.2.2",
    ),
    _error(
        "soa-not-direct",
        "The SOA record is not answered directly",
        "Put the SOA record at the zone itself; a CNAME cannot stand there.",
        f"{DENIC} 2.1; RFC 1034 3.6.2",
    ),
    _error(
        "referral-too-long",
        "The referral does not fit into 512 octets",
        "Name fewer servers, shorter names, or fewer addresses.",
        f"{DENIC} 2.1; RFC 1035 4.2.1",
    ),
    _warning("refresh", "REFRESH is out of range", "Change REFRESH in the SOA record.", DENIC),
    _warning("retry", "RETRY is out of range", "Change RETRY in the SOA record.", DENIC),
    _warning(
        "retry-of-refresh",
        "RETRY is not between an eighth and a third of REFRESH",
        "Change RETRY or REFRESH in the SOA record.",
        DENIC,
    ),
    _warning("expire", "EXPIRE is out of range", "Change EXPIRE in the SOA record.", DENIC),
    _warning(
        "negative-ttl",
        "The TTL of negative answers is out of range",
        "Change MINIMUM in the SOA record (RFC 2308 4).",
        DENIC,
    ),
    _warning(
        "mname-differs",
        "The servers name different primaries",
        "Let all servers have the same version of the zone, with one MNAME in its SOA.",
        DENIC,
    ),
    _warning(
        "recursion",
        "A name server offers recursion",
        "Switch recursion off on servers that are authoritative for zones.",
        f"{DENIC}; RFC 5358 3",
    ),
    _warning(
        "no-tcp",
        "A name server does not answer over TCP",
        "Open port 53 for TCP.",
        f"{DENIC}; RFC 7766 5",
    ),
    _error(
        "key-flags",
        "The flags of a key are neither 256 nor 257",
        "Send the key that signs the zone, as its DNSKEY record has it.",
        f"{DENIC}; RFC 4034 2.1.1",
    ),
    _error(
        "key-algorithm",
        "The algorithm or protocol of a key is not taken",
        "Sign with an algorithm that the registry takes: 8, 10, 13, 14, 15 or 16.",
        f"{DENIC}; RFC 8624 3.1",
    ),
    _error(
        "key-form",
        "A key has not the form of its algorithm",
        "Send the public key as the DNSKEY record has it, in base64.",
        f"{DENIC}; RFC 3110 2, 6605 4, 8080 3",
    ),
    _error("key-duplicate", "A key is named twice", "Name each key once.", DENIC),
    _error("too-many-keys", "Too many keys are named", "Name five keys at most.", DENIC),
    _error(
        "keyset-unretrievable",
        "The keys of the zone cannot be fetched",
        "Let DNSKEY queries be answered, over TCP too where the answer is long.",
        DENIC,
    ),
    _error(
        "keyset-differs",
        "The servers have different keys",
        "Wait until all servers have the same version of the zone.",
        DENIC,
    ),
    _error(
        "no-key-visible",
        "None of the named keys is in the zone",
        "Publish the key in the zone before it goes to the registry.",
        DENIC,
    ),
    _error(
        "no-proof-of-possession",
        "No named key signs the keys of the zone",
        "Sign the DNSKEY records with a key that goes to the registry.",
        f"{DENIC}; RFC 4035 2.4",
    ),
    _error(
        "soa-not-validated",
        "The signature of the SOA record does not lead to a named key",
        "Sign the zone again; look at the validity of its signatures.",
        f"{DENIC}; RFC 4035 5.3",
    ),
    _error(
        "no-do-bit",
        "A name server answers without signatures where they are asked for",
        "Switch DNSSEC (EDNS and the DO bit) on.",
        f"{DENIC}; RFC 3225 3",
    ),
    _error(
        "ds-without-key",
        "A DS record leads to no key of the zone",
        "Make the DS record anew from the key of the zone.",
        "RFC 4035 5.2",
    ),
)
RULES: Final = {rule.id: rule for rule in _ALL}

_DNSSEC: Final = frozenset(RULES) & {
    "keyset-unretrievable",
    "keyset-differs",
    "no-key-visible",
    "no-proof-of-possession",
    "soa-not-validated",
    "no-do-bit",
    "ds-without-key",
    "key-flags",
    "key-algorithm",
    "key-form",
    "key-duplicate",
    "too-many-keys",
}
_BASIC: Final = frozenset(
    {
        "not-resolvable",
        "not-reachable",
        "not-authoritative",
        "too-few-servers",
        "glue-missing",
        "glue-needless",
        "ns-differs",
        "soa-not-direct",
        "no-tcp",
        "recursion",
        "mname-differs",
    }
)

PROFILES: Final = {
    profile.id: profile
    for profile in (
        Profile("denic", "DENIC's predelegation check (.de)", frozenset(RULES)),
        Profile(
            "gtld",
            "what every gTLD delegation needs",
            _BASIC | _DNSSEC | {"same-address"},
        ),
        Profile(
            "eu",
            "what every .eu delegation needs",
            (_BASIC | _DNSSEC) - {"too-few-servers"},
            min_servers=1,
        ),
    )
}
