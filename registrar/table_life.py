"""The table of the life cycle."""

from __future__ import annotations

from typing import Any, Final

from registrar import changes, endings, guards
from registrar.events import Event
from registrar.model import Command, Dns, Life, Region
from registrar.transition import Transition

ERRP: Final = "ICANN Expired Registration Recovery Policy"


def _row(state: Life, event: Event, target: Life, source: str, **rest: Any) -> Transition:
    return Transition(Region.LIFE, state, event, target, source, **rest)


ORDER: Final = (
    _row(
        Life.DRAFT,
        Event.SUBMITTED,
        Life.ORDERED,
        "N 2.2.1, 2.2.2, 2.2.3; H 17(2)(6)",
        guards=(guards.order_is_complete,),
        change=changes.take_order,
        timer="due at the registry in 7 working days, alarm on day 5",
        dns=Dns.PREPARE,
        commands=(Command.CHECK,),
    ),
    _row(Life.DRAFT, Event.ORDER_WITHDRAWN, Life.WITHDRAWN, "N 2.2.5", dns=Dns.PURGE),
    _row(Life.ORDERED, Event.ORDER_WITHDRAWN, Life.WITHDRAWN, "N 2.2.5", dns=Dns.PURGE),
    _row(
        Life.ORDERED,
        Event.DECLINED,
        Life.REJECTED,
        "N 2.2.6",
        guards=(guards.order_is_manual,),
        change=changes.keep_refusal,
        dns=Dns.PURGE,
        notice="order-declined",
    ),
    _row(
        Life.ORDERED,
        Event.SENT,
        Life.PENDING_CREATE,
        "N 2.2.2; RFC 5731 3.2.1",
        dns=Dns.SERVE,
        commands=(Command.CREATE,),
    ),
)

CREATION: Final = tuple(
    row
    for state in (Life.ORDERED, Life.PENDING_CREATE)
    for row in (
        _row(
            state,
            Event.REGISTERED,
            Life.REGISTERED,
            "H 17(3), 19(1); RFC 3915 3.1 (addPeriod)",
            change=changes.begin_registration,
            timer="addPeriod, transfer lock",
            dns=Dns.SERVE,
            commands=(Command.INFO,),
            notice="registered",
        ),
        _row(
            state,
            Event.REFUSED,
            Life.REJECTED,
            "N 2.2.2; H 17(3)(4) (no fee)",
            change=changes.keep_refusal,
            dns=Dns.PURGE,
            notice="refused",
        ),
    )
)

TRANSFER_IN: Final = (
    _row(
        Life.ORDERED,
        Event.TRANSFER_IN_SENT,
        Life.PENDING_TRANSFER_IN,
        "N 2.2.1; RFC 5731 3.2.4",
        timer="answered, or approved by itself, in 5 days (gTLD)",
        dns=Dns.SERVE,
        commands=(Command.TRANSFER_IN,),
    ),
    _row(
        Life.PENDING_TRANSFER_IN,
        Event.TRANSFERRED_IN,
        Life.REGISTERED,
        "N 2.2.1; RFC 3915 3.1 (transferPeriod)",
        change=changes.begin_after_transfer,
        timer="transferPeriod, transfer lock",
        dns=Dns.SERVE,
        commands=(Command.INFO, Command.UPDATE_CONTACTS),
        notice="transferred-in",
    ),
    _row(
        Life.PENDING_TRANSFER_IN,
        Event.REFUSED,
        Life.REJECTED,
        "N 2.2.2; H 17(3)(4) (no fee)",
        change=changes.keep_refusal,
        dns=Dns.PURGE,
        notice="refused",
    ),
)

