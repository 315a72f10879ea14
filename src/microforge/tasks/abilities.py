"""Optional abilities of tasks, a small protocol each: planning, corruption, counting, calibration, baselines.

Come here to see what a task can offer: a task has an ability by having its methods. The rest of the program asks by
the functions at the end, which say what happens without it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

from microforge.answers.region_counts import CountFunction
from microforge.config import AugmentationConfig, NetworkConfig
from microforge.tasks.base import Task
from microforge.tasks.baselines.base import Baseline
from microforge.tasks.confidence import Calibration, Judged
from microforge.types import Batch, Count, Doubles, Floats, NearMiss, Prediction, Sample

if TYPE_CHECKING:
    from microforge.networks.fitted import FittedModel


@dataclass(frozen=True)
class PlanningHints:
    """What a task asks of patches and network.

    Attributes
    ----------
    input_downsampling
        How many times smaller along YX `corrupt` makes patches: they are cut so many times larger.
    patch_scale
        How many times larger than usual patches are along YX, where an answer needs to see more at once.
    min_receptive_field
        How many pixels along X an answer should be drawn from; the network is made as deep as that needs.
    ignored_border
        Pixels along ``(Z)YX`` at the border of patches not to learn from: what lies outside decides about them.
    """

    input_downsampling: int = 1
    patch_scale: int = 1
    min_receptive_field: float = 0.0
    ignored_border: tuple[int, ...] = ()


@runtime_checkable
class HintsPlan(Protocol):
    """Asks for other patches, or for a network that sees further."""

    @property
    def hints(self) -> PlanningHints:
        """What it asks for."""


@runtime_checkable
class ShapesNetwork(Protocol):
    """Needs another network than the usual one."""

    def network(self, config: NetworkConfig) -> NetworkConfig:
        """Give the shape of the network."""


@runtime_checkable
class LimitsAugmentation(Protocol):
    """Would be spoilt by some variation of patches."""

    def augmentation(self, config: AugmentationConfig) -> AugmentationConfig:
        """Give how patches may be varied."""


@runtime_checkable
class ArrangesSamples(Protocol):
    """Learns from samples made of several others (frames that repeat each other)."""

    def arrange(self, samples: Sequence[Sample]) -> tuple[Sequence[Sample], str]:
        """Give the samples to learn from, and a remark."""


@runtime_checkable
class CorruptsBatches(Protocol):
    """Decides for each batch what the network sees, and what it is to answer.

    Targets that do not survive warping (affinities, offsets, borders) are made here, from `Batch.labels`.
    """

    def corrupt(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """Change a batch after augmentation."""


@runtime_checkable
class MakesExamples(Protocol):
    """Makes further images to learn from of those that are annotated."""

    def examples(self, sample: Sample, rng: np.random.Generator) -> Iterator[Sample]:
        """Give images made of one that is learnt from, with what is known of them; perhaps none."""


@runtime_checkable
class LearnsFromAnswers(Protocol):
    """Learns from answers of an earlier state of the model where a person has annotated in part only."""

    def is_open(self, sample: Sample) -> bool:
        """Tell whether a checked sample may show more than is annotated, on ground of which nothing is known."""

    def agreed(self, sample: Sample, outputs: Sequence[Floats]) -> Sample:
        """Give an image annotated with what several activated outputs ``C(Z)YX`` of it agree on."""

    def completed(self, sample: Sample, answer: Sample) -> Sample:
        """Add what is in an answer and fits what a person has annotated, where that says nothing."""


@runtime_checkable
class WorksAtScale(Protocol):
    """Has its network see images enlarged or shrunk along YX, as the size of what it looks for asks."""

    @property
    def working_scale(self) -> float:
        """How many times."""

    def at_working_scale(self) -> Self:
        """Give the task with options that are in pixels as they are at that scale."""


@runtime_checkable
class AsksQuestions(Protocol):
    """Measures quality on images kept aside by a question made of them."""

    def validation_input(self, sample: Sample) -> Sample:
        """Turn a sample kept aside into the question."""


@runtime_checkable
class CountsThings(Protocol):
    """Counts what was found."""

    def count(self, prediction: Prediction, region: npt.NDArray[np.bool_] | None = None) -> tuple[Count, ...]:
        """Count, by kind, in the image or in a region ``(Z)YX`` of it; one that lacks Z counts for every plane."""


@runtime_checkable
class LevelsCounts(Protocol):
    """Makes up for what is common to the errors of all counts, from images trained on."""

    def compare(self, output: Floats, sample: Sample) -> dict[str, float]:
        """Give what `level` needs of an activated output ``C(Z)YX``; quick, without decoding."""

    def level(self, compared: Sequence[Mapping[str, float]]) -> Self:
        """Give the task with what it learnt."""


@runtime_checkable
class CalibratesCounts(Protocol):
    """Learns from images kept aside how far to trust its counts."""

    def calibrate(self, tallies: Sequence[Mapping[str, float]], series: Sequence[str] | None = None) -> Self:
        """Give the task with what it learnt; of no tallies, one that knows nothing.

        `series` names the image that each tally is of, as time points of one say no more about others than one does;
        None = each is of another.
        """


@runtime_checkable
class CalibratesConfidence(Protocol):
    """Learns from images kept aside how sure to be of each thing found."""

    def certainty(self) -> Calibration | None:
        """Give what it has learnt; None = nothing yet."""

    def judge(self, output: Floats, prediction: Prediction, sample: Sample) -> Mapping[str, Judged]:
        """Give what of a result is right, where the truth is known.

        Parameters
        ----------
        output
            What the prediction was decoded from: activated, ``C(Z)YX``.
        """

    def trust(self, judged: Sequence[Mapping[str, Judged]]) -> Self:
        """Give the task with what it learnt of results judged; where they are too few, one that knows nothing."""


@runtime_checkable
class SuspectsMore(Protocol):
    """Tells where it nearly found something."""

    def suspected(self, output: Floats, prediction: Prediction) -> tuple[NearMiss, ...]:
        """Give the places, the likeliest first; `output` as of `CalibratesConfidence.judge`, of one time point."""


@runtime_checkable
class MatchesPoints(Protocol):
    """Says how near a point must lie to the true one."""

    @property
    def spacing(self) -> float:
        """Typical distance of a point to the next, in pixels along X."""

    @property
    def radius(self) -> float:
        """Distance within which a point counts as found, in pixels along X."""

    @property
    def tolerance(self) -> Doubles:
        """The same distance in pixels along ``(Z)YX``."""


@runtime_checkable
class LocatesErrors(Protocol):
    """Tells right from wrong pixel by pixel."""

    def errors(self, prediction: Prediction, sample: Sample) -> npt.NDArray[np.bool_]:
        """Give what of a result is wrong where the truth is known, bool ``(Z)YX``."""


@runtime_checkable
class BringsModel(Protocol):
    """Learns with a model that is no network."""

    def model(self, config: NetworkConfig) -> "FittedModel":
        """Give a model that has learnt nothing yet; `config` says how many channels come in and go out."""


@runtime_checkable
class HasBaseline(Protocol):
    """Should beat a simple method without learning."""

    def baseline(self) -> Baseline:
        """Give the simple method its models are measured beside."""


def hints_of(task: Task) -> PlanningHints:
    """Give what a task asks of patches and network; the usual ones if nothing."""
    return task.hints if isinstance(task, HintsPlan) else PlanningHints()


def network_for(task: Task, config: NetworkConfig) -> NetworkConfig:
    """Give the shape of the network, as it is unless the task needs another."""
    return task.network(config) if isinstance(task, ShapesNetwork) else config


def augmentation_for(task: Task, config: AugmentationConfig) -> AugmentationConfig:
    """Give how patches are varied, as chosen unless that would spoil what is learnt."""
    return task.augmentation(config) if isinstance(task, LimitsAugmentation) else config


def arranged(task: Task, samples: Sequence[Sample]) -> tuple[Sequence[Sample], str]:
    """Give the samples to learn from, as they are unless the task makes others of them, and a remark."""
    return task.arrange(samples) if isinstance(task, ArrangesSamples) else (samples, "")


def examples_of(task: Task, sample: Sample, rng: np.random.Generator) -> Sequence[Sample]:
    """Give what a task makes of an image that is learnt from, to learn from as well; nothing unless it does so."""
    return tuple(task.examples(sample, rng)) if isinstance(task, MakesExamples) else ()


def working_scale(task: Task, dims: int) -> tuple[float, ...]:
    """Give how many times images are enlarged along ``(Z)YX`` before the network sees them; planes never are."""
    scale = task.working_scale if isinstance(task, WorksAtScale) else 1.0
    return (*[1.0] * (dims - 2), scale, scale)


def at_working_scale(task: Task) -> Task:
    """Give the task for answers at its working scale."""
    return task.at_working_scale() if isinstance(task, WorksAtScale) else task


def question_for(task: Task, sample: Sample) -> Sample:
    """Give what is asked of an image kept aside: the image itself unless the task hides something of it."""
    return task.validation_input(sample) if isinstance(task, AsksQuestions) else sample


def corrupted(task: Task, batch: Batch, rng: np.random.Generator) -> Batch:
    """Give what the network sees of a batch, and what it is to answer: the batch itself unless the task changes it."""
    return task.corrupt(batch, rng) if isinstance(task, CorruptsBatches) else batch


def counter_of(task: Task) -> CountFunction | None:
    """Give what counts, if the task does."""
    return task.count if isinstance(task, CountsThings) else None


def calibrated(task: Task, tallies: Sequence[Mapping[str, float]] = (), series: Sequence[str] | None = None) -> Task:
    """Give the task with what images kept aside taught it, if it learns from them; `series` as of `calibrate`."""
    return task.calibrate(tallies, series) if isinstance(task, CalibratesCounts) else task


def judged_by(task: Task, output: Floats, prediction: Prediction, sample: Sample) -> Mapping[str, Judged]:
    """Give what of a result is right; nothing unless the task learns from it."""
    return task.judge(output, prediction, sample) if isinstance(task, CalibratesConfidence) else {}


def trusting(task: Task, judged: Sequence[Mapping[str, Judged]]) -> Task:
    """Give the task with what results judged taught it of how sure to be, if it learns from them."""
    return task.trust(judged) if isinstance(task, CalibratesConfidence) else task


def suspected_by(task: Task, output: Floats, prediction: Prediction) -> tuple[NearMiss, ...]:
    """Give the places where a task nearly found something; none unless it tells."""
    return task.suspected(output, prediction) if isinstance(task, SuspectsMore) else ()


def baseline_of(task: Task) -> Baseline | None:
    """Give the simple method that models of a task are measured beside, if there is one."""
    return task.baseline() if isinstance(task, HasBaseline) else None
