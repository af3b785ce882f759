"""The greeting of a server and the login that answers it (RFC 5730 2.4 and 2.9.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from xml.etree.ElementTree import Element

from registrar.epp.document import child, find, named, optional_instant, parse, text, texts
from registrar.epp.errors import EppError, SyntaxFault
from registrar.epp.markup import Markup, document, element, together
from registrar.epp.namespaces import EXTENSIONS, OBJECTS

VERSION: Final = "1.0"
LANGUAGE: Final = "en"
PASSWORD_LENGTH: Final = range(6, 17)  # RFC 5730 4.1, pwType


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a server offers: the namespaces of objects and extensions, and its clock."""

    server: str
    at: datetime | None
    versions: tuple[str, ...]
    languages: tuple[str, ...]
    objects: tuple[str, ...]
    extensions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are at a registry; with ``new_password`` the login changes the password."""

    client: str
    password: str = field(repr=False)
    new_password: str | None = field(default=None, repr=False)


def is_greeting(octets: bytes) -> bool:
    """Return whether a document is a greeting; raises ``SyntaxFault`` for what is not EPP."""
    return find(_epp(octets), "epp:greeting") is not None


def _epp(octets: bytes) -> Element:
    root = parse(octets)
    if root.tag != named("epp:epp"):
        raise SyntaxFault(f"{str(root.tag)[:80]} where epp is expected")
    return root


def read_greeting(octets: bytes) -> Greeting:
    """Read a greeting; raises ``SyntaxFault``."""
    found = child(_epp(octets), "epp:greeting")
    return Greeting(
        server=text(found, "epp:svID") or "",
        at=optional_instant(found, "epp:svDate"),
        versions=texts(found, "epp:svcMenu/epp:version"),
        languages=texts(found, "epp:svcMenu/epp:lang"),
        objects=texts(found, "epp:svcMenu/epp:objURI"),
        extensions=texts(found, "epp:svcMenu/epp:svcExtension/epp:extURI"),
    )


def write_hello() -> bytes:
    """Return a hello: a server answers with its greeting, at any time (RFC 5730 2.3)."""
    return document(element("hello"))


def write_login(credentials: Credentials, greeting: Greeting, trid: str) -> bytes:
    """Return the login: of what the server offers, the services that we speak.

    Raises ``SyntaxFault`` where a server offers nothing of it, and ``EppError`` for passwords that
    EPP cannot say.
    """
    for password in (credentials.password, credentials.new_password):
        if password is not None and len(password) not in PASSWORD_LENGTH:
            raise EppError("a password in EPP has 6 to 16 characters (RFC 5730 4.1)")
    if VERSION not in greeting.versions:
        raise SyntaxFault(f"the server speaks EPP {', '.join(greeting.versions)}, not {VERSION}")
    objects = [uri for uri in OBJECTS if uri in greeting.objects]
    extensions = [uri for uri in EXTENSIONS if uri in greeting.extensions]
    if not objects:
        raise SyntaxFault("the server offers none of the objects of RFC 5731 to 5733")
    new = credentials.new_password
    login = element(
        "login",
        element("clID", credentials.client),
        element("pw", credentials.password),
        None if new is None else element("newPW", new),
        element("options", element("version", VERSION), element("lang", _language(greeting))),
        element("svcs", _uris("objURI", objects), _extensions(extensions)),
    )
    return document(element("command", login, element("clTRID", trid)))


def _language(greeting: Greeting) -> str:
    if LANGUAGE in greeting.languages or not greeting.languages:
        return LANGUAGE
    return greeting.languages[0]


def _uris(name: str, uris: Sequence[str]) -> Markup:
    return together([element(name, uri) for uri in uris])


def _extensions(uris: Sequence[str]) -> Markup | None:
    return element("svcExtension", _uris("extURI", uris)) if uris else None


def write_logout(trid: str) -> bytes:
    """Return the logout."""
    return document(element("command", element("logout"), element("clTRID", trid)))