RENEWAL: Final = (
    _row(
        Life.REGISTERED,
        Event.REGISTRY_EXPIRY,
        Life.REGISTERED,
        "H 17(4); RFC 5731 3.2.3, 3915 3.1 (autoRenewPeriod, renewPeriod)",
        change=changes.renew_at_registry,
        timer="autoRenewPeriod or renewPeriod",
        commands=(Command.RENEW,),
    ),
    _row(
        Life.CLOSING,
        Event.REGISTRY_EXPIRY,
        Life.CLOSING,
        "RFC 3915 3.1 (autoRenewPeriod)",
        when=endings.renews_by_itself,
        change=changes.renew_at_registry,
        timer="autoRenewPeriod",
    ),
    _row(
        Life.CLOSING,
        Event.REGISTRY_EXPIRY,
        Life.CLOSING,
        "the registry lets it lapse",
        change=endings.lapse,
    ),
)

CLOSING: Final = (
    _row(
        Life.REGISTERED,
        Event.DOMAIN_DUE,
        Life.CLOSING,
        "H 19(4); N 4.1",
        timer="until a second person confirms and no dispute or lock is left",
        dns=Dns.SERVE,
        notice="domain-due",
    ),
    _row(
        Life.REGISTERED,
        Event.DELETION_ORDERED,
        Life.CLOSING,
        "N 2.2.4, 2.2.5, 4.1",
        guards=(guards.may_be_given_back,),
        change=endings.close_on_order,
        dns=Dns.SERVE,
    ),
    _row(
        Life.REGISTERED,
        Event.TERMINATED,
        Life.CLOSING,
        f"H 6(2), 20; N 4.2; {ERRP} 2.2.2",
        guards=(guards.important_reason,),
        change=endings.close_after_termination,
        timer="name service interrupted for 8 days before the deletion (gTLD)",
        commands=(Command.HOLD,),
        notice="terminated",
    ),
    _row(
        Life.CLOSING,
        Event.INTERRUPTION_OVER,
        Life.CLOSING,
        f"{ERRP} 2.2.2",
    ),
    _row(
        Life.CLOSING,
        Event.TERMINATION_RESCINDED,
        Life.REGISTERED,
        f"{ERRP} 2.2.3; H 6(2)",
        when=endings.was_terminated,
        change=endings.reopen,
        dns=Dns.SERVE,
        commands=(Command.UNHOLD,),
        notice="reopened",
    ),
    _row(
        Life.CLOSING,
        Event.CANCELLATION_WITHDRAWN,
        Life.REGISTERED,
        "H 19(2); N 4.1 (before it takes effect)",
        when=endings.contract_not_ended,
        change=endings.reopen,
        dns=Dns.SERVE,
    ),
)

DELETION: Final = tuple(
    row
    for state in (Life.REGISTERED, Life.CLOSING)
    for row in (
        _row(
            state,
            Event.DELETED,
            Life.RELEASED,
            "RFC 3915 3.1 (addPeriod: purged at once); registries without redemption",
            guards=(guards.may_be_given_back, guards.is_confirmed),
            when=endings.in_add_period,
            change=endings.end_registration,
            dns=Dns.SERVE,
            commands=(Command.REMOVE_DS, Command.DELETE),
            notice="deleted",
        ),
        _row(
            state,
            Event.DELETED,
            Life.REDEMPTION,
            "H 19(4); N 4.1; RFC 3915 3.1; RFC 5731 3.2.2",
            guards=(guards.may_be_given_back, guards.is_confirmed),
            change=endings.begin_redemption,
            timer="gTLD 30, .de 30, .eu 40 days",
            dns=Dns.SERVE,
            commands=(Command.REMOVE_DS, Command.DELETE),
            notice="deleted",
        ),
        _row(
            state,
            Event.TRANSITED,
            Life.TRANSIT,
            "DENIC TRANSIT (the holder's authority is missing)",
            guards=(guards.may_be_given_back, guards.is_confirmed, guards.not_failed),
            change=endings.end_registration,
            dns=Dns.SERVE,
            commands=(Command.TRANSIT,),
            notice="transit",
        ),
        _row(
            state,
            Event.CHECK_DEADLINE,
            Life.RELEASED,
            "DENIC status failed: deleted after 30 days, without redemption",
            change=endings.end_registration,
            dns=Dns.PURGE,
            notice="lost-undelegated",
        ),
        _row(
            state,
            Event.TRANSFERRED_AWAY,
            Life.TRANSFERRED_AWAY,
            "N 2.2.4; H 8(3) (left despite lien is a state)",
            change=endings.leave,
            dns=Dns.SERVE,
            commands=(Command.INFO,),
            notice="transferred-away",
        ),
        _row(
            state,
            Event.TRANSFER_ANSWER_DUE,
            Life.TRANSFERRED_AWAY,
            "ICANN Transfer Policy I.A.3.6 (no answer is a consent)",
            change=endings.leave,
            dns=Dns.SERVE,
            commands=(Command.INFO,),
            notice="transferred-away",
        ),
    )
)

