"""Restoration from pairs: what a noisy, dim or blurred image would look like if it had been recorded better.

As CARE (Weigert et al. 2018, doi 10.1038/s41592-018-0216-7), but targets are fitted to their images linearly, pair by
pair, so that the result has the intensities of the input and exposure does not have to be the same in all pairs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from microforge.annotations import IMAGE_PAIRS, AnnotationKind
from microforge.config import NetworkConfig, choice_field, fitted_field
from microforge.events import RunAdvice
from microforge.intensities import plain
from microforge.metrics import images as image_metrics
from microforge.tasks.base import Direction, TaskOptions
from microforge.tasks.images.base import ImageOptions, ImageTask, noise_statistics
from microforge.tasks.images.pair_checks import (
    is_near,
    matched,
    refuse_other_size,
    refuse_swapped,
    refuse_unrelated,
    target_of,
)
from microforge.tasks.images.ranges import TargetRanges
from microforge.tasks.readiness import Goals
from microforge.types import Batch, Prediction, Sample, Target

if TYPE_CHECKING:
    import torch

#: Pairs displaced by more pixels than this are pointed out.
DISPLACED = 1.0
#: Weight of the structural similarity in the mixed loss.
STRUCTURE = 0.1


class RestorationOptions(ImageOptions, TargetRanges):
    """Settings of restoration."""

    loss: Literal["MSE", "L1", "mixed"] = choice_field(
        "MSE",
        title="Loss",
        choices={
            "MSE": "best on average (highest PSNR)",
            "L1": "less bothered by outliers",
            "mixed": "L1 and structural similarity, for crisper images",
        },
    )
    match: bool = Field(
        True,
        title="Match intensities",
        description="Fit each target to its image linearly, so that results have the intensities of the input. Off: "
        "targets are taken as recorded, in the same units as the images.",
    )
    residual: Literal["auto", "on", "off"] = Field(
        "auto",
        title="Add to input",
        description="The network gives what is to be added to its input (on), or the image itself (off: better where "
        "noise is strong); auto: on where image and target differ little.",
    )
    noisier_target: bool = Field(
        False,
        title="Target may be noisier",
        description="Accept targets with more noise than their images, which otherwise look like a swapped pair.",
    )
    same_kind: bool = fitted_field(
        True,
        title="Same kind",
        description="Image and target have the same channels; found in the data.",
    )
    adds: bool = fitted_field(
        False,
        title="Adds",
        description="Whether the network adds to its input; found in the data.",
    )


class Restoration(ImageTask):
    """Learn from pairs of images of the same field."""

    name: ClassVar[str] = "restoration"
    title: ClassVar[str] = "Restore from pairs"
    group: ClassVar[str] = "Improve"
    place: ClassVar[int] = 2
    description: ClassVar[str] = (
        "Make noisy, dim or blurred images look like better ones. Needs pairs: the same field recorded both ways."
    )
    annotation: ClassVar[AnnotationKind] = IMAGE_PAIRS
    monitor: ClassVar[tuple[str, Direction]] = ("PSNR after linear fit", "max")
    result: ClassVar[str] = "restored"
    image_name: ClassVar[str] = "restored"
    Options: ClassVar[type[TaskOptions]] = RestorationOptions
    goals: ClassVar[Goals | None] = Goals(1, 5, "pair")
    options: RestorationOptions

    @property
    def keeps_intensities(self) -> bool:
        """Where image and target have the same channels."""
        return self.options.same_kind

    def network(self, config: NetworkConfig) -> NetworkConfig:
        """Give what is to be added to the input, where that is easier."""
        return config.model_copy(update={"residual": self.options.adds})

    def fit(self, samples: Sequence[Sample]) -> Self:
        """Take channels, and the ranges of targets that have other channels than the images."""
        task = super().fit(samples)
        same = all(s.image.shape[0] == target_of(s).shape[0] for s in samples)
        ranges = {} if same else TargetRanges.of(samples)
        wanted = self.options.residual
        adds = same and (wanted == "on" or (wanted == "auto" and is_near(samples)))
        return task.with_options(same_kind=same, adds=adds, **ranges)

    def check(self, sample: Sample) -> Sample:
        """Refuse pairs that cannot be learnt from, and bring the target to the intensities of its image."""
        target = target_of(sample)
        refuse_other_size(sample, target, "Both must be of one size; for a finer target use super-resolution.")
        refuse_unrelated(sample, target)
        if target.shape[0] != sample.image.shape[0]:
            return replace(sample, annotation=target)
        fitted = matched(sample, target)
        if not self.options.noisier_target:
            refuse_swapped(fitted)
        return fitted if self.options.match else replace(sample, annotation=target)

    def advise(self, samples: Sequence[Sample]) -> Iterator[RunAdvice]:
        """Measure how well image and target lie on each other, too."""
        yield from super().advise(samples)
        for sample in samples:
            yield from _displacement_advice(sample)

    def encode(self, sample: Sample) -> Target:
        """Give the target, in its own range where it has other channels than the image."""
        target = super().encode(sample)
        return target if self.options.same_kind else self.options.normalised(target)

    def decode(self, output: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]") -> Prediction:
        """Give the image; with other channels than the input's in the range of the targets."""
        return super().decode(output if self.options.same_kind else self.options.recorded(output))

    def loss(self, output: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """Give the loss chosen."""
        from microforge import losses

        if self.options.loss == "MSE":
            return losses.squared_error(output, batch.target, batch.weight)
        absolute = losses.absolute_error(output, batch.target, batch.weight)
        if self.options.loss == "L1":
            return absolute
        return absolute + STRUCTURE * losses.dissimilarity(output, batch.target, batch.weight)

    def statistics(self, prediction: Prediction, sample: Sample) -> dict[str, float]:
        """Measure noise before and after, where both show the same."""
        return noise_statistics(prediction, sample) if self.options.same_kind else {}


def _displacement_advice(sample: Sample) -> Iterator[RunAdvice]:
    target = target_of(sample)
    planes = [plain(np.asarray(one[0])) for one in (sample.image, target)]
    if planes[0].ndim == 3:
        planes = [plane.max(0) for plane in planes]
    if planes[0].shape != planes[1].shape:
        return
    shift = image_metrics.displacement(*planes)
    if max(abs(length) for length in shift) > DISPLACED:
        text = (
            f"{sample.name}: the target lies {shift[0]:+.1f} pixels in Y and {shift[1]:+.1f} in X off its image. "
            "Register the pair first: the network would learn the shift, and blur."
        )
        yield RunAdvice(f"displaced {sample.name}", text, "warning")
