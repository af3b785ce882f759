"""What is published as a patch: changes that came by IXFR to a large zone.

To store such a version as a patch one has to know of the version before what it is stored as: that
is remembered of what was published here. What was read from the store at the start is followed by
one version that is stored whole.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass

from axfr.secondaries import Outcome
from storage.content import PATCH_ABOVE, Patch, is_worth_a_patch
from storage.versions import Published
from zones.name import Name
from zones.patch import Op, compose
from zones.version import ZoneVersion


@dataclass(frozen=True, slots=True)
class _Stored:
    """How a version is stored: whole, or (``ops``) as a patch of ``root``."""

    version: weakref.ref[ZoneVersion]
    id: int
    root: int
    ops: Sequence[Op] | None = None


class Patches:
    """Makes patches of the roots in the store; used in the thread that commits."""

    def __init__(self) -> None:
        self._stored: dict[Name, _Stored] = {}

    def patch(self, outcome: Outcome) -> Patch | None:
        """Return the patch to store instead of the content, ``None`` to store it whole."""
        changes, version = outcome.changes, outcome.version
        if changes is None or version is None or len(version.blob) < PATCH_ABOVE:
            return None
        before = self._stored.get(version.apex)
        if before is None or before.version() is not changes.base:
            return None
        ops = changes.patch if before.ops is None else compose(before.ops, changes.patch)
        return Patch(before.root, before.id, ops) if is_worth_a_patch(version.blob, ops) else None

    def note(self, version: ZoneVersion, published: Published, patch: Patch | None) -> None:
        """Take how a version was stored."""
        if len(version.blob) < PATCH_ABOVE or not (published.new and published.served):
            self._stored.pop(version.apex, None)
            return
        ops = patch.ops if published.root and patch else None
        self._stored[version.apex] = _Stored(
            weakref.ref(version), published.id, published.root or published.id, ops
        )
