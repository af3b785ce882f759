"""What was transferred and is not served: held versions, discarded ones, refused ones.

At most one of these is kept for a zone. A settings object says what a transfer has to pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Final

from zones.finding import Finding, Severity, holds
from zones.guards import GuardSettings
from zones.name import Name, from_text, to_text
from zones.version import ZoneVersion

MOST_REFUSED: Final = 1 << 20  # octets of refused content that is kept to show what differs


class Validation(StrEnum):
    """Whether the signatures of a zone are verified before it is served."""

    OFF = "off"
    SIGNATURES = "signatures"  # against the zone's own keys
    DS = "ds"  # from the DS records at the parent


@dataclass(frozen=True, slots=True)
class ZoneLimits:
    """What a transfer of one zone may take; ``None`` is what the server's settings say.

    ``per_minute`` is how often it is transferred.
    """

    octets: int | None = None
    records: int | None = None
    seconds: float | None = None
    per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class TransferSettings:
    """What the transferred versions of one zone are measured by.

    ``parent_ds`` is the rdata of the DS records at the parent, in order. ``accepted_serial`` is a
    lower serial than the one in service that is taken over once.
    """

    guards: GuardSettings = field(default_factory=GuardSettings)
    validation: Validation = Validation.OFF
    parent_ds: tuple[bytes, ...] = ()
    accepted_serial: int | None = None
    limits: ZoneLimits = ZoneLimits()

    def document(self) -> dict[str, Any]:
        """Return it for storage; what is as by default is left out."""
        found: dict[str, Any] = {}
        standard = asdict(GuardSettings())
        guards = {k: v for k, v in asdict(self.guards).items() if v != standard[k]}
        if guards:
            found["guards"] = guards
        if self.validation is not Validation.OFF:
            found["validation"] = self.validation.value
        if self.parent_ds:
            found["parent_ds"] = [ds.hex() for ds in self.parent_ds]
        if self.accepted_serial is not None:
            found["accepted_serial"] = self.accepted_serial
        limits = {k: v for k, v in asdict(self.limits).items() if v is not None}
        if limits:
            found["limits"] = limits
        return found

    @classmethod
    def of_document(cls, found: Mapping[str, Any]) -> TransferSettings:
        """Return what ``document`` was made of; what is not known here is passed over."""

        def of(kind: type, name: str) -> Any:
            known = {one.name for one in fields(kind)}
            return kind(**{k: v for k, v in found.get(name, {}).items() if k in known})

        return cls(
            of(GuardSettings, "guards"),
            Validation(found.get("validation", Validation.OFF)),
            tuple(bytes.fromhex(ds) for ds in found.get("parent_ds", ())),
            found.get("accepted_serial"),
            of(ZoneLimits, "limits"),
        )


class Standing(StrEnum):
    """What became of a version that is kept and not served."""

    HELD = "held"  # waits for approval
    DISCARDED = "discarded"  # somebody does not want it; its content is gone
    REFUSED = "refused"  # broke a rule; kept to show what differs


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A version that is kept and not served; ``content`` is ``None`` where it was not kept.

    ``primary`` is ``ADDR@PORT``; ``served`` the serial in service when it came; ``pinned`` and
    ``settings`` are what it was judged by. ``by`` and ``reason`` tell of a discarded one.
    """

    apex: Name
    standing: Standing
    serial: int
    at: float
    primary: str
    findings: tuple[Finding, ...]
    records: int
    content: ZoneVersion | None = None
    served: int | None = None
    pinned: bool = False
    settings: TransferSettings = field(default_factory=TransferSettings)
    by: str = ""
    reason: str = ""

    @property
    def note(self) -> HeldNote | None:
        """Return what a refresh has to know of it."""
        if self.standing is Standing.REFUSED:
            return None
        discarded = self.standing is Standing.DISCARDED
        holding = holds(self.findings)
        first = holding[0] if holding else None
        return HeldNote(
            self.serial,
            discarded,
            self.pinned,
            self.settings,
            first.rule if first else "",
            "; ".join(finding.sentence for finding in holding),
            first.fix if first else "",
        )


@dataclass(frozen=True, slots=True)
class HeldNote:
    """The serial of a version that is held or was discarded, what it was judged by, and why."""

    serial: int
    discarded: bool
    pinned: bool
    settings: TransferSettings
    rule: str
    sentences: str
    fix: str

    def still_counts(self, serial: int, settings: TransferSettings, *, pinned: bool) -> bool:
        """Tell whether a primary that has this serial need not be asked for the zone again.

        What somebody discarded stays discarded; what was held is judged anew when the settings
        or the pin changed.
        """
        if serial != self.serial:
            return False
        judged_by = replace(settings, accepted_serial=None)
        return self.discarded or (pinned, judged_by) == (self.pinned, self.settings)


def finding_document(finding: Finding) -> dict[str, Any]:
    """Return a finding for storage."""
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "owner": to_text(finding.owner),
        "rtype": finding.rtype,
        "sentence": finding.sentence,
        "fix": finding.fix,
    }


def finding_of_document(found: Mapping[str, Any]) -> Finding:
    """Return what ``finding_document`` was made of."""
    return Finding(
        found["rule"],
        Severity(found["severity"]),
        from_text(found["owner"]),
        found["rtype"],
        found["sentence"],
        found["fix"],
    )
