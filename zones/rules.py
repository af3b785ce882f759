"""The rules that zone content is checked against: one table, from which the documentation is made.

``python -m zones.rules`` writes the chapter of docs/refusals.md about zone content.
"""

from __future__ import annotations

import sys
from typing import Final

from zones.finding import Severity
from zones.rule import Rule, chapter
from zones.rules_signed import SIGNED

__all__ = ["RULES", "Rule", "markdown"]

ERROR, WARNING = Severity.ERROR, Severity.WARNING

HEADING: Final = """\
# What zone content is checked for

Every version of a zone is checked before it is served, whether it was edited, imported or
transferred. A rule of severity **error** refuses the change, and the version before it stays in
service; a **warning** is told and the change is made. All findings are told at once.

This page is written by `python -m zones.rules`.
"""


_ALL: Final = (
    # The SOA record
    Rule(
        "soa-missing",
        ERROR,
        "The zone has no SOA record",
        "The SOA record at the apex holds the serial number and the timers of the zone; without it"
        " no server can serve or transfer the zone.",
        "Add one SOA record at the apex.",
        "RFC 1035 5.2, RFC 2181 6.1",
    ),
    Rule(
        "soa-multiple",
        ERROR,
        "The zone has more than one SOA record",
        "A zone has exactly one SOA record; with two, servers disagree about its serial number.",
        "Keep one SOA record and remove the others.",
        "RFC 1035 5.2, RFC 2181 6.1",
    ),
    Rule(
        "soa-not-at-apex",
        ERROR,
        "An SOA record stands below the apex",
        "An SOA record marks the top of a zone and stands nowhere else in it.",
        "Remove the SOA record, or make a zone of its own of that name.",
        "RFC 1035 5.2, RFC 2181 6.1",
    ),
    Rule(
        "soa-timers-zero",
        ERROR,
        "A timer of the SOA record is zero",
        "With EXPIRE 0 the zone is void at once on every secondary; with REFRESH or RETRY 0"
        " secondaries would ask without pause.",
        "Set REFRESH, RETRY and EXPIRE to useful values, such as 14400, 3600 and 1209600.",
        "RFC 1035 3.3.13, RFC 1912 2.2",
    ),
    Rule(
        "soa-expire-too-short",
        ERROR,
        "The zone would expire before a failed attempt is repeated",
        "Secondaries ask every REFRESH seconds, and again RETRY seconds after an attempt that failed."
        " With a smaller EXPIRE than both together they stop answering for the zone as soon as the"
        " primary misses one question.",
        "Set EXPIRE to one or two weeks, such as 1209600, with REFRESH 14400 and RETRY 3600.",
        "RFC 1912 2.2, DENIC name server predelegation check",
    ),
    Rule(
        "soa-timers",
        WARNING,
        "A timer of the SOA record is unwise",
        "Registries ask for REFRESH 3600-86400, RETRY 900-28800 and not above REFRESH, EXPIRE"
        " 604800-3600000 and above REFRESH plus RETRY, and a MINIMUM of 180-86400 seconds.",
        "Use values within these ranges, such as 14400, 3600, 1209600 and 3600.",
        "RFC 1912 2.2, RFC 2308 4 and 5, DENIC name server predelegation check",
    ),
    Rule(
        "soa-names",
        WARNING,
        "A name in the SOA record is unusual",
        "The SOA record names the primary server of the zone and the mailbox of who is responsible,"
        " in which the @ is written as a dot.",
        "Write the server's host name, and the mailbox as hostmaster.example.org.",
        "RFC 1035 3.3.13, RFC 1912 2.2",
    ),
    # Name servers and delegations
    Rule(
        "ns-missing",
        ERROR,
        "The apex has no NS record",
        "The NS records at the apex name the servers of the zone; every zone has at least one.",
        "Add the NS records of the zone's servers at the apex.",
        "RFC 1034 4.2.1, RFC 1912 2.8",
    ),
    Rule(
        "ns-target-is-cname",
        WARNING,
        "An NS record points to an alias",
        "The name in an NS record must have addresses itself; many resolvers do not follow an"
        " alias there.",
        "Name the host that the alias points to, or give the name A or AAAA records.",
        "RFC 2181 10.3, RFC 1912 2.4",
    ),
    Rule(
        "ns-target-is-address",
        WARNING,
        "An NS record points to an address",
        "An NS record holds the name of a server, not its address; a name made of numbers does not"
        " resolve.",
        "Give the server a name with an A or AAAA record, and use that name.",
        "RFC 1035 3.3.11, RFC 1912 2.8",
    ),
    Rule(
        "ns-target-is-root",
        WARNING,
        "An NS record points to nothing",
        "The target is the root, which is no name server.",
        "Name a server, or remove the record.",
        "RFC 1035 3.3.11",
    ),
    Rule(
        "glue-missing",
        WARNING,
        "A name server within the zone has no address",
        "The address of a name server whose name is in the zone, or below a delegation to it, must"
        " be in the zone too, or the server cannot be found.",
        "Add A or AAAA records for the name server, or correct its name.",
        "RFC 1034 4.2.1, RFC 9471 3",
    ),
    Rule(
        "below-delegation",
        WARNING,
        "Records stand beside or below a delegation",
        "From a name with NS records on, the servers named there answer; other records here are"
        " never answered, except the addresses of those servers.",
        "Move the records to the delegated zone, or remove the delegation.",
        "RFC 1034 4.2.1, RFC 2181 6.1",
    ),
    Rule(
        "wildcard-ns",
        WARNING,
        "A wildcard has NS records",
        "What a delegation at a wildcard means is undefined; servers treat it differently.",
        "Delegate the names one by one.",
        "RFC 4592 4.2",
    ),
    # Aliases
    Rule(
        "cname-and-other-data",
        ERROR,
        "A name with a CNAME record has other records",
        "A CNAME record makes the name an alias of another one, so that it cannot have records of"
        " its own; the apex always has some and can never be an alias.",
        "Remove the CNAME record, or the other records of the name.",
        "RFC 1034 3.6.2, RFC 2181 10.1",
    ),
    Rule(
        "cname-multiple",
        ERROR,
        "A name has more than one CNAME record",
        "A name is an alias of one other name only.",
        "Keep one CNAME record and remove the others.",
        "RFC 2181 10.1",
    ),
    Rule(
        "cname-loop",
        WARNING,
        "CNAME records lead in a circle",
        "Resolvers that follow the aliases never reach an answer.",
        "Let one of the CNAME records point out of the circle.",
        "RFC 1034 3.6.2 and 5.2.2",
    ),
    Rule(
        "cname-target-missing",
        WARNING,
        "A CNAME record points to a name that does not exist",
        "The target is in this zone, which has no such name, so the alias leads nowhere.",
        "Correct the target, or add the records it should have.",
        "RFC 1912 2.4",
    ),
    Rule(
        "dname-multiple",
        ERROR,
        "A name has more than one DNAME record",
        "The names below can be redirected to one place only.",
        "Keep one DNAME record and remove the others.",
        "RFC 6672 2.4",
    ),
    Rule(
        "dname-with-cname",
        ERROR,
        "A name has a DNAME and a CNAME record",
        "A name with a CNAME record has no other records.",
        "Remove one of the two.",
        "RFC 6672 2.4, RFC 2181 10.1",
    ),
    Rule(
        "dname-and-ns",
        ERROR,
        "A name below the apex has DNAME and NS records",
        "The names below are either delegated or redirected, not both.",
        "Remove the DNAME record or the NS records.",
        "RFC 6672 2.3",
    ),
    Rule(
        "names-below-dname",
        ERROR,
        "Records stand below a DNAME record",
        "A DNAME record redirects every name below its owner, so none of them can have records.",
        "Remove the DNAME record, or the records below it.",
        "RFC 6672 2.4",
    ),
    Rule(
        "wildcard-dname",
        WARNING,
        "A wildcard has a DNAME record",
        "What it redirects depends on the caches of resolvers; it is discouraged.",
        "Write the DNAME records one by one.",
        "RFC 4592 4.4, RFC 6672 3.3",
    ),
    # Mail and services
    Rule(
        "mx-target-is-cname",
        WARNING,
        "An MX record points to an alias",
        "The name in an MX record must have addresses itself; some mail servers refuse an alias.",
        "Name the host that the alias points to.",
        "RFC 2181 10.3, RFC 5321 5.1",
    ),
    Rule(
        "mx-target-is-address",
        WARNING,
        "An MX record points to an address",
        "An MX record holds the name of a mail server, not its address.",
        "Give the server a name with an A or AAAA record, and use that name.",
        "RFC 1035 3.3.9, RFC 5321 5.1",
    ),
    Rule(
        "mx-target-without-address",
        WARNING,
        "A mail server within the zone has no address",
        "The MX record points to a name in this zone that has no A or AAAA records, so mail cannot"
        " be delivered there.",
        "Add A or AAAA records for the mail server, or correct its name.",
        "RFC 5321 5.1",
    ),
    Rule(
        "mx-null",
        WARNING,
        "A null MX record is not alone",
        "MX 0 . says that the name takes no mail at all, so that it stands alone and with"
        " preference 0.",
        "Remove the null MX record, or the others.",
        "RFC 7505 3",
    ),
    Rule(
        "srv-target-is-cname",
        WARNING,
        "An SRV record points to an alias",
        "The target of an SRV record must have addresses itself.",
        "Name the host that the alias points to.",
        "RFC 2782",
    ),
    Rule(
        "srv-target-without-address",
        WARNING,
        "The target of a service within the zone has no address",
        "The SRV record points to a name in this zone that has no A or AAAA records.",
        "Add A or AAAA records for the target, or correct its name.",
        "RFC 2782",
    ),
    # Records as such
    Rule(
        "out-of-zone",
        WARNING,
        "A record does not belong to the zone",
        "Its name is not the apex or below it; it was left out.",
        "Remove the record, or write its name relative to the zone (a final dot ends a name).",
        "RFC 1034 4.2.1, RFC 1035 5.2",
    ),
    Rule(
        "duplicate",
        WARNING,
        "Records are repeated",
        "Equal records of a name are one record; repetitions were left out.",
        "Remove the repetitions.",
        "RFC 2181 5",
    ),
    Rule(
        "ttl-mismatch",
        WARNING,
        "Records of one set have different TTLs",
        "All records of a name and type share one TTL; the smallest was taken.",
        "Give them the same TTL.",
        "RFC 2181 5.2",
    ),
    Rule(
        "ttl-too-large",
        ERROR,
        "A TTL is too large",
        "TTLs go from 0 to 2147483647 seconds.",
        "Use a smaller TTL, such as 86400.",
        "RFC 2181 8",
    ),
    Rule(
        "rdata-syntax",
        ERROR,
        "The content of a record is not what its type asks for",
        "Each record type has its own format; resolvers would drop the answer.",
        "Write the record anew.",
        "RFC 1035 3.3, and the RFC of the type",
    ),
    Rule(
        "rdata-doubtful",
        WARNING,
        "The content of a record is probably not what its type asks for",
        "The record could not be read as its type is usually written; it is served as it is.",
        "Look at the record, and write it anew if it is wrong.",
        "RFC 3597 3, and the RFC of the type",
    ),
    Rule(
        "rrset-too-large",
        ERROR,
        "The records of one name and type do not fit in a message",
        "A DNS message has at most 65535 octets, and a set of records is always sent whole.",
        "Remove records from the set.",
        "RFC 1035 4.2.2, RFC 2181 5",
    ),
    # DNSSEC
    Rule(
        "ds-at-apex",
        WARNING,
        "A DS record stands at the apex",
        "DS records belong to the parent zone, at the delegation; here they are never used.",
        "Hand the DS record to the registry or the parent zone, and remove it here.",
        "RFC 4035 2.4",
    ),
    Rule(
        "ds-without-ns",
        WARNING,
        "A DS record stands where nothing is delegated",
        "A DS record secures a delegation, so that it stands beside NS records.",
        "Remove the DS record, or add the NS records of the delegation.",
        "RFC 4035 2.4",
    ),
    Rule(
        "dnskey-below-apex",
        WARNING,
        "A DNSKEY record stands below the apex",
        "The keys of a zone stand at its apex; elsewhere they are never used.",
        "Remove the DNSKEY record.",
        "RFC 4035 2.1",
    ),
    Rule(
        "nsec3-iterations",
        WARNING,
        "NSEC3 uses extra iterations",
        "Iterations cost every server and resolver time and protect nothing; many resolvers treat"
        " zones with more than 100, or any, as unsigned or broken.",
        "Sign the zone with 0 iterations and no salt.",
        "RFC 9276 3.1",
    ),
    Rule(
        "denial-missing",
        WARNING,
        "A signed zone cannot prove that names do not exist",
        "The apex is signed and has neither an NSEC record nor an NSEC3PARAM record, by which"
        " servers find the proofs for negative answers.",
        "Sign the zone anew.",
        "RFC 4035 2.3, RFC 5155 7.1",
    ),
)

RULES: Final[dict[str, Rule]] = {rule.id: rule for rule in (*_ALL, *SIGNED)}


def markdown() -> str:
    """Return the documentation of every rule."""
    return chapter(HEADING, RULES.values())


if __name__ == "__main__":
    sys.stdout.write(markdown())
