"""The life of registrations, told in facts and read off at dates."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

import pytest

from registrar import facts
from registrar.events import Event
from registrar.fact import Cause, Party
from registrar.facts import (
    ArrearsReported,
    ArrearsSettled,
    CancellationReceived,
    CheckFailed,
    DelegationGone,
    Deleted,
    DeletionConfirmed,
    DeletionOrdered,
    DisputeClosed,
    DisputeOpened,
    DocumentReceived,
    Restored,
    RestoreOrdered,
    StatusesChanged,
    Submitted,
    Terminated,
    TerminationRescinded,
    TransferredAway,
    TransferredIn,
    TransferRequested,
)
from registrar.lifecycle import project
from registrar.model import ContractState, Delegation, Dns, Life, Payment, State, Transfer
from registrar.policy import Form
from registrar.statuses import RgpStatus, Status
from tests.registrations import START, day, draft, registered

Word = TypeVar("Word", Status, RgpStatus)

CLOSE = frozenset({"close-request"})


def only(*words: Word) -> frozenset[Word]:
    """Return a set of statuses."""
    return frozenset(words)


def denied(state: State) -> list[str]:
    """Return the rules by which wishes were denied."""
    return [reason.rule for denial in state.denials for reason in denial.reasons]


@pytest.mark.requirement("REG-2", "REG-4")
def test_an_order_becomes_a_registration() -> None:
    """Ordered, sent, registered: the zone is built, then served before the domain exists."""
    story = registered()
    stages = [
        (START - timedelta(days=3), Life.DRAFT, Dns.NOTHING, frozenset()),
        (START - timedelta(days=1), Life.ORDERED, Dns.PREPARE, frozenset()),
        (START - timedelta(minutes=1), Life.PENDING_CREATE, Dns.SERVE, only(Status.PENDING_CREATE)),
        (START, Life.REGISTERED, Dns.SERVE, only(Status.OK)),
    ]
    for at, life, dns, statuses in stages:
        state = project(story, at)
        assert (state.life, state.dns, state.statuses) == (life, dns, statuses)
    assert project(story, START).rgp == only(RgpStatus.ADD_PERIOD)
    assert project(story, START + timedelta(days=5)).rgp == frozenset()


@pytest.mark.requirement("REG-6")
def test_an_order_without_a_person_is_not_taken() -> None:
    """An order whose administrator is no natural person stays a draft, with every reason."""
    order = Submitted(START, admin_is_person=False, terms_accepted=False, complete=False)
    state = project(draft(order), START)
    assert state.life is Life.DRAFT
    assert denied(state) == ["admin-not-a-person", "terms-not-accepted", "order-incomplete"]


@pytest.mark.requirement("REG-3")
def test_a_refused_registration_costs_nothing() -> None:
    """After a refusal there is no contract, and the reason is kept."""
    story = draft(Submitted(START), facts.Sent(START), facts.Refused(START, "the name is taken"))
    state = project(story, START)
    assert (state.life, state.contract) == (Life.REJECTED, ContractState.NONE)
    assert (state.refusal, state.dns) == ("the name is taken", Dns.PURGE)


@pytest.mark.requirement("REG-8")
@pytest.mark.parametrize("manual", [True, False])
def test_only_manual_orders_may_be_declined(manual: bool) -> None:  # noqa: FBT001
    """An order by hand is marked as such and may be declined; one by self-service may not."""
    story = draft(Submitted(START, manual=manual), facts.Declined(START, "not by hand"))
    state = project(story, START)
    assert state.manual is manual
    assert state.life is (Life.REJECTED if manual else Life.ORDERED)


@pytest.mark.requirement("REG-4", "REG-10")
@pytest.mark.parametrize(
    ("contract", "tld", "last"),
    [
        ("n", "gtld", date(2025, 3, 15)),
        ("n", "eu", date(2025, 3, 15)),
        ("h", "eu", date(2026, 3, 15)),
        ("h", "de", date(2025, 3, 15)),
        ("consumer", "eu", date(2026, 3, 15)),
    ],
)
def test_the_term_starts_at_the_registry(contract: str, tld: str, last: date) -> None:
    """Twelve months, below .eu 24 (H), from the day of the registration."""
    assert project(registered(contract=contract, tld=tld), START).contract_last_day == last


@pytest.mark.requirement("REG-10")
def test_terms_are_renewed_by_twelve_months() -> None:
    """After 24 months below .eu the contract goes on by 12; that of a consumer without an end."""
    later = day("2028-01-01")
    assert project(registered(contract="h", tld="eu"), later).contract_last_day == date(2028, 3, 15)
    consumer = project(registered(contract="consumer"), later)
    assert (consumer.contract, consumer.contract_last_day) == (ContractState.RUNNING, None)


@pytest.mark.requirement("REG-5")
def test_three_clocks_are_never_mixed() -> None:
    """Contract end, paid through and registry expiry move each by itself; .de has no expiry."""
    paid = facts.Paid(day("2024-04-01"), date(2025, 3, 15))
    state = project(registered(paid), day("2026-06-01"))
    assert state.contract_last_day == date(2027, 3, 15)
    assert state.paid_through == date(2025, 3, 15)
    assert state.registry_expires == datetime(2027, 3, 15, 10, tzinfo=UTC)
    assert project(registered(tld="de"), day("2026-06-01")).registry_expires is None


@pytest.mark.requirement("REG-5")
def test_renewals_are_assumed_until_they_are_confirmed() -> None:
    """At expiry the registration goes on; the renewal is taken for granted until a fact tells it."""
    story = registered()
    state = project(story, day("2025-03-20"))
    assert dict(state.assumed) == {Event.RENEWED: datetime(2025, 3, 15, 10, tzinfo=UTC)}
    assert state.rgp == only(RgpStatus.AUTO_RENEW_PERIOD)
    told = facts.Renewed(day("2025-03-16"), datetime(2026, 3, 15, 10, tzinfo=UTC), automatic=True)
    state = project(registered(told), day("2025-03-20"))
    assert (state.assumed, state.registry_expires) == ((), datetime(2026, 3, 15, 10, tzinfo=UTC))


@pytest.mark.requirement("REG-10", "REG-12")
@pytest.mark.parametrize(
    ("contract", "received", "ends"),
    [
        ("n", "2025-02-08", date(2025, 3, 15)),
        ("n", "2025-02-09", date(2026, 3, 15)),
        ("h", "2025-02-01", date(2025, 3, 15)),
        ("h", "2025-02-02", date(2026, 3, 15)),
        ("consumer", "2024-05-01", date(2025, 3, 15)),
        ("consumer", "2025-03-01", date(2025, 4, 1)),
        ("consumer", "2026-10-31", date(2026, 11, 30)),
    ],
)
def test_notice_decides_the_end(contract: str, received: str, ends: date) -> None:
    """Notice in time ends this term, a day later the next one; consumers a month later."""
    story = registered(CancellationReceived(day(received)), contract=contract)
    state = project(story, day(received, 13))
    assert (state.contract, state.contract_last_day) == (ContractState.CANCELLED, ends)


@pytest.mark.requirement("REG-11")
def test_a_cancellation_without_documents_is_not_declared() -> None:
    """Without the close request it does not count; when that arrives, it is declared that day."""
    letter = CancellationReceived(day("2025-01-20"))
    state = project(registered(letter, contract="h", tld="de"), day("2025-01-21"))
    assert state.contract is ContractState.RUNNING
    assert state.missing_documents == ("close-request",)
    assert denied(state) == ["document-missing"]
    late = DocumentReceived(day("2025-02-05"), "close-request")
    state = project(registered(letter, late, contract="h", tld="de"), day("2025-02-05"))
    assert (state.contract, state.contract_last_day) == (
        ContractState.CANCELLED,
        date(2026, 3, 15),  # it came after the last day of notice
    )


@pytest.mark.requirement("REG-11")
@pytest.mark.parametrize(
    ("contract", "form", "valid"),
    [
        ("n", Form.LETTER, True),
        ("n", Form.SELF_SERVICE, True),
        ("n", Form.PHONE, False),
        ("h", Form.FAX, True),
        ("h", Form.TEXT, False),
        ("consumer", Form.TEXT, True),
    ],
)
def test_a_cancellation_has_its_form(contract: str, form: Form, valid: bool) -> None:  # noqa: FBT001
    """Letter or fax (H), written or on the customer's pages (N), any text from consumers."""
    story = registered(CancellationReceived(day("2024-06-01"), form), contract=contract)
    state = project(story, day("2024-06-01"))
    assert (state.contract is ContractState.CANCELLED) == valid


