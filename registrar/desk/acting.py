"""Doing something with a registration: judged first, then written down with what follows.

Every refusal has all its reasons. A dry run writes nothing and tells what would follow.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from registrar import facts
from registrar.actions import Action, why_not
from registrar.desk import recording, registrations
from registrar.desk.desk import Desk, Occasion, seconds
from registrar.desk.ordering import random_auth
from registrar.desk.outcome import Outcome, write_down
from registrar.desk.registrations import Entry
from registrar.errors import RegistrarError
from registrar.events import Event
from registrar.fact import Fact
from registrar.lifecycle import project
from registrar.model import Command, Registration
from registrar.reason import Reason
from storage import jobs
from storage import registrations as stored
from storage.registrations import StoredDocument
from storage.session import Session

# The fact that an action is, where the caller gives none.
FACTS: Final[dict[Action, Callable[[datetime], Fact]]] = {
    Action.WITHDRAW_ORDER: facts.OrderWithdrawn,
    Action.DECLINE: facts.Declined,
    Action.CREATE: facts.Sent,
    Action.TRANSFER_IN: facts.TransferInSent,
    Action.CANCEL: facts.CancellationReceived,
    Action.WITHDRAW: facts.CancellationWithdrawn,
    Action.DELETE: facts.DeletionOrdered,
    Action.GIVE_BACK: facts.DeletionConfirmed,
    Action.RESTORE: facts.RestoreOrdered,
    Action.TRANSFER_OUT: facts.CodeIssued,
    Action.APPROVE_TRANSFER: facts.TransferApproved,
    Action.REJECT_TRANSFER: facts.TransferRejected,
    Action.SUSPEND: facts.Suspended,
    Action.RESCIND: facts.TerminationRescinded,
    Action.DISCLOSE: facts.Disclosed,
}
WORK: Final = {Action.RENEW: (Command.RENEW,), Action.UPDATE: (Command.UPDATE_CONTACTS,)}
ORDER_ENDS: Final = frozenset((Action.WITHDRAW_ORDER, Action.DECLINE))
BEGIN_END: Final = frozenset((Event.DELETION_ORDERED, Event.CANCELLATION_RECEIVED))


def act(
    session: Session,
    desk: Desk,
    name: str,
    action: Action,
    *,
    now: datetime,
    actor: str,
    wish: Fact | None = None,
    auth: str = "",
    dry_run: bool = False,
) -> Outcome:
    """Do something with a registration, or return every reason why it is not done.

    ``wish`` is the fact with its particulars, ``auth`` the code of a transfer to us.
    """
    entry = registrations.get(session, name)
    known = registrations.registration(session, desk, entry)
    if wish is None and action in FACTS:
        wish = FACTS[action](now)
    if action is Action.GIVE_BACK:
        wish = facts.DeletionConfirmed(now, actor)
    if action is Action.GIVE_BACK:
        reasons = _same_person(session, entry, actor) or _but_confirmed(known, now)
    else:
        reasons = why_not(known, action, now, wish) + _auth_missing(action, auth)
    if reasons and not _is_kept(action, reasons):
        return Outcome(name, action, tuple(reasons), dry_run=dry_run)
    if action in WORK:
        return _work(session, entry, known, action, now=now, dry_run=dry_run)
    if wish is None:
        raise RegistrarError(f"'{action}' needs its particulars")
    if action is Action.TRANSFER_OUT:
        auth = random_auth(known.tld)
    occasion = Occasion(now, actor)
    outcome = write_down(
        session, desk, entry, wish, occasion, action=action, secret=auth, dry_run=dry_run
    )
    if action in ORDER_ENDS and outcome.done:
        jobs.cancel_all(session, entry.id, f"the order was {wish.event}", now=seconds(now))
    if action is Action.TRANSFER_OUT and outcome.done:
        stored.change(session, entry.id, auth_hash=_hashed(auth))
        return replace(outcome, auth=auth)
    return replace(outcome, reasons=tuple(reasons), kept=bool(reasons))


def record(
    session: Session,
    desk: Desk,
    name: str,
    fact: Fact,
    *,
    now: datetime,
    actor: str,
    dry_run: bool = False,
) -> Outcome:
    """Write a fact down that is no action of ours, or return the reasons against it."""
    entry = registrations.get(session, name)
    if isinstance(fact, facts.DeletionConfirmed):
        fact = replace(fact, by=fact.by or actor)
        if reasons := _same_person(session, entry, fact.by):
            return Outcome(name, fact.event, tuple(reasons), dry_run=dry_run)
    return write_down(session, desk, entry, fact, Occasion(now, actor), dry_run=dry_run)


def document(
    session: Session,
    desk: Desk,
    name: str,
    document: str,
    *,
    note: str = "",
    now: datetime,
    actor: str,
) -> Outcome:
    """Note that a document arrived; it may complete a cancellation (contract H 19(3))."""
    entry = registrations.get(session, name)
    told = StoredDocument(document, note, seconds(now), actor)
    stored.add_document(session, entry.id, told)
    fact = facts.DocumentReceived(now, document)
    return write_down(session, desk, entry, fact, Occasion(now, actor))


def _but_confirmed(known: Registration, now: datetime) -> list[Reason]:
    """Return what stands against giving a domain back but for the word that is given with it."""
    reasons = why_not(known, Action.GIVE_BACK, now)
    return [reason for reason in reasons if reason.rule != "not-confirmed"]


def _auth_missing(action: Action, auth: str) -> list[Reason]:
    if action is not Action.TRANSFER_IN or auth:
        return []
    sentence = "A transfer needs the auth code that the present registrar gave."
    return [Reason("auth-missing", sentence, "RFC 5731 3.2.4")]


def _is_kept(action: Action, reasons: Sequence[Reason]) -> bool:
    """Tell whether a wish is kept, though it does not count yet (contract H 19(3))."""
    return action is Action.CANCEL and all(reason.rule == "document-missing" for reason in reasons)


def _same_person(session: Session, entry: Entry, actor: str) -> list[Reason]:
    """Return a reason if whoever confirms is who set the end going."""
    for known in reversed(registrations.facts_of(session, entry)):
        if known.fact.event in BEGIN_END:
            if known.actor and known.actor == actor:
                sentence = f"{actor} has entered it: another person has to confirm."
                return [Reason("same-person", sentence, "practice (four eyes)")]
            break
    return []


def _work(
    session: Session,
    entry: Entry,
    known: Registration,
    action: Action,
    *,
    now: datetime,
    dry_run: bool,
) -> Outcome:
    effects = tuple(f"at the registry: {command}" for command in WORK[action])
    state = project(known, now)
    if not dry_run:
        for command in WORK[action]:
            detail = {"wished": True}
            # One renewal for each expiry: wished twice by mistake, it is done once.
            about = state.registry_expires if command is Command.RENEW else now
            key = f"wished {command}:{about.isoformat() if about else now.isoformat()}"
            recording.add_job(session, entry, command, key, now=now, detail=detail)
    return Outcome(entry.name, action, (), effects=effects, state=state, dry_run=dry_run)


def _hashed(auth: str) -> str:
    """Return what tells an auth code from others; it is long and random, so this is enough."""
    return hashlib.sha256(auth.encode()).hexdigest()
