"""What is done to one file of a folder run before and after the network: functions that run in threads.

Neither raises: whatever goes wrong with one image becomes an `Outcome` that says so, and the others go on.
"""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from microforge.answers.base import COUNTS, OBJECTS
from microforge.answers.counts import NO_REGIONS, ClassedImage, CountedImage, shape_of
from microforge.answers.images import ImageSeries
from microforge.answers.region_counts import CountFunction, count_regions, count_table
from microforge.axes.areas import Region
from microforge.axes.samples import to_samples
from microforge.errors import MicroforgeError, WriteError
from microforge.events import ImageFailed, ImageFinished, ImageSkipped, TileFinished
from microforge.inference.folder.jobs import Job, Origin, Outcome, Ready, Result
from microforge.inference.folder.ledger import Entry, hash_file
from microforge.inference.protocols import FramePredictor
from microforge.io.images import let_go, read_image
from microforge.io.regions import regions_for
from microforge.io.tables import TableRows, rows_of
from microforge.io.writing import write_labels
from microforge.measurements.bands import measure_sample
from microforge.types import Annotation, Array, Image, Labels, PixelSize, Prediction, Sample


def read(job: Job, origin: Origin, prepare: Callable[[Sample], None]) -> Ready | Outcome:
    """Read an image, unless its result is there already, and prepare what the network needs of it.

    The time points of a series are prepared one by one later: here all of them would be read.
    """
    started = time.perf_counter()
    try:
        input_hash = _hash(job.path)
        if not origin.overwrite and _is_done(job, origin, input_hash):
            return Outcome(ImageSkipped(job.path, "Done before with the same model and settings."))
        image = read_image(job.path, origin.axes)
        samples = tuple(to_samples(image))
        if len(samples) == 1:
            prepare(samples[0])
    except Exception as error:  # noqa: BLE001 - one bad file must not stop the others
        return failure(job, origin, error)
    return Ready(job, image, samples, input_hash, time.perf_counter() - started)


def write(ready: Ready, origin: Origin, prediction: Prediction, seconds: float = 0.0) -> Outcome:
    """Write and measure what a model gave for an image: labels, or any other answer for a single time point.

    Parameters
    ----------
    prediction
        Labels ``(T)(Z)YX``; without T the single time point of the image.
    seconds
        Time spent on it by the network.
    """
    began = time.perf_counter() - seconds - ready.seconds
    try:
        if origin.kind is Annotation.LABELS:
            return _write_labels(ready, origin, prediction, began)
        with _result(ready, origin) as result:
            result.add(prediction)
        return _finished(ready, origin, result, began)
    except Exception as error:  # noqa: BLE001 - as above
        return failure(ready.job, origin, error)


def stream(network: FramePredictor, ready: Ready, origin: Origin) -> Generator[TileFinished, None, Outcome]:
    """Predict and write the time points of an image one after the other; close the generator to cancel.

    Nothing is left of a series that is cancelled or of which one time point fails.
    """
    began, done = time.perf_counter() - ready.seconds, 0
    try:
        with _result(ready, origin) as result:
            for item in network.run_frames(ready.samples):
                if isinstance(item, Prediction):
                    result.add(item)
                    done += 1
                    let_go(ready.image.data)
                else:
                    yield item
        return _finished(ready, origin, result, began)
    except Exception as error:  # noqa: BLE001 - as above
        one = len(ready.samples) == 1 or done == len(ready.samples)
        return failure(ready.job, origin, error, "" if one else f"Time point {done + 1}: ")


def failure(job: Job, origin: Origin, error: Exception, place: str = "") -> Outcome:
    """Say in words why an image could not be predicted."""
    reason, remedy = _words(error)
    reason = place + reason
    entry = replace(_entry(job, origin, "failed"), reason=f"{reason} {remedy}".strip(), notes=job.note)
    write_error = error if isinstance(error, WriteError) else None
    return Outcome(ImageFailed(job.path, reason, remedy), entry, write_error=write_error)


def _result(ready: Ready, origin: Origin) -> Result:
    """Give what takes in the time points of an image, by what the model gives."""
    path = origin.output / "".join((ready.job.name, *origin.suffixes[:1]))
    if origin.kind is Annotation.CLASS:
        return ClassedImage(ready.image)
    if origin.kind is Annotation.POINTS and origin.count is not None:
        return CountedImage(path, ready.image, ready.samples, origin.count, _regions(ready, origin))
    return ImageSeries(path, ready.image, len(ready.samples), origin.image_type)


def _regions(ready: Ready, origin: Origin) -> Sequence[Region] | None:
    """Read the regions of an image; None where it should have some but has none."""
    if origin.regions is None:
        return ()
    return regions_for(origin.regions, ready.job.path, ready.shape[1:]) or None


