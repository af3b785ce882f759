"""Trying out a primary before anything depends on it: every step is told, nothing is kept.

The steps are those of a refresh, each tried by itself: the serial over UDP and over TCP, the
transfer, the checks that a version has to pass, and whether all primaries have the same.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from axfr.answer_stream import Limits
from axfr.client import Client, ClientSettings, Fetched
from axfr.errors import TransferError
from axfr.judging import Arrival, Bench, judge
from axfr.refusal import fix_of, record_of
from axfr.sentences import whole_sentence
from axfr.soa import Soa
from axfr.tls import Shown
from zones.finding import Finding, Severity
from zones.name import Name, display
from zones.packing import Packed
from zones.quarantine import TransferSettings
from zones.secondary import Primary, TsigKey
from zones.version import ZoneVersion

FEW_TRIES: Final = ClientSettings(udp_timeout=1.5, udp_tries=2, connect_timeout=4.0)
SOON: Final = 14 * 86_400  # seconds before its end at which a certificate is worth a warning


class Verdict(StrEnum):
    """How a step went."""

    OK = "ok"
    WARNING = "warning"  # would work, and should be looked at
    FAILED = "failed"  # would not work
    SKIPPED = "skipped"  # for want of what was to come before


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was tried: with whom, how it went, in a sentence, and what to do about it."""

    name: str
    peer: str
    verdict: Verdict
    told: str
    fix: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """The steps of one primary, and what came of its transfer."""

    primary: Primary
    steps: tuple[Step, ...]
    version: ZoneVersion | None = None


async def try_primaries(
    apex: Name,
    primaries: Sequence[Primary],
    keys: dict[Name, TsigKey],
    settings: TransferSettings,
    *,
    limits: Limits | None = None,
    client: ClientSettings = FEW_TRIES,
    clock: Callable[[], float] = time.time,
) -> list[Trial]:
    """Try every primary, side by side; never raises ``TransferError``."""
    asking = Client(client, clock=clock)
    try:
        trials = [
            _Attempt(apex, primary, keys, settings, limits or Limits(), asking, clock).run()
            for primary in primaries
        ]
        return list(await asyncio.gather(*trials))
    finally:
        await asking.close()


