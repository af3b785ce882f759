"""EPP's status words and how they stand together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registrar.statuses import (
    PENDINGS,
    RgpStatus,
    Status,
    Verb,
    faults,
    normalise,
    prohibiting,
    rdap,
)

CLASHES = [
    ({Status.OK, Status.CLIENT_HOLD}, "ok does not stand alone"),
    ({Status.PENDING_DELETE, Status.PENDING_TRANSFER}, "more than one operation"),
    ({Status.PENDING_DELETE, Status.CLIENT_DELETE_PROHIBITED}, "pendingDelete stands together"),
    ({Status.PENDING_RENEW, Status.SERVER_RENEW_PROHIBITED}, "pendingRenew stands together"),
    ({Status.INACTIVE}, "inactive, with name servers"),
    (set(), "no status at all"),
    ({Status.LINKED}, "linked is no status of a domain"),
]


@pytest.mark.parametrize(("statuses", "told"), CLASHES)
def test_faults_are_told(statuses: set[Status], told: str) -> None:
    """Each rule of RFC 5731 2.3 that is broken is told in a sentence."""
    assert any(told in fault for fault in faults(statuses, delegated=True))


def test_a_domain_without_name_servers_is_inactive() -> None:
    """A set without inactive is at fault where there are no name servers."""
    assert faults({Status.OK}, delegated=False)
    assert normalise(frozenset(), delegated=False) == {Status.INACTIVE}


@given(
    st.frozensets(st.sampled_from([s for s in Status if s not in PENDINGS])),
    st.sampled_from([None, *PENDINGS]),
    st.booleans(),
)
def test_normal_sets_have_no_faults(
    statuses: frozenset[Status],
    pending: Status | None,
    delegated: bool,  # noqa: FBT001
) -> None:
    """Whatever is set, with at most one pending operation, becomes a set without faults."""
    found = statuses | {pending} if pending else statuses
    assert faults(normalise(found, delegated=delegated), delegated=delegated) == []


def test_prohibitions_are_found_by_command() -> None:
    """A command is refused because of the client's and the server's word."""
    held = {Status.CLIENT_TRANSFER_PROHIBITED, Status.SERVER_TRANSFER_PROHIBITED, Status.OK}
    assert prohibiting(held, Verb.TRANSFER) == (
        Status.CLIENT_TRANSFER_PROHIBITED,
        Status.SERVER_TRANSFER_PROHIBITED,
    )
    assert prohibiting(held, Verb.DELETE) == ()


@pytest.mark.requirement("REG-17")
def test_rdap_has_words_of_its_own() -> None:
    """The words of RDAP are those of RFC 8056 section 2."""
    assert rdap(Status.OK) == "active"
    assert rdap(Status.LINKED) == "associated"
    assert rdap(Status.CLIENT_HOLD) == "client hold"
    assert rdap(Status.SERVER_TRANSFER_PROHIBITED) == "server transfer prohibited"
    assert rdap(RgpStatus.AUTO_RENEW_PERIOD) == "auto renew period"
