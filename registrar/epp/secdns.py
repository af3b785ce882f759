"""DNSSEC data of delegations (RFC 5910, secDNS-1.1)."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from registrar.commands import SecDnsChange
from registrar.epp.document import children, find, needed_text, number, text
from registrar.epp.markup import Markup, declared, element, optional, together
from registrar.objects import DsData, KeyData, SecDns


def write_create(data: SecDns) -> Markup | None:
    """Return the extension of a domain create; nothing where there is no data."""
    return declared("secDNS:create", write_data(data)) if data else None


def write_update(change: SecDnsChange) -> Markup | None:
    """Return the extension of a domain update; nothing where nothing changes."""
    if not change:
        return None
    removed = added = changed = None
    if change.remove_all:
        removed = element("secDNS:rem", element("secDNS:all", "true"))
    elif change.remove:
        removed = element("secDNS:rem", _records(change.remove))
    if change.add:
        added = element("secDNS:add", _records(change.add))
    if change.max_sig_life is not None:
        changed = element("secDNS:chg", optional("secDNS:maxSigLife", change.max_sig_life))
    return declared("secDNS:update", removed, added, changed)


def write_data(data: SecDns) -> Markup:
    """Return the content of a create or of what ``info`` tells."""
    return together((optional("secDNS:maxSigLife", data.max_sig_life), _records(data)))


def _records(data: SecDns) -> Markup:
    ds = [
        element(
            "secDNS:dsData",
            element("secDNS:keyTag", str(record.key_tag)),
            element("secDNS:alg", str(record.algorithm)),
            element("secDNS:digestType", str(record.digest_type)),
            element("secDNS:digest", record.digest),
            None if record.key is None else _key(record.key),
        )
        for record in data.ds
    ]
    return together([*ds, *map(_key, data.keys)])


def _key(key: KeyData) -> Markup:
    return element(
        "secDNS:keyData",
        element("secDNS:flags", str(key.flags)),
        element("secDNS:protocol", str(key.protocol)),
        element("secDNS:alg", str(key.algorithm)),
        element("secDNS:pubKey", key.public_key),
    )


def read_data(parent: Element) -> SecDns:
    """Read what stands in a create, an add, a rem or an infData; raises ``SyntaxFault``."""
    life = text(parent, "secDNS:maxSigLife")
    return SecDns(
        ds=tuple(map(_read_ds, children(parent, "secDNS:dsData"))),
        keys=tuple(map(_read_key, children(parent, "secDNS:keyData"))),
        max_sig_life=None if life is None else number(life),
    )


def _read_ds(ds: Element) -> DsData:
    key = find(ds, "secDNS:keyData")
    return DsData(
        key_tag=number(needed_text(ds, "secDNS:keyTag")),
        algorithm=number(needed_text(ds, "secDNS:alg")),
        digest_type=number(needed_text(ds, "secDNS:digestType")),
        digest=needed_text(ds, "secDNS:digest").replace(" ", "").upper(),
        key=None if key is None else _read_key(key),
    )


def _read_key(key: Element) -> KeyData:
    return KeyData(
        flags=number(needed_text(key, "secDNS:flags")),
        protocol=number(needed_text(key, "secDNS:protocol")),
        algorithm=number(needed_text(key, "secDNS:alg")),
        public_key=needed_text(key, "secDNS:pubKey").replace(" ", ""),
    )


def read_info(extension: Element | None) -> SecDns:
    """Read what the extension of a domain info tells; nothing where it tells nothing."""
    found = None if extension is None else find(extension, "secDNS:infData")
    return SecDns() if found is None else read_data(found)
