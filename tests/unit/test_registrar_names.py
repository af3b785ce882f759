"""Names as typed, and what registries take."""

from __future__ import annotations

import pytest

from registrar import names
from registrar.errors import RegistrarError
from tests.registrations import policies


def rules(text: str) -> set[str]:
    """Return the rules that a name breaks."""
    return {reason.rule for reason in names.check(names.parse(text), policies())}


@pytest.mark.requirement("REG-1")
@pytest.mark.parametrize(
    ("typed", "name", "shown"),
    [
        ("Example.ORG.", "example.org", "example.org"),
        ("KÖLN.de", "xn--kln-sna.de", "köln.de"),
        ("straße.de", "xn--strae-oqa.de", "straße.de"),
        ("xn--kln-sna.de", "xn--kln-sna.de", "köln.de"),
        ("\uff46\uff55\uff4c\uff4c\u3002eu", "full.eu", "full.eu"),
    ],
)
def test_names_become_a_labels(typed: str, name: str, shown: str) -> None:
    """Case, width and dots are mapped by UTS 46, and ß stays (IDNA 2008)."""
    parsed = names.parse(typed)
    assert (parsed.name, parsed.display) == (name, shown)


@pytest.mark.parametrize(
    "typed",
    [
        "example",
        "www.example.org",
        "-a.org",
        "a-.org",
        "ab--c.org",
        "a_b.org",
        "a b.org",
        "",
        ".",
        "xn--a.org",
        "☃.org",
        "ä" * 60 + ".de",
        "a" * 64 + ".org",
        "a..org",
    ],
)
def test_what_is_no_name_is_refused(typed: str) -> None:
    """Hyphens at the ends or for nothing in third place, signs, overlong and further labels."""
    with pytest.raises(RegistrarError):
        names.parse(typed)


@pytest.mark.requirement("REG-1")
@pytest.mark.parametrize(
    ("typed", "broken"),
    [
        ("a.de", set()),
        ("a.org", {"too-short"}),
        ("ß.eu", {"too-short"}),
        ("nic.org", {"reserved"}),
        ("whois.eu", {"reserved"}),
        ("αθήνα.eu", {"character"}),
        ("αθήνα.de", {"character"}),
        ("αθήνα.org", set()),
        ("þórr.de", set()),
        ("example.tv", {"tld-not-offered"}),
    ],
)
def test_each_registry_has_rules_of_its_own(typed: str, broken: set[str]) -> None:
    """Length, reserved names and characters are those of the TLD's profile."""
    assert rules(typed) == broken


def test_a_reason_names_the_characters() -> None:
    """The customer reads which characters are at fault, and whose rule it is."""
    (reason,) = names.check(names.parse("я.de"), policies())
    assert "'я'" in reason.sentence
    assert reason.source.startswith("DENIC")
