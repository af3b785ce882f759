"""Accounts at registries, and the ways to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from registrar.connector import RegistryConnector
from registrar.desk.desk import seconds
from registrar.desk.store_journal import StoreJournal
from registrar.epp.client import Account as EppAccount
from registrar.epp.client import EppClient
from registrar.epp.connection import PORT, Endpoint
from registrar.epp.greeting import Credentials
from registrar.errors import RegistrarError
from registrar.file_registry import FileRegistry
from registrar.file_registry.profiles import capabilities_of
from storage import registry_accounts
from storage.database import Database
from storage.registry_accounts import StoredAccount
from storage.session import Session

FILES: Final = ("authorities", "certificate", "key")


@dataclass(frozen=True, slots=True)
class Account:
    """An account: ``path`` is of a registry in a file, the rest of one that speaks EPP.

    ``client`` is who we are there; the files are certificates as the EPP client takes them, times
    seconds.
    """

    id: str
    kind: Literal["file", "epp"]
    client: str
    tlds: tuple[str, ...]
    path: str = ""
    host: str = ""
    port: int = PORT
    authorities: str = ""
    certificate: str = ""
    key: str = ""
    reply_timeout: float = 60.0
    password: str = field(default="", repr=False)
    enabled: bool = True


def add(session: Session, account: Account, *, now: datetime, actor: str) -> None:
    """Add an account; raises ``RegistrarError`` with every fault, and ``AlreadyExists``."""
    _put(session, account, now, actor, new=True)


def update(session: Session, account: Account, *, now: datetime, actor: str) -> None:
    """Replace an account; raises ``RegistrarError`` with every fault, and ``StorageError``."""
    _put(session, account, now, actor, new=False)


def get(session: Session, number: str) -> Account:
    """Return an account; raises ``RegistrarError``."""
    found = registry_accounts.find(session, number)
    if found is None:
        known = ", ".join(entry.id for entry in registry_accounts.listed(session)) or "none"
        raise RegistrarError(f"there is no registry account {number}; there are: {known}")
    return _of(found)


def list_accounts(session: Session) -> list[Account]:
    """Return all accounts by id."""
    return [_of(found) for found in registry_accounts.listed(session)]


def delete(session: Session, number: str, *, now: datetime, actor: str) -> None:
    """Delete an account; raises ``StorageError``."""
    registry_accounts.delete(session, number, now=seconds(now), actor=actor)


def check(account: Account) -> list[str]:
    """Return every fault of an account; none is good."""
    faults = []
    if not account.client:
        faults.append("the name of the account at the registry (client) is missing")
    if not account.tlds:
        faults.append("no TLDs are named")
    if account.kind == "file" and not account.path:
        faults.append("the path of the registry's file is missing")
    if account.kind == "epp":
        faults += [
            f"the {word} is missing" for word in ("host", "password") if not getattr(account, word)
        ]
        faults += [
            f"{word}: there is no file {place}"
            for word in FILES
            if (place := getattr(account, word)) and not Path(place).is_file()
        ]
        if bool(account.certificate) != bool(account.key):
            faults.append("a certificate needs its key, and a key its certificate")
    return faults


def connect(
    account: Account, database: Database, clock: Callable[[], datetime]
) -> RegistryConnector:
    """Return the way to a registry, with the journal of the store."""
    if account.kind == "file":
        return FileRegistry(Path(account.path), client=account.client, clock=clock)
    endpoint = Endpoint(
        account.host,
        account.port,
        _path(account.authorities),
        _path(account.certificate),
        _path(account.key),
        reply_timeout=account.reply_timeout,
    )
    credentials = Credentials(account.client, account.password)
    # What EPP has no words for is not there, whatever the registry does for those who ask otherwise.
    capabilities = tuple(
        replace(capabilities_of(tld), transit=False, auth_lifetime=None) for tld in account.tlds
    )
    journal = StoreJournal(database, account.id, clock)
    return EppClient(EppAccount(endpoint, credentials, capabilities), journal, clock=clock)


def _put(session: Session, account: Account, now: datetime, actor: str, *, new: bool) -> None:
    if faults := check(account):
        raise RegistrarError(f"registry account {account.id}: {fault}" for fault in faults)
    words = ("path", "host", *FILES)
    place: dict[str, Any] = {word: getattr(account, word) for word in words}
    place |= {"port": account.port, "reply_timeout": account.reply_timeout}
    found = registry_accounts.find(session, account.id)
    polled = found.polled_at if found else None
    stored = StoredAccount(
        account.id,
        account.kind,
        account.client,
        account.tlds,
        place,
        account.password,
        account.enabled,
        polled,
    )
    registry_accounts.put(session, stored, new=new, now=seconds(now), actor=actor)


def _of(found: StoredAccount) -> Account:
    return Account(
        id=found.id,
        kind="epp" if found.kind == "epp" else "file",
        client=found.client,
        tlds=found.tlds,
        password=found.password,
        enabled=found.enabled,
        **found.place,
    )


def _path(text: str) -> Path | None:
    return Path(text) if text else None
