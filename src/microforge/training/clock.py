"""Time that counts: a pause, or a slow consumer of the events, does not."""

import time
from collections.abc import Generator, Iterator
from typing import TypeVar

_E = TypeVar("_E")


class ActiveClock:
    """Seconds spent working, on top of those of an earlier part of the run."""

    def __init__(self, before: float = 0.0) -> None:
        self.before = before
        self._since: float | None = None

    @property
    def seconds(self) -> float:
        """Active seconds so far."""
        return self.before + (time.perf_counter() - self._since if self._since is not None else 0.0)

    def start(self) -> None:
        """Go on counting."""
        self._since = time.perf_counter()

    def stop(self) -> None:
        """Count no further."""
        self.before, self._since = self.seconds, None


def counted(events: Generator[_E, None, None], clock: ActiveClock) -> Iterator[_E]:
    """Pass events on, counting only the time spent making them; closing this closes `events`."""
    try:
        clock.start()
        for event in events:
            clock.stop()
            yield event
            clock.start()
    finally:
        events.close()
