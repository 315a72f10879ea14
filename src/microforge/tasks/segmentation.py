"""Semantic segmentation: every pixel gets one of K classes, from dense labels or scribbles."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from microforge.annotations import LABELS, AnnotationKind
from microforge.annotations.pieces import STROKES, Enough, Pieces, of_strokes
from microforge.answers import PIXEL_CLASSES, AnswerKind
from microforge.answers.quality import Quality, pixel_class_quality
from microforge.config import NetworkConfig, choice_field
from microforge.errors import AnnotationError
from microforge.label_numbers import ClassPlanes
from microforge.tasks.base import Direction, Task, TaskOptions
from microforge.tasks.baselines import Baseline, MajorityPixel
from microforge.tasks.label_images import checked_labels
from microforge.tasks.readiness import Goals, Readiness
from microforge.types import Batch, Prediction, Sample, Target, Unpainted

if TYPE_CHECKING:
    import torch

FOCUS_POINTS_PER_CLASS = 500
MOST_CLASSES = 64
#: The largest label value: labels are kept as int32.
MOST_VALUE = 2**31 - 1


class SegmentationOptions(TaskOptions):
    """Settings of pixel classification."""

    classes: dict[int, str] = Field(
        default_factory=dict,
        title="Classes",
        description="Label value and name of each class; empty = the values found in the annotations.",
    )
    unpainted: Literal["background", "unknown"] = choice_field(
        "background",
        title="Label files: unpainted is",
        choices={
            "background": "value 0 is a class of its own",
            "unknown": "nothing is learnt there (scribbles)",
        },
    )


class Segmentation(Task):
    """Classify pixels."""

    name: ClassVar[str] = "segmentation"
    title: ClassVar[str] = "Classify pixels"
    group: ClassVar[str] = "Find"
    place: ClassVar[int] = 3
    result: ClassVar[str] = "pixel classes"
    description: ClassVar[str] = "Paint a few strokes or whole areas of each class; every pixel gets a class."
    annotation: ClassVar[AnnotationKind] = LABELS
    answer: ClassVar[AnswerKind] = PIXEL_CLASSES
    monitor: ClassVar[tuple[str, Direction]] = ("Dice", "max")
    class_option: ClassVar[str] = "classes"
    #: Classes are usually scribbled: what is not painted is not background then.
    unpainted_choices: ClassVar[tuple[Unpainted, ...]] = ("unknown", "background")
    Options: ClassVar[type[TaskOptions]] = SegmentationOptions
    enough: ClassVar[Enough] = STROKES
    goals: ClassVar[Goals | None] = Goals(2, 6, "stroke", of_each=True)
    options: SegmentationOptions

    @property
    def values(self) -> list[int]:
        """Label values of the classes, in the order of the channels."""
        return sorted(self.options.classes)

    @property
    def out_channels(self) -> int:
        """One per class."""
        return max(len(self.values), 1)

    def network(self, config: NetworkConfig) -> NetworkConfig:
        """Answer as coarsely as labels may: what matters is on which side of a threshold an answer lies."""
        return config.model_copy(update={"graded": False})

    def fit(self, samples: Sequence[Sample]) -> Self:
        """Take the classes from what is annotated; names already given stay."""
        found: set[int] = set()
        for sample in samples:
            if sample.annotation is not None:
                found |= set(np.unique(sample.annotation[sample.known]).tolist())
        names = {value: self.options.classes.get(value) or _default_name(value) for value in sorted(found)}
        names |= {v: n for v, n in self.options.classes.items() if v not in names}
        return self.with_options(classes=dict(sorted(names.items())))

    def check(self, sample: Sample) -> Sample:
        """Refuse labels that cannot be classes, and note where nothing is said."""
        if sample.outlined:
            raise AnnotationError(
                "Outlines are annotations of objects; classes of pixels are learnt from label images.",
                where=sample.name,
                remedy="Choose 'Segment objects', or export a label image with a number for each class (QuPath: "
                "LabeledImageServer).",
            )
        _check_values(sample)
        sample = checked_labels(sample)
        if self.options.unpainted == "unknown" and sample.mask is None and sample.annotation is not None:
            return replace(sample, mask=sample.annotation > 0)
        return sample

    def without_new(self, sample: Sample) -> tuple[Sample, str]:
        """Tell of classes that were not there before; their pixels count for nothing, all others are learnt."""
        labels = sample.annotation
        if labels is None or labels.shape != sample.known.shape:
            return sample, ""
        found = set(np.unique(labels[sample.known]).tolist()) - set(self.values)
        new = sorted(found - {0} if self.options.unpainted == "unknown" else found)
        return sample, "; ".join(f"{self._title(value)} is a new class" for value in new)

    def describe(self, samples: Sequence[Sample]) -> Readiness:
        """Count the annotated pixels of each class."""
        pixels: Counter[int] = Counter()
        for sample in samples:
            if sample.annotation is not None:
                known = sample.annotation if sample.mask is None else sample.annotation[sample.mask]
                values, counts = np.unique(known, return_counts=True)
                pixels.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))
        parts = [f"{self._title(value)}: {count:,} px" for value, count in sorted(pixels.items())]
        missing = self._missing(pixels)
        return Readiness("; ".join(parts) or "nothing painted", missing, None if missing else self.headway(samples))

    def pieces(self, sample: Sample) -> Pieces:
        """Give the strokes of each class."""
        values = np.unique(sample.annotation) if sample.annotation is not None else ()
        return of_strokes(sample, {int(value): self._title(int(value)) for value in values})

    def _missing(self, pixels: Counter[int]) -> str:
        if not any(pixels):
            return "Paint at least two classes, each with its own label value."
        if len(pixels) > MOST_CLASSES:
            return f"{len(pixels)} classes are too many: these look like objects. Choose 'Segment objects'."
        if len(pixels) == 1:
            return f"Only one class ({self._title(next(iter(pixels)))}): paint a second one."
        return ""

    def _title(self, value: int) -> str:
        return self.options.classes.get(value) or _default_name(value)

    def encode(self, sample: Sample) -> Target:
        """Give one channel per class, 0 or 1, and where a class is known."""
        assert sample.annotation is not None
        labels = sample.annotation
        planes = ClassPlanes(labels, self.values)
        known = sample.known & (planes.numbers < len(self.values))
        return Target(planes, known[None].astype(np.float32))

    def focus(self, sample: Sample) -> npt.NDArray[np.float32]:
        """Give pixels of every painted class, equally many of each, so that rare classes are seen."""
        known, rng = sample.known, np.random.default_rng(0)
        chosen = []
        for value in self.values:
            places = np.argwhere(known & (sample.annotation == value))
            if len(places):
                chosen.append(places[rng.choice(len(places), FOCUS_POINTS_PER_CLASS)])
        return np.concatenate(chosen).astype(np.float32) if chosen else super().focus(sample)

    def loss(self, output: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """Cross entropy and Dice; the second keeps rare classes from being ignored."""
        from microforge import losses

        pixelwise = losses.cross_entropy(output, batch.target, batch.weight)
        return pixelwise + 0.5 * losses.soft_dice(output.softmax(1), batch.target, batch.weight)

    def activate(self, output: "torch.Tensor") -> "torch.Tensor":
        """Class probabilities."""
        return output.softmax(1)

    def decode(self, output: npt.NDArray[np.float32]) -> Prediction:
        """Give the likeliest class of each pixel, as its label value."""
        return Prediction(labels=np.array(self.values, np.int32)[output.argmax(0)])

    def baseline(self) -> Baseline:
        """The most frequent class everywhere."""
        return MajorityPixel()

    def errors(self, prediction: Prediction, sample: Sample) -> npt.NDArray[np.bool_]:
        """Give where the class is another one."""
        assert prediction.labels is not None
        assert sample.annotation is not None
        return np.asarray((prediction.labels != sample.annotation) & sample.known)

    def degenerate(self, prediction: Prediction) -> str:
        """Tell of one class everywhere."""
        assert prediction.labels is not None
        first = prediction.labels.flat[0]
        return f"{self._title(int(first))} everywhere" if (prediction.labels == first).all() else ""

    @classmethod
    def in_words(cls, metrics: Mapping[str, float]) -> Quality | None:
        """Say of each class how well it is found."""
        return pixel_class_quality(metrics)

    def tally(self, prediction: Prediction, sample: Sample) -> dict[str, float]:
        """Count pixels per class: in both, in the truth, in the prediction."""
        assert prediction.labels is not None and sample.annotation is not None  # noqa: PT018
        known = sample.known
        truth, found = sample.annotation[known], prediction.labels[known]
        counts: dict[str, float] = {}
        for value in self.values:
            counts[f"both {value}"] = float(((truth == value) & (found == value)).sum())
            counts[f"truth {value}"] = float((truth == value).sum())
            counts[f"found {value}"] = float((found == value).sum())
        return counts

    def summarise(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Dice and IoU per class, and the mean Dice over the classes that occur."""
        scores: dict[str, float] = {}
        for value in self.values:
            both, size = tally[f"both {value}"], tally[f"truth {value}"] + tally[f"found {value}"]
            if size:
                scores[f"Dice {self._title(value)}"] = 2 * both / size
                scores[f"IoU {self._title(value)}"] = both / (size - both)
        dice = [score for name, score in scores.items() if name.startswith("Dice ")]
        return {"Dice": float(np.mean(dice)) if dice else 0.0, **scores}


def _check_values(sample: Sample) -> None:
    """Refuse numbers that cannot be kept as the value of a class; objects may have any, as theirs mean nothing."""
    labels = sample.annotation
    if labels is not None and labels.dtype.kind in "uif" and labels.size and labels.max() > MOST_VALUE:
        raise AnnotationError(
            f"The label value {labels.max():.0f} is too large for a class.",
            where=sample.name,
            remedy=f"Give the classes small whole numbers, up to {MOST_VALUE}.",
        )


def _default_name(value: int) -> str:
    return "background" if value == 0 else f"class {value}"
