"""``nsctl zone import``: zone files into hosted zones, hundreds to a commit.

A file that cannot be taken over is told with all its reasons, and the others are imported.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.app import App
from cli.arguments import NAME, now
from cli.command import Command
from cli.findings import as_data, as_reason, print_findings
from cli.output import count, emit, progress
from zones.errors import ZoneError
from zones.finding import Finding, Severity
from zones.name import BadName, Name, display, from_text
from zones.zone import Mode, Zone

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from storage.database import Database
    from zones.version import ZoneVersion

SUFFIX = ".zone"
IN_ONE_COMMIT = 500


@dataclass(slots=True)
class Item:
    """A zone file on its way into the store, and what became of it."""

    path: Path
    apex: Name | None = None
    version: ZoneVersion | None = None
    findings: list[Finding] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    result: str = "refused"  # or added, replaced, unchanged
    serial: int | None = None
    raised_from: int | None = None  # the serial in the file, where it was not newer


@click.command(
    "import",
    cls=Command,
    example="""nsctl zone import example.org.zone
    nsctl zone import /var/lib/zones --replace
    nsctl zone import db.example --zone example.org""",
)
@click.argument(
    "paths",
    metavar="PATH...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, readable=True, path_type=Path),
)
@click.option("--zone", "apex", type=NAME, metavar="ZONE", help="The zone of a file of any name.")
@click.option("--replace", is_flag=True, help="Replace the content of zones that exist.")
@click.option("--force", is_flag=True, help="Failed checks are told as warnings only.")
@click.option("--customer", metavar="ID", help="Whose new zones are.")
@click.option("--reason", default="", metavar="TEXT", help="Why, for the history.")
@click.pass_obj
def import_(
    app: App,
    *,
    paths: tuple[Path, ...],
    apex: Name | None,
    replace: bool,
    force: bool,
    customer: str | None,
    reason: str,
) -> None:
    """Read zone files: files, and directories of files named NAME.zone.

    Each file makes a hosted zone, or replaces the content of one with --replace. A file that breaks
    a rule changes nothing; the others are imported, and the exit code is 1.
    """
    items = [Item(path, apex) for path in find_files(paths)]
    if apex is not None and len(items) != 1:
        raise click.UsageError("--zone names the zone of one file")
    if not items:
        raise click.UsageError(f"no file named NAME{SUFFIX} in {', '.join(map(str, paths))}")
    started = time.monotonic()
    owner = customer if customer is not None else app.settings().customer
    job = Import(app, replace, force, owner, reason or "imported")
    with app.opened() as database, progress(len(items), "importing", shown=not app.json) as step:
        for batch in batches(items):
            job.run(database, batch, step)
            if not app.json:
                for item in batch:
                    tell_problems(item)
    emit(app, [as_result(item) for item in items], lambda: tell(items, time.monotonic() - started))
    if any(item.reasons for item in items):
        raise click.exceptions.Exit(1)


def find_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files named, and those of the directories named, each once."""
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            found |= dict.fromkeys(sorted(path.glob(f"*{SUFFIX}")))
        else:
            found[path] = None
    return list(found)


