"""One record of a large zone changes: from NOTIFY to the new answer (``ixfr``)."""

from __future__ import annotations

from typing import ClassVar

from bench.hidden_primary import HiddenPrimary
from bench.large_primary import LargePrimary
from bench.many_work import MILLION_APEX, write_million
from bench.rows.notify import Notify
from zones.version import ZoneVersion
from zones.zonefile import read_zone_file


class Ixfr(Notify):
    """A zone of a million records, of which one changes again and again."""

    names = ("ixfr",)
    start_seconds: ClassVar[float] = 300.0
    answer_seconds: ClassVar[float] = 30.0

    def new_primary(self) -> HiddenPrimary:
        """Return a primary of the large zone."""
        path = write_million(self.directory, self.setting.sizes.transferred).path
        assert path is not None
        zone = read_zone_file(path.read_text(), filename=path.name)
        return LargePrimary(MILLION_APEX, ZoneVersion(zone.blob))
