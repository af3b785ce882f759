"""Grace periods and restores (RFC 3915, rgp-1.0)."""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element

from registrar.epp.document import attribute, children, find
from registrar.epp.errors import EppError, SyntaxFault
from registrar.epp.markup import Markup, declared, element, instant, optional, together
from registrar.objects import RestoreReport
from registrar.statuses import RgpStatus

STATEMENTS: Final = 2


def write_restore(report: RestoreReport | None) -> Markup:
    """Return the extension of the domain update that asks for a restore, or reports on one."""
    if report is None:
        restore = element("rgp:restore", op="request")
    else:
        restore = element("rgp:restore", _report(report), op="report")
    return declared("rgp:update", restore)


def _report(report: RestoreReport) -> Markup:
    if len(report.statements) != STATEMENTS:
        raise EppError(f"a restore report has {STATEMENTS} statements (RFC 3915 4.2.5)")
    return element(
        "rgp:report",
        element("rgp:preData", report.before),
        element("rgp:postData", report.after),
        element("rgp:delTime", instant(report.deleted_at)),
        element("rgp:resTime", instant(report.restored_at)),
        element("rgp:resReason", report.reason),
        together([element("rgp:statement", statement) for statement in report.statements]),
        optional("rgp:other", report.other),
    )


def read_statuses(extension: Element | None, path: str) -> frozenset[RgpStatus]:
    """Read the grace periods in ``rgp:infData`` or ``rgp:upData``; raises ``SyntaxFault``."""
    found = None if extension is None else find(extension, path)
    if found is None:
        return frozenset()
    try:
        return frozenset(
            RgpStatus(attribute(status, "s")) for status in children(found, "rgp:rgpStatus")
        )
    except ValueError as error:
        raise SyntaxFault(f"grace period status: {error}") from None
