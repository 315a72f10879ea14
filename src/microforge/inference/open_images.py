"""Predict layers one after the other and measure what is found: a generator of events, without Qt and napari."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from microforge.answers.shown_images import ShownImage, shown_images
from microforge.config import PredictionConfig
from microforge.errors import MicroforgeError
from microforge.events import Preparing, TileFinished
from microforge.types import Array, Image, Prediction


class PredictsImages(Protocol):
    """What is needed of a predictor."""

    @property
    def task(self) -> Any: ...  # noqa: D102

    def run_image(self, image: Image) -> Iterator[TileFinished | Prediction]: ...  # noqa: D102


#: Like `microforge.inference.predictor.Predictor`.
MakePredictor = Callable[[Path, PredictionConfig], PredictsImages]


@dataclass(frozen=True, eq=False)
class Job:
    """An image to predict, and the place where its results belong (any value; it is handed back)."""

    image: Image
    place: Any


@dataclass(frozen=True)
class LayerStarted:
    """An image is being predicted."""

    name: str
    index: int
    total: int


@dataclass(frozen=True, eq=False)
class LayerPredicted:
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
class LayerFailed:
    """An image could not be predicted; the others go on."""

    name: str
    reason: str


ApplyEvent = Preparing | LayerStarted | TileFinished | LayerPredicted | LayerFailed


def predict_layers(
    model: Path, jobs: Sequence[Job], config: PredictionConfig, make: MakePredictor | None = None
) -> Iterator[ApplyEvent]:
    """Predict images with a model, one after the other; close the generator to cancel."""
    yield Preparing("Loading the model")
    predictor = (make or _engine)(model, config)
    for index, job in enumerate(jobs):
        yield LayerStarted(job.image.name, index, len(jobs))
        try:
            yield from _predict(predictor, job)
        except MicroforgeError as error:
            yield LayerFailed(job.image.name, str(error))


def _predict(predictor: PredictsImages, job: Job) -> Iterator[ApplyEvent]:
    started = time.perf_counter()
    for item in predictor.run_image(job.image):
        if isinstance(item, TileFinished):
            yield item
            continue
        names = dict(getattr(predictor.task.options, "classes", {}))
        measured = replace(item, measurements=item.measurements or _measured(item, job.image, names))
        keeps = bool(getattr(predictor.task, "keeps_intensities", False))
        shown = shown_images(item, job.image, keeps_intensities=keeps)
        seconds = time.perf_counter() - started
        yield LayerPredicted(job.place, measured, names, seconds, shown, job.image, predictor.task)


def _measured(prediction: Prediction, image: Image, names: Mapping[int, str]) -> Mapping[str, Array]:
    from microforge.axes.samples import to_samples
    from microforge.measurements.bands import measure_sample
    from microforge.measurements.objects import join_frames

    if prediction.labels is None:
        return {}
    samples = to_samples(image)
    frames = prediction.labels.reshape(len(samples), *samples[0].image.shape[1:])
    tables = [measure_sample(frame, sample) for frame, sample in zip(frames, samples, strict=True)]
    columns = join_frames(tables) if "T" in image.axes else tables[0]
    if names:
        called = np.array([names.get(int(label), str(label)) for label in columns["label"]], object)
        columns = {"label": columns.pop("label"), "class": called} | columns
    return columns


def _engine(model: Path, config: PredictionConfig) -> PredictsImages:
    from microforge.inference.predictor import Predictor

    return Predictor(model, config)
