"""The namespaces of EPP and its objects, with the prefixes by which this package calls them."""

from __future__ import annotations

from typing import Final

EPP: Final = "urn:ietf:params:xml:ns:epp-1.0"
DOMAIN: Final = "urn:ietf:params:xml:ns:domain-1.0"
HOST: Final = "urn:ietf:params:xml:ns:host-1.0"
CONTACT: Final = "urn:ietf:params:xml:ns:contact-1.0"
SECDNS: Final = "urn:ietf:params:xml:ns:secDNS-1.1"
RGP: Final = "urn:ietf:params:xml:ns:rgp-1.0"

PREFIXES: Final = {
    "epp": EPP,
    "domain": DOMAIN,
    "host": HOST,
    "contact": CONTACT,
    "secDNS": SECDNS,
    "rgp": RGP,
}
OBJECTS: Final = (DOMAIN, HOST, CONTACT)
EXTENSIONS: Final = (SECDNS, RGP)
