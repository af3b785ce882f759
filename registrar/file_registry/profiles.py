"""How the kinds of TLD differ, as far as the registry's side of them goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from registrar.connector import Capabilities
from registrar.objects import ContactRole

NONE: Final = timedelta(0)


def _days(count: int) -> timedelta:
    return timedelta(days=count)


@dataclass(frozen=True, slots=True)
class Profile:
    """The rules of a kind of TLD; lengths of zero are stages that it does not have."""

    host_objects: bool
    expiry: bool = True
    key_data: bool = False
    transit: bool = False
    restore_report: bool = False
    max_years: int = 10
    min_name_servers: int = 0
    max_name_servers: int = 13
    needed_roles: tuple[ContactRole, ...] = ()
    add_grace: timedelta = NONE  # RFC 3915 3.1
    renew_grace: timedelta = NONE
    auto_renew_grace: timedelta = NONE
    transfer_grace: timedelta = NONE
    redemption: timedelta = timedelta(days=30)
    pending_delete: timedelta = NONE
    pending_restore: timedelta = NONE  # until the report
    transfer_answer: timedelta | None = None  # approved by itself then; None: at once
    transfer_lock: timedelta = NONE  # after creation and after a transfer
    failed_delegation: timedelta | None = None  # deleted then; None: name servers go unchecked
    auth_lifetime: timedelta | None = None


GTLD: Final = Profile(
    host_objects=True,
    restore_report=True,
    needed_roles=(ContactRole.ADMIN,),
    add_grace=_days(5),
    renew_grace=_days(5),
    auto_renew_grace=_days(45),
    transfer_grace=_days(5),
    redemption=_days(30),
    pending_delete=_days(5),
    pending_restore=_days(7),
    transfer_answer=_days(5),
    transfer_lock=_days(60),
)
DE: Final = Profile(
    host_objects=False,
    expiry=False,
    key_data=True,
    transit=True,
    min_name_servers=2,
    redemption=_days(30),
    failed_delegation=_days(30),
    auth_lifetime=_days(30),
)
EU: Final = Profile(host_objects=False, key_data=True, redemption=_days(40))

PROFILES: Final = {"gtld": GTLD, "de": DE, "eu": EU}


def profile_of(tld: str) -> Profile:
    """Return the rules of a TLD: .de, .eu, and all others as gTLDs."""
    return PROFILES.get(tld, GTLD)


def capabilities_of(tld: str) -> Capabilities:
    """Return what a registrar has to know of the rules of a TLD."""
    profile = profile_of(tld)
    return Capabilities(
        tld=tld,
        host_objects=profile.host_objects,
        expiry=profile.expiry,
        auto_renew=profile.expiry,
        transfer_answer=profile.transfer_answer,
        redemption=profile.redemption,
        restore_report=profile.restore_report,
        transit=profile.transit,
        key_data=profile.key_data,
        auth_lifetime=profile.auth_lifetime,
    )