class _Attempt:
    """One primary being tried."""

    def __init__(  # noqa: PLR0917 (made in one place)
        self,
        apex: Name,
        primary: Primary,
        keys: dict[Name, TsigKey],
        settings: TransferSettings,
        limits: Limits,
        client: Client,
        clock: Callable[[], float],
    ) -> None:
        self._apex, self._primary, self._limits = apex, primary, limits
        self._key = keys.get(primary.key) if primary.key else None
        self._settings, self._client, self._clock = settings, client, clock
        self._steps: list[Step] = []

    async def run(self) -> Trial:
        """Try one thing after the other."""
        if self._primary.tls is not None:
            await self._try_tls()
        serials = [await self._try_soa(tcp=False), await self._try_soa(tcp=True)]
        fetched = await self._try_transfer()
        version = None
        if fetched is not None and fetched.packed is not None:
            version = ZoneVersion(fetched.packed.blob)
            self._compare(serials, version)
            await self._check(version, fetched.packed)
        else:
            self._note("rules", Verdict.SKIPPED, "Without a transfer there is nothing to check.")
        return Trial(self._primary, tuple(self._steps), version)

    def _note(
        self, name: str, verdict: Verdict, told: str, *, fix: str = "", rule: str = ""
    ) -> None:
        self._steps.append(Step(name, str(self._primary), verdict, told, fix, rule))

    def _failed(self, name: str, error: TransferError, *, verdict: Verdict) -> None:
        peer, zone = str(self._primary), display(self._apex)
        told = whole_sentence(error.rule, error.reason, peer, zone)
        if name == "udp" and error.rule in ("unreachable", "timeout"):
            told = f"The primary at {peer} does not answer over UDP."
        self._note(name, verdict, told, fix=fix_of(error.rule), rule=error.rule)

    async def _try_tls(self) -> None:
        """Tell by which certificate the primary is known."""
        try:
            shown = Shown.of(await self._client.certificate(self._primary, self._apex))
        except TransferError as error:
            self._failed("tls", error, verdict=Verdict.FAILED)
            return
        names, ends = ", ".join(shown.names) or "nobody", f"{shown.ends:%Y-%m-%d %H:%M} UTC"
        told = f"TLS 1.3; its certificate is for {names}, issued by {shown.issuer}, until {ends}."
        assert self._primary.tls is not None
        left = shown.ends.timestamp() - self._clock()
        if left < SOON and not self._primary.tls.pin:  # of a pinned key dates do not count
            fix = "Renew the certificate of the primary before it ends: it is not asked then."
            self._note("tls", Verdict.WARNING, told, fix=fix)
            return
        if self._primary.tls.pin:
            told += " Its key is the one that is pinned."
        self._note("tls", Verdict.OK, told)

    async def _try_soa(self, *, tcp: bool) -> int | None:
        name = "tcp" if tcp else "udp"
        if self._primary.tls is not None and not tcp:
            self._note(name, Verdict.SKIPPED, "The primary is asked over TLS alone.")
            return None
        try:
            answer = await self._client.try_soa(self._primary, self._apex, self._key, tcp=tcp)
        except TransferError as error:
            # Without UDP everything works over TCP, only more slowly.
            blocked = not tcp and error.rule in ("unreachable", "timeout")
            verdict = Verdict.WARNING if blocked else Verdict.FAILED
            self._failed(name, error, verdict=verdict)
            return None
        signed = ", signed with the key" if self._key else ""
        self._note(
            name,
            Verdict.OK,
            f"Answers over {'TLS' if self._primary.tls else name.upper()} with authority{signed}: serial {answer.serial}.",
        )
        return answer.serial

    async def _try_transfer(self) -> Fetched | None:
        try:
            async with asyncio.timeout(self._limits.seconds):
                fetched = await self._client.fetch(
                    self._primary, self._apex, self._key, self._limits
                )
        except TimeoutError:
            told = f"The transfer took longer than {self._limits.seconds:.0f} seconds."
            fix = fix_of("too-slow")
            self._note("transfer", Verdict.FAILED, told, fix=fix, rule="too-slow")
            return None
        except TransferError as error:
            self._failed("transfer", error, verdict=Verdict.FAILED)
            return None
        told = (
            f"The zone is transferred: {fetched.records:,} records, {fetched.octets:,} octets in"
            f" {fetched.seconds:.2f} s."
        )
        self._note("transfer", Verdict.OK, told)
        return fetched

    def _compare(self, serials: Sequence[int | None], version: ZoneVersion) -> None:
        others = {serial for serial in serials if serial not in (None, version.serial)}
        if others:
            told = (
                f"The transferred zone has serial {version.serial}, and the SOA answers had"
                f" {', '.join(map(str, sorted(others)))}."
            )
            fix = "Nothing, if the zone changed just now; otherwise restart the primary."
            self._note("serial", Verdict.WARNING, told, fix=fix)

    async def _check(self, version: ZoneVersion, packed: Packed) -> None:
        settings = replace(self._settings, accepted_serial=None)
        bench = Bench(settings, None, None, pinned=False, now=self._clock())
        arrival = Arrival(version, packed, None, sound=False)
        findings = await asyncio.to_thread(judge, arrival, bench)
        for finding in findings:
            self._note_finding(finding)
        if not any(finding.severity is Severity.ERROR for finding in findings):
            soa = Soa.of(version.soa.rdatas[0])
            told = (
                f"No rule refuses the zone. Without contact it would be served for {soa.expire:,}"
                " seconds (EXPIRE)."
            )
            self._note("rules", Verdict.OK, told)

    def _note_finding(self, finding: Finding) -> None:
        refuses = finding.severity is Severity.ERROR
        verdict = Verdict.FAILED if refuses else Verdict.WARNING
        where = f" ({record_of(finding)})" if finding.rtype else ""
        told = f"{finding.sentence}{where if where[2:-1] not in finding.sentence else ''}"
        self._note("rules", verdict, told, fix=finding.fix, rule=finding.rule)


def compare_trials(apex: Name, trials: Sequence[Trial]) -> list[Step]:
    """Tell whether all primaries that sent a zone sent the same one."""
    there = [(one.primary, one.version) for one in trials if one.version is not None]
    if len(there) < 2:
        return []
    serials = {version.serial for _primary, version in there}
    if len({version.content_hash for _primary, version in there}) == 1:
        told = f"All {len(there)} primaries have the same content."
        return [Step("agreement", "", Verdict.OK, told)]
    listed = ", ".join(f"{primary} has serial {version.serial}" for primary, version in there)
    told = f"The primaries of {display(apex)} do not have the same zone: {listed}."
    if len(serials) == 1:
        told = (
            f"The primaries of {display(apex)} have different content under the same serial"
            f" {serials.pop()}."
        )
    fix = "Have all primaries load the zone from one source, and compare them again."
    return [Step("agreement", "", Verdict.WARNING, told, fix)]
