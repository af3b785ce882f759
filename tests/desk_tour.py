"""The tour of docs/desk.md: its commands, run one after the other, with what they write.

``python -m tests.desk_tour > docs/desk.md`` writes the page anew.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from click.testing import CliRunner

from cli.main import cli

PAGE: Final = Path(__file__).parents[1] / "docs" / "desk.md"
SETTINGS: Final = re.compile(r"```toml\n(.*?)```", re.DOTALL)
BLOCK: Final = re.compile(r"(```console\n)(.*?)(```)", re.DOTALL)


def page() -> str:
    """Return the page as its commands would have it; it is played in a directory of its own."""
    text = PAGE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="nsctl-") as directory, _within(Path(directory)):
        settings = SETTINGS.search(text)
        assert settings is not None
        Path("nsctl.toml").write_text(settings[1], encoding="utf-8")
        environment: dict[str, str | None] = {
            "NSCTL_CONFIG": "nsctl.toml",
            "NSCTL_DATABASE": f"sqlite:///{directory}/nsctl.db",
            "NSCTL_ACTOR": "first",
            "COLUMNS": "100",
        }
        return BLOCK.sub(lambda found: found[1] + played(found[2], environment) + found[3], text)


@contextmanager
def _within(directory: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(directory)
    try:
        yield
    finally:
        os.chdir(before)


def played(block: str, environment: dict[str, str | None]) -> str:
    """Return the commands of a block, each with what it writes now."""
    lines = []
    for line in block.splitlines():
        if not line.startswith("$ "):
            continue
        lines.append(line)
        words = shlex.split(line[2:])
        if words[0] == "export":
            name, _equals, value = words[1].partition("=")
            environment[name] = value
        else:
            done = CliRunner(env=environment).invoke(cli, words[1:])
            lines += [told.rstrip() for told in done.output.rstrip().splitlines()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
