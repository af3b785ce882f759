"""Domain names as customers type them and registries take them.

IDNA 2008 (RFC 5891) with the mapping of UTS 46, non-transitional: ``ß`` stays what it is. A name
is one label below a TLD.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import idna

from registrar.errors import RegistrarError
from registrar.policy import Policies, Tld
from registrar.reason import Reason

LETTERS_DIGITS_HYPHEN: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
A_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
MAX_LABEL: Final = 63  # octets (RFC 1035 2.3.4)


@dataclass(frozen=True, slots=True)
class DomainName:
    """A second-level name: its label as A-label and as U-label, and the TLD as A-label."""

    label: str
    u_label: str
    tld: str

    @property
    def name(self) -> str:
        """Return the name in A-labels: ``xn--kln-sna.de``."""
        return f"{self.label}.{self.tld}"

    @property
    def display(self) -> str:
        """Return the name as people write it: ``köln.de``."""
        return f"{self.u_label}.{idna.decode(self.tld)}"


def parse(text: str) -> DomainName:
    """Return the name that was typed, in any case, with a final dot or without.

    Raises ``RegistrarError`` for what is no second-level name at all.
    """
    try:
        mapped = idna.uts46_remap(text.strip().rstrip("."), std3_rules=True, transitional=False)
    except idna.IDNAError as error:
        raise RegistrarError(f"{text!r} is no domain name: {error}") from error
    labels = mapped.split(".")
    if len(labels) != 2:
        raise RegistrarError(f"{text!r} is no name right below a TLD, like example.org")
    try:
        label, tld = (_a_label(part) for part in labels)
        return DomainName(label, _u_label(label), tld)
    except idna.IDNAError as error:
        raise RegistrarError(f"{text!r} is no domain name: {error}") from error


def check(name: DomainName, policies: Policies) -> list[Reason]:
    """Return every reason why a name cannot be registered; none is good."""
    profile = policies.profile_of(name.tld)
    if profile is None:
        sentence = f"Names below .{name.tld} are not offered."
        return [Reason("tld-not-offered", sentence, "N 2.2.1")]
    return check_below(name, profile)


def check_below(name: DomainName, profile: Tld) -> list[Reason]:
    """Return every reason by the rules of one profile."""
    rules, reasons = profile.names, []
    length = len(name.u_label)
    if length < rules.min_length.value:
        sentence = f"{name.u_label!r} is shorter than {rules.min_length.value} characters."
        reasons.append(Reason("too-short", sentence, rules.min_length.source))
    if length > rules.max_length.value:
        sentence = f"{name.u_label!r} is longer than {rules.max_length.value} characters."
        reasons.append(Reason("too-long", sentence, rules.max_length.source))
    if name.label in rules.reserved.value:
        sentence = f"{name.label!r} is reserved by the registry."
        reasons.append(Reason("reserved", sentence, rules.reserved.source))
    foreign = sorted(set(name.u_label) - LETTERS_DIGITS_HYPHEN)
    if foreign and not rules.idn.value:
        sentence = f".{name.tld} takes no characters beside a-z, 0-9 and the hyphen."
        reasons.append(Reason("no-idn", sentence, rules.idn.source))
    elif rules.characters.value and (foreign := sorted(set(foreign) - set(rules.characters.value))):
        sentence = f".{name.tld} does not take {', '.join(map(repr, foreign))}."
        reasons.append(Reason("character", sentence, rules.characters.source))
    return reasons


def _a_label(label: str) -> str:
    """Return the A-label of a mapped label; the rules on hyphens hold for ASCII too."""
    encoded = idna.encode(label).decode("ascii").lower()
    if encoded == label and not label.startswith("xn--"):
        if label[2:4] == "--":
            raise idna.IDNAError(
                "hyphens in the third and fourth place are for IDN (RFC 5891 4.2.3.1)"
            )
        if not A_LABEL.fullmatch(label):
            raise idna.IDNAError(
                "letters, digits and hyphens, none of these first or last, make a label"
            )
    if len(encoded) > MAX_LABEL:
        raise idna.IDNAError(f"a label has at most {MAX_LABEL} octets (RFC 1035 2.3.4)")
    return encoded


def _u_label(label: str) -> str:
    return idna.decode(label)
