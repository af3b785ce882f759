"""The formal syntax of EPP, by which both sides' documents are judged.

The schemas of the IETF come in no package that could be installed. The content models here are
written from the formal syntax of RFC 5730 to 5733, 5910 and 3915, section 4 and following of each:
which elements stand in which, in which order, how often, with which attributes and what text. They
are strict: what is not said here is a fault. A model is a regular expression over the names of the
child elements.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final
from xml.etree.ElementTree import Element

from registrar.epp.document import parse
from registrar.epp.namespaces import PREFIXES

_STATUS: Final = "client(Delete|Update)Prohibited|linked|ok|pending(Create|Delete|Transfer|Update)"
_DOMAIN_STATUS: Final = (
    "(client|server)(Delete|Hold|Renew|Transfer|Update)?(Prohibited)?|inactive|ok"
    "|pending(Create|Delete|Renew|Transfer|Update)"
)
_INSTANT: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?"
_CLIENT: Final = ".{3,16}"
_TRID: Final = ".{3,64}"
_ROID: Final = r"\w{1,80}-\w{1,8}"
_LABEL: Final = ".{1,255}"
_PHONE: Final = r"(\+[0-9]{1,3}\.[0-9]{1,14})?"
_BYTE: Final = "[0-9]{1,3}"

# Name -> the names of the child elements; what is not here has text alone.
_MODELS: Final = {
    "epp": "greeting|hello|command|response",
    "hello": "",
    "greeting": "svID svDate svcMenu dcp",
    "svcMenu": "version+ lang+ objURI+ svcExtension?",
    "svcExtension": "extURI+",
    "dcp": "access statement+ expiry?",
    "access": "all|none|null|other|personal|personalAndOther",
    "statement": "purpose recipient retention",
    "purpose": "admin? contact? other? prov?",
    "recipient": "other? ours* public? same? unrelated?",
    "retention": "business|indefinite|legal|none|stated",
    "command": "(check|create|delete|info|login|logout|poll|renew|transfer|update) "
    "extension? clTRID?",
    "login": "clID pw newPW? options svcs",
    "options": "version lang",
    "svcs": "objURI+ svcExtension?",
    "logout": "",
    "poll": "",
    "check": "domain:check|host:check|contact:check",
    "create": "domain:create|host:create|contact:create",
    "delete": "domain:delete|host:delete|contact:delete",
    "info": "domain:info|host:info|contact:info",
    "renew": "domain:renew",
    "transfer": "domain:transfer|contact:transfer",
    "update": "domain:update|host:update|contact:update",
    "command/extension": "(secDNS:create|secDNS:update|rgp:update)+",
    "response": "result+ msgQ? resData? extension? trID",
    "result": "msg (value|extValue)*",
    "value": "text|undef",
    "extValue": "value reason",
    "msgQ": "qDate? msg?",
    "resData": "domain:(chkData|creData|infData|renData|trnData|panData)"
    "|host:(chkData|creData|infData)|contact:(chkData|creData|infData)",
    "response/extension": "(secDNS:infData|rgp:infData|rgp:upData)+",
    "trID": "clTRID? svTRID",
    # RFC 5731
    "domain:check": "domain:name+",
    "domain:info": "domain:name domain:authInfo?",
    "domain:create": "domain:name domain:period? domain:ns? domain:registrant? domain:contact* "
    "domain:authInfo",
    "domain:delete": "domain:name",
    "domain:renew": "domain:name domain:curExpDate domain:period?",
    "domain:transfer": "domain:name domain:period? domain:authInfo?",
    "domain:update": "domain:name domain:add? domain:rem? domain:chg?",
    "domain:add": "domain:ns? domain:contact* domain:status*",
    "domain:rem": "domain:ns? domain:contact* domain:status*",
    "domain:chg": "domain:registrant? domain:authInfo?",
    "domain:ns": "domain:hostObj+|domain:hostAttr+",
    "domain:hostAttr": "domain:hostName domain:hostAddr*",
    "domain:authInfo": "domain:pw|domain:null",
    "domain:null": "",
    "domain:status": "",
    "domain:chkData": "domain:cd+",
    "domain:cd": "domain:name domain:reason?",
    "domain:creData": "domain:name domain:crDate domain:exDate?",
    "domain:infData": "domain:name domain:roid domain:status* domain:registrant? domain:contact* "
    "domain:ns? domain:host* domain:clID domain:crID? domain:crDate? domain:upID? domain:upDate? "
    "domain:exDate? domain:trDate? domain:authInfo?",
    "domain:renData": "domain:name domain:exDate?",
    "domain:trnData": "domain:name domain:trStatus domain:reID domain:reDate domain:acID "
    "domain:acDate domain:exDate?",
    "domain:panData": "domain:name domain:paTRID domain:paDate",
    "domain:paTRID": "clTRID? svTRID",
    # RFC 5732
    "host:check": "host:name+",
    "host:info": "host:name",
    "host:create": "host:name host:addr*",
    "host:delete": "host:name",
    "host:update": "host:name host:add? host:rem? host:chg?",
    "host:add": "host:addr* host:status*",
    "host:rem": "host:addr* host:status*",
    "host:chg": "host:name",
    "host:status": "",
    "host:chkData": "host:cd+",
    "host:cd": "host:name host:reason?",
    "host:creData": "host:name host:crDate",
    "host:infData": "host:name host:roid host:status+ host:addr* host:clID host:crID host:crDate "
    "host:upID? host:upDate? host:trDate?",
    # RFC 5733
    "contact:check": "contact:id+",
    "contact:info": "contact:id contact:authInfo?",
    "contact:create": "contact:id contact:postalInfo{1,2} contact:voice? contact:fax? "
    "contact:email contact:authInfo contact:disclose?",
    "contact:delete": "contact:id",
    "contact:transfer": "contact:id contact:authInfo?",
    "contact:update": "contact:id contact:add? contact:rem? contact:chg?",
    "contact:add": "contact:status{1,7}",
    "contact:rem": "contact:status{1,7}",
    "contact:chg": "contact:postalInfo{0,2} contact:voice? contact:fax? contact:email? "
    "contact:authInfo? contact:disclose?",
    "contact:status": "",
    "contact:postalInfo": "contact:name contact:org? contact:addr",
    "contact:addr": "contact:street{0,3} contact:city contact:sp? contact:pc? contact:cc",
    "contact:authInfo": "contact:pw",
    "contact:chkData": "contact:cd+",
    "contact:cd": "contact:id contact:reason?",
    "contact:creData": "contact:id contact:crDate",
    "contact:infData": "contact:id contact:roid contact:status+ contact:postalInfo{1,2} "
    "contact:voice? contact:fax? contact:email contact:clID contact:crID contact:crDate "
    "contact:upID? contact:upDate? contact:trDate? contact:authInfo? contact:disclose?",
    # RFC 5910
    "secDNS:create": "secDNS:maxSigLife? (secDNS:dsData+|secDNS:keyData+)",
    "secDNS:infData": "secDNS:maxSigLife? (secDNS:dsData+|secDNS:keyData+)",
    "secDNS:update": "secDNS:rem? secDNS:add? secDNS:chg?",
    "secDNS:rem": "secDNS:all|secDNS:dsData+|secDNS:keyData+",
    "secDNS:add": "secDNS:maxSigLife? (secDNS:dsData+|secDNS:keyData+)",
    "secDNS:chg": "secDNS:maxSigLife?",
    "secDNS:dsData": "secDNS:keyTag secDNS:alg secDNS:digestType secDNS:digest secDNS:keyData?",
    "secDNS:keyData": "secDNS:flags secDNS:protocol secDNS:alg secDNS:pubKey",
    # RFC 3915
    "rgp:update": "rgp:restore",
    "rgp:restore": "rgp:report?",
    "rgp:report": "rgp:preData rgp:postData rgp:delTime rgp:resTime rgp:resReason "
    "rgp:statement{2} rgp:other?",
    "rgp:infData": "rgp:rgpStatus+",
    "rgp:upData": "rgp:rgpStatus+",
    "rgp:rgpStatus": "",
}  # fmt: skip

# Name, or parent/name -> what its text has to be.
_TEXTS: Final = {
    "svID": _TRID,
    "svDate": _INSTANT,
    "version": r"1\.0",
    "clID": _CLIENT,
    "pw": ".{6,16}",
    "newPW": ".{6,16}",
    "clTRID": _TRID,
    "svTRID": _TRID,
    "qDate": _INSTANT,
    "domain:name": _LABEL,
    "domain:roid": _ROID,
    "domain:reason": ".{1,32}",
    "domain:period": "[1-9][0-9]?",
    "domain:registrant": "(.{3,16})?",
    "domain:contact": _CLIENT,
    "domain:hostObj": _LABEL,
    "domain:hostName": _LABEL,
    "domain:hostAddr": ".{3,45}",
    "domain:curExpDate": r"\d{4}-\d\d-\d\d",
    "domain:trStatus": "pending|client(Approved|Cancelled|Rejected)|server(Approved|Cancelled)",
    "host:name": _LABEL,
    "host:roid": _ROID,
    "host:reason": ".{1,32}",
    "host:addr": ".{3,45}",
    "contact:id": _CLIENT,
    "contact:roid": _ROID,
    "contact:reason": ".{1,32}",
    "contact:name": _LABEL,
    "contact:org": ".{0,255}",
    "contact:street": ".{0,255}",
    "contact:city": _LABEL,
    "contact:sp": ".{0,255}",
    "contact:pc": ".{0,16}",
    "contact:cc": "..",
    "contact:voice": _PHONE,
    "contact:fax": _PHONE,
    "contact:email": ".+",
    "secDNS:maxSigLife": "[1-9][0-9]*",
    "secDNS:all": "true|false|1|0",
    "secDNS:keyTag": "[0-9]{1,5}",
    "secDNS:alg": _BYTE,
    "secDNS:digestType": _BYTE,
    "secDNS:digest": "([0-9a-fA-F]{2})+",
    "secDNS:flags": "[0-9]{1,5}",
    "secDNS:protocol": _BYTE,
    "secDNS:pubKey": "[A-Za-z0-9+/]+={0,2}",
    "rgp:delTime": _INSTANT,
    "rgp:resTime": _INSTANT,
    **{f"{prefix}:{name}": _INSTANT for prefix in ("domain", "host", "contact")
       for name in ("crDate", "upDate", "exDate", "trDate", "reDate", "acDate", "paDate")},
    **{f"{prefix}:{name}": _CLIENT for prefix in ("domain", "host", "contact")
       for name in ("clID", "crID", "upID", "reID", "acID")},
}  # fmt: skip

# Name, or parent/name -> attributes: mandatory ones, and with a question mark those that are not.
_ATTRIBUTES: Final = {
    "poll": {"op": "ack|req", "msgID?": ".+"},
    "transfer": {"op": "approve|cancel|query|reject|request"},
    "result": {"code": "1[0-9]{3}|2[0-5][0-9]{2}"},
    "msg": {"lang?": "[a-z]{2}"},
    "reason": {"lang?": "[a-z]{2}"},
    "msgQ": {"count": "[0-9]+", "id": ".+"},
    "domain:info/domain:name": {"hosts?": "all|del|none|sub"},
    "domain:period": {"unit": "y|m"},
    "domain:contact": {"type?": "admin|billing|tech"},
    "domain:hostAddr": {"ip?": "v4|v6"},
    "domain:pw": {"roid?": _ROID},
    "domain:status": {"s": _DOMAIN_STATUS, "lang?": "[a-z]{2}"},
    "domain:cd/domain:name": {"avail": "0|1|true|false"},
    "domain:panData/domain:name": {"paResult": "0|1|true|false"},
    "host:addr": {"ip?": "v4|v6"},
    "host:status": {"s": f"(server|{_STATUS})(Delete|Update)?(Prohibited)?", "lang?": "[a-z]{2}"},
    "host:cd/host:name": {"avail": "0|1|true|false"},
    "contact:postalInfo": {"type": "int|loc"},
    "contact:voice": {"x?": ".+"},
    "contact:fax": {"x?": ".+"},
    "contact:pw": {"roid?": _ROID},
    "contact:status": {"s": f"(server|clientTransfer|{_STATUS}).*", "lang?": "[a-z]{2}"},
    "contact:cd/contact:id": {"avail": "0|1|true|false"},
    "secDNS:update": {"urgent?": "true|false|1|0"},
    "rgp:restore": {"op": "request|report"},
    "rgp:rgpStatus": {
        "s": "(add|autoRenew|renew|transfer|redemption)Period|pending(Delete|Restore)",
        "lang?": "[a-z]{2}",
    },
    "rgp:statement": {"lang?": "[a-z]{2}"},
    "rgp:resReason": {"lang?": "[a-z]{2}"},
}  # fmt: skip

_SHORT: Final = {uri: "" if prefix == "epp" else f"{prefix}:" for prefix, uri in PREFIXES.items()}
_SCHEMA_LOCATION: Final = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"


def complaints(documents: list[bytes]) -> list[str]:
    """Return where documents break the formal syntax; none for documents that are right."""
    return [fault for document in documents for fault in _judge(parse(document), "")]


def _judge(element: Element, parent: str) -> list[str]:
    name = _name(element)
    within = f"{parent}/{name}"
    model = _MODELS.get(within, _MODELS.get(name))
    children = [_name(child) for child in element]
    faults = []
    if model is None and children:
        faults.append(f"{within}: {children} where text is expected")
    elif model is not None and not _expression(model).fullmatch("".join(f"{c} " for c in children)):
        faults.append(f"{within}: {children} is not {model}")
    faults += _judge_attributes(element, within, name)
    text = " ".join((element.text or "").split())
    wanted = _TEXTS.get(within, _TEXTS.get(name))
    if wanted is not None and not re.fullmatch(wanted, text):
        faults.append(f"{within}: {text!r} is not {wanted}")
    for child in element:
        faults += _judge(child, name)
    return faults


def _judge_attributes(element: Element, within: str, name: str) -> list[str]:
    wanted = _ATTRIBUTES.get(within, _ATTRIBUTES.get(name, {}))
    faults = []
    allowed = {key.rstrip("?"): pattern for key, pattern in wanted.items()}
    for key, value in element.attrib.items():
        if key != _SCHEMA_LOCATION and not re.fullmatch(allowed.get(key, "(?!)"), value):
            faults.append(f"{within}: attribute {key}={value!r}")
    faults += [
        f"{within}: no attribute {key}"
        for key in wanted
        if not key.endswith("?") and key not in element.attrib
    ]
    return faults


def _name(element: Element) -> str:
    namespace, _, local = str(element.tag).lstrip("{").rpartition("}")
    return _SHORT.get(namespace, f"{namespace}:") + local


@cache
def _expression(model: str) -> re.Pattern[str]:
    """Return a model as an expression over names that each end in a space."""
    named = re.sub(r"(\w+:)\(([\w|]+)\)", lambda m: "|".join(
        m[1] + local for local in m[2].split("|")), model)  # fmt: skip
    return re.compile(re.sub(r"[A-Za-z][\w:]*", r"(?:\g<0> )", named).replace(") ", ")")
                      .replace(" (?", "(?").replace("* ", "*").replace("+ ", "+")
                      .replace("? ", "?").replace("} ", "}"))  # fmt: skip
