"""What is published as a patch: changes that came by IXFR to a large zone.

To store such a version as a patch one has to know how the version before is stored: that is
remembered of what was published here, and asked from the store for what was read from there.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from storage import versions
from storage.content import PATCH_ABOVE, Patch, is_worth_a_patch
from storage.versions import Published
from zones.name import Name
from zones.patch import Op, compose
from zones.version import ZoneVersion


@dataclass(frozen=True, slots=True)
class _Stored:
    """How the served version ``id`` is stored: whole, as ``root``, or as a patch of that.

    ``known`` has versions in memory that changes may be told from, with what makes each of the
    root; ``None`` for the root itself.
    """

    id: int
    root: int
    known: tuple[tuple[weakref.ref[ZoneVersion], Sequence[Op] | None], ...]

    def ops_of(self, version: ZoneVersion) -> tuple[bool, Sequence[Op] | None]:
        """Tell whether a version is known, and what makes it of the root."""
        for known, ops in self.known:
            if known() is version:
                return True, ops
        return False, None


class Patches:
    """Makes patches of the roots in the store; used in the thread that commits.

    ``loaded`` returns the store's id of the version in service.
    """

    def __init__(self, loaded: Callable[[Name], int] = lambda _apex: 0) -> None:
        self._loaded = loaded
        self._stored: dict[Name, _Stored] = {}

    def patch(self, session: Session, version: ZoneVersion) -> Patch | None:
        """Return the patch to store instead of the content, ``None`` to store it whole."""
        descent = version.descent
        if descent is None or version.octets < PATCH_ABOVE:
            return None
        before = self._stored.get(version.apex) or self._look_up(session, version)
        if before is None:
            return None
        is_known, of_root = before.ops_of(descent.root)
        if not is_known:
            return None
        ops = descent.ops if of_root is None else compose(of_root, descent.ops)
        return Patch(before.root, before.id, ops) if is_worth_a_patch(version.octets, ops) else None

    def note(self, version: ZoneVersion, published: Published, patch: Patch | None) -> None:
        """Take how a version was stored."""
        before = self._stored.pop(version.apex, None)
        if version.octets < PATCH_ABOVE or not (published.new and published.served):
            return
        itself = weakref.ref(version)
        if not published.root or patch is None:
            self._stored[version.apex] = _Stored(published.id, published.id, ((itself, None),))
            return
        # Changes are told from the version itself as soon as its octets are at hand.
        known = before.known[:1] if before is not None else ()
        self._stored[version.apex] = _Stored(
            published.id, published.root, (*known, (itself, patch.ops))
        )

    def _look_up(self, session: Session, version: ZoneVersion) -> _Stored | None:
        """Ask how the version is stored that was read and now has changed."""
        assert version.descent is not None
        assert version.step is not None
        root, number = version.descent.root, self._loaded(version.apex)
        if not number or version.step.parent() is not root:
            return None
        stored = versions.stored_as(session, version.apex, number)
        if stored is None:
            return None
        found = _Stored(number, stored.root, ((weakref.ref(root), stored.ops),))
        self._stored[version.apex] = found
        return found
