"""What a task is. A new task is one new file in this folder with one subclass of `Task`; nothing else changes.

Torch is imported only inside functions: panels and the command line read titles and options without it.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from microforge.config import AugmentationConfig, NetworkConfig, Settings
from microforge.errors import SettingsError
from microforge.events import RunAdvice
from microforge.types import Annotation, Batch, Count, Prediction, Sample, Target

if TYPE_CHECKING:
    import torch

Direction = Literal["max", "min"]


class TaskOptions(Settings):
    """Base of a task's settings; kept in the model."""


@dataclass(frozen=True)
class Readiness:
    """What the annotations hold, in words, and what is missing before training can start."""

    text: str
    missing: str = ""

    @property
    def ready(self) -> bool:
        """Whether training can start."""
        return not self.missing


class Task(ABC):
    """What to learn: how annotations become targets, what the loss is, how outputs become results.

    A task is immutable: its options are all its state.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    description: ClassVar[str]
    annotation: ClassVar[Annotation]
    #: The metric that decides which weights are best, and the direction in which it improves.
    monitor: ClassVar[tuple[str, Direction]]
    #: Whether each label is an object that can be counted; else a label is a class.
    labels_are_objects: ClassVar[bool] = False
    #: Whether `level` does something, for which images trained on are predicted now and then.
    levels: ClassVar[bool] = False
    #: What the results are, for names of layers: objects, classes, denoised.
    result: ClassVar[str] = "result"
    Options: ClassVar[type[TaskOptions]] = TaskOptions

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

    @property
    def truth(self) -> Annotation:
        """What results are compared with when quality is measured on purpose; mostly what is learnt from."""
        return self.annotation

    @property
    @abstractmethod
    def out_channels(self) -> int:
        """Number of channels the network must give."""

    @property
    def keeps_intensities(self) -> bool:
        """Whether targets and predicted images are intensities of the input, normalised and turned back with it."""
        return False

    def network(self, config: NetworkConfig) -> NetworkConfig:
        """Give the shape of the network, where the task needs another than the usual one."""
        return config

    @property
    def input_downsampling(self) -> int:
        """How many times smaller along YX `corrupt` makes patches: they are cut so many times larger."""
        return 1

    @property
    def patch_scale(self) -> int:
        """How many times larger than usual patches are along YX, where an answer needs to see more at once."""
        return 1

    @property
    def min_receptive_field(self) -> float:
        """How many pixels along X an answer should be drawn from; the network is made as deep as that needs."""
        return 0.0

    @property
    def ignored_border(self) -> tuple[int, ...]:
        """Pixels along ``(Z)YX`` at the border of patches not to learn from: what lies outside decides about them."""
        return ()

    def augmentation(self, config: AugmentationConfig) -> AugmentationConfig:
        """Give how patches may be varied, where some variation would spoil what is to be learnt."""
        return config

    def arrange(self, samples: Sequence[Sample]) -> tuple[Sequence[Sample], str]:
        """Give the samples to learn from, made from several others (frames that repeat each other), and a remark."""
        return samples, ""

    def advise(self, samples: Sequence[Sample]) -> Iterator[RunAdvice]:
        """Say what is odd about samples that passed `check`; runs once, before training."""
        yield from ()

    @abstractmethod
    def check(self, sample: Sample) -> Sample:
        """Give the sample with a usable annotation (right dtype, no negative labels).

        Raises
        ------
        AnnotationError
            If the annotation cannot be used; says why and what to do.
        """

    def changes(self, given: Sample, used: Sample) -> str:
        """Say in words what `check` changed in a sample (dots that were merged, a mask that was split), or nothing."""
        return ""

    @abstractmethod
    def describe(self, samples: Sequence[Sample]) -> Readiness:
        """Count what is annotated and say what is missing, for a panel. Fast: runs while a person paints."""

    @abstractmethod
    def encode(self, sample: Sample) -> Target:
        """Turn the annotation of a sample into what the network should answer."""

    def focus(self, sample: Sample) -> npt.NDArray[np.float32]:
        """Give the places patches should be cut around, ``(N, D)`` in pixels; empty = anywhere."""
        return np.zeros((0, sample.image.ndim - 1), np.float32)

    def corrupt(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """Change a batch after augmentation: what the network sees, and what it is to answer."""
        return batch

    @abstractmethod
    def loss(self, output: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """Give the scalar loss of raw network outputs ``NC(Z)YX``."""

    @abstractmethod
    def activate(self, output: "torch.Tensor") -> "torch.Tensor":
        """Turn raw outputs ``NC(Z)YX`` into the quantities `decode` reads (probabilities, distances)."""

    @abstractmethod
    def decode(self, output: npt.NDArray[np.float32]) -> Prediction:
        """Turn a whole image's activated output ``C(Z)YX`` into the result."""

    def statistics(self, prediction: Prediction, sample: Sample) -> dict[str, float]:
        """Measure a result on the whole image without knowing the truth; quick, as every predicted image passes."""
        return {}

    def count(self, prediction: Prediction, region: npt.NDArray[np.bool_] | None = None) -> tuple[Count, ...]:
        """Count what was found, by kind, in the image or in a region ``(Z)YX`` of it; empty where nothing is counted.

        A region may lack Z: it then counts for every plane.
        """
        return ()

    def compare(self, output: npt.NDArray[np.float32], sample: Sample) -> dict[str, float]:
        """Give what `level` needs of an activated output ``C(Z)YX`` of an image trained on; quick, without decoding."""
        return {}

    def level(self, compared: Sequence[Mapping[str, float]]) -> Self:
        """Give the task with what it learns from images trained on, by `compare`: by how much all counts are off."""
        return self

    def calibrate(self, tallies: Sequence[Mapping[str, float]]) -> Self:
        """Give the task with what it learns from images kept aside, one tally for each: how far to trust its counts."""
        return self

    def validation_input(self, sample: Sample) -> Sample:
        """Turn a sample kept aside into the question that measures quality during training."""
        return sample

    @abstractmethod
    def tally(self, prediction: Prediction, sample: Sample) -> dict[str, float]:
        """Count what `summarise` needs; counts of several images may be added up."""

    @abstractmethod
    def summarise(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Turn added-up counts into metrics; holds the metric named by `monitor`."""

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
