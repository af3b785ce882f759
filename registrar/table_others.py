"""The tables of delegation, transfer, contact verification, payment and disclosure."""

from __future__ import annotations

from typing import Any, Final

from registrar import changes, endings, guards, recorded
from registrar.events import Event
from registrar.model import Command, Delegation, Disclosure, Dns, Life, Payment, Region, Transfer
from registrar.model import Verification as Proof
from registrar.transition import Transition

HELD: Final = frozenset((Life.REGISTERED, Life.CLOSING))
# Before the end of the name service at the latest.
BEFORE: Final = frozenset(
    (Life.DRAFT, Life.ORDERED, Life.PENDING_CREATE, Life.PENDING_TRANSFER_IN, *HELD)
)
ENDS: Final = (
    Event.DELETED,
    Event.TRANSITED,
    Event.CHECK_DEADLINE,
)


def _delegation(
    state: Delegation, event: Event, target: Delegation, source: str, **rest: Any
) -> Transition:
    return Transition(Region.DELEGATION, state, event, target, source, **rest)


DELEGATION: Final = (
    *(
        _delegation(
            state,
            Event.NAME_SERVERS_SET,
            target,
            "N 2.2.7; RFC 5731 1.1",
            during=BEFORE,
            change=changes.set_name_servers,
            commands=(Command.UPDATE_NAME_SERVERS,),
        )
        for state, target in (
            (Delegation.NONE, Delegation.DELEGATED),
            (Delegation.DELEGATED, Delegation.DELEGATED),
            (Delegation.FAILED, Delegation.FAILED),
        )
    ),
    *(
        _delegation(
            state,
            Event.NAME_SERVERS_REMOVED,
            Delegation.NONE,
            "RFC 5731 2.3 (inactive)",
            during=BEFORE,
            change=changes.remove_name_servers,
            commands=(Command.UPDATE_NAME_SERVERS,),
        )
        for state in (Delegation.DELEGATED, Delegation.FAILED)
    ),
    *(
        _delegation(
            state,
            Event.CHECK_FAILED,
            Delegation.FAILED,
            "DENIC status failed",
            during=HELD,
            change=changes.fail_check,
            timer=".de 30 days, then deleted without redemption",
            commands=(Command.UPDATE_NAME_SERVERS,),
            notice="name-server-check-failed",
        )
        for state in (Delegation.DELEGATED, Delegation.FAILED)
    ),
    _delegation(
        Delegation.FAILED,
        Event.CHECK_PASSED,
        Delegation.DELEGATED,
        "DENIC status connect",
        change=changes.pass_check,
    ),
    _delegation(
        Delegation.FAILED,
        Event.CHECK_DEADLINE,
        Delegation.NONE,
        "DENIC status failed",
        change=changes.remove_name_servers,
        dns=Dns.PURGE,
    ),
    *(
        _delegation(
            state,
            event,
            Delegation.LEAVING,
            "clean departure: served until the parent has moved",
            during=HELD,
            change=changes.pass_check,
            dns=Dns.SERVE,
            commands=(Command.REMOVE_DS,),
        )
        for state in (Delegation.DELEGATED, Delegation.FAILED)
        for event in (
            Event.DELETED,
            Event.TRANSITED,
            Event.TRANSFERRED_AWAY,
            Event.TRANSFER_ANSWER_DUE,
        )
    ),
    _delegation(
        Delegation.LEAVING,
        Event.DELEGATION_GONE,
        Delegation.LEAVING,
        "clean departure: TTLs waited for",
        change=changes.wait_for_caches,
        timer="the TTL of the parent's NS",
    ),
    _delegation(
        Delegation.LEAVING,
        Event.CACHES_EMPTY,
        Delegation.GONE,
        "clean departure",
        dns=Dns.ARCHIVE,
    ),
    *(
        _delegation(
            state,
            Event.RESTORED,
            Delegation.DELEGATED,
            "RFC 3915 3.1 (the registry restores the delegation)",
            change=changes.pass_check,
            dns=Dns.SERVE,
        )
        for state in (Delegation.LEAVING, Delegation.GONE)
    ),
)


def _transfer(
    state: Transfer, event: Event, target: Transfer, source: str, **rest: Any
) -> Transition:
    return Transition(Region.TRANSFER, state, event, target, source, **rest)