def _finished(ready: Ready, origin: Origin, result: Result, began: float) -> Outcome:
    seconds = time.perf_counter() - began
    notes = tuple(note for note in (ready.job.note, *result.notes) if note)
    entry = _done(ready, origin, seconds, result.shape, result.pixel_size, notes)
    entry = replace(entry, result="" if result.path is None else result.path.name)
    class_name = str(result.statistics.get("class", ""))
    event = ImageFinished(ready.job.path, result.path, result.number, seconds, notes, class_name)
    return Outcome(event, entry, result.tables, statistics=dict(result.statistics))


def _write_labels(ready: Ready, origin: Origin, prediction: Prediction, began: float) -> Outcome:
    """Write the label image, measure its objects, and count them in regions where there are some."""
    labels = _shaped(prediction.labels, ready.image)
    regions = _regions(ready, origin)
    path = origin.output / f"{ready.job.name}.tif"
    axes = "".join(axis for axis in "TZYX" if axis in ready.image.axes)
    write_labels(path, labels, axes, ready.image.pixel_size, durable=False)
    frames = labels.reshape(len(ready.samples), *ready.shape[1:])
    measured = [measure_sample(frame, sample) for frame, sample in zip(frames, ready.samples, strict=True)]
    tables = {OBJECTS: rows_of(measured, frames=len(measured) > 1)}
    if regions and origin.count is not None:
        tables[COUNTS] = _counted(ready, origin.count, frames, measured, regions)
    seconds = time.perf_counter() - began
    told = (ready.job.note, *prediction.notes, "" if regions is not None else NO_REGIONS)
    notes = tuple(note for note in told if note)
    entry = _done(ready, origin, seconds, labels.shape, ready.image.pixel_size, notes)
    objects = len(tables[OBJECTS].lines) if origin.countable else None
    entry = replace(entry, result=path.name, objects=objects, output_hash=hash_file(path))
    return Outcome(ImageFinished(ready.job.path, path, objects, seconds, notes), entry, tables)


def _counted(
    ready: Ready,
    count: CountFunction,
    frames: Array,
    measured: Sequence[Mapping[str, Array]],
    regions: Sequence[Region],
) -> TableRows:
    """Count the objects of each time point, by region."""
    found = [Prediction(labels=one, measurements=table) for one, table in zip(frames, measured, strict=True)]
    series = "T" in ready.image.axes
    points_in_time = enumerate(zip(found, ready.samples, strict=True))
    return count_table(
        row
        for t, (prediction, sample) in points_in_time
        for row in count_regions(count, prediction, sample, regions, frame=t if series else None)
    )


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
        input_hash=ready.input_hash,
    )


def _entry(job: Job, origin: Origin, state: "str") -> Entry:
    return Entry(
        path=str(job.path),
        name=job.name,
        state="done" if state == "done" else "failed",
        model=origin.model,
        model_hash=origin.model_hash,
        settings_hash=origin.settings_hash,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _words(error: Exception) -> tuple[str, str]:
    if isinstance(error, MicroforgeError):
        return error.problem, " ".join(part for part in (error.kept, error.remedy) if part)
    if isinstance(error, MemoryError):
        return "Memory ran out.", "Close other programs, or predict this image alone."
    if isinstance(error, OSError):
        return f"The file cannot be read ({error.strerror or error}).", "Check that it is there and may be read."
    return f"Something unexpected went wrong ({type(error).__name__}: {error}).", "Please report it with this image."


def _hash(path: Path) -> str:
    try:
        return hash_file(path)
    except FileNotFoundError:
        # Reading says better what is wrong with the file.
        return ""


def _is_done(job: Job, origin: Origin, input_hash: str) -> bool:
    entry = job.entry
    if entry is None or entry.state != "done":
        return False
    made_from = (entry.input_hash, entry.model_hash, entry.settings_hash)
    if made_from != (input_hash, origin.model_hash, origin.settings_hash):
        return False
    if not entry.result:
        return not origin.suffixes
    files = [(origin.output / entry.result).with_suffix(suffix) for suffix in origin.suffixes]
    return all(file.is_file() and file.stat().st_size > 0 for file in files if _is_needed(file, files[0]))


def _is_needed(file: Path, first: Path) -> bool:
    """Tell whether a result must be there: without dots there is no archive of them."""
    if file == first or not first.is_file():
        return True
    with first.open(encoding="utf-8") as table:
        return sum(1 for _ in zip(table, range(2), strict=False)) > 1


def _shaped(labels: Labels | None, image: Image) -> Labels:
    """Give labels with the axes of the file they came from, also where these have length 1."""
    if labels is None:
        raise MicroforgeError("The model gives no label image.", remedy="Use the model in napari, or from Python.")
    # Labels are never negative: another view of the same memory spares the writer a copy.
    unsigned = labels.view(np.uint32) if labels.dtype == np.int32 else labels
    return unsigned.reshape(shape_of(image))
