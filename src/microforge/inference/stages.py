"""What is done to one file of a folder run before and after the network: functions that run in threads.

Neither raises: whatever goes wrong with one image becomes an `Outcome` that says so, and the others go on.
"""

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import numpy as np

from microforge.data.axes import to_samples
from microforge.errors import MicroforgeError, WriteError
from microforge.events import ImageFailed, ImageFinished, ImageSkipped, TileFinished
from microforge.inference.ledger import Entry, Rows, hash_file
from microforge.inference.measuring import measure_sample
from microforge.inference.series import ImageSeries, ImageType
from microforge.inference.tables import rows_of
from microforge.io.images import read_image
from microforge.io.results import write_labels
from microforge.io.tiff import let_go
from microforge.types import Array, Image, Labels, PixelSize, Prediction, Sample


class Frames(Protocol):
    """What predicts the time points of an image one after the other."""

    def run_frames(self, samples: Sequence[Sample]) -> Iterator[TileFinished | Prediction]: ...  # noqa: D102


@dataclass(frozen=True)
class Job:
    """One input file and the name of its result; `entry` is what the ledger says of it, `note` what to tell."""

    index: int
    path: Path
    name: str
    note: str = ""
    entry: Entry | None = None


@dataclass(frozen=True)
class Origin:
    """What a result depends on besides its input, and where it goes."""

    output: Path
    model: str
    model_hash: str
    settings_hash: str
    axes: str | None = None
    overwrite: bool = False
    #: Whether labels are objects, which can be counted, or classes.
    countable: bool = True
    #: Whether the results are images rather than labels, and the type of their pixels.
    images: bool = False
    image_type: ImageType = "float32"


@dataclass(frozen=True, eq=False)
class Ready:
    """An image that was read and can go to the network."""

    job: Job
    image: Image
    samples: tuple[Sample, ...]
    input_hash: str
    seconds: float = 0.0

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample, ``C(Z)YX``."""
        return self.samples[0].image.shape

    @property
    def pixels(self) -> int:
        """Pixels of all time points together."""
        return len(self.samples) * int(np.prod(self.shape[1:]))


@dataclass(frozen=True, eq=False)
class Outcome:
    """How an image went: the event to tell, and what to note in the ledger (None: it says so already)."""

    event: ImageFinished | ImageSkipped | ImageFailed
    entry: Entry | None = None
    rows: Rows | None = None
    #: What was measured on the whole image, by name.
    figures: Mapping[str, float] = field(default_factory=dict)
    #: The folder itself may be the trouble, not the image.
    write_error: WriteError | None = None


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
    """Write the label image of a prediction and measure its objects; or its image, where there are no labels.

    Parameters
    ----------
    prediction
        Labels ``(T)(Z)YX``; without T the single time point of the image.
    seconds
        Time spent on it by the network.
    """
    started = time.perf_counter()
    try:
        if prediction.labels is None and prediction.image is not None:
            with _image_file(ready, origin) as file:
                file.add(prediction)
            return _image_outcome(ready, origin, file, seconds + ready.seconds + time.perf_counter() - started)
        labels, axes = _shaped(prediction.labels, ready.image)
        result = _result_path(ready, origin)
        write_labels(result, labels, axes, ready.image.pixel_size, durable=False)
        rows = _measured(labels, ready.samples)
        seconds += ready.seconds + time.perf_counter() - started
        notes = tuple(note for note in (ready.job.note, *prediction.notes) if note)
        entry = _done(ready, origin, seconds, labels.shape, ready.image.pixel_size, notes)
        objects = len(rows.lines) if origin.countable else None
        entry = replace(entry, objects=objects, output_hash=hash_file(result))
    except Exception as error:  # noqa: BLE001 - as above
        return failure(ready.job, origin, error)
    return Outcome(ImageFinished(ready.job.path, result, entry.objects, seconds, notes), entry, rows)


def stream(network: Frames, ready: Ready, origin: Origin) -> Generator[TileFinished, None, Outcome]:
    """Predict and write the time points of an image one after the other; close the generator to cancel.

    Nothing is left of a series that is cancelled or of which one time point fails.
    """
    started, file = time.perf_counter(), _image_file(ready, origin)
    try:
        with file:
            for item in network.run_frames(ready.samples):
                if isinstance(item, Prediction):
                    file.add(item)
                    let_go(ready.image.data)
                else:
                    yield item
        return _image_outcome(ready, origin, file, ready.seconds + time.perf_counter() - started)
    except Exception as error:  # noqa: BLE001 - as above
        one = len(ready.samples) == 1 or file.done == len(ready.samples)
        return failure(ready.job, origin, error, "" if one else f"Time point {file.done + 1}: ")


def failure(job: Job, origin: Origin, error: Exception, place: str = "") -> Outcome:
    """Say in words why an image could not be predicted."""
    reason, remedy = _words(error)
    reason = place + reason
    entry = replace(_entry(job, origin, "failed"), reason=f"{reason} {remedy}".strip(), notes=job.note)
    write_error = error if isinstance(error, WriteError) else None
    return Outcome(ImageFailed(job.path, reason, remedy), entry, write_error=write_error)


def _result_path(ready: Ready, origin: Origin) -> Path:
    return origin.output / f"{ready.job.name}.tif"


def _image_file(ready: Ready, origin: Origin) -> ImageSeries:
    return ImageSeries(_result_path(ready, origin), ready.image, len(ready.samples), origin.image_type)


def _image_outcome(ready: Ready, origin: Origin, file: ImageSeries, seconds: float) -> Outcome:
    if file.layout is None:
        raise MicroforgeError("The model gives no image.", remedy="Please report it with this image.")
    notes = tuple(note for note in (ready.job.note, *file.notes) if note)
    entry = _done(ready, origin, seconds, file.layout.shape, file.pixel_size, notes)
    event = ImageFinished(ready.job.path, file.path, None, seconds, notes)
    # Rows without columns replace those of an earlier run that gave labels.
    return Outcome(event, entry, Rows(), figures=dict(file.figures))


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
        result=_result_path(ready, origin).name,
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
    result = origin.output / entry.result
    return result.is_file() and result.stat().st_size > 0


def _shaped(labels: Labels | None, image: Image) -> tuple[Labels, str]:
    """Give labels with the axes of the file they came from, also where these have length 1."""
    if labels is None:
        raise MicroforgeError("The model gives no label image.", remedy="Use the model in napari, or from Python.")
    axes = "".join(axis for axis in "TZYX" if axis in image.axes)
    shape = tuple(image.data.shape[image.axes.index(axis)] for axis in axes)
    # Labels are never negative: another view of the same memory spares the writer a copy.
    unsigned = labels.view(np.uint32) if labels.dtype == np.int32 else labels
    return unsigned.reshape(shape), axes


def _measured(labels: Array, samples: Sequence[Sample]) -> Rows:
    """Measure each time point for itself."""
    per_time = labels.reshape(len(samples), *samples[0].image.shape[1:])
    tables = [measure_sample(frame, sample) for frame, sample in zip(per_time, samples, strict=True)]
    return rows_of(tables, frames=len(samples) > 1)
