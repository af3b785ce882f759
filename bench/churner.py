"""Changes zones at a steady rate while others measure: ``python -m bench.churner``, a process.

nsctl is changed through its store, as its own commands do it; other servers by DNS UPDATE
(RFC 2136). Prints that it is ready, and in the end, as JSON, the address that each changed zone
should have by then.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from typing import Final

import click
import dns.message
import dns.rcode
import dns.update

from bench.many_work import apex_of, small_zone
from storage.database import Database
from storage.versions import Origin, Publication, publish_many
from zones.version import ZoneVersion
from zones.zonefile import read_zone_file

STEPS_PER_SECOND: Final = 10
TIMEOUT: Final = 2.0  # seconds until an UPDATE is sent again
TRIES: Final = 3
OWNER: Final = "ftp"  # whose address changes

Changes = dict[int, str]  # number of the zone, new address
Apply = Callable[[Changes, int], None]


def changes(zones: int, rate: int) -> Iterator[Changes]:
    """Yield step after step what is to change, all zones in turn."""
    done = 0
    while True:
        step = range(done, done + rate // STEPS_PER_SECOND)
        yield {
            number % zones: f"203.0.113.{1 + (number // zones + number) % 254}" for number in step
        }
        done = step.stop


def store_writer(database: Database) -> Apply:
    """Return what publishes changes in the store, a step in one commit."""

    def apply(step: Changes, serial: int) -> None:
        texts = [small_zone(number, serial, ftp=address) for number, address in step.items()]
        versions = [ZoneVersion(read_zone_file(text, filename="churn").blob) for text in texts]
        edits = [Publication(version, Origin.EDIT, "bench") for version in versions]
        with database.write() as session:
            publish_many(session, edits, now=time.time())

    return apply


def updater(port: int) -> Apply:
    """Return what sends an UPDATE for each zone of a step and waits for all their answers."""
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.connect(("127.0.0.1", port))
    client.settimeout(TIMEOUT)

    def apply(step: Changes, serial: int) -> None:
        waiting = {}
        for query_id, (number, address) in enumerate(step.items(), serial * len(step)):
            update = dns.update.UpdateMessage(apex_of(number), id=query_id % 65_536)
            update.replace(OWNER, 3600, "A", address)
            waiting[update.id] = update.to_wire()
        for _ in range(TRIES):
            for wire in waiting.values():
                client.send(wire)
            with suppress(TimeoutError):
                while waiting:
                    answer = dns.message.from_wire(client.recv(65_535))
                    if answer.rcode():
                        raise RuntimeError(f"UPDATE: {dns.rcode.to_text(answer.rcode())}")
                    waiting.pop(answer.id, None)
                return
        raise RuntimeError(f"{len(waiting)} of {len(step)} UPDATEs are not answered")

    return apply


def churn(apply: Apply, zones: int, rate: int) -> tuple[int, Changes]:
    """Change zones until stdin ends; return how many changes there were, and the last of each."""
    begun = time.monotonic()
    count, last = 0, Changes()
    for number, step in enumerate(changes(zones, rate)):
        due = begun + number / STEPS_PER_SECOND
        if select.select([sys.stdin], [], [], max(0.0, due - time.monotonic()))[0]:
            break
        apply(step, number + 2)
        count += len(step)
        last.update(step)
    return count, last


@click.command()
@click.option("--database", help="The store of nsctl.")
@click.option("--port", type=int, help="Where UPDATE is sent instead.")
@click.option("--zones", type=int, required=True)
@click.option("--rate", type=int, required=True, help="Changes a second.")
def main(*, database: str | None, port: int | None, zones: int, rate: int) -> None:
    """Change zones at a steady rate, from the first line on stdin to its end; say when ready."""
    with ExitStack() as stack:
        if database:
            apply = store_writer(stack.enter_context(closing(Database.open(database))))
        else:
            assert port
            apply = updater(port)
        print("ready", flush=True)
        sys.stdin.readline()
        count, last = churn(apply, zones, rate)
    print(json.dumps({"changes": count, "last": last}))


if __name__ == "__main__":
    main()
