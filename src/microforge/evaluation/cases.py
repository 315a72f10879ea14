"""Measure a model image by image: the one evaluation loop of `evaluate`, `calibrate` and Review."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from microforge.answers.image_classes import confusion
from microforge.answers.words import class_probabilities
from microforge.config import PredictionConfig
from microforge.errors import MicroforgeError
from microforge.evaluation.object_errors import ObjectFinding, find_object_errors, worst_first
from microforge.events import Preparing
from microforge.inference.protocols import MakePredictor, SamplePredictor, make_predictor
from microforge.metrics.matching import match_points
from microforge.tasks.abilities import MatchesPoints, counter_of
from microforge.tasks.base import Task
from microforge.tasks.instances.scores import ObjectTask
from microforge.types import Points, Prediction, Sample

if TYPE_CHECKING:
    from microforge.io.pairing import Pair, Pairing

_FRAME = re.compile(r" t=(\d+)$")


@dataclass(frozen=True)
class CaseOrigin:
    """Where an image is found again.

    Attributes
    ----------
    path
        Its file; None where it is open.
    key
        What the source calls an image that is open: any value.
    frame
        Which time point of it, of a series.
    """

    path: Path | None = None
    key: Any = None
    frame: int | None = None


@dataclass(frozen=True)
class KindCount:
    """How many cells of a kind there are and were found, with bounds where the model has them."""

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
    tally
        What `task.summarise` adds up.
    counts, truth, found
        Where cells are counted, their numbers of each kind, and the points ``(Z)YX`` inside what is annotated.
    missed, extra
        bool ``(N,)``: which of these points have no partner.
    class_name, said, probabilities
        Where images have classes, the true one, the one the model gives, and how probable it finds each.
    errors
        Where labels are objects, what went wrong with which, the worst first.
    answer
        What was found beside what is true, by name, where that is a number or a word.
    """

    name: str
    origin: CaseOrigin
    tally: Mapping[str, float]
    counts: tuple[KindCount, ...] = ()
    truth: Points | None = None
    found: Points | None = None
    missed: npt.NDArray[np.bool_] | None = None
    extra: npt.NDArray[np.bool_] | None = None
    class_name: str = ""
    said: str = ""
    probabilities: Mapping[str, float] | None = None
    errors: tuple[ObjectFinding, ...] = ()
    answer: Mapping[str, Any] = field(default_factory=dict)

    @property
    def error(self) -> float:
        """How many cells the count is off, of all kinds together."""
        return sum(abs(count.found - count.truth) for count in self.counts)


@dataclass(frozen=True, eq=False)
class MeasuringStarted:
    """The model is loaded; `total` images follow."""

    task: Task
    total: int


@dataclass(frozen=True)
class CaseFailed:
    """An image that could not be measured; the others go on."""

    name: str
    reason: str


#: Images and what is known of them, read one by one for a task.
KnownSamples = Iterable[tuple[CaseOrigin, Sample] | CaseFailed]
#: Gives the number of images and their samples; whatever is open, or lies on disk, can be a source.
CaseSource = Callable[[Task], tuple[int, KnownSamples]]


@dataclass(frozen=True)
class FileSource:
    """Images on disk, and what is known of them: two folders, or a table of classes."""

    images: Path
    truth: Path

    def __call__(self, task: Task) -> tuple[int, KnownSamples]:
        """Give the number of images, and read them one by one."""
        pairs = task.answer.truth.pair_truth(self.images, (self.truth,)).pairs
        return len(pairs), (one for pair in pairs for one in samples_of_pair(pair, task))


def samples_of_pair(
    pair: "Pair", task: Task, axes: str | None = None, target_axes: str | None = None
) -> Iterator[tuple[CaseOrigin, Sample] | CaseFailed]:
    """Read a pair of files: its samples, or why it cannot be used."""
    from microforge.data.loading import Problem, iter_samples

    for one in iter_samples([pair], task, axes=axes, target_axes=target_axes, kind=task.answer.truth):
        if isinstance(one, Problem):
            yield CaseFailed(pair.image.name, one.reason)
        else:
            yield CaseOrigin(path=pair.image), one


def measure(
    model: Path, source: CaseSource, config: PredictionConfig, make: MakePredictor[SamplePredictor] | None = None
) -> Iterator[Preparing | MeasuringStarted | Case | CaseFailed]:
    """Load a model and measure it on each image of a source; close the generator to cancel."""
    yield Preparing("Loading the model")
    predictor = (make or make_predictor)(model, config)
    total, samples = source(predictor.task)
    yield MeasuringStarted(predictor.task, total)
    yield from measure_samples(predictor, samples)


