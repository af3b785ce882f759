"""The word to the service manager."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from nameserver.service_manager import tell_service_manager


@pytest.mark.parametrize("abstract", [False, True])
def test_state_arrives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, abstract: bool) -> None:
    """A state is one datagram, at a path or at an abstract name."""
    path = f"{tmp_path}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + path if abstract else path)
        manager.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + path if abstract else path)
        tell_service_manager("READY=1")
        assert manager.recv(100) == b"READY=1"


@pytest.mark.parametrize("place", [None, "", "/nowhere/notify", "127.0.0.1"])
def test_nobody_asked(monkeypatch: pytest.MonkeyPatch, place: str | None) -> None:
    """Without a listener the server goes on as if nothing were to be told."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    if place is not None:
        monkeypatch.setenv("NOTIFY_SOCKET", place)
    tell_service_manager("READY=1")
