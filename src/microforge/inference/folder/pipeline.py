"""Threads of a folder run: files are read ahead of the network, results written behind it."""

import os
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any

from microforge.device import is_out_of_memory
from microforge.errors import MicroforgeError, WriteError
from microforge.events import FolderEvent, ImageSkipped, ImageStarted, Preparing, TileFinished
from microforge.inference.folder.jobs import Job, Origin, Outcome, Ready
from microforge.inference.folder.ledger import Ledger
from microforge.inference.folder.read_ahead import ReadAhead
from microforge.inference.folder.steps import failure, read, stream, write
from microforge.inference.folder.tables import write_tables
from microforge.inference.protocols import FolderPredictor
from microforge.io.files import check_file
from microforge.io.images import decoded_bytes
from microforge.types import Prediction

#: Larger images are not kept waiting: the results before them are written first.
_LARGE_PIXELS = 1 << 22
_READ_AHEAD = 24
#: Seconds after which a run that waits for a file lets itself be ended.
_ANSWER_EVERY = 0.5
#: So many results, and pixels in them, may wait for being written: memory stays constant.
_WRITE_BEHIND = 24
_PENDING_PIXELS = 1 << 23
_TABLES_EVERY = 30.0


class Pipeline:
    """The queues of a folder run: read ahead -> network (in the caller's thread) -> written behind."""

    def __init__(self, network: FolderPredictor, jobs: deque[Job], origin: Origin, ledger: Ledger) -> None:
        self.network, self.jobs, self.origin, self.ledger = network, jobs, origin, ledger
        threads = max(2, min(4, os.cpu_count() or 2))
        self.pool = ThreadPoolExecutor(threads, "microforge-folder")
        self.ahead = ReadAhead(self.read, _decoded, lambda job, error: failure(job, origin, error), threads)
        self.behind: deque[Future[Outcome]] = deque()
        self.tables = _Every(_TABLES_EVERY)
        self.write_errors = 0

    def events(self) -> Iterator[FolderEvent]:
        """Predict all files, yielding what happens."""
        while self.jobs or self.ahead:
            self.read_ahead()
            while name := self.ahead.first_name(_ANSWER_EVERY):
                yield from self.collect(_WRITE_BEHIND)
                # Whoever asks for events can end the run here, also while a drive does not answer.
                yield Preparing(f"Waiting for {name}")
            group = self.next_group()
            for ready in group:
                yield ImageStarted(ready.job.path, ready.job.index)
            if group and self.goes_alone(group[0]):
                yield from self.predict_alone(group[0])
            elif group:
                yield from self.predict_together(group)
            waiting = _PENDING_PIXELS // max(group[0].pixels, 1) if group else _WRITE_BEHIND
            yield from self.collect(max(1, min(waiting, _WRITE_BEHIND)))
        yield from self.collect(0)

    def read_ahead(self) -> None:
        """Let the next files be read beside the network."""
        while self.jobs and len(self.ahead) < _READ_AHEAD:
            job = self.jobs.popleft()
            self.ahead.add(replace(job, entry=self.ledger.entry(job.path)))

    def read(self, job: Job) -> Ready | Outcome:
        """Read a file, in a thread."""
        return read(job, self.origin, self.network.prepare)

    def next_group(self) -> list[Ready]:
        """Take the next image, and with it those of the same shape that are read already and fit.

        Those may stand behind others: the network is twice as fast on eight small images as on one.
        """
        first = self.ahead.take_first()
        if isinstance(first, Ready):
            return self.with_alike(first)
        self.behind.append(_already(first))
        return []

    def with_alike(self, first: Ready) -> list[Ready]:
        """Give an image and what can go through the network together with it."""
        group = [first]
        if self.goes_alone(first):
            return group
        for reading in self.ahead.done():
            more = reading.result.result()
            if isinstance(more, Ready) and more.shape == first.shape and _fits(group, more, self.network.batch_pixels):
                group.append(more)
                self.ahead.take(reading)
        return group

    def goes_alone(self, ready: Ready) -> bool:
        """Tell whether an image is a time series, or needs tiles."""
        return len(ready.samples) > 1 or not self.network.fits_one_tile(ready.samples[0])

    def predict_together(self, group: Sequence[Ready]) -> Iterator[FolderEvent]:
        """Send small images of one shape through the network at once; if that fails, each for itself.

        One that does not fit into the memory even by itself goes in tiles.
        """
        started = time.perf_counter()
        outputs = self.try_together(group)
        if isinstance(outputs, Outcome):
            self.behind.append(_already(outputs))
        elif outputs is None and len(group) == 1:
            yield from self.predict_alone(group[0])
        elif outputs is None:
            for ready in group:
                yield from self.predict_together([ready])
        else:
            seconds = (time.perf_counter() - started) / len(group)
            for ready, output in zip(group, outputs, strict=True):
                self.behind.append(self.pool.submit(self.finish, ready, output, seconds))

    def try_together(self, group: Sequence[Ready]) -> Sequence[Any] | Outcome | None:
        """Give the outputs; of a single image what is wrong with it; None where something else may be tried.

        What failed must be gone before that: the error holds the memory of the batch.
        """
        try:
            return self.network.forward_many([ready.samples[0] for ready in group])
        except Exception as error:  # noqa: BLE001 - one bad image must not stop the others
            if len(group) > 1 or is_out_of_memory(error):
                return None
            return failure(group[0].job, self.origin, error)

    def finish(self, ready: Ready, output: Any, seconds: float) -> Outcome:
        """Decode, write and measure, in a thread."""
        started = time.perf_counter()
        try:
            prediction = self.network.finish(output, ready.samples[0])
        except Exception as error:  # noqa: BLE001 - as above
            return failure(ready.job, self.origin, error)
        return write(ready, self.origin, prediction, seconds + time.perf_counter() - started)

    def predict_alone(self, ready: Ready) -> Iterator[FolderEvent]:
        """Send a large image, or a time series, through the network tile by tile."""
        if ready.pixels > _LARGE_PIXELS:
            yield from self.collect(0)
        if len(ready.samples) > 1 or ready.pixels > _LARGE_PIXELS:
            # Its arrays are gone before the next image needs the memory.
            self.behind.append(_already((yield from stream(self.network, ready, self.origin, self.pool))))
            return
        started = time.perf_counter()
        try:
            prediction = yield from self.tiles(ready)
        except Exception as error:  # noqa: BLE001 - as above
            self.behind.append(_already(failure(ready.job, self.origin, error)))
            return
        self.behind.append(self.pool.submit(write, ready, self.origin, prediction, time.perf_counter() - started))

    def tiles(self, ready: Ready) -> Generator[TileFinished, None, Prediction]:
        """Yield the progress of an image of one time point and return its prediction."""
        for item in self.network.run_frames(ready.samples):
            if isinstance(item, Prediction):
                return item
            yield item
        raise MicroforgeError("The prediction ended without a result.", remedy="Please report it with this image.")

    def collect(self, limit: int) -> Iterator[FolderEvent]:
        """Note and tell what is written, in order; wait until at most `limit` images are on their way."""
        while self.behind and (self.behind[0].done() or len(self.behind) > limit):
            outcome = self.behind.popleft().result()
            self.note(outcome)
            yield outcome.event
        if self.tables.due():
            self.tables.do(self.write_tables)

    def note(self, outcome: Outcome) -> None:
        """Put an outcome into the ledger; give up when the folder seems to be the trouble, not the image."""
        if outcome.entry is not None:
            self.ledger.record(outcome.entry, outcome.tables, outcome.statistics)
        if not isinstance(outcome.event, ImageSkipped):
            self.write_errors = self.write_errors + 1 if outcome.write_error else 0
        if outcome.write_error and self.write_errors >= 3:
            # The disk is full, or the drive has gone.
            raise WriteError(
                f"Three results in a row could not be written: {outcome.write_error.problem}",
                where=str(self.origin.output),
                kept="The results before them are safe.",
                remedy=f"{outcome.write_error.remedy} The same command then goes on where it stopped.",
            )

    def close(self) -> None:
        """End the threads, note what they finished, and complete the tables."""
        self.ahead.close()
        self.pool.shutdown(wait=True)
        try:
            for written in self.behind:
                outcome = written.result()
                if outcome.entry is not None:
                    self.ledger.record(outcome.entry, outcome.tables, outcome.statistics)
        finally:
            self.behind.clear()
            self.write_tables()

    def write_tables(self) -> None:
        """Write the tables of the folder; images have no objects, and classes none that could be counted."""
        origin = self.origin
        write_tables(self.ledger, origin.output, wanted=origin.tables, countable=origin.answer.numbered)


class _Every:
    """When to do something that takes time: rarely enough that it takes less than a twentieth of all time."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.next = time.monotonic() + seconds

    def due(self) -> bool:
        return time.monotonic() > self.next

    def do(self, action: Callable[[], None]) -> None:
        started = time.monotonic()
        action()
        finished = time.monotonic()
        self.next = finished + max(self.seconds, 20 * (finished - started))


def _already(outcome: Outcome) -> "Future[Outcome]":
    future: Future[Outcome] = Future()
    future.set_result(outcome)
    return future


def _fits(group: Sequence[Ready], more: Ready, most: int) -> bool:
    """Tell whether one more file may join a group, which is to have `most` pixels at most."""
    single = len(more.samples) == len(group[0].samples) == 1
    return single and (len(group) + 1) * more.pixels <= most


def _decoded(job: Job) -> int:
    """Give the decoded bytes of a file; nothing where it is done already or cannot be looked at, as reading tells."""
    if job.entry is not None and job.entry.state == "done":
        return 0
    with suppress(OSError, MicroforgeError):
        check_file(job.path)
        return decoded_bytes(job.path)
    return 0
