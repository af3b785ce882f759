"""The fixtures of real servers."""

from __future__ import annotations

from tests.peers.fixtures import *  # noqa: F403 - fixtures are found by name in the conftest
