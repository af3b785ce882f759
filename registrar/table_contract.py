"""The table of the contract."""

from __future__ import annotations

from typing import Any, Final

from registrar import changes, endings, guards
from registrar.events import Event
from registrar.model import ContractState, Life, Region
from registrar.transition import Transition

WITH_US: Final = frozenset((Life.REGISTERED,))
LEAVING: Final = (
    Event.DELETION_ORDERED,
    Event.DELETED,
    Event.TRANSITED,
    Event.CHECK_DEADLINE,
    Event.TRANSFERRED_AWAY,
    Event.TRANSFER_ANSWER_DUE,
)


def _row(
    state: ContractState, event: Event, target: ContractState, source: str, **rest: Any
) -> Transition:
    return Transition(Region.CONTRACT, state, event, target, source, **rest)


NONE, RUNNING = ContractState.NONE, ContractState.RUNNING
CANCELLED, RUNNING_OUT = ContractState.CANCELLED, ContractState.RUNNING_OUT
ENDED = ContractState.ENDED

CONTRACT: Final = (
    *(
        _row(
            NONE,
            event,
            RUNNING,
            "N 4.1; H 19(1) (from the registration at the registry)",
            change=changes.begin_contract,
            timer="12 months, .eu 24 (H)",
            notice="contract-begun",
        )
        for event in (Event.REGISTERED, Event.TRANSFERRED_IN)
    ),
    _row(
        RUNNING,
        Event.TERM_OVER,
        RUNNING,
        "N 4.1; H 19(2); BGB 309 no. 9 (consumers)",
        change=changes.renew_term,
        timer="12 months; without an end for consumers",
        notice="invoice",
    ),
    *(
        _row(
            RUNNING,
            event,
            CANCELLED,
            "N 4.1 (35 days); H 6(1), 19(2)(3) (6 weeks)",
            guards=(guards.cancellation_is_valid,),
            during=WITH_US,
            when=when,
            change=endings.cancel,
            timer="end of the term; N: of the domain the moment chosen",
            notice="cancellation-confirmed",
        )
        for event, when in (
            (Event.CANCELLATION_RECEIVED, None),
            (Event.DOCUMENT_RECEIVED, endings.awaits_documents),
        )
    ),
    *(
        _row(
            state,
            Event.CANCELLATION_WITHDRAWN,
            RUNNING,
            "H 19(2); N 4.1 (before it takes effect)",
            during=frozenset((Life.REGISTERED, Life.CLOSING)),
            when=when,
            change=endings.resume_contract,
            notice="cancellation-withdrawn",
        )
        for state, when in ((CANCELLED, None), (RUNNING_OUT, None))
    ),
    _row(CANCELLED, Event.CONTRACT_OVER, ENDED, "N 4.1; H 19(2)", change=endings.end_contract),
    _row(RUNNING_OUT, Event.CONTRACT_OVER, ENDED, "N 4.1", change=endings.end_contract),
    *(
        _row(
            state,
            Event.TERMINATED,
            ENDED,
            "H 6(2), 20; N 4.2",
            guards=(guards.important_reason,),
            during=WITH_US,
            change=endings.terminate,
            notice="terminated",
        )
        for state in (RUNNING, CANCELLED)
    ),
    _row(
        ENDED,
        Event.TERMINATION_RESCINDED,
        RUNNING,
        "H 6(2)",
        during=frozenset((Life.CLOSING,)),
        when=endings.was_terminated,
        change=endings.resume_contract,
    ),
    *(
        _row(
            RUNNING,
            event,
            RUNNING_OUT,
            "N 2.2.4, 4.1 (term and fees are unaffected)",
            during=frozenset((Life.REGISTERED, Life.CLOSING)),
            change=endings.run_out,
            timer="end of the term",
        )
        for event in LEAVING
    ),
    *(
        _row(
            state,
            Event.RESTORED,
            RUNNING,
            "RFC 3915 3.1; the contract goes on with the domain",
            during=frozenset((Life.REDEMPTION, Life.PENDING_RESTORE)),
            change=endings.resume_contract,
        )
        for state in (RUNNING_OUT, CANCELLED)
    ),
    _row(
        ENDED,
        Event.RESTORED,
        RUNNING,
        "RFC 3915 3.1; a term of its own",
        during=frozenset((Life.REDEMPTION, Life.PENDING_RESTORE)),
        change=endings.renew_contract,
        timer="12 months, .eu 24 (H)",
    ),
)