@pytest.mark.requirement("REG-12")
def test_the_end_of_the_term_gives_the_domain_back() -> None:
    """H: at the end of the term, confirmed by a second person, it goes back to the registry."""
    story = registered(
        CancellationReceived(day("2024-06-01")), DeletionConfirmed(day("2024-06-02")), contract="h"
    )
    before = project(story, datetime(2025, 3, 15, 22, 59, tzinfo=UTC))
    after = project(story, datetime(2025, 3, 15, 23, 0, tzinfo=UTC))
    assert (before.life, before.contract) == (Life.REGISTERED, ContractState.CANCELLED)
    assert (after.life, after.contract) == (Life.REDEMPTION, ContractState.ENDED)
    assert after.statuses == only(Status.PENDING_DELETE)
    assert Event.DELETED in dict(after.assumed)
    gone = project(story, datetime(2025, 4, 20, tzinfo=UTC))
    assert gone.life is Life.RELEASED


@pytest.mark.requirement("REG-9", "REG-12")
def test_the_customer_chooses_the_moment() -> None:
    """N: the domain goes at the moment chosen, and the contract runs to the end of its term."""
    moment = day("2024-08-01", 9)
    story = registered(
        CancellationReceived(day("2024-06-01"), moment=moment),
        DeletionConfirmed(day("2024-06-02")),
    )
    state = project(story, moment)
    assert (state.life, state.contract) == (Life.REDEMPTION, ContractState.CANCELLED)
    assert state.contract_last_day == date(2025, 3, 15)
    assert project(story, day("2025-03-17")).contract is ContractState.ENDED


