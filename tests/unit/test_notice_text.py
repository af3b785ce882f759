"""Notices: every kind that the tables know has words in each language, and they are filled in."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from registrar import notice_files, notice_text
from registrar.deadlines import Due
from registrar.errors import PolicyError
from registrar.notice_text import Letters, Occurrence, render
from registrar.transitions import TABLES

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
LETTERS = Letters(notice_files.shipped(), portal="https://desk.example.net")
KINDS = {row.notice for table in TABLES.values() for row in table if row.notice} | {
    str(Due.EXPIRY_NOTICE),
    "cancellation-incomplete",
}
DATA = {
    "expires": "2027-03-02T09:30:00+00:00",
    "last_day": "2027-03-02",
    "domain_due": "2027-03-02T23:00:00+00:00",
    "refusal": "2302 object exists",
    "arrears_cents": 12_305,
    "missing_documents": ["close-request"],
    "sentence": "ns1.example.net is not authoritative.",
}


def told(kind: str, language: str, **data: object) -> notice_text.Message:
    """Return a notice about a domain with an umlaut."""
    about = Occurrence(kind, "xn--kln-sna.de", "4711", AT, DATA | data)
    return render(LETTERS, about, language)


@pytest.mark.requirement("REG-4")
@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_notice_has_its_words(kind: str, language: str) -> None:
    """Subject and body name the domain as people write it, and nothing is left to fill in."""
    message = told(kind, language)
    assert "köln.de" in message.subject
    assert "4711" in message.body
    assert "$" not in message.subject + message.body
    assert "\n" not in message.subject
    assert all(len(line) <= 80 for line in message.body.splitlines())


@pytest.mark.requirement("REG-4")
def test_a_registration_comes_with_access_data() -> None:
    """The customer hears when the term began, and where the domain is administered."""
    message = told("registered", "en")
    assert "on 2 March 2026" in message.body
    words = " ".join(message.body.split())
    assert "https://desk.example.net with your customer number, 4711" in words
    assert "up to 2 March 2027" in words
    german = told("registered", "de")
    assert "am 02.03.2026" in german.body
    assert "Zugangsdaten" in german.body
    assert "registered up to" not in told("registered", "en", expires=None).body


@pytest.mark.requirement("REG-11")
def test_missing_documents_are_listed() -> None:
    """A cancellation that is not complete says what is missing, in words."""
    assert "- Close-Antrag" in told("cancellation-incomplete", "de").body
    assert "- close request" in told("cancellation-incomplete", "en").body


@pytest.mark.requirement("REG-17")
def test_a_claim_is_told_before_data_are_given() -> None:
    """The holder hears of a claim, and that he can answer first."""
    assert "Before we give" in told("claim", "en").body
    assert "Bevor wir" in told("claim", "de").body


@pytest.mark.requirement("REG-3")
def test_amounts_and_reasons_are_as_people_write_them() -> None:
    """Euros with a comma in German; a refusal has the registry's reason."""
    assert "123,05 Euro" in told("dunning", "de").body
    assert "123.05 EUR" in told("dunning", "en").body
    assert "2302 object exists" in told("refused", "en").body
    assert "Nothing is charged" in told("refused", "en").body


def test_a_language_without_words_gets_german() -> None:
    """Contacts are in German or English; whatever else is stored reads German."""
    assert told("registered", "xx").subject == "köln.de ist registriert"


def test_own_words_are_laid_over(tmp_path: Path) -> None:
    """A file of the operator's changes the notices that it has; faults are told all at once."""
    (tmp_path / "en.toml").write_text('[registered]\nsubject = "Welcome, $domain"\n')
    letters = Letters(notice_files.load(tmp_path))
    message = render(letters, Occurrence("registered", "example.org", "1", AT, DATA), "en")
    assert message.subject == "Welcome, example.org"
    assert "the registry has registered" in message.body
    assert "Access data" not in message.body
    (tmp_path / "en.toml").write_text('[registered]\nsubject = "$nmae"\nbody = "5 $"\n')
    (tmp_path / "de.toml").write_text("[new]\nbody = 1\n")
    with pytest.raises(PolicyError) as raised:
        notice_files.load(tmp_path)
    reasons = json.dumps(raised.value.reasons)
    assert "registered.subject: $nmae is not known" in reasons
    assert "registered.body: a dollar sign" in reasons
    assert "new: body and subject are wanted" in reasons


def test_an_unknown_kind_is_told() -> None:
    """What has no template is an error that names it; parts are no notices."""
    for kind in ("nothing", "frame"):
        with pytest.raises(PolicyError, match=kind):
            told(kind, "en")