AFTER: Final = (
    _row(
        Life.REDEMPTION,
        Event.DELETED,
        Life.REDEMPTION,
        "RFC 5731 3.2.2 (the registry confirms)",
        when=endings.is_assumed_deleted,
        change=endings.begin_redemption,
    ),
    _row(
        Life.RELEASED,
        Event.DELETED,
        Life.RELEASED,
        "RFC 5731 3.2.2 (the registry confirms)",
        when=endings.is_assumed_deleted,
        change=endings.note_deletion,
    ),
    _row(
        Life.TRANSIT,
        Event.TRANSITED,
        Life.TRANSIT,
        "DENIC TRANSIT (the registry confirms)",
        when=endings.is_assumed_transited,
        change=endings.note_deletion,
    ),
    _row(
        Life.TRANSFERRED_AWAY,
        Event.TRANSFERRED_AWAY,
        Life.TRANSFERRED_AWAY,
        "RFC 5731 3.2.4 (the registry confirms)",
        when=endings.is_assumed_away,
        change=endings.note_deletion,
    ),
    _row(
        Life.REDEMPTION,
        Event.RESTORE_ORDERED,
        Life.PENDING_RESTORE,
        "RFC 3915 3.1, 4.2.5",
        change=endings.begin_restore,
        timer="report within 7 days (gTLD)",
        dns=Dns.ARCHIVE,
        commands=(Command.RESTORE, Command.RESTORE_REPORT),
    ),
    _row(
        Life.REDEMPTION,
        Event.REDEMPTION_OVER,
        Life.PENDING_DELETE,
        "RFC 3915 3.1",
        when=endings.has_pending_delete,
        change=endings.begin_pending_delete,
        timer="gTLD 5 days",
        dns=Dns.ARCHIVE,
    ),
    _row(
        Life.REDEMPTION,
        Event.REDEMPTION_OVER,
        Life.RELEASED,
        "DENIC Redemption Grace Period; EURid quarantine",
        change=endings.end_registration,
        dns=Dns.PURGE,
    ),
    _row(
        Life.REDEMPTION,
        Event.TRANSFERRED_AWAY,
        Life.TRANSFERRED_AWAY,
        "DENIC: restored by another provider, with AuthInfo",
        change=endings.leave,
        dns=Dns.PURGE,
    ),
    _row(
        Life.PENDING_RESTORE,
        Event.RESTORE_REPORT_DUE,
        Life.REDEMPTION,
        "RFC 3915 3.1 (no report: back to redemption)",
        change=endings.back_to_redemption,
        dns=Dns.ARCHIVE,
    ),
    _row(
        Life.PENDING_DELETE,
        Event.PENDING_DELETE_OVER,
        Life.RELEASED,
        "RFC 3915 3.1",
        change=endings.end_registration,
        dns=Dns.PURGE,
    ),
    *(
        _row(
            state,
            Event.RESTORED,
            Life.REGISTERED,
            f"RFC 3915 3.1; {ERRP} 3.1; EURid reactivation; DENIC RESTORE",
            change=endings.restore,
            dns=Dns.SERVE,
            commands=(Command.INFO,),
            notice="restored",
        )
        for state in (Life.REDEMPTION, Life.PENDING_RESTORE)
    ),
)

LIFE: Final = (*ORDER, *CREATION, *TRANSFER_IN, *RENEWAL, *CLOSING, *DELETION, *AFTER)