@pytest.mark.requirement("REG-12")
def test_a_second_person_and_no_dispute() -> None:
    """A domain that is due back waits for the second person, and for the end of a dispute."""
    end = day("2025-03-16")
    story = [CancellationReceived(day("2024-06-01")), DisputeOpened(day("2025-01-01"), "UDRP")]
    assert project(registered(*story, contract="h"), end).life is Life.CLOSING
    story.append(DeletionConfirmed(day("2025-03-17")))
    assert project(registered(*story, contract="h"), day("2025-03-18")).life is Life.CLOSING
    story.append(DisputeClosed(day("2025-03-20")))
    state = project(registered(*story, contract="h"), day("2025-03-21"))
    assert (state.life, state.life_since) == (Life.REDEMPTION, day("2025-03-20"))


@pytest.mark.requirement("REG-9")
def test_deletion_leaves_the_contract_to_its_term() -> None:
    """The customer may delete at any time; term and fees are unaffected (N 2.2.4, 4.1)."""
    story = registered(DeletionOrdered(day("2024-06-01")), DeletionConfirmed(day("2024-06-01")))
    state = project(story, day("2024-06-02"))
    assert (state.life, state.contract) == (Life.REDEMPTION, ContractState.RUNNING_OUT)
    assert project(story, day("2025-03-17")).contract is ContractState.ENDED


@pytest.mark.requirement("REG-9")
def test_a_lock_keeps_a_domain_from_deletion() -> None:
    """Deletion only if the status of the domain allows it."""
    lock = StatusesChanged(day("2024-05-01"), frozenset({Status.CLIENT_DELETE_PROHIBITED}))
    state = project(registered(lock, DeletionOrdered(day("2024-06-01"))), day("2024-06-02"))
    assert (state.life, denied(state)) == (Life.REGISTERED, ["status"])


def test_a_deletion_in_the_add_period_undoes_the_registration() -> None:
    """Within five days of the registration a deleted domain is free at once (RFC 3915 3.1)."""
    at = START + timedelta(days=1)
    story = registered(DeletionOrdered(at), DeletionConfirmed(at))
    assert project(story, at).life is Life.RELEASED


def test_redemption_restore_and_release() -> None:
    """30 days of redemption, a restoration that wants a report, five days of pendingDelete."""
    at = day("2024-06-01")
    gone = [DeletionOrdered(at), DeletionConfirmed(at), Deleted(at + timedelta(hours=1))]
    story = registered(*gone)
    since = at + timedelta(hours=1)
    assert project(story, since + timedelta(days=30)).life is Life.PENDING_DELETE
    assert project(story, since + timedelta(days=35)).life is Life.RELEASED
    asked = registered(*gone, RestoreOrdered(at + timedelta(days=10)))
    assert project(asked, at + timedelta(days=16)).rgp == only(RgpStatus.PENDING_RESTORE)
    assert project(asked, at + timedelta(days=17)).life is Life.REDEMPTION  # no report came
    back = registered(
        *gone, RestoreOrdered(at + timedelta(days=10)), Restored(at + timedelta(days=11))
    )
    state = project(back, at + timedelta(days=12))
    assert (state.life, state.contract, state.dns) == (
        Life.REGISTERED,
        ContractState.RUNNING,
        Dns.SERVE,
    )
    assert state.contract_last_day == date(2025, 3, 15)


