"""A server that kills itself at a named point of a transfer: SIGKILL, as a power cut would.

The product knows nothing of it: before its command line runs, one of its functions is wrapped in
the forked process. The point counts once the file that was named is there.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from functools import partial, wraps
from pathlib import Path
from types import ModuleType
from typing import Any, Final

Die = Callable[[], None]


def die_at(point: str, armed: Path) -> None:
    """Have this process end at a point of ``POINTS`` from the moment on when the file is there."""

    def die() -> None:
        if armed.exists():
            os.kill(os.getpid(), signal.SIGKILL)

    POINTS[point](die)


def wrap(owner: type | ModuleType, name: str, die: Die, *, before: bool = False) -> None:
    """Have ``die`` called when a function has done its work, or before it begins.

    Where it is given a list of what to store, that is once there is a new version of a zone in it.
    """
    original = getattr(owner, name)

    @wraps(original)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        lists = [one for one in args if isinstance(one, list)]
        counts = not lists or any(
            getattr(item, "version", item) is not None for one in lists for item in one
        )
        if before and counts:
            die()
        result = original(*args, **kwargs)
        if counts:
            die()
        return result

    setattr(owner, name, wrapped)


def after_the_soa_answer(die: Die) -> None:
    """The answer has come and says that there is something new."""
    from axfr.soa_query import SoaQuery

    wrap(SoaQuery, "receive", die)


def in_the_transfer(die: Die) -> None:
    """The second of several messages has come."""
    from axfr.inbound import InboundTransfer
    from axfr.ixfr import IncrementalTransfer

    for kind in (InboundTransfer, IncrementalTransfer):
        original = kind.receive

        @wraps(original)
        def receive(self: Any, message: bytes, now: float, original: Any = original) -> bool:
            done: bool = original(self, message, now)
            if self.stream.messages >= 2:
                die()
            return done

        kind.receive = receive  # type: ignore[method-assign]


def before_the_commit(die: Die) -> None:
    """All has come, and is found to be good."""
    from nameserver.publisher import Publisher

    wrap(Publisher, "_commit", die, before=True)


def in_the_commit(die: Die) -> None:
    """The version is written, and what belongs to it is not."""
    from storage import versions

    wrap(versions, "publish_many", die)


def at_the_end_of_the_commit(die: Die) -> None:
    """Everything is written, and nothing is committed."""
    from nameserver.publisher import Publisher

    wrap(Publisher, "_store_unserved", die)


def after_the_commit(die: Die) -> None:
    """It is committed, and not served yet."""
    from nameserver.publisher import Publisher

    wrap(Publisher, "_commit", die)


def before_the_notify(die: Die) -> None:
    """It is served, and nobody below us has been told."""
    from axfr.notifier import Notifier

    wrap(Notifier, "notify", die, before=True)


POINTS: Final[Mapping[str, Callable[[Die], None]]] = {
    point.__name__.replace("_", " "): point
    for point in (
        after_the_soa_answer,
        in_the_transfer,
        before_the_commit,
        in_the_commit,
        at_the_end_of_the_commit,
        after_the_commit,
        before_the_notify,
    )
}
STORED: Final = frozenset({"after the commit", "before the notify"})  # by then it is


def dying(point: str, armed: Path) -> Callable[[], None]:
    """Return what a process has to do before it becomes a server."""
    return partial(die_at, point, armed)