TRANSFER: Final = (
    _transfer(
        Transfer.NONE,
        Event.CODE_ASKED,
        Transfer.CODE_ASKED,
        "N 2.2.4; H 8(3); ICANN Transfer Policy I.A.5.2",
        guards=(guards.may_leave,),
        during=HELD,
        change=changes.ask_code,
        timer="code within 5 days",
    ),
    *(
        _transfer(
            state,
            Event.CODE_ISSUED,
            Transfer.CODE_ISSUED,
            "N 2.2.4; ICANN Transfer Policy I.A.5; DENIC AuthInfo1",
            guards=(guards.may_leave,),
            during=HELD,
            change=changes.issue_code,
            timer=".de 30 days; gTLD 336 h after the reform",
            commands=(Command.SET_AUTH,),
            notice="auth-code",
        )
        for state in (Transfer.NONE, Transfer.CODE_ASKED, Transfer.CODE_ISSUED)
    ),
    _transfer(
        Transfer.CODE_ISSUED,
        Event.CODE_OVER,
        Transfer.NONE,
        "DENIC AuthInfo1; ICANN Transfer Policy (reform)",
        commands=(Command.CLEAR_AUTH,),
    ),
    *(
        _transfer(
            state,
            Event.TRANSFER_REQUESTED,
            Transfer.PENDING,
            "RFC 5731 3.2.4; ICANN Transfer Policy I.A.3",
            during=HELD,
            when=endings.is_answered,
            change=changes.await_answer,
            timer="answered, or approved by itself, in 5 days (gTLD)",
            notice="transfer-requested",
        )
        for state in (Transfer.NONE, Transfer.CODE_ASKED, Transfer.CODE_ISSUED)
    ),
    _transfer(
        Transfer.PENDING,
        Event.TRANSFER_APPROVED,
        Transfer.PENDING,
        "RFC 5730 2.9.3.4; ICANN Transfer Policy I.A.3.1",
        guards=(guards.may_leave,),
        commands=(Command.TRANSFER_APPROVE,),
    ),
    _transfer(
        Transfer.PENDING,
        Event.TRANSFER_REJECTED,
        Transfer.NONE,
        "H 8(3); ICANN Transfer Policy I.A.3.7",
        guards=(guards.may_be_rejected,),
        change=changes.end_transfer,
        commands=(Command.TRANSFER_REJECT,),
        notice="transfer-rejected",
    ),
    _transfer(
        Transfer.PENDING,
        Event.TRANSFER_CANCELLED,
        Transfer.NONE,
        "RFC 5731 3.2.4",
        change=changes.end_transfer,
    ),
    *(
        _transfer(
            state,
            event,
            Transfer.NONE,
            "the domain is gone",
            during=HELD,
            change=changes.end_transfer,
        )
        for state in (Transfer.CODE_ASKED, Transfer.CODE_ISSUED, Transfer.PENDING)
        for event in (*ENDS, Event.TRANSFERRED_AWAY, Event.TRANSFER_ANSWER_DUE)
    ),
)


def _proof(state: Proof, event: Event, target: Proof, source: str, **rest: Any) -> Transition:
    return Transition(Region.VERIFICATION, state, event, target, source, **rest)


VERIFICATION: Final = (
    _proof(
        Proof.CLEAR,
        Event.RISK_FLAGGED,
        Proof.PENDING,
        "N 2.2.5; RAA 2013, RDDS Accuracy Program Specification",
        during=HELD,
        change=changes.await_proof,
        timer="7 calendar days (N); 15 at gTLD registries",
        notice="proof-asked",
    ),
    *(
        _proof(
            state,
            Event.PROOF_RECEIVED,
            Proof.CLEAR,
            "N 2.2.5",
            change=changes.accept_proof,
            dns=Dns.SERVE,
            commands=(Command.UPDATE_CONTACTS, Command.UNHOLD),
        )
        for state in (Proof.PENDING, Proof.QUARANTINE)
    ),
    _proof(
        Proof.PENDING,
        Event.PROOF_DUE,
        Proof.QUARANTINE,
        "N 2.2.5; RAA 2013, RDDS Accuracy Program Specification 2",
        during=HELD,
        dns=Dns.SERVE,
        commands=(Command.HOLD,),
        notice="quarantine",
    ),
)


def _payment(state: Payment, event: Event, target: Payment, source: str, **rest: Any) -> Transition:
    return Transition(Region.PAYMENT, state, event, target, source, **rest)


PAYMENT: Final = (
    *(
        _payment(
            state,
            Event.ARREARS_REPORTED,
            target,
            "N 3.1, 3.3; H 5a(5)",
            guards=(guards.arrears_count,),
            change=recorded.note_arrears,
            notice="dunning",
        )
        for state, target in (
            (Payment.CLEAR, Payment.DUNNING),
            (Payment.DUNNING, Payment.DUNNING),
            (Payment.SUSPENDED, Payment.SUSPENDED),
        )
    ),
    _payment(
        Payment.DUNNING,
        Event.SUSPENDED,
        Payment.SUSPENDED,
        "H 6(2) (75 EUR gross, or two months)",
        guards=(guards.important_reason,),
        during=frozenset((Life.REGISTERED,)),
        dns=Dns.SERVE,
        commands=(Command.HOLD,),
        notice="suspended",
    ),
    *(
        _payment(
            state,
            Event.ARREARS_SETTLED,
            Payment.CLEAR,
            "H 5a",
            change=recorded.settle_arrears,
            dns=Dns.SERVE,
            commands=(Command.UNHOLD,),
        )
        for state in (Payment.DUNNING, Payment.SUSPENDED)
    ),
)


def _disclosure(
    state: Disclosure, event: Event, target: Disclosure, source: str, **rest: Any
) -> Transition:
    return Transition(Region.DISCLOSURE, state, event, target, source, **rest)


DISCLOSURE: Final = (
    _disclosure(
        Disclosure.NONE, Event.DISCLOSURE_ASKED, Disclosure.ASKED, "H 9(2)", notice="claim"
    ),
    _disclosure(
        Disclosure.ASKED,
        Event.HOLDER_TOLD,
        Disclosure.TOLD,
        "H 9(2)",
        change=recorded.tell_holder,
        timer="time to answer the claimant",
    ),
    *(
        _disclosure(
            state,
            Event.DISCLOSED,
            Disclosure.NONE,
            "H 9(2); N 2.2.3",
            guards=(guards.holder_was_told,),
            change=recorded.end_disclosure,
        )
        for state in (Disclosure.ASKED, Disclosure.TOLD)
    ),
)
