"""Measure a model image by image on what is known of them, a case for each: a generator of events, without Qt."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from microforge.answers.words import class_probabilities
from microforge.config import PredictionConfig
from microforge.errors import MicroforgeError
from microforge.events import Preparing
from microforge.gui.session.snapshot import Snapshot
from microforge.metrics.matching import match_points
from microforge.tasks.base import Task
from microforge.tasks.label_images import known_points
from microforge.types import Points, Prediction, Sample

_FRAME = re.compile(r" t=(\d+)$")


class PredictsSamples(Protocol):
    """What is needed of a predictor."""

    @property
    def task(self) -> Any: ...  # noqa: D102

    def predict(self, image: Sample) -> Prediction: ...  # noqa: D102


#: Like `microforge.inference.predictor.Predictor`.
MakePredictor = Callable[[Path, PredictionConfig], PredictsSamples]


@dataclass(frozen=True)
class Origin:
    """Where an image is found again: a file, or an open layer (by its unique id); and which time point of it."""

    path: Path | None = None
    layer: Any = None
    frame: int | None = None


@dataclass(frozen=True, eq=False)
class CountOf:
    """How many cells of a kind there are and were found."""

    kind: str
    truth: int
    found: float
    low: float | None
    high: float | None


@dataclass(frozen=True, eq=False)
class Case:
    """An image, what is known of it, and what the model says.

    Attributes
    ----------
    truth, found
        The dots inside what is annotated; None where nothing is counted.
    missed, extra
        Which of them have no partner.
    class_name, said
        The true class, and the one the model gives; empty where there are no classes.
    tally
        What `task.summarise` adds up.
    """

    name: str
    origin: Origin
    tally: Mapping[str, float]
    counts: tuple[CountOf, ...] = ()
    truth: Points | None = None
    found: Points | None = None
    missed: npt.NDArray[np.bool_] | None = None
    extra: npt.NDArray[np.bool_] | None = None
    class_name: str = ""
    said: str = ""
    probabilities: Mapping[str, float] | None = None

    @property
    def error(self) -> float:
        """How many cells the count is off, of all kinds together."""
        return sum(abs(count.found - count.truth) for count in self.counts)


@dataclass(frozen=True, eq=False)
class Measuring:
    """The model is loaded; `total` images follow."""

    task: Task
    total: int


@dataclass(frozen=True)
class CaseFailed:
    """An image that could not be measured; the others go on."""

    name: str
    reason: str


@dataclass(frozen=True)
class Files:
    """Images on disk, and what is known of them: a folder or a file."""

    images: Path
    truth: Path

    def __call__(self, task: Task) -> tuple[int, Iterator[tuple[Origin, Sample] | CaseFailed]]:
        """Give the number of images, and read them one by one."""
        from microforge.io.pairing import pair_folders

        pairing = pair_folders(self.images, self.truth, kind=task.truth)
        return len(pairing.pairs), self._samples(pairing.pairs, task)

    def _samples(self, pairs: Sequence[Any], task: Task) -> Iterator[tuple[Origin, Sample] | CaseFailed]:
        from microforge.data.loading import iter_samples

        for pair in pairs:
            for sample in iter_samples([pair], task, kind=task.truth):
                if isinstance(sample, Sample):
                    yield Origin(path=pair.image, frame=_frame(sample)), sample
                else:
                    yield CaseFailed(pair.image.name, sample.reason)


@dataclass(frozen=True, eq=False)
class Open:
    """Images that are open, with what is annotated on them now; each with the unique id of its layer."""

    snapshots: tuple[tuple[Any, Snapshot], ...]

    def __call__(self, task: Task) -> tuple[int, Iterator[tuple[Origin, Sample] | CaseFailed]]:
        """Give the number of images, and their samples one by one."""
        return len(self.snapshots), self._samples(task)

    def _samples(self, task: Task) -> Iterator[tuple[Origin, Sample] | CaseFailed]:
        for layer, snapshot in self.snapshots:
            try:
                for sample in snapshot.samples():
                    yield Origin(layer=layer, frame=_frame(sample)), task.check(sample)
            except MicroforgeError as error:
                yield CaseFailed(snapshot.image.name, str(error))


def measure(
    model: Path, source: Files | Open, config: PredictionConfig, make: MakePredictor | None = None
) -> Iterator[Preparing | Measuring | Case | CaseFailed]:
    """Predict each image of a source and compare; close the generator to cancel."""
    yield Preparing("Loading the model")
    predictor = (make or _engine)(model, config)
    total, samples = source(predictor.task)
    yield Measuring(predictor.task, total)
    for item in samples:
        if isinstance(item, CaseFailed):
            yield item
            continue
        origin, sample = item
        try:
            yield case_of(predictor.task, predictor.predict(sample), sample, origin)
        except MicroforgeError as error:
            yield CaseFailed(sample.name, str(error))


def case_of(task: Task, prediction: Prediction, sample: Sample, origin: Origin) -> Case:
    """Compare a prediction with what is known of its image."""
    tally = task.tally(prediction, sample)
    if sample.points is None or prediction.points is None:
        said, probabilities = prediction.class_name, class_probabilities(prediction)
        return Case(sample.name, origin, tally, class_name=sample.class_name, said=said, probabilities=probabilities)
    truth, found = (known_points(points, sample) for points in (sample.points, prediction.points))
    counts = tuple(
        CountOf(count.kind, len(truth.of_kind(count.kind)), count.value, count.low, count.high)
        for count in task.count(prediction, sample.mask)
    )
    missed, extra = _unmatched(task, truth, found)
    return Case(sample.name, origin, tally, counts, truth, found, missed, extra)


def _unmatched(task: Any, truth: Points, found: Points) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Say of each dot whether it has no partner of its kind."""
    missed, extra = np.ones(len(truth), bool), np.ones(len(found), bool)
    for kind in truth.kinds:
        if kind not in found.kinds:
            continue
        own, theirs = (np.flatnonzero(points.kind == points.kinds.index(kind)) for points in (truth, found))
        pairs = match_points(truth.coordinates[own] / task.tolerance, found.coordinates[theirs] / task.tolerance, 1.0)
        missed[own[pairs[0]]], extra[theirs[pairs[1]]] = False, False
    return missed, extra


def _frame(sample: Sample) -> int | None:
    found = _FRAME.search(sample.name)
    return int(found[1]) if found else None


def _engine(model: Path, config: PredictionConfig) -> PredictsSamples:
    from microforge.inference.predictor import Predictor

    return Predictor(model, config)