@pytest.mark.parametrize(("tld", "days"), [("de", 30), ("eu", 40)])
def test_redemption_by_registry(tld: str, days: int) -> None:
    """.de keeps a deleted domain for 30 days, .eu for 40, and neither has pendingDelete."""
    at = day("2024-06-01")
    story = registered(DeletionOrdered(at), DeletionConfirmed(at), tld=tld)
    assert project(story, at + timedelta(days=days, seconds=-1)).life is Life.REDEMPTION
    assert project(story, at + timedelta(days=days)).life is Life.RELEASED


def test_without_the_holders_word_a_de_domain_goes_to_transit() -> None:
    """A terminated .de domain is handed to DENIC; one whose holder wants it deleted is deleted."""
    story = [
        ArrearsReported(day("2024-06-01"), 9000, date(2024, 5, 1)),
        Terminated(day("2024-07-01"), Cause.ARREARS),
        DeletionConfirmed(day("2024-07-02")),
    ]
    assert project(registered(*story, tld="de"), day("2024-07-03")).life is Life.TRANSIT
    letter = CancellationReceived(day("2024-06-01"), documents=CLOSE, moment=day("2024-07-01"))
    wanted = registered(letter, DeletionConfirmed(day("2024-06-02")), tld="de")
    assert project(wanted, day("2024-07-03")).life is Life.REDEMPTION
    failed = registered(CheckFailed(day("2024-06-20")), *story, tld="de")
    assert project(failed, day("2024-07-03")).life is Life.CLOSING


def test_a_de_domain_whose_name_servers_fail_is_lost() -> None:
    """After 30 days of status failed it is deleted without redemption."""
    story = registered(CheckFailed(day("2024-06-01")), tld="de")
    assert project(story, day("2024-06-30")).delegation is Delegation.FAILED
    state = project(story, day("2024-07-02"))
    assert (state.life, state.delegation) == (Life.RELEASED, Delegation.NONE)
    mended = registered(
        CheckFailed(day("2024-06-01")), facts.CheckPassed(day("2024-06-10")), tld="de"
    )
    assert project(mended, day("2024-07-02")).life is Life.REGISTERED


@pytest.mark.requirement("REG-14")
@pytest.mark.parametrize(
    ("cents", "since", "possible"),
    [(7500, "2024-06-01", True), (7499, "2024-06-01", False), (100, "2024-05-01", True)],
)
def test_termination_takes_an_important_reason(cents: int, since: str, possible: bool) -> None:  # noqa: FBT001
    """75 EUR gross or more, or arrears of two months or more, or abuse (H 6(2))."""
    story = [
        ArrearsReported(day("2024-06-15"), cents, date.fromisoformat(since)),
        Terminated(day("2024-07-01"), Cause.ARREARS),
    ]
    state = project(registered(*story, contract="h"), day("2024-07-01"))
    assert (state.contract is ContractState.ENDED) == possible
    abuse = registered(Terminated(day("2024-07-01"), Cause.ABUSE), contract="h")
    assert project(abuse, day("2024-07-01")).contract is ContractState.ENDED


@pytest.mark.requirement("REG-14")
def test_the_name_service_is_interrupted_before_a_termination_bites() -> None:
    """A gTLD domain is held for the last eight days in which it can be kept, then deleted."""
    story = [
        ArrearsReported(day("2024-06-15"), 8000, date(2024, 6, 1)),
        Terminated(day("2024-07-01"), Cause.ARREARS),
        DeletionConfirmed(day("2024-07-01")),
    ]
    held = project(registered(*story, contract="h"), day("2024-07-08"))
    assert (held.life, held.statuses) == (Life.CLOSING, only(Status.CLIENT_HOLD))
    assert project(registered(*story, contract="h"), day("2024-07-09")).life is Life.REDEMPTION
    kept = registered(*story, TerminationRescinded(day("2024-07-05")), contract="h")
    state = project(kept, day("2024-07-20"))
    assert (state.life, state.contract, state.statuses) == (
        Life.REGISTERED,
        ContractState.RUNNING,
        only(Status.OK),
    )


