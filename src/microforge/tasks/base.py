"""The interface of a task: targets, loss, decoding, scores.

A new task is one new file in this folder with one subclass of `Task`. What only some tasks can do is in `abilities`.

Torch is imported only inside functions: panels and the command line read titles and options without it.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from microforge.annotations import AnnotationKind
from microforge.annotations.pieces import WHOLE_IMAGES, Enough, Pieces, of_image
from microforge.answers import AnswerKind
from microforge.answers.quality import Quality, plain_quality
from microforge.config import Settings
from microforge.errors import SettingsError
from microforge.events import RunAdvice
from microforge.tasks.readiness import Goals, Headway, Readiness, headway_of
from microforge.types import Batch, Prediction, Sample, Target, Unpainted

if TYPE_CHECKING:
    import torch

Direction = Literal["max", "min"]


class TaskOptions(Settings):
    """Base of a task's settings; kept in the model."""


class Task(ABC):
    """What to learn: how annotations become targets, what the loss is, how outputs become results.

    A task is immutable: its options are all its state.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    description: ClassVar[str]
    #: What is learnt from, and what the answer is.
    annotation: ClassVar[AnnotationKind]
    answer: ClassVar[AnswerKind]
    #: The metric that decides which weights are best, and the direction in which it improves.
    monitor: ClassVar[tuple[str, Direction]]
    #: What the results are, for names of layers: objects, classes, denoised.
    result: ClassVar[str] = "result"
    #: Where it stands among the goals that people are offered: a group of them, and the order in it.
    group: ClassVar[str] = "More"
    place: ClassVar[int] = 100
    #: What ground may be on which nothing is painted, in a window; the usual choice first.
    unpainted_choices: ClassVar[tuple[Unpainted, ...]] = ("background", "unknown")
    #: The option that names the classes which label values stand for; empty where a label is an object.
    class_option: ClassVar[str] = ""
    Options: ClassVar[type[TaskOptions]] = TaskOptions
    #: How much must be annotated before some of it is kept aside.
    enough: ClassVar[Enough] = WHOLE_IMAGES
    #: How much must be annotated for a first model and for a good one; None where one image is enough.
    goals: ClassVar[Goals | None] = None

    def __init__(self, options: TaskOptions | None = None) -> None:
        self.options = options or self.Options()

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Self:
        """Build the task from settings by name.

        Raises
        ------
        SettingsError
            If a name is unknown or a value out of range.
        """
        try:
            return cls(cls.Options(**options))
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            known = ", ".join(cls.Options.model_fields)
            raise SettingsError(
                f"The setting '{name}' of the task {cls.name} cannot be used: {first['msg']}.",
                remedy=f"Settings of this task: {known}.",
            ) from error

    def fit(self, samples: Sequence[Sample]) -> Self:
        """Give the task with what it must know of the data (class names, object sizes) filled into its options."""
        return self

    def with_options(self, **values: Any) -> Self:
        """Give the task with some options changed; they are not checked."""
        return type(self)(self.options.model_copy(update=values))

    @property
    def out_channels(self) -> int:
        """Number of channels the network must give."""
        return 1

    @property
    def keeps_intensities(self) -> bool:
        """Whether targets and predicted images are intensities of the input, normalised and turned back with it."""
        return False

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the channels of an answer that is an image; empty where they have none."""
        return ()

    @property
    def label_classes(self) -> Mapping[int, str]:
        """What label values stand for; empty where each label is an object."""
        return dict(getattr(self.options, self.class_option)) if self.class_option else {}

    @property
    def blank_means_none(self) -> bool:
        """Whether an image on which nothing is annotated says that there is nothing."""
        return False

    def advise(self, samples: Sequence[Sample]) -> Iterator[RunAdvice]:
        """Say what is odd about samples that passed `check`; runs once, before training."""
        yield from ()

    def check(self, sample: Sample) -> Sample:
        """Give the sample with a usable annotation (right dtype, no negative labels); as it is unless a task looks.

        Raises
        ------
        AnnotationError
            If the annotation cannot be used; says why and what to do.
        """
        return sample

    def without_new(self, sample: Sample) -> tuple[Sample, str]:
        """Give what a fitted task can learn of a sample that was changed since, and in words what it cannot.

        That is a class or kind that nothing was annotated with when training began: the network has no answer for it.

        Raises
        ------
        AnnotationError
            If nothing of the change can be learnt for that reason.
        """
        return sample, ""

    def changes(self, given: Sample, used: Sample) -> str:
        """Say in words what `check` changed in a sample (points merged, a mask that was split), or nothing."""
        return ""

    def describe(self, samples: Sequence[Sample]) -> Readiness:
        """Count what is annotated and say what is missing, for a panel. Fast: runs while a person paints."""
        text = f"{len(samples)} image{'s' * (len(samples) != 1)}"
        return Readiness(text, "" if samples else "Choose at least one image.", self.headway(samples))

    def headway(self, samples: Sequence[Sample]) -> Headway | None:
        """Tell how much of what a good model needs is annotated; None where that cannot be said."""
        if self.goals is None or not samples:
            return None
        counts: Counter[str] = Counter()
        for sample in samples:
            counts.update(self.pieces(sample).counts())
        return headway_of(counts, self.goals)

    def learnt(self) -> dict[str, str]:
        """Say in words what a model has learnt of the data besides weights, by name."""
        return {}

    @abstractmethod
    def encode(self, sample: Sample) -> Target:
        """Turn the annotation of a sample into what the network should answer."""

    def pieces(self, sample: Sample) -> Pieces:
        """Give what is annotated piece by piece, by which it is decided what may be kept aside."""
        return of_image(sample)

    def focus(self, sample: Sample) -> npt.NDArray[np.float32]:
        """Give the places patches should be cut around, ``(N, D)`` in pixels; empty = anywhere."""
        return np.zeros((0, sample.image.ndim - 1), np.float32)

    @abstractmethod
    def loss(self, output: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """Give the scalar loss of raw network outputs ``NC(Z)YX``."""

    def activate(self, output: "torch.Tensor") -> "torch.Tensor":
        """Turn raw outputs ``NC(Z)YX`` into the quantities `decode` reads (probabilities, distances)."""
        return output

    @abstractmethod
    def decode(self, output: npt.NDArray[np.float32]) -> Prediction:
        """Turn a whole image's activated output ``C(Z)YX`` into the result."""

    def statistics(self, prediction: Prediction, sample: Sample) -> dict[str, float]:
        """Measure a result on the whole image without knowing the truth; quick, as every predicted image passes."""
        return {}

    def degenerate(self, prediction: Prediction) -> str:
        """Say in words where a result is what a model gives that has learnt nothing, else nothing.

        It is told where the results of all images are alike and no better than a simple method's.
        """
        return ""

    @abstractmethod
    def tally(self, prediction: Prediction, sample: Sample) -> dict[str, float]:
        """Count what `summarise` needs; counts of several images may be added up."""

    @abstractmethod
    def summarise(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Turn added-up counts into metrics; holds the metric named by `monitor`."""

    @classmethod
    def in_words(cls, metrics: Mapping[str, float]) -> Quality | None:
        """Say in plain words how good a model is whose metrics these are; None where they do not tell."""
        return plain_quality(metrics, cls.monitor[0])

    def metric_noise(self, images: int) -> float:
        """By which part the metric named by `monitor` varies for no reason, measured on so many images.

        The last average of the weights is kept unless an earlier one was better by more than this.
        """
        return 0.01

    def summarise_all(self, tallies: Iterable[Mapping[str, float]]) -> dict[str, float]:
        """Give the metrics of several images together."""
        total: Counter[str] = Counter()
        for tally in tallies:
            total.update(tally)
        return self.summarise(total)

    def score(self, prediction: Prediction, sample: Sample) -> dict[str, float]:
        """Give the metrics of one image."""
        return self.summarise(self.tally(prediction, sample))
