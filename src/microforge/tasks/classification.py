"""Classes of whole images: in focus or not, treated or control; one class per image, in 2D and 3D.

The encoder of the U-Net gives, for every place, how much speaks for each class and how far the place is to be heeded;
the answer for the image is their weighted mean (attention pooling: Ilse et al. 2018, arXiv 1802.04712). Being a mean
over places, it is the same whether an image is predicted whole or in tiles, and images may be of any size.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import numpy.typing as npt

from microforge.annotations import IMAGE_CLASSES, AnnotationKind
from microforge.annotations.pieces import CLASSED_IMAGES, Enough
from microforge.answers import IMAGE_CLASS, AnswerKind
from microforge.answers.quality import Quality, image_class_quality
from microforge.config import NetworkConfig, fitted_field
from microforge.errors import AnnotationError
from microforge.tasks.abilities import PlanningHints
from microforge.tasks.base import Direction, Task, TaskOptions
from microforge.tasks.baselines import Baseline, MajorityClass
from microforge.tasks.readiness import Goals, Readiness
from microforge.types import Batch, Prediction, Sample, Target

if TYPE_CHECKING:
    import torch


class ClassificationOptions(TaskOptions):
    """Settings of the classification of images."""

    names: tuple[str, ...] = fitted_field((), title="Classes", description="Names of the classes.")
    weights: tuple[float, ...] = fitted_field(
        (),
        title="Weights",
        description="How much an image of each class counts in training, so that rare classes are learnt too.",
    )


class Classification(Task):
    """Give each image a class."""

    name: ClassVar[str] = "classification"
    title: ClassVar[str] = "Classify images"
    group: ClassVar[str] = "Find"
    place: ClassVar[int] = 4
    description: ClassVar[str] = "Give a few images of each class their class; every image then gets one."
    annotation: ClassVar[AnnotationKind] = IMAGE_CLASSES
    answer: ClassVar[AnswerKind] = IMAGE_CLASS
    monitor: ClassVar[tuple[str, Direction]] = ("accuracy", "max")
    result: ClassVar[str] = "class"
    Options: ClassVar[type[TaskOptions]] = ClassificationOptions
    enough: ClassVar[Enough] = CLASSED_IMAGES
    goals: ClassVar[Goals | None] = Goals(3, 10, "image", of_each=True)
    options: ClassificationOptions

    @property
    def out_channels(self) -> int:
        """One per class, and how far a place is to be heeded."""
        return len(self.options.names) + 1

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes it knows."""
        return self.options.names

    @property
    def hints(self) -> PlanningHints:
        """A class may show in some places only: a patch should hold one of them."""
        return PlanningHints(patch_scale=2)

    def network(self, config: NetworkConfig) -> NetworkConfig:
        """Take the encoder only."""
        return config.model_copy(update={"head": "image"})

    def fit(self, samples: Sequence[Sample]) -> Self:
        """Take the classes, and how often they occur, from the samples."""
        count = Counter(sample.class_name for sample in samples)
        names = tuple(dict.fromkeys((*self.options.names, *sorted(count))))
        weights = tuple(len(samples) / (len(count) * count[name]) if count[name] else 1.0 for name in names)
        return self.with_options(names=names, weights=weights)

    def check(self, sample: Sample) -> Sample:
        """Refuse images without a class, or with one the model does not know."""
        names = self.options.names
        if not sample.class_name:
            raise AnnotationError("It has no class.", where=sample.name, remedy="Give it one, or leave it out.")
        if names and sample.class_name not in names:
            raise AnnotationError(
                f"Its class '{sample.class_name}' is not one of {', '.join(names)}.",
                where=sample.name,
                remedy="Correct the name of the class, or train a model for these classes.",
            )
        return sample

    def without_new(self, sample: Sample) -> tuple[Sample, str]:
        """Refuse an image of a class that was not there before: there is nothing else to learn from it."""
        if sample.class_name and sample.class_name not in self.options.names:
            raise AnnotationError(
                f"{sample.class_name} is a new class, which the training under way cannot learn.",
                remedy="Press Stop, then Continue, to learn it.",
            )
        return sample, ""

    def describe(self, samples: Sequence[Sample]) -> Readiness:
        """Count the images of each class."""
        count = Counter(sample.class_name for sample in samples if sample.class_name)
        text = ", ".join(f"{number} {name}" for name, number in sorted(count.items())) or "no image has a class"
        if len(count) > 1:
            return Readiness(text, headway=self.headway(samples))
        return Readiness(text, "Give images of at least two classes their class.")

    def encode(self, sample: Sample) -> Target:
        """Give the number of the class at every pixel."""
        shape = (1, *sample.image.shape[1:])
        number = self.options.names.index(sample.class_name)
        return Target(np.full(shape, number, np.float32), sample.weight)

    def loss(self, output: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """Cross entropy of the answers for the patches, each class weighing the same."""
        import torch
        from torch.nn import functional

        attended = batch.weight.flatten(1).sum(1)
        # The number fades at the border of a warped window, and is whole inside.
        number = batch.target.flatten(1).amax(1)
        answer = _pooled(self.activate(output), batch.weight)
        weights = torch.tensor(self.options.weights, device=answer.device)
        return functional.cross_entropy(answer[attended > 0], number[attended > 0].round().long(), weights)

    def activate(self, output: "torch.Tensor") -> "torch.Tensor":
        """What speaks for each class, and how far a place is to be heeded, 0..1."""
        import torch

        return torch.cat([output[:, :-1], output[:, -1:].sigmoid()], dim=1)

    def decode(self, output: npt.NDArray[np.float32]) -> Prediction:
        """Take the weighted mean over all places."""
        attention = output[-1].astype(np.float64)
        answer = (output[:-1] * attention).reshape(len(output) - 1, -1).sum(1) / max(float(attention.sum()), 1e-12)
        odds = np.exp(answer - answer.max())
        probability = odds / odds.sum()
        names = self.options.names
        statistics = {f"P({name})": float(p) for name, p in zip(names, probability, strict=True)}
        return Prediction(class_name=names[int(probability.argmax())], statistics=statistics)

    def learnt(self) -> dict[str, str]:
        """Name the classes."""
        return {"classes": ", ".join(self.options.names)}

    def baseline(self) -> Baseline:
        """The most frequent class."""
        return MajorityClass()

    def statistics(self, prediction: Prediction, sample: Sample) -> dict[str, float]:
        """Give the probability of each class."""
        return dict(prediction.statistics)

    def degenerate(self, prediction: Prediction) -> str:
        """Give the class."""
        return f"the class {prediction.class_name}"

    def tally(self, prediction: Prediction, sample: Sample) -> dict[str, float]:
        """Note the true class and the one found."""
        right = prediction.class_name == sample.class_name
        return {"images": 1, "right": float(right), f"{sample.class_name} -> {prediction.class_name}": 1}

    @classmethod
    def in_words(cls, metrics: Mapping[str, float]) -> Quality | None:
        """Say how many images get their class."""
        return image_class_quality(metrics)

    def summarise(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Accuracy, its mean over the classes that occur, and of each class the part that was found."""
        recalls = {}
        for name in self.options.names:
            total = sum(tally.get(f"{name} -> {other}", 0) for other in self.options.names)
            if total:
                recalls[f"found {name}"] = tally.get(f"{name} -> {name}", 0) / total
        accuracy = tally["right"] / max(tally["images"], 1)
        return {"accuracy": accuracy, "balanced accuracy": float(np.mean(list(recalls.values()))), **recalls}


def _pooled(activated: "torch.Tensor", weight: "torch.Tensor") -> "torch.Tensor":
    """Give the weighted mean over all places ``NK`` of what speaks for the classes."""
    attention = activated[:, -1:] * weight
    answer = (activated[:, :-1] * attention).flatten(2).sum(2)
    mean: torch.Tensor = answer / attention.flatten(1).sum(1, keepdim=True).clamp_min(1e-6)
    return mean
