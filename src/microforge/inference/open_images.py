"""Predict images that are open, one after the other, and measure what is found; come here for what Apply does."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from microforge.answers.labels import with_columns
from microforge.answers.shown_images import ShownImage, shown_images
from microforge.config import PredictionConfig
from microforge.errors import MicroforgeError, ModelMismatchError
from microforge.events import Preparing, TileFinished
from microforge.inference.protocols import ImagePredictor, KeepsOutputs, MakePredictor, make_predictor
from microforge.inference.redecode import MOST_KEPT, KeptOutputs, decoding_options
from microforge.tasks.base import Task
from microforge.types import Array, Image, Prediction


@dataclass(frozen=True, eq=False)
class OpenImage:
    """An image to predict, and the place where its results belong (any value; it is handed back)."""

    image: Image
    place: Any


@dataclass(frozen=True)
class OpenImageStarted:
    """An image is being predicted."""

    name: str
    index: int
    total: int


@dataclass(frozen=True, eq=False)
class OpenImagePredicted:
    """The result of an image, measured; `class_names` where its labels are classes, `images` what becomes layers.

    `task` is that of the model: it counts in regions. `kept` is what the network answered, where that is kept.
    """

    place: Any
    prediction: Prediction
    class_names: Mapping[int, str]
    seconds: float
    images: tuple[ShownImage, ...] = ()
    image: Image | None = None
    task: Any = None
    kept: KeptOutputs | None = None


@dataclass(frozen=True)
class OpenImageFailed:
    """An image could not be predicted; the others go on."""

    name: str
    reason: str


OpenImageEvent = Preparing | OpenImageStarted | TileFinished | OpenImagePredicted | OpenImageFailed


def predict_open_images(
    model: Path,
    images: Sequence[OpenImage],
    config: PredictionConfig,
    make: MakePredictor[ImagePredictor] | None = None,
    most_kept: int = MOST_KEPT,
) -> Iterator[OpenImageEvent]:
    """Predict images with a model, one after the other; close the generator to cancel.

    Parameters
    ----------
    most_kept
        How many bytes of what the network answered are kept, for all images together, to be decoded again.
    """
    yield Preparing("Loading the model")
    predictor = (make or make_predictor)(model, config)
    for index, opened in enumerate(images):
        yield OpenImageStarted(opened.image.name, index, len(images))
        try:
            for event in _predict(predictor, opened, most_kept):
                most_kept -= event.kept.bytes if isinstance(event, OpenImagePredicted) and event.kept else 0
                yield event
        except MicroforgeError as error:
            yield OpenImageFailed(opened.image.name, str(error))


def decode_again(event: OpenImagePredicted, options: Mapping[str, Any]) -> OpenImagePredicted:
    """Give the result that other options of the task give, from what the network answered before.

    Parameters
    ----------
    options
        Those of `redecode.decoding_options`, by name; what is not named stays as the model has it.

    Raises
    ------
    SettingsError
        If an option is unknown or out of range.
    ModelMismatchError
        If nothing was kept of the network's answer.
    """
    if event.kept is None or event.image is None:
        raise ModelMismatchError("The network's answer was not kept.", remedy="Apply the model again.")
    started = time.perf_counter()
    task = type(event.task).from_options({**event.task.options.model_dump(), **options})
    made = event.kept.decode(task, series="T" in event.image.axes)
    return _result(made, OpenImage(event.image, event.place), task, started, event.kept)


def _predict(predictor: ImagePredictor, opened: OpenImage, room: int) -> Iterator[OpenImageEvent]:
    started, task, kept = time.perf_counter(), predictor.task, None
    if isinstance(predictor, KeepsOutputs):
        kept = predictor.keeps = KeptOutputs(room) if decoding_options(task.options) else None
    for item in predictor.run_image(opened.image):
        yield item if isinstance(item, TileFinished) else _result(item, opened, task, started, kept)


def _result(
    made: Prediction, opened: OpenImage, task: Task, started: float, kept: KeptOutputs | None
) -> OpenImagePredicted:
    names = dict(task.label_classes)
    measured = replace(made, measurements=_measured(made, opened.image, names))
    shown = shown_images(made, opened.image, keeps_intensities=task.keeps_intensities)
    seconds = time.perf_counter() - started
    return OpenImagePredicted(opened.place, measured, names, seconds, shown, opened.image, task, kept)


def _measured(prediction: Prediction, image: Image, names: Mapping[int, str]) -> Mapping[str, Array]:
    """Measure what has labels; what the model itself says of each object stays."""
    from microforge.axes.samples import to_samples
    from microforge.measurements.bands import measure_sample
    from microforge.measurements.objects import join_frames

    if prediction.labels is None:
        return prediction.measurements
    samples = to_samples(image)
    frames = prediction.labels.reshape(len(samples), *samples[0].image.shape[1:])
    tables = [measure_sample(frame, sample) for frame, sample in zip(frames, samples, strict=True)]
    series = "T" in image.axes
    tables = [with_columns(one, prediction.measurements, t if series else None) for t, one in enumerate(tables)]
    columns = join_frames(tables) if series else tables[0]
    if names:
        called = np.array([names.get(int(label), str(label)) for label in columns["label"]], object)
        columns = {"label": columns.pop("label"), "class": called} | columns
    return columns
