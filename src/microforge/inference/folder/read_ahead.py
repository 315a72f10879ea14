"""Read files ahead of the network; come here when too much is in memory, or when a drive does not answer."""

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Condition, Thread

from microforge.errors import ImageReadError, MicroforgeError
from microforge.inference.folder.jobs import Job, Outcome, Ready

#: Decoded images may take so many bytes together while they wait for the network; one may always be read.
_WAITING_BYTES = 1 << 28
#: A file is given up when nothing came of it in so many seconds, and more for each byte: a slow network drive.
_PATIENCE, _SLOWEST = 120.0, 1e6


@dataclass(eq=False)
class Reading:
    """A file that is being read, or was; `since` is when its reading began, `patience` the seconds it may take."""

    job: Job
    result: "Future[Ready | Outcome]" = field(default_factory=Future)
    bytes: int = 0
    since: float | None = None
    patience: float = _PATIENCE


class ReadAhead:
    """Reads files in threads of its own, in order, as far ahead as memory allows.

    The threads are daemons: one that hangs in a read is left behind, whatever else ends.

    Parameters
    ----------
    read
        Reads a file, and never raises.
    size
        Gives the bytes of a file once it is decoded.
    give_up
        Gives what becomes of a file that could not be read in time.
    patience
        Seconds that a small file may take.
    """

    def __init__(
        self,
        read: Callable[[Job], Ready | Outcome],
        size: Callable[[Job], int],
        give_up: Callable[[Job, MicroforgeError], Outcome],
        threads: int,
        patience: float = _PATIENCE,
    ) -> None:
        self._read, self._size, self._give_up, self._patience = read, size, give_up, patience
        self._waiting: deque[Reading] = deque()
        self._queue: SimpleQueue[Reading | None] = SimpleQueue()
        self._changed, self._held, self._closed = Condition(), 0, False
        self._threads = [self._start() for _ in range(threads)]

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, job: Job) -> None:
        """Read a file when its turn comes."""
        reading = Reading(job)
        with self._changed:
            self._waiting.append(reading)
        self._queue.put(reading)

    def first_name(self, seconds: float) -> str:
        """Wait for the first file; give its name if it is not read after some seconds, else nothing."""
        first = self._waiting[0]
        is_there = wait([first.result], seconds).done or self._is_given_up(first)
        return "" if is_there else first.job.path.name

    def take_first(self) -> Ready | Outcome:
        """Give the first file; wait for it, but not for ever."""
        while self.first_name(0.5):
            pass
        return self.take(self._waiting[0])

    def done(self) -> list[Reading]:
        """Give those that are read, in order."""
        return [reading for reading in self._waiting if reading.result.done()]

    def take(self, reading: Reading) -> Ready | Outcome:
        """Give what came of a file that was read, and make room for others."""
        with self._changed:
            self._waiting.remove(reading)
            self._held -= reading.bytes
            self._changed.notify_all()
        return reading.result.result()

    def close(self) -> None:
        """Read no more files; those that hang are not waited for."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()
        for _ in self._threads:
            self._queue.put(None)
        ends = time.monotonic() + 1.0
        for thread in self._threads:
            thread.join(max(0.0, ends - time.monotonic()))

    def _start(self) -> Thread:
        thread = Thread(target=self._work, name="microforge-read", daemon=True)
        thread.start()
        return thread

    def _work(self) -> None:
        """Read file after file; where one was given up meanwhile, another thread does what this one would have done."""
        while (reading := self._queue.get()) is not None and not self._closed:
            reading.since, reading.patience = time.monotonic(), self._patience
            size = self._size(reading.job)
            reading.patience = self._patience + max(size, _stored(reading.job)) / _SLOWEST
            if reading.result.done():
                return
            self._make_room(reading, size)
            reading.since = time.monotonic()
            found = self._read(reading.job)
            with self._changed:
                if reading.result.done():
                    return
                reading.result.set_result(found)

    def _make_room(self, reading: Reading, size: int) -> None:
        """Wait until the images that wait leave room for this one; the one that is waited for always has it."""
        reading.since = None
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or self._is_first(reading) or self._held + size <= _WAITING_BYTES
            )
            reading.bytes = size
            self._held += size

    def _is_first(self, reading: Reading) -> bool:
        return bool(self._waiting) and reading is self._waiting[0]

    def _is_given_up(self, reading: Reading) -> bool:
        """Tell whether a file was given up, now."""
        if reading.since is None:
            return False
        seconds = time.monotonic() - reading.since
        if seconds < reading.patience:
            return False
        error = ImageReadError(
            f"Reading the file had not ended after {seconds:.0f} seconds: its drive does not answer.",
            where=str(reading.job.path),
            remedy="Check the drive and its connection; the same command then goes on with the files left.",
        )
        with self._changed:
            if not reading.result.done():
                reading.result.set_result(self._give_up(reading.job, error))
                self._threads.append(self._start())
        return True


def _stored(job: Job) -> int:
    """Give the size of a file, all of which is read to know it again; 0 where it cannot be looked at."""
    with suppress(OSError, ValueError):
        return job.path.stat().st_size
    return 0
