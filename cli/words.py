"""What the words of the trade mean, for who meets them in an explanation."""

from __future__ import annotations

import re
from typing import Final

WORDS: Final = {
    "apex": "the name of the zone itself, without anything in front",
    "zone": "all records of a domain that are kept together, as in one zone file",
    "primary": "your own name server, from which ours fetch the zone",
    "serial": "the number in the SOA record that has to rise with every change of the zone",
    "NOTIFY": "the message by which the primary tells ours that the zone has changed",
    "SOA": "the first record of a zone, with its serial number and timers",
    "EXPIRE": "how many seconds our servers answer for the zone without reaching the primary",
    "REFRESH": "how many seconds pass before our servers ask the primary for changes",
    "RETRY": "how many seconds pass before our servers ask again after a failure",
    "NS": "a record that names a name server of the zone",
    "MX": "a record that names a server that takes mail for the domain",
    "CNAME": "a record that makes a name an alias of another one",
    "DNAME": "a record that redirects all names below one name to below another one",
    "ZONEMD": "a record with a checksum of the whole zone",
    "DNSSEC": "signatures over records, by which resolvers recognise forged answers",
    "DNSKEY": "a record with a public key that the zone is signed with",
    "DS": "a record at the registry that names the key of the zone",
    "TSIG": "signatures over messages between two servers, made with a shared key",
    "BADTIME": "the error code for a signature whose time is too far from the clock",
    "BADSIG": "the error code for a signature that was made with another secret",
    "BADKEY": "the error code for a key that the server does not know",
    "REFUSED": "the error code for what a server does not allow",
    "SERVFAIL": "the error code for a server that cannot answer just now",
    "NXDOMAIN": "the error code for a name that does not exist",
    "TCP": "the kind of connection that zones are transferred over; UDP is for short questions",
}
MOST: Final = 6


def explained(text: str) -> list[str]:
    """Return a line for each word of the trade in a text, in the order of its first use."""
    found = []
    for word in re.findall(r"[A-Za-z]+", text):
        key = word if word in WORDS else word.lower()
        if key in WORDS and key not in found and (word.islower() or word == key):
            found.append(key)
    return [f"{word}: {WORDS[word]}" for word in found[:MOST]]
