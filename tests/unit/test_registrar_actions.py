"""Why not: every reason with its rule, its source, and the date on which it lifts."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from registrar import facts
from registrar.actions import DEEDS, Action, possible, why_not
from registrar.days import end_of
from registrar.facts import ArrearsReported, CancellationReceived, StatusesChanged, Submitted
from registrar.lifecycle import project
from registrar.model import Transfer
from registrar.policy import Form
from registrar.statuses import Status
from tests.registrations import START, day, draft, registered

OWED = ArrearsReported(day("2024-06-01"), 8000, date(2024, 5, 1))


def rules(*args: object, **kwargs: object) -> list[str]:
    """Return the rules of the reasons."""
    return [reason.rule for reason in why_not(*args, **kwargs)]  # type: ignore[arg-type]


def test_every_action_is_judged_in_every_stage() -> None:
    """There is an answer for all actions; reasons have sentences and sources."""
    assert set(DEEDS) == set(Action)
    for story in (draft(), draft(Submitted(START)), registered(), registered(tld="de")):
        for action in Action:
            for reason in why_not(story, action, START + timedelta(days=1)):
                assert reason.sentence.endswith(".")
                assert reason.source


def test_what_is_possible_with_a_registered_domain() -> None:
    """A domain out of its lock can be renewed, changed, cancelled, deleted and transferred."""
    assert possible(registered(), day("2024-07-01")) == [
        Action.RENEW,
        Action.UPDATE,
        Action.SET_NAME_SERVERS,
        Action.CANCEL,
        Action.DELETE,
        Action.TRANSFER_OUT,
    ]


@pytest.mark.requirement("REG-9")
def test_a_transfer_lock_lifts_after_sixty_days() -> None:
    """The reason names the day on which the lock is over; with the reform it is 30 days."""
    (reason,) = why_not(registered(), Action.TRANSFER_OUT, day("2024-04-01"))
    assert (reason.rule, reason.lifts) == ("transfer-lock", START + timedelta(days=60))
    (reformed,) = why_not(registered(tld="gtld-reform"), Action.TRANSFER_OUT, day("2024-04-01"))
    assert reformed.lifts == START + timedelta(hours=720)
    assert why_not(registered(), Action.TRANSFER_OUT, START + timedelta(days=60)) == []


@pytest.mark.requirement("REG-13")
def test_a_lien_within_the_registrys_rules() -> None:
    """H keeps a gTLD domain only on hold, a .de domain by its code, an .eu domain never; N never."""
    now = day("2024-06-10")
    hold = StatusesChanged(day("2024-06-02"), frozenset({Status.CLIENT_HOLD}))
    assert rules(registered(OWED, contract="h"), Action.TRANSFER_OUT, day("2024-07-01")) == []
    assert rules(registered(OWED, hold, contract="h"), Action.TRANSFER_OUT, day("2024-07-01")) == [
        "lien"
    ]
    assert rules(registered(OWED, contract="h", tld="de"), Action.TRANSFER_OUT, now) == ["lien"]
    assert rules(registered(OWED, contract="h", tld="eu"), Action.TRANSFER_OUT, now) == []
    assert rules(registered(OWED, contract="n", tld="de"), Action.TRANSFER_OUT, now) == []
    (reason,) = why_not(registered(OWED, contract="h", tld="de"), Action.TRANSFER_OUT, now)
    assert "80.00 EUR" in reason.sentence
    assert reason.source.startswith("H 8(3)")


@pytest.mark.requirement("REG-13")
def test_debts_of_the_next_period_are_no_lien_on_a_gtld() -> None:
    """ICANN allows a refusal for past periods alone."""
    ahead = ArrearsReported(day("2024-06-01"), 8000, date(2024, 5, 1), past_period=False)
    hold = StatusesChanged(day("2024-06-02"), frozenset({Status.CLIENT_HOLD}))
    story = registered(ahead, hold, contract="h")
    assert rules(story, Action.TRANSFER_OUT, day("2024-07-01")) == []


@pytest.mark.requirement("REG-9")
@pytest.mark.requirement("REG-13")
def test_a_transfer_is_approved_early_if_nothing_stands_against_it() -> None:
    """It has to be pending; a dispute and a lien keep us from consenting, until they are gone."""
    asked = facts.TransferRequested(day("2024-07-01"))
    at = day("2024-07-02")
    assert rules(registered(), Action.APPROVE_TRANSFER, at) == ["not-in-this-state"]
    assert rules(registered(asked), Action.APPROVE_TRANSFER, at) == []
    disputed = registered(facts.DisputeOpened(day("2024-06-30"), "URS"), asked)
    assert rules(disputed, Action.APPROVE_TRANSFER, at) == ["dispute"]
    debt = ArrearsReported(day("2024-06-01"), 8000, date(2024, 5, 1))
    hold = StatusesChanged(day("2024-06-02"), frozenset({Status.CLIENT_HOLD}))
    owing = registered(debt, hold, asked, contract="h")
    assert rules(owing, Action.APPROVE_TRANSFER, at) == ["lien"]
    approved = registered(asked, facts.TransferApproved(at))
    state = project(approved, at)
    assert state.transfer is Transfer.PENDING  # until the registry says that it is gone
    assert state.denials == ()


@pytest.mark.requirement("REG-9")
def test_a_transfer_is_only_rejected_with_a_ground() -> None:
    """Without claim, dispute or lock there is no reason to refuse another registrar."""
    asked = facts.TransferRequested(day("2024-07-01"))
    assert rules(registered(asked), Action.REJECT_TRANSFER, day("2024-07-02")) == ["no-ground"]
    disputed = registered(facts.DisputeOpened(day("2024-06-30"), "URS"), asked)
    assert rules(disputed, Action.REJECT_TRANSFER, day("2024-07-02")) == []


@pytest.mark.requirement("REG-11")
def test_a_cancellation_says_what_is_missing() -> None:
    """Form and documents are both told; a complete letter has nothing against it."""
    story, now = registered(contract="h", tld="de"), day("2024-07-01")
    assert rules(story, Action.CANCEL, now) == ["document-missing"]
    by_mail = CancellationReceived(now, Form.TEXT)
    assert rules(story, Action.CANCEL, now, by_mail) == ["form", "document-missing"]
    whole = CancellationReceived(now, documents=frozenset({"close-request"}))
    assert rules(story, Action.CANCEL, now, whole) == []


@pytest.mark.requirement("REG-14")
def test_small_arrears_become_a_reason_with_time() -> None:
    """The reason against a termination lifts when the arrears are two months old."""
    small = ArrearsReported(day("2024-06-01"), 100, date(2024, 5, 20))
    (reason,) = why_not(registered(small), Action.TERMINATE, day("2024-06-10"))
    assert reason.rule == "arrears-too-small"
    assert reason.lifts is not None
    assert rules(registered(small), Action.TERMINATE, reason.lifts) == []
    assert rules(registered(small), Action.TERMINATE, reason.lifts - timedelta(seconds=1))


@pytest.mark.requirement("REG-17")
def test_the_customer_is_told_before_a_claimant_gets_data() -> None:
    """Contact data go to a claimant after the customer knew, and had a week to answer."""
    asked = facts.DisclosureAsked(day("2024-06-01"))
    assert rules(registered(asked), Action.DISCLOSE, day("2024-06-02")) == ["holder-not-told"]
    told = registered(asked, facts.HolderTold(day("2024-06-03")))
    (reason,) = why_not(told, Action.DISCLOSE, day("2024-06-04"))
    assert (reason.rule, reason.lifts) == ("holder-may-answer", day("2024-06-10"))
    assert rules(told, Action.DISCLOSE, day("2024-06-10")) == []


@pytest.mark.requirement("REG-9")
def test_statuses_say_whose_they_are() -> None:
    """Each prohibiting status is a reason, and tells whether we can lift it."""
    locks = {Status.CLIENT_UPDATE_PROHIBITED, Status.SERVER_UPDATE_PROHIBITED}
    story = registered(StatusesChanged(day("2024-06-01"), frozenset(locks)))
    ours, theirs = why_not(story, Action.SET_NAME_SERVERS, day("2024-06-02"))
    assert "lifted first" in ours.sentence
    assert "the registry's" in theirs.sentence


@pytest.mark.requirement("REG-5")
def test_renewals_have_their_limits() -> None:
    """.de has nothing to renew; a gTLD runs at most ten years ahead."""
    assert rules(registered(tld="de"), Action.RENEW, day("2024-06-01")) == ["no-expiry"]
    long = facts.Renewed(day("2024-06-01"), day("2034-03-15"))
    (reason,) = why_not(registered(long), Action.RENEW, day("2024-06-02"))
    assert (reason.rule, reason.lifts) == ("too-long-ahead", day("2025-03-15"))


def test_a_state_that_time_ends_has_a_date() -> None:
    """What the state forbids is allowed once time has moved it on, and the reason says when."""
    story = registered(CancellationReceived(day("2024-06-01")), contract="h")
    (reason,) = why_not(story, Action.GIVE_BACK, day("2024-07-01"))
    assert reason.rule == "not-in-this-state"
    assert reason.lifts == end_of(date(2025, 3, 15))
    assert rules(story, Action.GIVE_BACK, reason.lifts) == ["not-confirmed"]
