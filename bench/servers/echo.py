"""The limit of the machine: every datagram is sent back (``bench/echo.c``)."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from bench.servers.daemon import Daemon, first_line

SOURCE = Path(__file__).parents[1] / "echo.c"


class Echo(Daemon):
    """A loop of recvmmsg and sendmmsg, compiled on the spot."""

    name: ClassVar[str] = "echo"
    binary: ClassVar[str] = "cc"

    @classmethod
    def version(cls) -> str:
        """Return what compiled it."""
        return first_line("cc", "--version")

    def configure(self) -> list[str]:
        """Compile it."""
        program = str(self.directory / "echo")
        self.run("cc", "-O2", "-Wall", "-o", program, str(SOURCE))
        return [program, "127.0.0.1", str(self.port)]
