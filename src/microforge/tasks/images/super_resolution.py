"""Super-resolution from pairs: an image on a grid 2, 3 or 4 times finer, as if recorded with more pixels.

Where noise is weak the network adds to the bicubic interpolation of its input what pairs of coarse and fine images
taught it; else it gives the image itself.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from microforge.annotations import IMAGE_PAIRS, AnnotationKind
from microforge.config import NetworkConfig, choice_field, fitted_field
from microforge.errors import AnnotationError
from microforge.events import RunAdvice
from microforge.tasks.base import Direction, TaskOptions
from microforge.tasks.images.base import ImageOptions, ImageTask
from microforge.tasks.images.pair_checks import factor_of, is_near, matched, refuse_unrelated, same_factor, target_of
from microforge.tasks.readiness import Goals
from microforge.types import Batch, Sample

if TYPE_CHECKING:
    import torch


class SuperResolutionOptions(ImageOptions):
    """Settings of super-resolution."""

    loss: Literal["MSE", "L1"] = choice_field(
        "MSE",
        title="Loss",
        choices={"MSE": "best on average (highest PSNR)", "L1": "less bothered by outliers"},
    )
    factor: int = fitted_field(
        2,
        ge=1,
        le=4,
        title="Factor",
        description="How many times finer; found in the data.",
    )
    adds: bool = fitted_field(
        True,
        title="Adds",
        description="Whether the network adds to its interpolated input: where that differs little from the target; "
        "found in the data.",
    )


class SuperResolution(ImageTask):
    """Learn from pairs of coarse and fine images of the same field."""

    name: ClassVar[str] = "super-resolution"
    title: ClassVar[str] = "Increase resolution"
    group: ClassVar[str] = "Improve"
    place: ClassVar[int] = 4
    description: ClassVar[str] = (
        "Give images on a finer grid. Needs pairs: the same field with few and with 2, 3 or 4 times as many pixels."
    )
    annotation: ClassVar[AnnotationKind] = IMAGE_PAIRS
    monitor: ClassVar[tuple[str, Direction]] = ("PSNR after linear fit", "max")
    result: ClassVar[str] = "upscaled"
    image_name: ClassVar[str] = "upscaled"
    Options: ClassVar[type[TaskOptions]] = SuperResolutionOptions
    goals: ClassVar[Goals | None] = Goals(1, 5, "pair")
    options: SuperResolutionOptions

    def network(self, config: NetworkConfig) -> NetworkConfig:
        """Give a finer grid, and add to the input interpolated onto it where that is easier."""
        return config.model_copy(update={"residual": self.options.adds, "upscale": self.options.factor})

    def fit(self, samples: Sequence[Sample]) -> Self:
        """Take the factor from the sizes of the pairs."""
        return super().fit(samples).with_options(factor=same_factor(samples), adds=is_near(samples))

    def check(self, sample: Sample) -> Sample:
        """Refuse pairs whose sizes do not fit or that show different fields; match intensities."""
        target = target_of(sample)
        factor_of(sample)
        if target.shape[0] != sample.image.shape[0]:
            raise AnnotationError(
                f"The image has {sample.image.shape[0]} channels, its target {target.shape[0]}.",
                where=sample.name,
                remedy="Give pairs with the same channels.",
            )
        refuse_unrelated(sample, target)
        return matched(sample, target)

    def advise(self, samples: Sequence[Sample]) -> Iterator[RunAdvice]:
        """Say what the factor is, too."""
        yield from super().advise(samples)
        factor = same_factor(samples)
        yield RunAdvice("factor", f"Targets are {factor} times finer: results will be so, too.")

    def loss(self, output: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """Give the loss chosen."""
        from microforge import losses

        kind = losses.squared_error if self.options.loss == "MSE" else losses.absolute_error
        return kind(output, batch.target, batch.weight)
