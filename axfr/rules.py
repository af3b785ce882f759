"""The rules about moving zones: what a primary has to do so that its zone is taken over."""

from __future__ import annotations

from typing import Final

from zones.finding import Severity
from zones.rule import Rule

ERROR, HOLD, WARNING = Severity.ERROR, Severity.HOLD, Severity.WARNING

HEADING: Final = """\
# What can keep a zone from being taken over

Before its content is checked, a zone has to arrive. Whatever of this goes wrong, the version before
it stays in service until the EXPIRE value of its SOA record has run out.

This page is written by `python -m axfr.refusal`.
"""

ALL: Final = (
    # Reaching the primary
    Rule(
        "unreachable",
        ERROR,
        "The primary cannot be reached",
        "No connection to the primary came about, or it broke. Zones are transferred over TCP: a"
        " firewall that lets only UDP through has the same effect.",
        "Check that the server runs, that its address is the one entered here, and that firewalls"
        " let UDP and TCP through to its DNS port.",
        "RFC 5936 4.1, RFC 7766",
    ),
    Rule(
        "timeout",
        ERROR,
        "The primary does not answer",
        "The primary was asked several times and sent nothing back in time.",
        "Check that the server runs and that firewalls let UDP and TCP through to its DNS port.",
        "RFC 1035 4.2.1, RFC 1034 4.3.5",
    ),
    Rule(
        "no-primary",
        ERROR,
        "No primary is entered",
        "Without the address of a primary there is nobody to fetch the zone from.",
        "Enter the address of the primary.",
        "RFC 1034 4.3.5",
    ),
    Rule(
        "source-address",
        ERROR,
        "Our server does not have the address to ask from",
        "The primary is to be asked from an address that this server does not have. A primary that"
        " lets only that address transfer the zone would refuse any other, so it is not asked.",
        "This is the operator's to mend: give the server the address, or name another one"
        " (nsctl secondary set-primary --source, or source_ipv4 and source_ipv6 in the settings).",
        "operation",
    ),
    Rule(
        "tls-failed",
        ERROR,
        "No encrypted connection to the primary",
        "Transfers from this primary are to be encrypted, and no TLS came about with it. Without"
        " TLS it is not asked.",
        "Check that the primary offers DNS over TLS (usually on port 853) with TLS 1.3 at the"
        " address and port entered here.",
        "RFC 9103 7, RFC 7858 3.1",
    ),
    Rule(
        "tls-certificate",
        ERROR,
        "The primary shows a wrong certificate",
        "The certificate that the primary shows is not one by which it is to be known here.",
        "Renew the certificate of the primary, or enter its name, its issuer (tls-ca) or its key"
        " (tls-pin) here as they are now.",
        "RFC 9103 7.3.1, RFC 8310 8",
    ),
    Rule(
        "tls-own-certificate",
        ERROR,
        "The primary does not let us in by our certificate",
        "The primary lets only servers transfer zones that show a certificate it knows, and ours is"
        " missing, cannot be used, or is not accepted.",
        "Have the primary trust the issuer of our certificate. The operator of this server sets the"
        " certificate and key below [transfers].",
        "RFC 9103 9.3.3",
    ),
    # What the primary answers
    Rule(
        "refused-by-primary",
        ERROR,
        "The primary refuses the request",
        "The primary answered with an error instead of the zone.",
        "Allow the addresses of our servers, or the key agreed on, to query and transfer the zone"
        " (in BIND allow-transfer, in Knot acl, in NSD provide-xfr, in PowerDNS allow-axfr-ips);"
        " the primary's log has the address that it refused.",
        "RFC 5936 2.2.1, RFC 1035 4.1.1",
    ),
    Rule(
        "primary-failed",
        ERROR,
        "The primary has an error of its own",
        "The primary was reached and could not answer for the zone. Mostly it has not loaded it,"
        " because of a mistake in the zone file, or because it is a secondary itself and let the"
        " zone expire.",
        "Look into the primary's log for the reason, load the zone there, and ask it yourself: dig"
        " SOA with the zone's name at the primary's address.",
        "RFC 1035 4.1.1",
    ),
    Rule(
        "primary-not-authoritative",
        ERROR,
        "The primary does not serve the zone",
        "The primary answered, but not as an authoritative server of this zone: it does not have"
        " the zone, could not load it, or let it expire.",
        "Configure the zone on the primary and check in its log that it is loaded.",
        "RFC 1034 4.3.5, RFC 5936 2.2.1",
    ),
    Rule(
        "malformed",
        ERROR,
        "The answer of the primary is not a valid DNS message",
        "The answer breaks the DNS message format or the form of a zone transfer.",
        "Update the software of the primary, or check whether another program or a middlebox"
        " answers at its address.",
        "RFC 1035 4.1, RFC 5936 2.2",
    ),
    Rule(
        "empty-answer",
        ERROR,
        "The primary answers without records",
        "The primary reported success and sent no record at all.",
        "Check that the zone is loaded on the primary and that transfers of it are allowed.",
        "RFC 5936 2.2",
    ),
    Rule(
        "cut-short",
        ERROR,
        "The transfer ends before the zone is complete",
        "A transfer starts and ends with the SOA record of the zone; the connection closed before"
        " the second one came.",
        "Check the primary's log; a timeout or a firewall may have cut the connection.",
        "RFC 5936 2.2",
    ),
    Rule(
        "soa-changed-midway",
        ERROR,
        "The zone changed while it was being transferred",
        "The SOA record at the end of the transfer is not the one at its start, so that the"
        " content may be a mixture of two versions.",
        "Nothing, if it happens once: the transfer is repeated. Otherwise change the zone less"
        " often, or update the software of the primary.",
        "RFC 5936 2.2 and 6",
    ),
    Rule(
        "ixfr-failed",
        WARNING,
        "The incremental transfer did not work out",
        "The primary refused to send differences, or sent some that do not lead from the version in"
        " service to its own. The whole zone is transferred instead, in the same attempt.",
        "Nothing, if it happens once. Otherwise update the software of the primary, or check"
        " whether the same serial number was used for different content.",
        "RFC 1995 4",
    ),
    # Signatures
    Rule(
        "tsig-missing",
        ERROR,
        "The answer is not signed",
        "A key is agreed on for this primary, and an answer, or too much of it, came without a"
        " signature.",
        "Configure the key on the primary for transfers of this zone, or have it removed here.",
        "RFC 8945 5.3",
    ),
    Rule(
        "tsig-wrong",
        ERROR,
        "The signature does not match",
        "The key on the primary and the one entered here differ in name, algorithm or secret.",
        "Enter the same key name, algorithm and secret on both sides.",
        "RFC 8945 5.2.1, 5.2.2 and 5.4",
    ),
    Rule(
        "tsig-time",
        ERROR,
        "The clocks differ too much",
        "Signatures hold the time; the clock of the primary and ours are too far apart.",
        "Set the clock of the primary (NTP).",
        "RFC 8945 5.2.3",
    ),
    Rule(
        "key-unusable",
        ERROR,
        "The key for the primary is not there",
        "The primary is to be asked with a key that is not known here, or is of an algorithm that"
        " is not supported.",
        "Enter the key, or choose another one for the primary.",
        "RFC 8945 6",
    ),
    # Limits
    Rule(
        "too-large",
        ERROR,
        "The zone is larger than allowed",
        "The transfer was stopped when it exceeded the octets allowed for the zone.",
        "Remove what is not needed from the zone, or ask us for a higher limit.",
        "RFC 5936 6",
    ),
    Rule(
        "too-many-records",
        ERROR,
        "The zone has more records than allowed",
        "The transfer was stopped when it exceeded the records allowed for the zone.",
        "Remove what is not needed from the zone, or ask us for a higher limit.",
        "RFC 5936 6",
    ),
    Rule(
        "too-slow",
        ERROR,
        "The transfer takes too long",
        "The transfer was stopped when it had taken the time allowed for the zone.",
        "Check the load of the primary and the network between it and us.",
        "RFC 5936 6",
    ),
    Rule(
        "too-frequent",
        WARNING,
        "The zone changes more often than it is transferred",
        "A zone may be transferred so many times a minute. This one was, and waits now: NOTIFY"
        " messages are answered, and lead to one transfer of what the primary has then.",
        "Gather changes on the primary before the serial number is raised, or ask us for a higher"
        " limit (nsctl secondary limit --per-minute).",
        "operation, RFC 1996 4.4",
    ),
    # Serials
    Rule(
        "serial-went-back",
        ERROR,
        "The serial number went back",
        "The serial number on the primary is lower than that of the version in service, in the"
        " arithmetic of serial numbers. Secondaries only take over higher ones, so that no change"
        " made on the primary since has arrived anywhere.",
        "Set the serial number on the primary higher than the one in service, or have the lower"
        " one accepted once (nsctl secondary accept-serial).",
        "RFC 1982 3.2, RFC 1034 4.3.5",
    ),
    Rule(
        "pinned",
        HOLD,
        "The version in service is pinned",
        "The primary has another version, which is kept and not served while the one in service is"
        " pinned.",
        "Release the pin (nsctl zone unpin) when the other version may be served.",
        "operation",
    ),
    Rule(
        "discarded",
        WARNING,
        "The version at the primary was discarded",
        "It was held as suspicious, and somebody decided that it is not to be served. The version in"
        " service stays until the primary has another one.",
        "Mend the zone on the primary, raise its serial number and send a NOTIFY. To take the"
        " discarded version all the same, fetch it again (nsctl secondary retransfer).",
        "operation",
    ),
    Rule(
        "primary-suspended",
        ERROR,
        "The primary is suspended",
        "The operator has cut off this server: it is asked for nothing, and its NOTIFY messages are"
        " refused.",
        "Ask the operator for the reason; when it is gone, the primary is asked again"
        " (nsctl secondary resume-primary).",
        "operation",
    ),
)
