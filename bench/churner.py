"""Changes zones at a steady rate while others measure: ``python -m bench.churner``.

nsctl is changed through its store, as its own commands do it; other servers by DNS UPDATE
(RFC 2136). Prints the address that each changed zone should have in the end, as JSON.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
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
    """Return what sends an UPDATE for each zone of a step and waits for its answer."""
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.connect(("127.0.0.1", port))
    client.settimeout(5.0)

    def apply(step: Changes, _serial: int) -> None:
        for number, address in step.items():
            update = dns.update.UpdateMessage(apex_of(number))
            update.replace(OWNER, 3600, "A", address)
            client.send(update.to_wire())
            while True:
                answer = dns.message.from_wire(client.recv(65_535))
                if answer.id == update.id:
                    break
            if answer.rcode():
                raise RuntimeError(
                    f"UPDATE of {apex_of(number)}: {dns.rcode.to_text(answer.rcode())}"
                )

    return apply


def churn(apply: Apply, zones: int, rate: int, seconds: float) -> tuple[int, Changes]:
    """Change zones for some seconds; return how many changes there were, and the last of each."""
    begun = time.monotonic()
    count, last = 0, Changes()
    for number, step in enumerate(changes(zones, rate)):
        due = begun + number / STEPS_PER_SECOND
        if due >= begun + seconds:
            break
        time.sleep(max(0.0, due - time.monotonic()))
        if time.monotonic() >= begun + seconds:
            break  # it cannot keep up
        apply(step, number + 2)
        count += len(step)
        last.update(step)
    return count, last


@click.command()
@click.option("--database", help="The store of nsctl.")
@click.option("--port", type=int, help="Where UPDATE is sent instead.")
@click.option("--zones", type=int, required=True)
@click.option("--rate", type=int, required=True, help="Changes a second.")
@click.option("--seconds", type=float, required=True)
def main(*, database: str | None, port: int | None, zones: int, rate: int, seconds: float) -> None:
    """Change zones at a steady rate."""
    if database:
        with closing(Database.open(database)) as store:
            count, last = churn(store_writer(store), zones, rate, seconds)
    else:
        assert port
        count, last = churn(updater(port), zones, rate, seconds)
    print(json.dumps({"changes": count, "last": last}))


if __name__ == "__main__":
    main()
