"""Guards: a valid version that differs suspiciously from the one in service is held for approval.

``guard`` is a function of the two versions and the settings of the zone; the rules are described in
``zones.guard_rules``. Its cost is that of one pass over both, compiled; for a few changes to a large
zone that of looking at the apex.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from zones.apex import apex_rrsets
from zones.finding import Finding, listed
from zones.guard_rules import RULES
from zones.keys import KSK_FLAGS, flags_of, key_tag, matching_key
from zones.losses import Losses, losses
from zones.name import ROOT, Name, display
from zones.rdata import to_text
from zones.rrset import DNSKEY, MX, NS, RRSIG, RRset
from zones.version import ZoneVersion

LARGE: Final = 2000  # records; in fewer, losses are always counted


@dataclass(frozen=True, slots=True)
class GuardSettings:
    """Which guards a zone has; shares are percent, and 0 switches a guard with a number off.

    ``at_least`` is how many names, or records, have to be lost for a share to count, so that small
    zones may change. ``serial_jump`` is the most that a serial may rise at once.
    """

    names_lost: int = 50
    records_lost: int = 50
    at_least: int = 5
    emptied: bool = True
    apex_ns: bool = True
    apex_mx: bool = True
    dnskey: bool = True
    ds: bool = True
    serial_jump: int = 0


OFF: Final = GuardSettings(
    names_lost=0,
    records_lost=0,
    emptied=False,
    apex_ns=False,
    apex_mx=False,
    dnskey=False,
    ds=False,
)


def guard(
    old: ZoneVersion,
    new: ZoneVersion,
    settings: GuardSettings,
    parent_ds: Iterable[bytes] = (),
    *,
    changed: int | None = None,
) -> list[Finding]:
    """Return why ``new`` should not take the place of ``old`` unseen, each with severity HOLD.

    ``parent_ds`` is the rdata of the DS records at the parent, as far as known. ``changed`` is how
    many RRsets differ at most, where that is known.
    """
    judge = _Judge(old, new, settings)
    if changed is None or changed >= settings.at_least or old.record_count <= LARGE:
        judge.check_losses()
    judge.check_servers()
    judge.check_keys(tuple(parent_ds))
    judge.check_serial()
    return judge.findings


class _Judge:
    """One comparison; each check adds what it finds."""

    def __init__(self, old: ZoneVersion, new: ZoneVersion, settings: GuardSettings) -> None:
        self.findings: list[Finding] = []
        self._old, self._new, self._settings = old, new, settings
        self._before, self._after = apex_rrsets(old), apex_rrsets(new)
        self._zone = display(old.apex)

    def _add(self, rule: str, rtype: int, sentence: str) -> None:
        known = RULES[rule]
        finding = Finding(rule, known.severity, self._old.apex, rtype, sentence, known.fix)
        self.findings.append(finding)

    def _rdatas(self, where: Mapping[tuple[int, int], RRset], rtype: int) -> tuple[bytes, ...]:
        rrset = where.get((rtype, 0))
        return rrset.rdatas if rrset else ()

    def check_losses(self) -> None:
        """Compare how much there is."""
        settings = self._settings
        if not (settings.names_lost or settings.records_lost or settings.emptied):
            return
        lost = losses(self._old, self._new)
        if settings.emptied and lost.names and not lost.names_left:
            names = "1 name" if lost.names == 1 else f"{lost.names:,} names"
            sentence = (
                f"In serial {self._old.serial} there are {names} below {self._zone}, and in serial"
                f" {self._new.serial} none."
            )
            self._add("zone-emptied", 0, sentence)
            return
        self._check_shares(lost)

    def _check_shares(self, lost: Losses) -> None:
        settings = self._settings
        for rule, what, there, gone, share in (
            ("names-lost", f"names below {self._zone}", lost.names, lost.names_lost, "names_lost"),
            ("records-lost", "records", lost.records, lost.records_lost, "records_lost"),
        ):
            most: int = getattr(settings, share)
            if not most or gone < settings.at_least or gone * 100 <= most * there:
                continue
            sentence = (
                f"{gone:,} of the {there:,} {what} in serial {self._old.serial} are missing in"
                f" serial {self._new.serial}. That is {gone * 100 // there} %; up to {most} % may go."
            )
            self._add(rule, 0, sentence)

    def check_servers(self) -> None:
        """Compare the name servers and the mail servers of the apex."""
        before, after = self._rdatas(self._before, NS), self._rdatas(self._after, NS)
        if self._settings.apex_ns and before and after and not set(before) & set(after):
            sentence = (
                f"The name servers of {self._zone} were {_shown(NS, before)}; now they are"
                f" {_shown(NS, after)}, none of which was among them."
            )
            self._add("apex-ns-replaced", NS, sentence)
        before = _mail_servers(self._rdatas(self._before, MX))
        after = _mail_servers(self._rdatas(self._after, MX))
        if self._settings.apex_mx and before and not after:
            refuses = " but the one that refuses all mail" if (MX, 0) in self._after else ""
            sentence = (
                f"{self._zone} had the mail servers {_shown(MX, before)} (MX records), and has none now"
                f"{refuses}."
            )
            self._add("apex-mx-gone", MX, sentence)

    def check_keys(self, parent_ds: tuple[bytes, ...]) -> None:
        """Compare the keys, with each other and with the DS records at the parent."""
        before, after = self._rdatas(self._before, DNSKEY), self._rdatas(self._after, DNSKEY)
        if not before:
            return
        vouched = _is_vouched_for(self._new.apex, self._after, parent_ds)
        was_vouched = _is_vouched_for(self._old.apex, self._before, parent_ds)
        if self._settings.dnskey and not after:
            sentence = (
                f"{self._zone} was signed with {_tags(before)}, and has no DNSKEY record now."
            )
            self._add("dnskey-gone", DNSKEY, sentence)
        elif self._settings.dnskey and not vouched:
            self._check_signing_keys(before, after)
        if self._settings.ds and was_vouched and not vouched:
            tags = listed([str(int.from_bytes(ds[:2], "big")) for ds in parent_ds])
            sentence = (
                f"The DS record of {self._zone} at the parent names the key {tags}; none of the"
                f" keys in serial {self._new.serial} is it and has signed them."
            )
            self._add("ds-broken", DNSKEY, sentence)

    def _check_signing_keys(self, before: tuple[bytes, ...], after: tuple[bytes, ...]) -> None:
        old = {key for key in before if flags_of(key) & KSK_FLAGS == KSK_FLAGS}
        new = {key for key in after if flags_of(key) & KSK_FLAGS == KSK_FLAGS}
        if old and not old & set(after):
            now = f"they are {_tags(sorted(new))}" if new else "there is none"
            sentence = f"The key signing keys of {self._zone} were {_tags(sorted(old))}; now {now}."
            self._add("ksk-replaced", DNSKEY, sentence)

    def check_serial(self) -> None:
        """Look how far the serial rises (RFC 1982)."""
        rise = (self._new.serial - self._old.serial) % 2**32
        most = self._settings.serial_jump
        if most and most < rise < 2**31:
            sentence = (
                f"The serial number rises from {self._old.serial} to {self._new.serial}, by"
                f" {rise:,}, where {most:,} are allowed."
            )
            self._add("serial-jump", 6, sentence)


def _mail_servers(rdatas: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return tuple(rdata for rdata in rdatas if rdata[2:] != ROOT)


def _shown(rtype: int, rdatas: tuple[bytes, ...]) -> str:
    return listed([to_text(rtype, rdata).removesuffix(".") for rdata in rdatas])


def _tags(keys: Iterable[bytes]) -> str:
    tags = [str(key_tag(key)) for key in keys]
    return f"the key{'s' if len(tags) > 1 else ''} {listed(tags)}"


def _is_vouched_for(
    apex: Name, rrsets: Mapping[tuple[int, int], RRset], parent_ds: tuple[bytes, ...]
) -> bool:
    """Tell whether a key that a DS record names is there and has signed the keys."""
    keys, signatures = rrsets.get((DNSKEY, 0)), rrsets.get((RRSIG, DNSKEY))
    if keys is None or signatures is None:
        return False
    signers = {(rdata[2], int.from_bytes(rdata[16:18], "big")) for rdata in signatures.rdatas}
    found = (matching_key(apex, ds, keys.rdatas) for ds in parent_ds)
    return any(key is not None and (key[3], key_tag(key)) in signers for key in found)
