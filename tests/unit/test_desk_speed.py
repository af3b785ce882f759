"""How long the daily run over a portfolio takes, told in the speed of the machine at the time."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from registrar.desk.daily import daily_run
from registrar.desk.portfolio import portfolio
from storage.database import Database
from tests.desk_portfolio import fill
from tests.desk_world import desk
from tests.unit.test_registrar_speed import measure

COUNT = 1500
NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
# A million additions take about 45 ms on an idle machine of today. A minute for 100,000 that are
# all due are 600 µs each; where others are at work, three times as much is let pass.
ALL_DUE = 3 * 600e-6 / 45e-3
# On the day after few are: 20 s for 100,000.
NEXT_DAY = 3 * 200e-6 / 45e-3
# A portfolio from the store, courses kept: 5 s for all there is to know of 100,000, 1 s for their
# stages.
FROM_STORE = 3 * 50e-6 / 45e-3
STAGES = 3 * 10e-6 / 45e-3


def cost(work: Callable[[], object]) -> float:
    """Return the processor time for each registration, in additions of this machine."""
    additions = measure()
    begun = time.process_time()
    work()
    each = (time.process_time() - begun) / COUNT
    print(f"{each * 1e6:.0f} µs each, a million additions in {additions * 1e3:.0f} ms")
    return each / additions


def test_the_daily_run_is_quick(empty_sqlite: Path, tmp_path: Path, rng: random.Random) -> None:
    """100,000 registrations in under a minute, were all of them due; on most days few are."""
    path = tmp_path / "nsctl.db"
    path.write_bytes(empty_sqlite.read_bytes())
    database = Database.open(f"sqlite:///{path}")
    known = desk()
    fill(database, COUNT, NOW, rng)
    assert cost(lambda: daily_run(database, known, NOW)) < ALL_DUE
    tomorrow = NOW + timedelta(days=1)
    assert cost(lambda: daily_run(database, known, tomorrow)) < NEXT_DAY
    assert daily_run(database, known, tomorrow).touched == 0
    with database.read() as session:

        def stages(days: int) -> None:
            later = portfolio(session, known, NOW + timedelta(days=days))
            assert sum(1 for one in later if one.life) == COUNT

        def states(days: int) -> None:
            later = portfolio(session, known, NOW + timedelta(days=days))
            assert sum(1 for one in later if one.state.at > NOW) == COUNT

        assert cost(lambda: stages(10)) < STAGES
        assert cost(lambda: states(10)) < FROM_STORE
        assert cost(lambda: states(400)) < FROM_STORE
    database.close()
