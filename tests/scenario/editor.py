"""A program whose children edit a zone until they are killed, and print each edit once committed.

``python -m tests.scenario.editor URL``: for each line on its input it forks a child, prints
``started PID``, and, when that child has ended, ``ended``. A child opens the store and publishes
version after version, with serials counting on from the served one. Forking spares each of many
children the second that loading the modules takes.
"""

from __future__ import annotations

import os
import sys
import time

from storage import versions
from storage.database import Database
from storage.versions import Origin
from tests.zone_content import content
from zones.name import from_text

APEX = from_text("example.org")


def edit(url: str) -> None:
    """Edit until the end."""
    database = Database.open(url)
    while True:
        with database.write() as session:
            current = versions.served(session, APEX)
            serial = current.serial + 1 if current else 1
            versions.publish(
                session,
                content("example.org", serial=serial, hosts=serial % 40),
                origin=Origin.EDIT,
                actor="editor",
                reason="",
                now=time.time(),
            )
        print(serial, flush=True)


def main(url: str) -> None:
    """Fork an editor for each line of input."""
    for _ in sys.stdin:
        if (child := os.fork()) == 0:
            print("started", os.getpid(), flush=True)
            edit(url)
        os.waitpid(child, 0)
        print("ended", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
