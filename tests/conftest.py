"""What holds for all tests: the header, the seed, and tests whose peers are not installed."""

from __future__ import annotations

import os
import random
from importlib.util import find_spec

import hypothesis
import pytest

from tests import requirements

pytest_plugins = ["tests.storage_fixtures"]

COMPILED = ("zones._packing", "nameserver._answer", "nameserver._workers")

# Timing of single examples says nothing on a busy machine; a failure prints how to repeat it.
hypothesis.settings.register_profile("nsctl", deadline=None, print_blob=True)
hypothesis.settings.load_profile("nsctl")


def pytest_configure(config: pytest.Config) -> None:
    """Choose the seed of the run, before worker processes inherit it.

    Variables of the tests alone get names that a server under test does not take for settings.
    """
    if "NSCTL_REQUIRE_PEERS" in os.environ:
        os.environ["REQUIRE_PEERS"] = os.environ.pop("NSCTL_REQUIRE_PEERS")
    os.environ.setdefault("TEST_SEED", str(random.SystemRandom().randrange(2**32)))


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say which engine runs, which modules are compiled, and how to repeat the run."""
    compiled = [name for name in COMPILED if find_spec(name)]
    return [
        f"engine: {os.environ.get('NSCTL_ENGINE', 'default')}",
        f"compiled modules: {', '.join(compiled) or 'none'}",
        f"seed: TEST_SEED={os.environ['TEST_SEED']} repeats this run",
    ]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests whose peers are not installed, unless they are required."""
    if requirements.required():
        return
    for item in items:
        if absent := requirements.missing(item):
            item.add_marker(pytest.mark.skip(reason=f"not installed: {', '.join(absent)}"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a test whose peers are required and not installed."""
    if requirements.required() and (absent := requirements.missing(item)):
        pytest.fail(f"required, but not installed: {', '.join(absent)}", pytrace=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the peers for want of which tests were skipped."""
    absent: set[str] = set()
    for report in terminalreporter.getreports("skipped"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        if "not installed: " in reason:
            absent.update(reason.partition("not installed: ")[2].split(", "))
    if absent:
        terminalreporter.section("peers not installed")
        terminalreporter.line(", ".join(sorted(absent)))


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """A generator of random numbers, seeded by the run's seed and the test's name."""
    seed = f"{os.environ['TEST_SEED']}:{request.node.nodeid}"
    print(f"seed {seed}")
    return random.Random(seed)
