"""The demonstration leaves nothing behind, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cli.demo_hosts import rcode_of
from tests.peers.waiting import free_port


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_demonstration_that_is_ended(number: signal.Signals, tmp_path: Path) -> None:
    """Told to end, or left by its terminal, it stops its servers and removes their stores."""
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "cli", "demo", "--port", str(port)],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        assert any("zone add garden.example" in line for line in demo.stdout)
        assert rcode_of(port, "id.server", "TXT", "CH") == "NOERROR"
        demo.send_signal(number)
        rest = demo.stdout.read()
        demo.wait(30)
    assert "Both servers are stopped" in rest
    assert demo.returncode == 0
    assert list(tmp_path.iterdir()) == []
    assert rcode_of(port, "id.server", "TXT", "CH") == "TIMEOUT"
