"""When things are due during a run: often enough to be useful, seldom enough not to slow it.

Time that counts is active time: a pause, or a slow consumer of the events, does not count.
"""

import time
from collections.abc import Generator, Iterator
from typing import TypeVar

from microforge.config import TrainingConfig

_E = TypeVar("_E")

# Each may take this part of the time at most.
PREVIEW_SHARE, VALIDATION_SHARE, CHECKPOINT_SHARE = 0.1, 0.04, 0.02
FIRST_PREVIEW, PREVIEW_EVERY = 1.5, 2.0
FIRST_VALIDATION, VALIDATION_EVERY = 10.0, 10.0
CHECKPOINT_EVERY = 30.0
# Time kept for the last validation and writing, before it has been measured.
LEAST_RESERVE = 0.5


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


class Repeated:
    """Something done again and again that costs time."""

    def __init__(self, clock: ActiveClock, first: float, every: float, share: float) -> None:
        self.clock, self.every, self.share = clock, every, share
        self.next = clock.seconds + first
        self.cost = 0.0

    def due(self) -> bool:
        """Whether it is time."""
        return self.clock.seconds >= self.next

    def timed(self, events: Iterator[_E]) -> Iterator[_E]:
        """Pass events on, and plan the next time by what they cost."""
        begun = self.clock.seconds
        yield from events
        self.cost = self.clock.seconds - begun
        self.next = self.clock.seconds + max(self.every, self.cost / self.share)


class Schedule:
    """What is due in a run."""

    def __init__(self, clock: ActiveClock) -> None:
        self.clock = clock
        self.preview = Repeated(clock, FIRST_PREVIEW, PREVIEW_EVERY, PREVIEW_SHARE)
        self.validation = Repeated(clock, FIRST_VALIDATION, VALIDATION_EVERY, VALIDATION_SHARE)
        self.checkpoint = Repeated(clock, CHECKPOINT_EVERY, CHECKPOINT_EVERY, CHECKPOINT_SHARE)

    def fraction(self, config: TrainingConfig, step: int) -> float | None:
        """Part of the way to the end, 0..1; None where no end is in sight."""
        parts = []
        if config.time is not None:
            parts.append(self.clock.seconds / max(config.time - self._reserve(), 1e-3))
        if config.steps is not None:
            parts.append(step / config.steps)
        return min(1.0, max(parts)) if parts else None

    def end(self, config: TrainingConfig, step: int, stopping: bool) -> str:
        """Why the run ends now; empty while it goes on."""
        if stopping:
            return "stopped"
        if config.steps is not None and step >= config.steps:
            return "steps"
        if config.time is not None and self.clock.seconds >= config.time - self._reserve():
            return "time"
        return ""

    def _reserve(self) -> float:
        return LEAST_RESERVE + 1.2 * self.validation.cost
