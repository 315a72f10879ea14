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
from microforge.errors import MicroforgeError
from microforge.events import Preparing, TileFinished
from microforge.inference.protocols import ImagePredictor, MakePredictor, make_predictor
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

    `task` is that of the model: it counts in regions.
    """

    place: Any
    prediction: Prediction
    class_names: Mapping[int, str]
    seconds: float
    images: tuple[ShownImage, ...] = ()
    image: Image | None = None
    task: Any = None


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
) -> Iterator[OpenImageEvent]:
    """Predict images with a model, one after the other; close the generator to cancel."""
    yield Preparing("Loading the model")
    predictor = (make or make_predictor)(model, config)
    for index, opened in enumerate(images):
        yield OpenImageStarted(opened.image.name, index, len(images))
        try:
            yield from _predict(predictor, opened)
        except MicroforgeError as error:
            yield OpenImageFailed(opened.image.name, str(error))


def _predict(predictor: ImagePredictor, opened: OpenImage) -> Iterator[OpenImageEvent]:
    started = time.perf_counter()
    for item in predictor.run_image(opened.image):
        if isinstance(item, TileFinished):
            yield item
            continue
        names = dict(predictor.task.label_classes)
        measured = replace(item, measurements=_measured(item, opened.image, names))
        shown = shown_images(item, opened.image, keeps_intensities=predictor.task.keeps_intensities)
        seconds = time.perf_counter() - started
        yield OpenImagePredicted(opened.place, measured, names, seconds, shown, opened.image, predictor.task)


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
