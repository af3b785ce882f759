"""Deadlines and timelines: what is due, from when on it alarms, and what is to come."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from registrar import facts
from registrar.days import end_of, midnight
from registrar.deadlines import Deadline, Due, next_deadlines
from registrar.facts import CancellationReceived, Submitted
from registrar.timeline import timeline
from tests.registrations import START, day, draft, policies, registered


def due(found: list[Deadline], kind: Due) -> list[Deadline]:
    """Return the deadlines of a kind."""
    return [deadline for deadline in found if deadline.kind is kind]


@pytest.mark.requirement("REG-2")
def test_an_order_before_easter_is_due_in_seven_working_days() -> None:
    """Ordered on Maundy Thursday: alarm on the fifth working day, due with the seventh."""
    order = draft(Submitted(day("2025-04-17")))
    (deadline,) = due(next_deadlines(order, day("2025-04-18")), Due.FORWARD_ORDER)
    assert deadline.alarm == midnight(date(2025, 4, 25))
    assert deadline.due == end_of(date(2025, 4, 28))
    assert not deadline.is_alarming(day("2025-04-24"))
    assert deadline.is_alarming(day("2025-04-25"))
    sent = draft(Submitted(day("2025-04-17")), facts.Sent(day("2025-04-22")))
    assert due(next_deadlines(sent, day("2025-04-23")), Due.FORWARD_ORDER) == []


@pytest.mark.requirement("REG-2")
def test_working_days_are_those_of_the_contracts_state() -> None:
    """Corpus Christi delays an order in Cologne (N), and not in Berlin (H)."""
    ends = [
        due(next_deadlines(draft(Submitted(day("2025-06-16")), contract=name), START), kind)
        for name, kind in (("n", Due.FORWARD_ORDER), ("h", Due.FORWARD_ORDER))
    ]
    assert ends == [[], []]  # nothing is due before it was ordered
    now = day("2025-06-17")
    cologne, berlin = (
        due(
            next_deadlines(draft(Submitted(day("2025-06-16")), contract=name), now),
            Due.FORWARD_ORDER,
        )
        for name in ("n", "h")
    )
    assert cologne[0].due - berlin[0].due == timedelta(days=1)


@pytest.mark.requirement("REG-6")
def test_contact_changes_are_due_within_seven_days() -> None:
    """Each changed contact is due by itself, until it was passed on, also when overdue."""
    story = [
        facts.ContactChangeReceived(day("2024-06-03"), "C1"),
        facts.ContactChangeReceived(day("2024-06-05"), "C2"),
        facts.ContactChangeForwarded(day("2024-06-06"), "C1"),
    ]
    (deadline,) = due(
        next_deadlines(registered(*story), day("2024-07-01")), Due.FORWARD_CONTACT_CHANGE
    )
    assert deadline.due == end_of(date(2024, 6, 12))
    assert "C2" in deadline.sentence


@pytest.mark.requirement("REG-7")
def test_proof_is_due_within_seven_days() -> None:
    """Proof of authorisation is due seven calendar days after it was asked for (N 2.2.5)."""
    story = registered(facts.RiskFlagged(day("2024-06-03")))
    (deadline,) = due(next_deadlines(story, day("2024-06-03")), Due.PROOF)
    assert deadline.due == end_of(date(2024, 6, 10))


@pytest.mark.requirement("REG-10")
@pytest.mark.parametrize(("contract", "last"), [("n", date(2025, 2, 8)), ("h", date(2025, 2, 1))])
def test_the_last_day_of_notice_is_told(contract: str, last: date) -> None:
    """35 days, or six weeks, before the end of the term."""
    (deadline,) = due(next_deadlines(registered(contract=contract), START), Due.NOTICE)
    assert deadline.due == end_of(last)


@pytest.mark.requirement("REG-11")
def test_missing_documents_have_a_deadline() -> None:
    """An incomplete cancellation has to be complete by the last day of notice."""
    story = registered(CancellationReceived(day("2025-01-05")), contract="h", tld="de")
    (deadline,) = due(next_deadlines(story, day("2025-01-06")), Due.DOCUMENTS)
    assert deadline.due == end_of(date(2025, 2, 1))


@pytest.mark.requirement("REG-5")
def test_expiry_notices_of_gtlds() -> None:
    """A month and a week before the registration expires (ICANN ERRP 2.1)."""
    found = due(next_deadlines(registered(), day("2025-02-01")), Due.EXPIRY_NOTICE)
    expiry = datetime(2025, 3, 15, 10, tzinfo=UTC)
    assert [deadline.due for deadline in found] == [
        expiry - timedelta(days=30),
        expiry - timedelta(days=7),
    ]
    assert due(next_deadlines(registered(tld="de"), START), Due.EXPIRY_NOTICE) == []


@pytest.mark.requirement("REG-9")
def test_codes_and_transfers_have_ends() -> None:
    """A code within five days, AuthInfo1 for 30 days, an answer within five."""
    asked = registered(facts.CodeAsked(day("2024-07-01")))
    assert due(next_deadlines(asked, day("2024-07-01")), Due.AUTH_CODE)[0].due == day("2024-07-06")
    issued = registered(facts.CodeIssued(day("2024-07-01")), tld="de")
    (ends,) = due(next_deadlines(issued, day("2024-07-02")), Due.AUTH_CODE_ENDS)
    assert ends.due == day("2024-07-31")
    wanted = registered(facts.TransferRequested(day("2024-07-01")))
    (answer,) = due(next_deadlines(wanted, day("2024-07-02")), Due.TRANSFER_ANSWER)
    assert answer.due == day("2024-07-06")


@pytest.mark.requirement("REG-15")
def test_fees_are_due_yearly_in_advance() -> None:
    """The next contract year that is not paid for is due with its first day (N 3.1)."""
    (first,) = due(next_deadlines(registered(), day("2024-04-01")), Due.INVOICE)
    assert first.due == midnight(date(2024, 3, 15))
    paid = facts.Paid(day("2024-04-01"), date(2025, 3, 15))
    (later,) = due(next_deadlines(registered(paid), day("2024-04-02")), Due.INVOICE)
    assert later.due == midnight(date(2025, 3, 16))
    refused = draft(Submitted(START), facts.Refused(START))
    assert due(next_deadlines(refused, START), Due.INVOICE) == []


@pytest.mark.requirement("REG-16")
def test_data_are_erased_after_the_end() -> None:
    """When the domain is gone and the contract over, erasure is due (N 6)."""
    story = registered(facts.TransferredAway(day("2024-07-01")))
    assert due(next_deadlines(story, day("2024-07-02")), Due.ERASURE) == []
    (deadline,) = due(next_deadlines(story, day("2025-04-01")), Due.ERASURE)
    assert deadline.due == end_of(date(2025, 3, 15))
    assert deadline.source == policies().contracts["n"].erasure_days.source


def test_every_deadline_has_words_and_a_source() -> None:
    """Deadlines are told in sentences, sorted, with an alarm that is not late."""
    story = registered(
        facts.CodeAsked(day("2024-06-01")),
        facts.RiskFlagged(day("2024-06-01")),
        facts.ArrearsReported(day("2024-06-01"), 100, date(2024, 5, 20)),
    )
    found = next_deadlines(story, day("2024-06-02"))
    assert found == sorted(found, key=lambda deadline: deadline.due)
    assert len(found) >= 6
    for deadline in found:
        assert deadline.sentence.endswith(".")
        assert deadline.source
        assert deadline.alarm <= deadline.due


@pytest.mark.requirement("REG-12")
def test_the_timeline_tells_past_and_future() -> None:
    """What happened is told with its source, what is to come as expected, and denials with why."""
    story = registered(
        CancellationReceived(day("2024-06-01")),
        facts.DocumentReceived(day("2024-06-05"), "close-request"),
        facts.DeletionConfirmed(day("2024-06-06")),
        contract="h",
        tld="de",
    )
    entries = timeline(story, day("2024-06-07"), day("2025-06-01"))
    told = [entry.what for entry in entries]
    assert entries == sorted(entries, key=lambda entry: entry.at)
    assert any("denied" in what and "close-request" in what for what in told)
    ahead = [entry.what for entry in entries if entry.expected]
    assert "life cycle: registered → closing (domain due back)" in ahead
    assert "life cycle: closing → redemptionPeriod (deleted)" in ahead
    assert "life cycle: redemptionPeriod → released (redemption over)" in ahead
    assert all(entry.at > day("2024-06-07") for entry in entries if entry.expected)
    assert all(entry.source for entry in entries)
