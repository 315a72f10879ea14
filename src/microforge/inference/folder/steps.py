"""What happens to one file of a folder run: read, skip if done, write, note, fail in words.

Neither raises: whatever goes wrong with one image becomes an `Outcome` that says so, and the others go on.
"""

import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import replace
from datetime import UTC, datetime
from math import prod

from microforge.answers import Result, ResultRules
from microforge.axes.areas import Region
from microforge.axes.samples import to_samples
from microforge.device import is_out_of_memory
from microforge.errors import MicroforgeError, WriteError
from microforge.events import ImageFailed, ImageFinished, ImageSkipped, TileFinished
from microforge.inference.folder.entries import Entry
from microforge.inference.folder.jobs import Job, Origin, Outcome, Ready
from microforge.inference.folder.ownership import (
    files_left,
    files_made,
    files_text,
    intact_files,
    put_aside_changed,
    refuse_foreign,
)
from microforge.inference.protocols import FramePredictor
from microforge.inference.stamps import Stamp, input_stamp
from microforge.io.files import check_file
from microforge.io.images import let_go, read_image
from microforge.io.regions import regions_for
from microforge.types import Image, PixelSize, Prediction, Sample

#: Larger time points are written before the next is predicted: two need too much memory.
_ALONE_PIXELS = 1 << 23


def read(job: Job, origin: Origin, prepare: Callable[[Sample], None]) -> Ready | Outcome:
    """Read an image, unless its result is there already, and prepare what the network needs of it.

    The time points of a series are prepared one by one later: here all of them would be read.
    """
    started = time.perf_counter()
    try:
        # A pipe would be hashed for ever.
        check_file(job.path)
        stamp = input_stamp(job.path, None if job.entry is None else Stamp.from_text(job.entry.input_stamp))
        if not origin.overwrite:
            before = _done_before(job, origin, stamp)
            if before is not None:
                return before
            refuse_foreign(job, origin)
        image = read_image(job.path, origin.axes)
        samples = tuple(to_samples(image))
        if len(samples) == 1:
            prepare(samples[0])
    except Exception as error:  # noqa: BLE001 - one bad file must not stop the others
        return failure(job, origin, error)
    return Ready(job, image, samples, stamp, time.perf_counter() - started)


def write(ready: Ready, origin: Origin, prediction: Prediction, seconds: float = 0.0) -> Outcome:
    """Write and measure what a model gave for an image.

    Parameters
    ----------
    prediction
        Of the single time point of the image.
    seconds
        Time spent on it by the network.
    """
    began = time.perf_counter() - seconds - ready.seconds
    try:
        notes = () if origin.overwrite else put_aside_changed(ready.job, origin)
        with _result(ready, origin) as result:
            result.add(prediction)
        return _finished(ready, origin, result, began, notes)
    except Exception as error:  # noqa: BLE001 - as above
        return failure(ready.job, origin, error, begun=True)


def stream(
    network: FramePredictor, ready: Ready, origin: Origin, behind: Executor
) -> Generator[TileFinished, None, Outcome]:
    """Predict and write the time points of an image one after the other; close the generator to cancel.

    One is written in a thread of `behind` while the next is predicted, unless it is large. Nothing is left of a series
    that is cancelled or of which one time point fails.
    """
    began, given = time.perf_counter() - ready.seconds, 0
    writing: Future[None] = Future()
    writing.set_result(None)
    try:
        notes = () if origin.overwrite else put_aside_changed(ready.job, origin)
        with _result(ready, origin) as result:
            try:
                for item in network.run_frames(ready.samples):
                    if isinstance(item, TileFinished):
                        yield item
                        continue
                    writing.result()
                    writing = behind.submit(_add, result, item, ready.image)
                    given += 1
                    # Its arrays are gone when they are written.
                    del item
                    if prod(ready.shape) > _ALONE_PIXELS:
                        writing.result()
            finally:
                # Also when cancelled: the file must not be taken away under the thread that writes it.
                wait([writing])
            writing.result()
        return _finished(ready, origin, result, began, notes)
    except Exception as error:  # noqa: BLE001 - as above
        failed = given if writing.exception() else given + 1
        one = len(ready.samples) == 1 or failed > len(ready.samples)
        return failure(ready.job, origin, error, "" if one else f"Time point {failed}: ", begun=True)


def _add(result: Result, prediction: Prediction, image: Image) -> None:
    result.add(prediction)
    let_go(image.data)


