"""What a server imports at its start or soon after, imported: see ``forked``."""

import contextlib

import cli.serve
import nameserver.process
import nameserver.server

with contextlib.suppress(ImportError):  # not on every platform
    import uvloop

__all__ = ["cli", "nameserver", "uvloop"]
