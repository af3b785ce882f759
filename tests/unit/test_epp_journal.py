"""Commands and outcomes on disk, and what cannot be said in EPP."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from registrar import commands as ask
from registrar.commands import Command, decode, encode
from registrar.connector import (
    Done,
    Outcome,
    Pending,
    Refused,
    RegistryReason,
    decode_outcome,
    encode_outcome,
)
from registrar.epp.errors import EppError
from registrar.epp.exchange import write_command
from registrar.epp.journal import FileJournal
from registrar.errors import RegistrarError
from registrar.objects import (
    ActionNotice,
    Availability,
    CreatedDomain,
    DomainInfo,
    Message,
    NameServer,
    QueueLength,
    Renewed,
    SecDns,
    Sponsorship,
    TransferState,
)
from registrar.statuses import RgpStatus, Status, TransferStatus
from tests.registry_world import DS, HOLDER, START, domain, report

INFO = DomainInfo(
    "example.org",
    Sponsorship("D1-NSCTL", "PROVIDER-1", "PROVIDER-1", START),
    frozenset({Status.CLIENT_HOLD, Status.PENDING_TRANSFER}),
    frozenset({RgpStatus.ADD_PERIOD}),
    name_servers=(NameServer("ns.example.net", ("192.0.2.1",)),),
    expires_at=START,
    sec_dns=SecDns(ds=(DS,)),
)
TRANSFER = TransferState(
    "example.org", TransferStatus.PENDING, "ELSEWHERE-2", START, "PROVIDER-1", START
)
COMMANDS: list[Command[Any]] = [
    domain(),
    domain("example.de"),
    ask.CheckDomains(("a.org", "b.org")),
    ask.CheckHosts(("a.org", "b.org")),
    ask.InfoDomain("example.org", "secret"),
    ask.UpdateDomain(
        "example.org",
        add=ask.DomainChange(statuses=frozenset({Status.CLIENT_HOLD, Status.CLIENT_RENEW_PROHIBITED})),
        sec_dns=ask.SecDnsChange(remove_all=True),
    ),
    ask.SetAuth("example.org", None),
    ask.RenewDomain("example.org", date(2027, 3, 2)),
    ask.DeleteDomain("example.de", transit=True),
    ask.RestoreDomain("example.org", report(START, START)),
    ask.TransferDomain(ask.TransferOperation.REQUEST, "example.org", "secret"),
    ask.CreateContact("HOLDER-1", HOLDER),
    ask.UpdateContact("HOLDER-1", HOLDER, frozenset({Status.CLIENT_DELETE_PROHIBITED})),
    ask.UpdateHost("ns.example.org", new_name="ns2.example.org"),
    ask.Poll(),
    ask.Acknowledge("7"),
]  # fmt: skip
OUTCOMES: list[tuple[type[Command[Any]], Outcome[Any]]] = [
    (ask.CreateDomain, Done(CreatedDomain("example.org", START, START), "SV-1")),
    (ask.CreateDomain, Pending(CreatedDomain("example.org", START), "SV-1")),
    (ask.CreateDomain, Refused((RegistryReason(2302, "Object exists", "example.org"),), None)),
    (ask.CheckDomains, Done((Availability("a.org", available=False, reason="In use"),))),
    (ask.InfoDomain, Done(INFO)),
    (ask.DeleteDomain, Pending(None)),
    (ask.TransferDomain, Pending(TRANSFER)),
    (ask.Poll, Done(None)),
    (ask.Poll, Done(Message("7", 1, "renewed", START, Renewed("example.org", START)))),
    (ask.Poll, Done(Message("7", 1, "info", START, INFO))),
    (ask.Poll, Done(Message("7", 1, "transfer", START, TRANSFER))),
    (ask.Poll, Done(Message("7", 1, "pan", START, ActionNotice("a.org", True, None, "SV", START)))),
    (ask.Acknowledge, Done(QueueLength(3))),
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
def test_commands_as_json(command: Command[Any]) -> None:
    """A command is the same after having been JSON, and its JSON is the same each time."""
    assert decode(encode(command)) == command
    assert encode(decode(encode(command))) == encode(command)
    assert "secret" not in repr(command)


@pytest.mark.parametrize(("command", "outcome"), OUTCOMES)
def test_outcomes_as_json(command: type[Command[Any]], outcome: Outcome[Any]) -> None:
    """An outcome is the same after having been JSON."""
    assert decode_outcome(command, encode_outcome(command, outcome)) == outcome


@pytest.mark.parametrize("text", ["{}", "[]", '{"command": "Reboot"}', "x", '{"command": "Poll"'])
def test_no_command(text: str) -> None:
    """What is no command is refused."""
    with pytest.raises(ValueError, match=r"."):
        decode(text)


def test_journal(tmp_path: Path) -> None:
    """Entries are open until they are settled, also after a restart."""
    path = tmp_path / "journal"
    journal = FileJournal(path)
    journal.record("T-1", domain(), START)
    journal.record("T-2", ask.Acknowledge("7"), START)
    outcome = Done(QueueLength(0), "SV-9")
    journal.settle("T-2", outcome)
    with pytest.raises(RegistrarError, match="in use"):
        journal.record("T-1", domain(), START)
    journal.close()
    for _ in range(2):
        journal = FileJournal(path)
        assert [entry.trid for entry in journal.unsettled()] == ["T-1"]
        settled = journal.find("T-2")
        assert settled is not None
        assert (settled.outcome, settled.at) == (outcome, START)
        assert journal.find("T-3") is None
        journal.close()


def test_torn_journal(tmp_path: Path) -> None:
    """Cut at any octet, a journal has the entries whose lines are whole; later ones follow well."""
    path = tmp_path / "journal"
    journal = FileJournal(path)
    journal.record("T-1", ask.Acknowledge("1"), START)
    journal.settle("T-1", Done(QueueLength(0)))
    journal.record("T-2", ask.Acknowledge("2"), START)
    journal.close()
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        journal = FileJournal(path)
        known = whole[:cut].count(b"\n")
        assert (journal.find("T-1") is not None) == (known >= 1)
        journal.record("T-3", ask.Acknowledge("3"), START)
        journal.close()
        again = FileJournal(path)
        assert again.find("T-3") is not None
        again.close()


def test_spoilt_journal(tmp_path: Path) -> None:
    """A whole line that is none of ours is told with its number."""
    path = tmp_path / "journal"
    path.write_text('{"trid": "T-1"}\n')
    with pytest.raises(RegistrarError, match=r"journal:1: not a line"):
        FileJournal(path)


@pytest.mark.parametrize(
    ("command", "trid", "told"),
    [
        (ask.DeleteDomain("example.de", transit=True), "T-1", "TRANSIT"),
        (ask.SetAuth("example.de", "secret", date(2026, 4, 1)), "T-1", "until when"),
        (ask.Poll(), "T1", "3 to 64"),
        (ask.Poll(), "T" * 65, "3 to 64"),
        (ask.Poll(), "T 1", "3 to 64"),
        (ask.InfoDomain("exa\x00mple.org"), "T-1", "U\\+0000"),
        (replace(domain(), name_servers=(NameServer("a.org", ("192.0.2.1",)),)), "T-1", "object"),
        (
            ask.RestoreDomain("example.org", replace(report(START, START), statements=())),
            "T-1",
            "2 statements",
        ),
    ],
)
def test_what_epp_cannot_say(command: Command[Any], trid: str, told: str) -> None:
    """What EPP cannot say is refused before it is journalled or sent."""
    with pytest.raises(EppError, match=told):
        write_command(command, trid)
