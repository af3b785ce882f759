"""One refresh of one zone: its primaries in order, up to the gate of the zone checks.

SOA query, serial arithmetic, IXFR or AXFR, checks. Where a NOTIFY says that there is something new,
an IXFR is asked for at once: its answer tells no less than that of a SOA query. What comes out is an
``Outcome`` (``settling``), to be persisted and served by the caller.
"""

from __future__ import annotations

from axfr.client import INLINE_RECORDS, Fetched, IxfrFailed, off_the_loop
from axfr.errors import TransferError
from axfr.judging import Arrival, judge
from axfr.notify import same_address
from axfr.outcome import Base, Outcome, Refused, SecondaryZone, Surroundings, why_suspended
from axfr.settling import Contact, Settling
from axfr.soa import Soa
from axfr.timetable import Wish
from zones.quarantine import Validation
from zones.secondary import Primary, Result, SecondaryState, TsigKey
from zones.version import ZoneVersion

__all__ = ["Base", "Outcome", "Refresh", "SecondaryZone", "Surroundings", "Wish"]


class Refresh:
    """One refresh; ``run`` it once. Without a ``base`` only whole zones are asked for."""

    def __init__(
        self,
        zone: SecondaryZone,
        state: SecondaryState,
        wish: Wish,
        around: Surroundings,
        base: Base | None = None,
    ) -> None:
        self._zone = zone
        self._state = state
        self._wish = wish
        self._around = around
        self._base = base if base and base.version.serial == state.serial else None
        self._settling = Settling(zone, state, wish, around, base)

    async def run(self) -> Outcome:
        """Ask the primaries in turn until one has the zone; never raises ``TransferError``."""
        settling = self._settling
        for primary in self._primaries():
            contact = Contact(primary, self._around.timer())
            try:
                self._check_suspension(contact)
                return await self._ask(contact)
            except Refused as refused:
                settling.refuse(contact, refused.failure, refused.fetched)
            except TransferError as error:
                settling.fail(contact, error)
        return settling.failed()

    def _primaries(self) -> list[Primary]:
        """Return whom to ask, in order: who sent the NOTIFY first, who is silent last."""
        now = self._around.clock()
        primaries = self._around.dead.in_order(self._zone.primaries, now)
        first = same_address(self._wish.address, primaries) if self._wish.address else None
        if first is not None:
            primaries.remove(first)
            primaries.insert(0, first)
        return primaries

    def _check_suspension(self, contact: Contact) -> None:
        why = why_suspended(contact.primary, self._around.suspended)
        if why is not None:
            reason = f"the operator has suspended this primary: {why}"
            raise self._settling.error(contact, "primary-suspended", reason)

    async def _ask(self, contact: Contact) -> Outcome:
        key, primary = self._key(contact), contact.primary
        state, around, wish = self._state, self._around, self._wish
        expired = state.is_expired(around.clock())
        known = state.serial is not None and (self._zone.pinned or not expired)
        base = self._base if not (expired or wish.force) else None
        if base is not None and not around.ixfr.is_usable(primary, self._zone.apex, around.clock()):
            base = None
        at_once = base is not None and wish.asked and not (self._zone.pinned or self._zone.held)
        if not (wish.force or at_once) and (known or state.refused_serial is not None):
            answer = await around.client.query_soa(primary, self._zone.apex, key)
            contact.serial, contact.told = answer.serial, answer.rdata
            contact.expire = answer.expire
            settled = self._settling.settle(contact, answer.soa)
            if settled is not None:
                return settled
        if base is not None:
            outcome = await self._transfer_changes(contact, key, base)
            if outcome is not None:
                return outcome
        contact.kind, contact.started = "AXFR", around.timer()
        try:
            fetched = await around.client.fetch(primary, self._zone.apex, key, self._zone.limits)
        except TransferError:
            if self._zone.pinned and known and contact.serial is not None:
                # It is there; nothing of it was to be served.
                return self._settling.held(contact, ())
            raise
        assert fetched.packed is not None
        return await self._judge(contact, fetched, ZoneVersion(fetched.packed.blob))

    async def _transfer_changes(
        self, contact: Contact, key: TsigKey | None, base: Base
    ) -> Outcome | None:
        """Ask for what changed; ``None`` where the whole zone has to be asked for."""
        contact.kind, contact.started = "IXFR", self._around.timer()
        limits, primary = self._zone.limits, contact.primary
        try:
            fetched = await self._around.client.fetch_changes(primary, base.version, key, limits)
        except IxfrFailed as failed:
            self._around.ixfr.note(primary, self._zone.apex, failed.rcode, self._around.clock())
            self._settling.log(contact, Result.REFUSED, failed.rule, failed.reason)
            return None
        if fetched.packed is not None:
            contact.kind = "AXFR"  # its style, at least (RFC 1995 4)
            return await self._judge(contact, fetched, ZoneVersion(fetched.packed.blob))
        if fetched.changes is None:
            soa, contact.expire = Soa.of(fetched.soa), fetched.expire
            contact.serial = soa.serial
            return self._settling.settle(contact, soa)
        many = base.version.record_count > INLINE_RECORDS
        version = await off_the_loop(fetched.changes.finish, many=many)
        if version.octets > limits.octets or version.record_count > limits.records:
            too_large = "the zone exceeds its limits"
            self._settling.log(contact, Result.REFUSED, "ixfr-failed", too_large)
            return None  # to be told about the zone, not about the way
        return await self._judge(contact, fetched, version)

    def _key(self, contact: Contact) -> TsigKey | None:
        if contact.primary.key is None:
            return None
        key = self._around.keys.get(contact.primary.key)
        if key is None:
            raise self._settling.error(contact, "key-unusable", "the key for it is not known here")
        return key

    async def _judge(self, contact: Contact, fetched: Fetched, version: ZoneVersion) -> Outcome:
        """Check what was transferred, and accept or refuse it."""
        contact.soa, contact.expire = Soa.of(fetched.soa or version.soa.rdatas[0]), fetched.expire
        settled = self._settling.arrive(contact, contact.soa)
        if settled is not None:
            return settled
        bench = self._settling.bench()
        sound = self._base is not None and self._base.sound
        arrival = Arrival(version, fetched.packed, fetched.changes, sound)
        thorough = self._zone.settings.validation is not Validation.OFF
        many = version.record_count > INLINE_RECORDS or thorough
        findings = await off_the_loop(lambda: judge(arrival, bench), many=many)
        return self._settling.judged(contact, fetched, arrival, bench, findings)
