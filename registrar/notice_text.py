"""Notices in the words of the customer's language, from templates; pure.

A template is a TOML table with ``subject`` and ``body``; ``string.Template`` fills the words in:
nothing more is needed, and a template of the operator's can do nothing but speak.
"""

from __future__ import annotations

import textwrap
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from string import Template
from typing import Any, Final

import idna

from registrar.days import local_day
from registrar.errors import PolicyError
from zones.name import display, from_text

LANGUAGES: Final = ("de", "en")
PARTS: Final = frozenset(("frame", "access", "expiry"))  # no notices of their own
# What a template may speak of.
WORDS: Final = frozenset(
    (
        "access", "arrears", "customer", "date", "documents", "domain", "domain_due", "expires",
        "expiry", "last_day", "mailbox", "portal", "provider", "refusal", "sentence", "text",
    )
)  # fmt: skip
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
# Documents that registries ask for, as letters name them.
DOCUMENTS: Final = {
    "de": {"close-request": "Close-Antrag (Löschauftrag an die Registry)"},
    "en": {"close-request": "close request (order of deletion to the registry)"},
}
OPEN: Final = {"de": "(offen)", "en": "(open)"}

WIDTH: Final = 76  # characters of a line

Texts = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Letters:
    """The templates by language, and who writes: the words of one provider."""

    texts: Mapping[str, Texts]
    provider: str = "Example Hosting"
    mailbox: str = "hostmaster@example.net"
    portal: str = ""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """What a notice is about; ``data`` is what was written down with it."""

    kind: str
    domain: str
    customer: str
    at: datetime
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """A notice as it is sent."""

    subject: str
    body: str


def read(text: str, file: str, below: Texts | None = None) -> Texts:
    """Return the templates of a file laid over others; raises ``PolicyError`` with every fault."""
    try:
        found: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{file}: {error}") from error
    texts = {**(below or {})}
    faults = []
    for kind, parts in found.items():
        wanted = {"body"} if kind in PARTS else {"subject", "body"}
        if not isinstance(parts, dict) or not wanted <= parts.keys() | texts.get(kind, {}).keys():
            faults.append(f"{file}: {kind}: {' and '.join(sorted(wanted))} are wanted")
            continue
        texts[kind] = {**texts.get(kind, {}), **parts}
        for part, words in parts.items():
            faults += [f"{file}: {kind}.{part}: {fault}" for fault in _template_faults(words)]
    if faults:
        raise PolicyError(faults)
    return texts


def _template_faults(words: object) -> list[str]:
    if not isinstance(words, str):
        return ["it has to be text"]
    template = Template(words)
    if not template.is_valid():
        return ["a dollar sign that is none is written $$"]
    unknown = sorted(set(template.get_identifiers()) - WORDS)
    return [f"${word} is not known; there are: {', '.join(sorted(WORDS))}" for word in unknown]


def render(letters: Letters, occurrence: Occurrence, language: str) -> Message:
    """Return a notice in a language; raises ``PolicyError`` for a kind that has no template."""
    texts = letters.texts[language if language in letters.texts else LANGUAGES[0]]
    template = texts.get(occurrence.kind)
    if template is None or occurrence.kind in PARTS:
        raise PolicyError(f"there is no template for the notice {occurrence.kind!r}")
    words = _words(letters, occurrence, language)
    words["expiry"] = _part(texts, "expiry", words) if occurrence.data.get("expires") else ""
    words["access"] = _part(texts, "access", words).rstrip() if letters.portal else ""
    words["text"] = _filled(Template(template["body"]).substitute(words).strip())
    body = _part(texts, "frame", words).strip() + "\n"
    subject = Template(template["subject"]).substitute(words)
    return Message(" ".join(subject.split()), body)


def _filled(text: str) -> str:
    """Return a text with its paragraphs in lines of a letter's width; lists stay as they are."""
    return "\n\n".join(
        paragraph if paragraph.startswith("- ") else textwrap.fill(paragraph, WIDTH)
        for paragraph in text.split("\n\n")
        if paragraph.strip()
    )


def _part(texts: Texts, name: str, words: Mapping[str, str]) -> str:
    return Template(texts[name]["body"]).substitute(words)


def _words(letters: Letters, occurrence: Occurrence, language: str) -> dict[str, str]:
    data = occurrence.data
    unknown = OPEN.get(language, OPEN["en"])
    return {
        "domain": unicode_name(occurrence.domain),
        "customer": occurrence.customer,
        "provider": letters.provider,
        "mailbox": letters.mailbox,
        "portal": letters.portal,
        "date": _day(local_day(occurrence.at), language),
        "expires": _moment(data.get("expires"), language) or unknown,
        "last_day": _moment(data.get("last_day"), language) or unknown,
        "domain_due": _moment(data.get("domain_due"), language) or unknown,
        "refusal": str(data.get("refusal") or ""),
        "sentence": str(data.get("sentence") or data.get("reason") or ""),
        "arrears": _amount(int(data.get("arrears_cents") or 0), language),
        "documents": "\n".join(
            f"- {DOCUMENTS.get(language, {}).get(document, document)}"
            for document in data.get("missing_documents") or ()
        ),
    }


def unicode_name(name: str) -> str:
    """Return a name with its U-labels, as people write it; as it is where it has none."""
    try:
        return idna.decode(display(from_text(name)))
    except (idna.IDNAError, UnicodeError):
        return name


def _moment(value: object, language: str) -> str:
    if not isinstance(value, str) or not value:
        return ""
    if "T" in value:
        return _day(local_day(datetime.fromisoformat(value)), language)
    return _day(date.fromisoformat(value), language)


def _day(day: date, language: str) -> str:
    if language == "de":
        return f"{day:%d.%m.%Y}"
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def _amount(cents: int, language: str) -> str:
    euros = f"{cents // 100}.{cents % 100:02}"
    return f"{euros.replace('.', ',')} Euro" if language == "de" else f"{euros} EUR"