def failure(job: Job, origin: Origin, error: Exception, place: str = "", *, begun: bool = False) -> Outcome:
    """Say in words why an image could not be predicted; `begun`: its files were being written."""
    reason, remedy = _words(error)
    reason = place + reason
    entry = replace(_entry(job, origin, "failed"), reason=f"{reason} {remedy}".strip(), notes=job.note)
    entry = replace(entry, files=files_text(files_left(job, origin, begun=begun)))
    # One that is refused before says nothing about the disk.
    write_error = error if begun and isinstance(error, WriteError) else None
    return Outcome(ImageFailed(job.path, reason, remedy), entry, write_error=write_error)


def _result(ready: Ready, origin: Origin) -> Result:
    """Give what takes in the time points of an image."""
    path = next(iter(origin.files(ready.job.name)), origin.output / ready.job.name)
    rules = ResultRules(origin.count, _regions(ready, origin), origin.image_type)
    return origin.answer.result(path, ready.image, ready.samples, rules)


def _regions(ready: Ready, origin: Origin) -> Sequence[Region] | None:
    """Read the regions of an image; None where it should have some but has none."""
    if origin.regions is None:
        return ()
    return regions_for(origin.regions, ready.job.path, ready.shape[1:]) or None


def _finished(ready: Ready, origin: Origin, result: Result, began: float, said: Sequence[str]) -> Outcome:
    seconds = time.perf_counter() - began
    notes = tuple(note for note in (ready.job.note, *ready.image.notes, *result.notes) if note)
    # Of this run, not of the image: the table is the same as if nothing had happened.
    why = _why_again(ready.job, origin)
    told = (*said, *((why,) if why else ()), *notes)
    path = result.path
    entry = replace(
        _done(ready, origin, seconds, result.shape, result.pixel_size, notes),
        result="" if path is None else path.name,
        objects=result.number if origin.answer.numbered else None,
        # Written a moment ago, so that the system need not read them from the disk again.
        files=files_text(files_made(ready.job, origin)),
    )
    class_name = str(result.statistics.get("class", ""))
    event = ImageFinished(ready.job.path, path, result.number, seconds, told, class_name)
    return Outcome(event, entry, result.tables, statistics=dict(result.statistics))


def _done(
    ready: Ready,
    origin: Origin,
    seconds: float,
    shape: tuple[int, ...],
    pixel_size: PixelSize | None,
    notes: Sequence[str],
) -> Entry:
    return replace(
        _entry(ready.job, origin, "done"),
        seconds=round(seconds, 4),
        shape=" ".join(str(n) for n in shape),
        pixel_size=" ".join(f"{size:.7g}" for size in pixel_size or ()),
        notes=" ".join(notes),
        input_stamp=str(ready.input_stamp),
    )


def _entry(job: Job, origin: Origin, state: "str") -> Entry:
    return Entry(
        path=str(job.path),
        name=job.name,
        state="done" if state == "done" else "failed",
        model=origin.model,
        model_hash=origin.model_hash,
        settings_hash=origin.settings_hash,
        results_version=origin.results_version,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _words(error: Exception) -> tuple[str, str]:
    if isinstance(error, MicroforgeError):
        return error.problem, " ".join(part for part in (error.kept, error.remedy) if part)
    if is_out_of_memory(error):
        return "Memory ran out.", "Close other programs, choose smaller tiles, or cut the image into parts."
    if isinstance(error, OSError):
        return f"The file cannot be read ({error.strerror or error}).", "Check that it is there and may be read."
    return f"Something unexpected went wrong ({type(error).__name__}: {error}).", "Please report it with this image."


def _done_before(job: Job, origin: Origin, stamp: Stamp) -> Outcome | None:
    """Give the outcome of an image that is done, with its files as they were written; None if it is to be done."""
    entry = job.entry
    if entry is None or entry.state != "done" or not _is_same_work(entry, origin, stamp):
        return None
    files = intact_files(job, origin)
    if files is None:
        return None
    fresh = replace(entry, input_stamp=str(stamp), files=files_text(files))
    made = origin.output / entry.result if entry.result else None
    skipped = ImageSkipped(job.path, "Done before with the same model and settings.", made)
    return Outcome(skipped, None if fresh == entry else fresh, statistics=None)


def _is_same_work(entry: Entry, origin: Origin, stamp: Stamp) -> bool:
    before = Stamp.from_text(entry.input_stamp)
    made_by = (entry.model_hash, entry.settings_hash, entry.results_version)
    now = (origin.model_hash, origin.settings_hash, origin.results_version)
    return before is not None and before.content == stamp.content and made_by == now


def _why_again(job: Job, origin: Origin) -> str:
    """Say why a result is made again where nobody has changed anything."""
    entry = job.entry
    if origin.overwrite or entry is None or entry.state != "done" or entry.results_version == origin.results_version:
        return ""
    return "Done again: another version of Microforge had made it."
