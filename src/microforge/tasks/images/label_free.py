"""Label-free prediction: what a stain would show, from transmitted-light images.

After in silico labelling (Christiansen et al. 2018, doi 10.1016/j.cell.2018.03.040) and Ounkomol et al. 2018
(doi 10.1038/s41592-018-0111-2).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from microforge.annotations import IMAGE_PAIRS, AnnotationKind
from microforge.answers.quality import Quality, likeness_quality
from microforge.config import AugmentationConfig
from microforge.tasks.base import Direction, TaskOptions
from microforge.tasks.images.base import ImageOptions, ImageTask
from microforge.tasks.images.pair_checks import refuse_other_size, target_of
from microforge.tasks.images.ranges import TargetRanges
from microforge.tasks.readiness import Goals
from microforge.types import Batch, Prediction, Sample, Target

if TYPE_CHECKING:
    import torch


class LabelFreeOptions(ImageOptions, TargetRanges):
    """Settings of label-free prediction."""


class LabelFree(ImageTask):
    """Predict fluorescence from transmitted light."""

    name: ClassVar[str] = "label-free"
    title: ClassVar[str] = "Predict a stain"
    group: ClassVar[str] = "Improve"
    place: ClassVar[int] = 3
    description: ClassVar[str] = (
        "Predict fluorescence from transmitted light (phase contrast, bright field). Needs pairs: the same field with "
        "and without the stain; several stains at once if you like."
    )
    annotation: ClassVar[AnnotationKind] = IMAGE_PAIRS
    monitor: ClassVar[tuple[str, Direction]] = ("Pearson r", "max")
    result: ClassVar[str] = "predicted"
    image_name: ClassVar[str] = "predicted"
    Options: ClassVar[type[TaskOptions]] = LabelFreeOptions
    goals: ClassVar[Goals | None] = Goals(1, 5, "pair")
    options: LabelFreeOptions

    @property
    def keeps_intensities(self) -> bool:
        """The result has the units of the stain, not those of the input."""
        return False

    def augmentation(self, config: AugmentationConfig) -> AugmentationConfig:
        """Vary as for labels: pairs are few, and noise is not what is learnt."""
        return config

    def fit(self, samples: Sequence[Sample]) -> Self:
        """Measure the range of each stain over all targets."""
        return super().fit(samples).with_options(**TargetRanges.of(samples))

    def check(self, sample: Sample) -> Sample:
        """Refuse pairs whose sizes do not fit."""
        target = target_of(sample)
        refuse_other_size(sample, target, "Both must be of one size, and show the same field.")
        return replace(sample, annotation=target)

    def encode(self, sample: Sample) -> Target:
        """Give the stains, each in its range."""
        return self.options.normalised(super().encode(sample))

    def decode(self, output: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]") -> Prediction:
        """Give the stains in their own units."""
        return super().decode(self.options.recorded(output))

    def loss(self, output: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """Mean squared error."""
        from microforge import losses

        return losses.squared_error(output, batch.target, batch.weight)

    @classmethod
    def in_words(cls, metrics: Mapping[str, float]) -> Quality | None:
        """Say how like the real stain a predicted one is."""
        return likeness_quality(metrics, "the real stain")

    def summarise(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Give the correlation first."""
        means = super().summarise(tally)
        return {"Pearson r": means.pop("Pearson r"), **means}
