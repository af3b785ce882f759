"""Policy files: whole, sourced, laid over each other, and every fault told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from registrar import policy_files, policy_text
from registrar.errors import PolicyError
from registrar.policy import Sourced
from tests.registrations import policies


def sourced(model: Any, path: str = "") -> Iterator[tuple[str, Sourced[Any]]]:
    """Yield every sourced value of policy data with its path."""
    if isinstance(model, Sourced):
        yield path, model
    elif isinstance(model, BaseModel):
        for name in type(model).model_fields:
            yield from sourced(getattr(model, name), f"{path}.{name}")
    elif isinstance(model, dict):
        for name, value in model.items():
            yield from sourced(value, f"{path}.{name}")


def test_the_shipped_files_are_without_fault() -> None:
    """What is shipped passes its own check."""
    assert policy_files.check() == []


def test_every_value_has_a_source() -> None:
    """Each value says where it comes from: a section, an RFC, a registry's rule, or practice."""
    values = list(sourced(policies()))
    assert len(values) > 150
    assert [path for path, value in values if not value.source.strip()] == []


@pytest.mark.requirement("REG-10")
def test_the_contracts_differ_in_data_alone() -> None:
    """N has 35 days and 12 months, H six weeks and 24 months below .eu, consumers no tacit year."""
    known = policies().contracts
    assert (known["n"].notice.days, known["n"].first_term("eu")) == (35, 12)
    assert (known["h"].notice.weeks, known["h"].first_term("eu")) == (6, 24)
    assert known["h"].first_term("de") == 12
    assert (known["consumer"].notice.months, known["consumer"].renewal_months.value) == (1, 0)
    assert known["consumer"].first_term("eu") == 24  # laid over H


@pytest.mark.requirement("REG-1")
def test_the_profiles_of_the_registries() -> None:
    """Redemption, locks and clocks are those of gTLDs, of DENIC and of EURid."""
    known = policies().tlds
    assert [known[name].grace.redemption.value for name in ("gtld", "de", "eu")] == [30, 30, 40]
    assert known["gtld"].transfer.lock_hours.value == 60 * 24
    assert known["gtld-reform"].transfer.lock_hours.value == 720
    assert known["gtld-reform"].transfer.code_life_hours.value == 336
    assert known["gtld-reform"].transfer.answer_days == known["gtld"].transfer.answer_days
    assert known["de"].term.renewal.value == "none"
    assert len(known["de"].names.characters.value) == 93
    assert policies().profile_of("koeln") is known["gtld"]
    assert policies().profile_of("tv") is None


def test_a_directory_is_laid_over(tmp_path: Path) -> None:
    """A file of the operator's changes the values it has, and leaves the others."""
    (tmp_path / "contract-n.toml").write_text(
        'state = { value = "BY", source = "our seat" }\n[termination]\narrears_cents = 5000\n'
        'arrears_months = 3\nsource = "our terms 7"\n'
    )
    (tmp_path / "README").write_text("not a policy")
    changed = policy_files.load(tmp_path).contracts["n"]
    assert (changed.state.value, changed.termination.arrears_cents) == ("BY", 5000)
    assert changed.notice.days == 35


def test_an_overriding_value_needs_a_source_of_its_own() -> None:
    """The source of the value below does not stand for another value."""
    over = {"contract-n.toml": "state = { value = 'BY' }"}
    faults = policy_text.check(policy_files.shipped(), over)
    assert faults == ["contract-n.toml: state.source: it is missing"]


def test_all_faults_are_told_with_file_and_key() -> None:
    """Unknown keys, wrong types, wrong words and dangling names, in several files, all at once."""
    over = {
        "contract-h.toml": "surprise = 1\nterm_months = { value = 'x', source = 's' }\n"
        "cancellation_effect = { value = 'someday', source = 's' }",
        "tld-de.toml": "[grace]\nredemption = { value = -1, source = 's' }",
        "tld-xy.toml": "kind = 'tld'\nbase = 'tld-none'",
        "other.toml": "kind = 'other'",
        "broken.toml": "= 1",
    }
    faults = policy_text.check(policy_files.shipped(), over)
    starts = {fault.rpartition(": ")[0] for fault in faults}
    assert {
        "contract-h.toml: surprise",
        "contract-h.toml: term_months.value",
        "contract-h.toml: cancellation_effect.value",
        "tld-de.toml: grace.redemption.value",
        "tld-xy.toml: base",
    } <= starts
    assert any(fault.startswith("broken.toml: ") for fault in faults)
    assert any(fault.startswith("other.toml: kind: 'other'") for fault in faults)
    with pytest.raises(PolicyError) as caught:
        policy_text.parse(policy_files.shipped(), over)
    assert list(caught.value.reasons) == faults


@pytest.mark.parametrize(
    ("file", "text", "fault"),
    [
        ("tld-eu.toml", "tlds = ['eu', 'com']", "com stands in profile"),
        ("tld-eu.toml", "tlds = ['EU']", "lower case"),
        ("contract-n.toml", "state = { value = 'XX', source = 's' }", "'XX' is none of"),
        (
            "contract-n.toml",
            "[term_months_of]\ntv = { value = 24, source = 's' }",
            "term_months_of.tv: no profile has this TLD",
        ),
        (
            "contract-n.toml",
            "notice = { days = 35, weeks = 5, source = 's' }",
            "days, weeks and months exclude each other",
        ),
        (
            "products-n.toml",
            "[presets.webhosting]\nrecords = [{owner='@', ttl=60, type='A', rdata='1.2.3'}]",
            "presets.webhosting.records.0",
        ),
        (
            "products-n.toml",
            "[options.spam-filter]\npreset = 'gone'",
            "options.spam-filter.preset: there is no 'gone'",
        ),
        ("tld-a.toml", "kind='tld'\nid='a'\nbase='tld-a'", "in a circle"),
        ("tld-b.toml", "base = 'tld-de'\nkind='tld'\nid='c'\ntlds=[]", "it has to be 'b'"),
    ],
)
def test_faults_that_only_show_together(file: str, text: str, fault: str) -> None:
    """Names that lead nowhere, TLDs claimed twice, records that are none."""
    faults = policy_text.check(policy_files.shipped(), {file: text})
    assert any(one.partition(": ")[0] in {file, "tld-gtld.toml"} and fault in one for one in faults)


def test_a_directory_that_is_none_is_refused(tmp_path: Path) -> None:
    """A wrong path is a policy error with the path in it."""
    with pytest.raises(PolicyError, match="gone"):
        policy_files.load(tmp_path / "gone")