def batches(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Yield the items in portions of one commit."""
    iterator = iter(items)
    while batch := list(islice(iterator, IN_ONE_COMMIT)):
        yield batch


@dataclass(slots=True)
class Import:
    """What is the same for every file of one call."""

    app: App
    replace: bool
    force: bool
    customer: str
    reason: str

    def run(self, database: Database, batch: list[Item], step: Callable[[int], None]) -> None:
        """Read, check and publish one portion: outside of the transaction what takes long."""
        from storage import versions, zones

        for item in batch:
            self.read(item)
            step(1)
        moment = now()
        with database.write() as session:
            seen: set[Name] = set()
            new: list[Zone] = []
            wanted: list[versions.Publication] = []
            for item in batch:
                if item.version is None or item.reasons:
                    continue
                apex = item.version.apex
                zone = zones.find_zone(session, apex)
                self.refuse_if_there(item, zone, again=apex in seen)
                if item.reasons:
                    continue
                seen.add(apex)
                if zone is None:
                    zone = Zone(apex, customer=self.customer)
                    new.append(zone)
                else:
                    served = versions.served(session, apex)
                    self.refuse_product(session, item, zone, served)
                    self.follow(item, zone, served)
                if item.result == "unchanged" or item.reasons:
                    continue
                item.result = "replaced" if zone not in new else "added"
                item.serial = item.version.serial
                wanted.append(
                    versions.Publication(
                        item.version, versions.Origin.IMPORT, self.app.actor, self.reason
                    )
                )
            zones.add_zones(session, new, now=moment.timestamp(), actor=self.app.actor)
            versions.publish_many(session, wanted, now=moment.timestamp())

    def read(self, item: Item) -> None:
        """Read and check a file."""
        from zones.check import check
        from zones.version import ZoneVersion
        from zones.zonefile import read_zone_file

        try:
            apex = item.apex or apex_of(item.path)
            packed = read_zone_file(
                read_text(item.path),
                filename=str(item.path),
                apex=apex,
                include=lambda name: read_text(item.path.parent / name),
            )
        except ZoneError as error:
            item.reasons += error.reasons
            return
        item.version = ZoneVersion(packed.blob)
        item.apex = item.version.apex
        item.findings = check(packed)
        refusing = [found for found in item.findings if found.severity is Severity.ERROR]
        if refusing and not (self.force and item.version.record_count and _has_soa(item.version)):
            item.reasons += [f"{item.path}: {as_reason(finding)}" for finding in refusing]

    def refuse_if_there(self, item: Item, zone: Zone | None, *, again: bool) -> None:
        """Add the reason why this zone may not be written to, if there is one."""
        where = f"{item.path}: zone {display(item.apex or b'')}"
        if again:
            item.reasons.append(f"{where} stands in another of the files too")
        elif zone is None:
            return
        elif zone.mode.is_secondary:
            item.reasons.append(f"{where} is a secondary; its content comes from its primaries")
        elif zone.mode is Mode.EXTERNAL:
            item.reasons.append(f"{where} is external; nothing is served for it here")
        elif not self.replace:
            item.reasons.append(f"{where} exists already; --replace replaces its content")

    def refuse_product(
        self, session: Session, item: Item, zone: Zone, served: ZoneVersion | None
    ) -> None:
        """Add every reason why the zone's product does not allow this content."""
        from cli.zone_product import change_reasons

        if served is None or item.version is None:
            return
        reasons, booking = change_reasons(self.app, session, zone, served, item.version)
        for reason in reasons if booking else ():
            words = f"{reason.sentence} [{reason.rule}; {reason.source}]"
            item.reasons.append(f"{item.path}: {words}")

    def follow(self, item: Item, zone: Zone, served: ZoneVersion | None) -> None:
        """Give the content a serial newer than the served one, so that secondaries follow."""
        from storage.rollback import rest, with_serial
        from zones.serial import is_newer

        assert item.version is not None
        if served is None or is_newer(item.version.serial, served.serial):
            return
        if rest(served) == rest(item.version):
            item.result, item.serial = "unchanged", served.serial
            return
        item.raised_from = item.version.serial
        item.version = with_serial(item.version, zone.serial_policy.successor(served.serial, now()))


def _has_soa(version: ZoneVersion) -> bool:
    try:
        return bool(version.soa)
    except ZoneError:
        return False


def apex_of(path: Path) -> Name | None:
    """Return the zone that a file is named after, ``None`` where its name tells none."""
    if path.suffix != SUFFIX:
        return None
    try:
        return from_text(path.name.removesuffix(SUFFIX).replace("@", "/"))
    except BadName as error:
        raise ZoneError(f"{path}: {error}") from error


def read_text(path: Path) -> str:
    """Return the text of a file; octets that are not UTF-8 are taken as Latin-1."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ZoneError(f"{path}: {error.strerror or error}") from error
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def tell_problems(item: Item) -> None:
    """Write what is wrong with a file to stderr."""
    for reason in item.reasons:
        click.echo(reason, err=True)
    if not item.reasons:
        print_findings(item.findings, where=str(item.path))


def tell(items: Sequence[Item], seconds: float) -> None:
    """Write what became of the files: one by one where they are few."""
    done = [item for item in items if not item.reasons]
    if len(items) <= 20:
        for item in done:
            assert item.version is not None
            raised = f" (raised from {item.raised_from})" if item.raised_from is not None else ""
            click.echo(
                f"zone {display(item.version.apex)}: {item.result}, serial {item.serial}{raised},"
                f" {count(item.version.record_count, 'record')}"
            )
    else:
        kinds = ("added", "replaced", "unchanged")
        counts = {kind: sum(item.result == kind for item in done) for kind in kinds}
        told = ", ".join(f"{number:,} {kind}" for kind, number in counts.items() if number)
        click.echo(f"{count(len(done), 'zone')} in {seconds:.1f} s: {told or 'none'}")
    if failed := len(items) - len(done):
        click.echo(f"{count(failed, 'file')} refused; nothing was changed for them", err=True)


def as_result(item: Item) -> dict[str, object]:
    """Return what became of a file, for JSON."""
    return {
        "file": str(item.path),
        "zone": display(item.apex) if item.apex else None,
        "result": "refused" if item.reasons else item.result,
        "serial": item.serial,
        "records": item.version.record_count if item.version else 0,
        "reasons": item.reasons,
        "findings": [as_data(finding) for finding in item.findings],
    }
