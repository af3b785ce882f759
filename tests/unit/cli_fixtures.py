"""What the tests of the command line share: ``nsctl`` on a database of one's own."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.main import cli


@dataclass
class Nsctl:
    """Runs commands in this process, on the database of ``directory``."""

    directory: Path
    environment: dict[str, str | None] = field(default_factory=dict)

    def __call__(self, *arguments: str, code: int = 0, stdin: str | None = None) -> Result:
        """Run one command; its exit code has to be ``code``."""
        environment = {
            "NSCTL_DATABASE": f"sqlite:///{self.directory}/nsctl.db",
            "NSCTL_CONFIG": None,
            "NSCTL_ACTOR": "tester",
            "COLUMNS": "100",
            **self.environment,
        }
        done = CliRunner(env=environment).invoke(cli, list(arguments), input=stdin)
        told = f"nsctl {' '.join(arguments)}: exit {done.exit_code}\n{done.output}"
        assert done.exit_code == code, told
        assert "Traceback" not in done.output, told
        return done

    def json(self, *arguments: str, code: int = 0) -> Any:
        """Run one command with ``--json`` and return what it wrote."""
        return json.loads(self("--json", *arguments, code=code).stdout)

    def file(self, name: str, text: str) -> str:
        """Write a file and return its path."""
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return str(path)


@pytest.fixture
def nsctl(tmp_path: Path) -> Nsctl:
    """The command line with an empty database."""
    return Nsctl(tmp_path)


ZONE_TEXT = """\
$TTL 300
@ SOA ns1 hostmaster {serial} 14400 3600 1209600 3600
@ NS ns1
ns1 A 192.0.2.53
{records}
"""


def zone_text(serial: int = 1, *records: str) -> str:
    """Return a sound zone file with these records besides."""
    return ZONE_TEXT.format(serial=serial, records="\n".join(records))
