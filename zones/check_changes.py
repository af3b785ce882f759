"""Checking a changed zone by what changed, where that is certain to refuse no less than a full check.

All rules that refuse look at one name, but for two facts from above it: a DNAME, below which there
are no names, and a delegation, below which a DNAME does not count. So where no DNAME is near and no
delegation went, what was sound and did not change stays sound, and the changed names can be checked
by themselves. Everything else is left to the full check.
"""

from __future__ import annotations

from typing import Final

from zones.changes import Changes
from zones.check import check
from zones.finding import errors
from zones.name import Name, ancestors
from zones.rrset import DNAME, NS
from zones.version import ZoneVersion

MOST: Final = 2000  # RRsets; with more of them the full check is as good


def is_surely_sound(changes: Changes) -> bool:
    """Tell whether the changes surely leave a base that no rule refuses as sound as it was.

    ``False`` means that only the full check can tell.
    """
    if len(changes) > MOST:
        return False
    apex = changes.base.apex
    rrsets = {rrset.key: rrset for rrset in changes.at(apex).values()}
    for owner, before, after in changes.touched():
        types_before = {key[1] for key in before}
        types_after = {key[1] for key in after}
        if DNAME in types_before | types_after:
            return False
        if owner == apex:
            rrsets = {key: rrset for key, rrset in rrsets.items() if key[0] != apex}
        elif NS in types_before - types_after or _has_dname_above(owner, changes):
            return False
        rrsets |= after
    return not errors(check(ZoneVersion.of(apex, rrsets.values())))


def _has_dname_above(owner: Name, changes: Changes) -> bool:
    above = ancestors(owner)
    next(above)
    for name in above:
        if any(key[1] == DNAME for key in changes.at(name)):
            return True
        if name == changes.base.apex:
            break
    return False
