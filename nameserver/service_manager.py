"""Telling systemd, or whoever started the server, how far it is (sd_notify(3))."""

from __future__ import annotations

import os
import socket
from contextlib import suppress


def tell_service_manager(state: str) -> None:
    """Send a state such as ``READY=1``; nothing happens where nobody asked to be told.

    ``NOTIFY_SOCKET`` names a Unix datagram socket, with ``@`` in front for an abstract one.
    """
    place = os.environ.get("NOTIFY_SOCKET", "")
    if not place.startswith(("/", "@")):
        return
    address = "\0" + place[1:] if place.startswith("@") else place
    with (
        suppress(OSError),  # whoever listened has gone
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender,
    ):
        sender.connect(address)
        sender.send(state.encode())