@pytest.mark.requirement("REG-15")
def test_arrears_are_imported_facts() -> None:
    """Amount and age of arrears lead to dunning, suspension on hold, and back when settled."""
    story = [
        ArrearsReported(day("2024-06-15"), 8000, date(2024, 6, 1)),
        facts.Suspended(day("2024-06-20")),
    ]
    assert project(registered(*story), day("2024-06-16")).payment is Payment.DUNNING
    state = project(registered(*story), day("2024-06-21"))
    assert (state.payment, state.statuses, state.dns) == (
        Payment.SUSPENDED,
        only(Status.CLIENT_HOLD),
        Dns.SERVE,
    )
    settled = registered(*story, ArrearsSettled(day("2024-06-25")))
    assert project(settled, day("2024-06-26")).statuses == only(Status.OK)


@pytest.mark.requirement("REG-9")
def test_a_transfer_nobody_answers_is_approved() -> None:
    """A gTLD transfer is approved by itself after five days; we serve until the parent moved."""
    asked = day("2024-07-01")
    story = [TransferRequested(asked, "other")]
    pending = project(registered(*story), asked)
    assert (pending.transfer, pending.statuses) == (Transfer.PENDING, only(Status.PENDING_TRANSFER))
    state = project(registered(*story), asked + timedelta(days=5))
    assert (state.life, state.dns) == (Life.TRANSFERRED_AWAY, Dns.SERVE)
    moved = [*story, DelegationGone(asked + timedelta(days=6), ttl=3600)]
    later = asked + timedelta(days=6, minutes=59)
    assert project(registered(*moved), later).dns is Dns.SERVE
    assert project(registered(*moved), later + timedelta(minutes=1)).dns is Dns.PURGE


@pytest.mark.requirement("REG-13")
def test_left_despite_lien_is_a_state() -> None:
    """A .de domain that goes although fees are open has left, and that is noted."""
    story = [
        ArrearsReported(day("2024-06-15"), 8000, date(2024, 6, 1)),
        facts.CodeAsked(day("2024-06-16")),
        TransferredAway(day("2024-07-01"), "other"),
    ]
    state = project(registered(*story, contract="h", tld="de"), day("2024-07-01"))
    assert state.life is Life.TRANSFERRED_AWAY
    assert state.left_despite_lien
    assert denied(state) == ["lien"]  # of the code that was asked for


@pytest.mark.requirement("REG-1")
def test_a_transfer_to_us_opens_its_period_and_lock() -> None:
    """A domain that comes from another registrar has its transferPeriod, and is locked again."""
    expires = START + timedelta(days=500)
    story = draft(
        Submitted(START), facts.TransferInSent(START), TransferredIn(day("2024-03-20"), expires)
    )
    state = project(story, day("2024-03-21"))
    assert (state.life, state.rgp) == (Life.REGISTERED, only(RgpStatus.TRANSFER_PERIOD))
    assert state.registry_expires == expires
    assert state.lock_until == day("2024-03-20") + timedelta(days=60)


@pytest.mark.requirement("REG-7")
def test_proof_that_does_not_come_leads_to_quarantine() -> None:
    """Proof is due within seven calendar days; then the domain is held, and its zone stays."""
    story = [facts.RiskFlagged(day("2024-06-03"))]
    assert project(registered(*story), day("2024-06-10")).statuses == only(Status.OK)
    state = project(registered(*story), day("2024-06-11"))
    assert (state.statuses, state.dns) == (only(Status.CLIENT_HOLD), Dns.SERVE)
    proved = registered(*story, facts.ProofReceived(day("2024-06-12")))
    assert project(proved, day("2024-06-12")).statuses == only(Status.OK)


def test_without_name_servers_a_domain_is_inactive() -> None:
    """EPP's inactive is what a domain without name servers has."""
    state = project(registered(facts.NameServersRemoved(day("2024-06-01"))), day("2024-06-02"))
    assert state.statuses == only(Status.INACTIVE)


def test_facts_out_of_place_change_nothing_and_are_told() -> None:
    """A deletion that the registry tells of for an order is kept as a denial."""
    state = project(draft(Submitted(START), Deleted(START)), START)
    assert state.life is Life.ORDERED
    assert denied(state) == ["not-in-this-state"]


def test_a_deletion_by_another_than_the_holder() -> None:
    """Who only has the contract cannot have a .de domain deleted: it goes to transit."""
    at = day("2024-06-01")
    story = registered(DeletionOrdered(at, Party.CUSTOMER), DeletionConfirmed(at), tld="de")
    assert project(story, at).life is Life.TRANSIT
