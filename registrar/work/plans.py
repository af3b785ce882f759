"""Every kind of work by its name in the outbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from registrar.model import Command as Work
from registrar.work import changes, ends, registering, transfers
from registrar.work.task import Steps, Task

WORK: Final[dict[str, Callable[[Task], Steps]]] = {
    Work.CHECK: registering.check,
    Work.CREATE: registering.create,
    Work.INFO: registering.look,
    Work.RENEW: registering.renew,
    Work.DELETE: ends.delete,
    Work.TRANSIT: ends.transit,
    Work.RESTORE: ends.restore,
    Work.RESTORE_REPORT: ends.restore_report,
    Work.TRANSFER_IN: transfers.transfer_in,
    Work.TRANSFER_REJECT: transfers.reject_transfer,
    Work.TRANSFER_APPROVE: transfers.approve_transfer,
    Work.SET_AUTH: transfers.set_auth,
    Work.CLEAR_AUTH: transfers.clear_auth,
    Work.UPDATE_NAME_SERVERS: changes.update_name_servers,
    Work.REMOVE_DS: changes.remove_ds,
    Work.UPDATE_CONTACTS: changes.update_contacts,
    Work.HOLD: changes.hold,
    Work.UNHOLD: changes.unhold,
    "set statuses": changes.set_statuses,
}
