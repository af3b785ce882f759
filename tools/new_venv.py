"""Make the virtual environment of a working copy, also where Python comes without ``ensurepip``.

Debian splits ``ensurepip`` off into python3-venv. Without it, a pip that the system has is used,
and without that, pip's own wheel is fetched from the package index and checked against the
checksum below; a wheel can be run as it is. Uses the standard library alone.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import venv
from importlib.util import find_spec
from pathlib import Path

OLDEST = (3, 11)
WHEEL = "pip-26.3-py3-none-any.whl"
SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"
INDEX = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple")
ADVICE = "install Python's venv module (on Debian: apt-get install python3-venv) and try again"


def main(directory: Path) -> None:
    """Make ``directory`` a virtual environment with pip, unless it is one already."""
    if sys.version_info < OLDEST:
        sys.exit(f"Python 3.11 or newer is needed; {sys.executable} is {sys.version.split()[0]}")
    python = directory / "bin" / "python"
    if has_pip(python):
        return
    with_pip = find_spec("ensurepip") is not None
    venv.create(directory, clear=True, symlinks=True, with_pip=with_pip)
    if not with_pip:
        print("this Python has no ensurepip: setting pip up another way", flush=True)
        install_pip(python)


def has_pip(python: Path) -> bool:
    """Tell whether ``python`` runs and has pip."""
    if not python.exists():
        return False
    return run(str(python), "-m", "pip", "--version")


def install_pip(python: Path) -> None:
    """Put pip into the environment of ``python`` with the system's pip or a fetched one."""
    install = ("--python", str(python), "install", "--quiet", "pip")
    if find_spec("pip") and run(sys.executable, "-m", "pip", *install):
        return
    with tempfile.TemporaryDirectory() as scratch:
        wheel = Path(scratch) / WHEEL
        try:
            wheel.write_bytes(fetch_wheel())
        except (urllib.error.URLError, OSError, LookupError) as error:
            sys.exit(f"pip cannot be fetched from {INDEX}: {error}; {ADVICE}")
        if not run(str(python), f"{wheel}/pip", "install", "--quiet", "--no-index", str(wheel)):
            sys.exit(f"pip cannot be set up; {ADVICE}")


def fetch_wheel() -> bytes:
    """Return pip's wheel from the index; raises ``LookupError`` where it has not the known one."""
    page = f"{INDEX.rstrip('/')}/pip/"
    listing = get(page).decode()
    found = re.search(rf'href="([^"#]*{re.escape(WHEEL)})', listing)
    if not found:
        raise LookupError(f"{WHEEL} is not there")
    wheel = get(urllib.parse.urljoin(page, found[1]))
    if hashlib.sha256(wheel).hexdigest() != SHA256:
        raise LookupError(f"{WHEEL} has another checksum than the known one")
    return wheel


def get(url: str) -> bytes:
    """Return what stands at ``url``, or raise ``OSError``."""
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310  # the index's own scheme
        content: bytes = answer.read()
    return content


def run(*command: str) -> bool:
    """Run a command, its output shown only on failure; tell whether it succeeded."""
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        sys.stderr.write(done.stderr)
    return done.returncode == 0


if __name__ == "__main__":
    main(Path(sys.argv[1]))
