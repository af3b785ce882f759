"""Commands of a registrar, read from what he sent (RFC 5730 2.5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from xml.etree.ElementTree import Element

from registrar import commands as ask
from registrar.commands import Command
from registrar.epp.document import attribute, child, find, local_name, named, parse, text, texts
from registrar.epp.errors import SyntaxFault
from registrar.epp.namespaces import CONTACT, DOMAIN, HOST
from registrar.epp.sandbox import reading_contact, reading_domain, reading_host
from registrar.file_registry.refusal import (
    MISSING,
    UNIMPLEMENTED_COMMAND,
    UNIMPLEMENTED_OPTION,
    Refusal,
)

UNKNOWN_COMMAND: Final = 2000
UNIMPLEMENTED_OBJECT: Final = 2307

Reader = Callable[[Element, Element | None], Command[Any]]

_READERS: Final[dict[tuple[str, str], Reader]] = {
    ("check", DOMAIN): reading_domain.read_check,
    ("info", DOMAIN): reading_domain.read_info,
    ("create", DOMAIN): reading_domain.read_create,
    ("update", DOMAIN): reading_domain.read_update,
    ("renew", DOMAIN): reading_domain.read_renew,
    ("delete", DOMAIN): reading_domain.read_delete,
    ("check", HOST): reading_host.read_check,
    ("info", HOST): reading_host.read_info,
    ("create", HOST): reading_host.read_create,
    ("update", HOST): reading_host.read_update,
    ("delete", HOST): reading_host.read_delete,
    ("check", CONTACT): reading_contact.read_check,
    ("info", CONTACT): reading_contact.read_info,
    ("create", CONTACT): reading_contact.read_create,
    ("update", CONTACT): reading_contact.read_update,
    ("delete", CONTACT): reading_contact.read_delete,
}
_VERBS: Final = frozenset({verb for verb, _ in _READERS} | {"transfer"})


@dataclass(frozen=True, slots=True)
class Hello:
    """A registrar asks for the greeting."""


@dataclass(frozen=True, slots=True)
class Login:
    """A registrar wants to be let in."""

    client: str
    password: str
    new_password: str | None
    version: str
    objects: tuple[str, ...]
    extensions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Logout:
    """A registrar takes his leave."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a registrar sent: ``body`` still as XML where it is a command on objects."""

    body: Hello | Login | Logout | Element
    trid: str | None = None
    extension: Element | None = None


def read_request(octets: bytes) -> Request:
    """Read what a registrar sent; raises ``SyntaxFault``."""
    root = parse(octets)
    if root.tag != named("epp:epp"):
        raise SyntaxFault("not EPP")
    if find(root, "epp:hello") is not None:
        return Request(Hello())
    command = child(root, "epp:command")
    trid = text(command, "epp:clTRID")
    if (login := find(command, "epp:login")) is not None:
        return Request(_login(login), trid)
    if find(command, "epp:logout") is not None:
        return Request(Logout(), trid)
    for verb in command:
        if verb.tag not in (named("epp:extension"), named("epp:clTRID")):
            return Request(verb, trid, find(command, "epp:extension"))
    raise SyntaxFault("a command without a verb")


def _login(login: Element) -> Login:
    return Login(
        client=text(login, "epp:clID") or "",
        password=text(login, "epp:pw") or "",
        new_password=text(login, "epp:newPW"),
        version=text(login, "epp:options/epp:version") or "",
        objects=texts(login, "epp:svcs/epp:objURI"),
        extensions=texts(login, "epp:svcs/epp:svcExtension/epp:extURI"),
    )


def read_command(verb: Element, extension: Element | None) -> Command[Any]:
    """Read a command on objects or on the queue; raises ``SyntaxFault`` and ``Refusal``."""
    kind = local_name(verb)
    if kind == "poll":
        return _poll(verb)
    if kind not in _VERBS:
        raise Refusal(UNKNOWN_COMMAND, value=kind)
    if len(verb) != 1:
        raise SyntaxFault(f"{kind} has {len(verb)} objects")
    target = verb[0]
    namespace = str(target.tag).rpartition("}")[0].lstrip("{")
    if namespace not in (DOMAIN, HOST, CONTACT):
        raise Refusal(UNIMPLEMENTED_OBJECT, value=namespace)
    if local_name(target) != kind:
        raise SyntaxFault(f"{local_name(target)} within {kind}")
    if kind == "transfer":
        return _transfer(verb, target, namespace)
    try:
        reader = _READERS[kind, namespace]
    except KeyError:
        raise Refusal(UNIMPLEMENTED_COMMAND, value=kind) from None
    return reader(target, extension)


def _poll(verb: Element) -> Command[Any]:
    operation = attribute(verb, "op")
    if operation == "req":
        return ask.Poll()
    if operation != "ack":
        raise SyntaxFault(f"poll operation {operation[:40]!r}")
    message = verb.get("msgID")
    if not message:
        raise Refusal(MISSING, "msgID")
    return ask.Acknowledge(message)


def _transfer(verb: Element, target: Element, namespace: str) -> Command[Any]:
    operation = attribute(verb, "op")
    if operation not in set(ask.TransferOperation):
        raise SyntaxFault(f"transfer operation {operation[:40]!r}")
    if namespace == HOST:
        raise Refusal(UNIMPLEMENTED_COMMAND, "hosts move with their domain")
    if namespace == CONTACT:
        raise Refusal(UNIMPLEMENTED_OPTION, "contacts are not transferred here")
    return reading_domain.read_transfer(target, ask.TransferOperation(operation))