def measure_files(
    predictor: SamplePredictor,
    pairing: "Pairing",
    *,
    axes: str | None = None,
    target_axes: str | None = None,
    look: Callable[[Sample], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[tuple["Pair", list[Case | CaseFailed]]]:
    """Measure pairs of files, giving for each what came of its time points.

    Parameters
    ----------
    look
        Is shown each sample that was measured; none is kept.
    progress
        Called with the files done and their total.
    """
    for done, pair in enumerate(pairing.pairs, start=1):
        samples = samples_of_pair(pair, predictor.task, axes, target_axes)
        yield pair, list(measure_samples(predictor, samples, look))
        if progress is not None:
            progress(done, len(pairing.pairs))


def measure_samples(
    predictor: SamplePredictor, samples: KnownSamples, look: Callable[[Sample], None] | None = None
) -> Iterator[Case | CaseFailed]:
    """Predict samples one by one and compare; what cannot be used is told, and the others go on."""
    for item in samples:
        if isinstance(item, CaseFailed):
            yield item
            continue
        origin, sample = item
        try:
            case = case_of(predictor.task, predictor.predict(sample), sample, origin)
        except MicroforgeError as error:
            name = sample.name if origin.path is None else origin.path.name
            yield CaseFailed(name, f"{error.problem} {error.remedy}".strip())
            continue
        if look is not None:
            look(sample)
        yield case


def case_of(task: Task, prediction: Prediction, sample: Sample, origin: CaseOrigin) -> Case:
    """Compare a prediction with what is known of its image."""
    frame = _FRAME.search(sample.name)
    origin = replace(origin, frame=int(frame[1]) if frame else None)
    if isinstance(task, ObjectTask):
        matched = task.match(prediction, sample)
        errors = tuple(worst_first(find_object_errors(matched)))
        return Case(sample.name, origin, task.tally_matching(matched.matching), errors=errors)
    answer = task.answer.compared(counter_of(task), prediction, sample)
    case = Case(sample.name, origin, task.tally(prediction, sample), answer=answer)
    if sample.points is not None and prediction.points is not None and isinstance(task, MatchesPoints):
        truth, found = (sample.known_points(points) for points in (sample.points, prediction.points))
        counts = _counts(task, prediction, sample, truth)
        missed, extra = _unmatched(task, truth, found)
        return replace(case, counts=counts, truth=truth, found=found, missed=missed, extra=extra)
    said, probabilities = prediction.class_name, class_probabilities(prediction)
    return replace(case, class_name=sample.class_name, said=said, probabilities=probabilities)


def worst_cases(task: Task, cases: Sequence[Case]) -> list[Case]:
    """Give images, those first of which a model is worst by the metric that decides."""
    name, direction = task.monitor
    scores = {id(case): task.summarise(case.tally)[name] for case in cases}
    return sorted(cases, key=lambda case: (scores[id(case)] * (1 if direction == "max" else -1), case.name))


def confusion_table(cases: Iterable[Case], names: Sequence[str]) -> list[list[int]]:
    """Give how many images of each class (rows) were found to be of which (columns)."""
    return confusion([(case.class_name, case.said) for case in cases], names)


def mean_count_error(cases: Sequence[Case]) -> float:
    """Give the mean absolute error of answering the mean count of each kind for every image."""
    errors = []
    for kind in dict.fromkeys(count.kind for case in cases for count in case.counts):
        truth = np.array([count.truth for case in cases for count in case.counts if count.kind == kind], float)
        errors.append(np.abs(truth - truth.mean()))
    return float(np.mean(np.concatenate(errors))) if errors else 0.0


def _counts(task: Any, prediction: Prediction, sample: Sample, truth: Points) -> tuple[KindCount, ...]:
    return tuple(
        KindCount(count.kind, len(truth.of_kind(count.kind)), count.value, count.low, count.high)
        for count in task.count(prediction, sample.mask)
    )


def _unmatched(
    task: MatchesPoints, truth: Points, found: Points
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Say of each point whether it has no partner of its kind."""
    missed, extra = np.ones(len(truth), bool), np.ones(len(found), bool)
    for kind in truth.kinds:
        if kind not in found.kinds:
            continue
        own, theirs = (np.flatnonzero(points.kind == points.kinds.index(kind)) for points in (truth, found))
        pairs = match_points(truth.coordinates[own] / task.tolerance, found.coordinates[theirs] / task.tolerance, 1.0)
        missed[own[pairs[0]]], extra[theirs[pairs[1]]] = False, False
    return missed, extra
