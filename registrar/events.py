"""What can happen to a registration: the words of the transition tables."""

from __future__ import annotations

from enum import StrEnum


class Event(StrEnum):
    """Something that happened, or a time that came."""

    # Order
    SUBMITTED = "submitted"
    ORDER_WITHDRAWN = "order withdrawn"
    DECLINED = "declined"
    SENT = "sent"
    REGISTERED = "registered"
    REFUSED = "refused"
    TRANSFER_IN_SENT = "transfer in sent"
    TRANSFERRED_IN = "transferred in"
    # At the registry
    RENEWED = "renewed"
    STATUSES_CHANGED = "statuses changed"
    HOLDER_CHANGED = "holder changed"
    DISPUTE_OPENED = "dispute opened"
    DISPUTE_CLOSED = "dispute closed"
    # Delegation
    NAME_SERVERS_SET = "name servers set"
    NAME_SERVERS_REMOVED = "name servers removed"
    CHECK_FAILED = "name server check failed"
    CHECK_PASSED = "name server check passed"
    DELEGATION_GONE = "delegation gone"
    # End
    CANCELLATION_RECEIVED = "cancellation received"
    DOCUMENT_RECEIVED = "document received"
    CANCELLATION_WITHDRAWN = "cancellation withdrawn"
    TERMINATED = "terminated"
    TERMINATION_RESCINDED = "termination rescinded"
    DELETION_ORDERED = "deletion ordered"
    DELETION_CONFIRMED = "deletion confirmed"
    DELETED = "deleted"
    TRANSITED = "transited"
    RESTORE_ORDERED = "restore ordered"
    RESTORED = "restored"
    # Transfer away
    CODE_ASKED = "auth code asked"
    CODE_ISSUED = "auth code issued"
    TRANSFER_REQUESTED = "transfer requested"
    TRANSFER_APPROVED = "transfer approved"
    TRANSFER_REJECTED = "transfer rejected"
    TRANSFER_CANCELLED = "transfer cancelled"
    TRANSFERRED_AWAY = "transferred away"
    # Contacts
    RISK_FLAGGED = "risk flagged"
    PROOF_RECEIVED = "proof received"
    CONTACT_CHANGE_RECEIVED = "contact change received"
    CONTACT_CHANGE_FORWARDED = "contact change forwarded"
    DISCLOSURE_ASKED = "disclosure asked"
    HOLDER_TOLD = "holder told"
    DISCLOSED = "disclosed"
    # Claims
    PAID = "paid"
    ARREARS_REPORTED = "arrears reported"
    ARREARS_SETTLED = "arrears settled"
    SUSPENDED = "suspended"
    # Times that come
    TERM_OVER = "term over"
    DOMAIN_DUE = "domain due back"
    CONTRACT_OVER = "contract over"
    REGISTRY_EXPIRY = "registry expiry"
    INTERRUPTION_OVER = "interruption over"
    RESTORE_REPORT_DUE = "restore report due"
    REDEMPTION_OVER = "redemption over"
    PENDING_DELETE_OVER = "pendingDelete over"
    CODE_OVER = "auth code over"
    TRANSFER_ANSWER_DUE = "transfer answer due"
    CHECK_DEADLINE = "name server check deadline"
    CACHES_EMPTY = "caches empty"
    PROOF_DUE = "proof due"
