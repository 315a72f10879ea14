"""What image-to-image tasks share: channels, units, quality, checks of pairs."""

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import numpy.typing as npt

from microforge.answers import PREDICTED_IMAGE, AnswerKind
from microforge.answers.quality import Quality, likeness_quality
from microforge.config import AugmentationConfig, fitted_field
from microforge.events import RunAdvice
from microforge.intensities import plain, spread_out, usable
from microforge.metrics import images as image_metrics
from microforge.tasks.base import Task, TaskOptions
from microforge.tasks.baselines import Baseline, Blur, Regression
from microforge.tasks.readiness import Readiness
from microforge.types import Prediction, Sample, Target, finer_window

if TYPE_CHECKING:
    import torch

#: Side of the window in the middle of an image on which noise is measured.
MEASURED_SIDE = 256


class ImageOptions(TaskOptions):
    """Settings of tasks whose answer is an image."""

    channels: int = fitted_field(0, ge=0, title="Channels", description="Output channels; found in the data.")
    channel_names: tuple[str, ...] = fitted_field(
        (),
        title="Channel names",
        description="Of the output channels; found in the data.",
    )


class ImageTask(Task):
    """Base of the tasks whose answer is an image."""

    image_name: ClassVar[str]
    answer: ClassVar[AnswerKind] = PREDICTED_IMAGE
    Options: ClassVar[type[TaskOptions]] = ImageOptions
    options: ImageOptions

    @property
    def out_channels(self) -> int:
        """As many as the targets have."""
        return max(self.options.channels, 1)

    @property
    def output_names(self) -> tuple[str, ...]:
        """Those of the targets."""
        return self.options.channel_names

    @property
    def keeps_intensities(self) -> bool:
        """Input and output show the same thing in the same units."""
        return True

    def fit(self, samples: Sequence[Sample]) -> Self:
        """Take number and names of the channels from the data."""
        first = samples[0]
        shown, names = (
            (first.image, first.channel_names)
            if first.annotation is None
            else (
                first.annotation,
                first.target_names,
            )
        )
        return self.with_options(channels=int(shown.shape[0]), channel_names=names)

    def augmentation(self, config: AugmentationConfig) -> AugmentationConfig:
        """Mirror and turn only: interpolation and other gains would change the noise."""
        return config.model_copy(update={"interpolate": False, "intensity": 0.0})

    def check(self, sample: Sample) -> Sample:
        """Accept every image without a target; a target is only there to be compared with."""
        return sample

    def advise(self, samples: Sequence[Sample]) -> Iterator[RunAdvice]:
        """Point out saturated pixels, and stacks that may be time series."""
        planes = {int(sample.image.shape[1]) for sample in samples if sample.image.ndim == 4}
        if planes and not any(sample.pixel_size for sample in samples):
            text = (
                f"The images are taken as stacks of {max(planes)} planes (Z), which learn together. If these are time "
                "points, name the axes TYX instead."
            )
            yield RunAdvice("stack", text)
        for sample in samples:
            looked_at = np.stack([spread_out(sample.image, channel) for channel in range(sample.image.shape[0])])
            count, level = image_metrics.saturated(looked_at)
            if count:
                share, pixels = count / looked_at.size, prod(sample.image.shape)
                about = "" if looked_at.size == pixels else "about "
                text = f"{sample.name}: {about}{share * pixels:,.0f} pixels ({share:.2%}) are "
                text += f"as bright as can be recorded ({level}); they stay so."
                yield RunAdvice(f"saturated {sample.name}", text)

    def describe(self, samples: Sequence[Sample]) -> Readiness:
        """Count images and pixels."""
        if not samples:
            return Readiness("no images", "Choose at least one image.")
        pixels = sum(int(np.prod(sample.image.shape[1:])) for sample in samples)
        text = f"{len(samples)} image{'s' * (len(samples) > 1)}, {pixels / 1e6:.2g} megapixels"
        return Readiness(text, headway=self.headway(samples))

    def encode(self, sample: Sample) -> Target:
        """Give the image wanted; what is not finite, or lies outside the mask, counts for nothing."""
        assert sample.annotation is not None
        value = np.asarray(sample.annotation, np.float32)
        known = np.asarray(usable(value).all(0))
        if sample.mask is not None:
            known = known & _on_grid(sample.mask, known.shape)
        if known.all():
            return Target(value)
        return Target(np.where(known, value, 0), known[None].astype(np.float32))

    def activate(self, output: "torch.Tensor") -> "torch.Tensor":
        """Intensities are read as they are."""
        return output

    def decode(self, output: npt.NDArray[np.float32]) -> Prediction:
        """Give the image."""
        return Prediction(image=output, image_name=self.image_name, channel_names=self.options.channel_names)

    def baseline(self) -> Baseline:
        """The best blur, or where input and answer differ in kind a regression of the channels."""
        return Blur() if self.keeps_intensities else Regression()

    def tally(self, prediction: Prediction, sample: Sample) -> dict[str, float]:
        """Compare with the truth, image by image."""
        assert prediction.image is not None
        assert sample.annotation is not None
        return {"images": 1.0, **image_metrics.likeness(sample.annotation, prediction.image)}

    @classmethod
    def in_words(cls, metrics: Mapping[str, float]) -> Quality | None:
        """Say how like its target an image becomes."""
        return likeness_quality(metrics, "the target")

    def summarise(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Give the means over the images."""
        return {name: value / tally["images"] for name, value in tally.items() if name != "images"}


def noise_statistics(prediction: Prediction, sample: Sample) -> dict[str, float]:
    """Measure noise before and after, and what was removed, in a window in the middle of the image."""
    assert prediction.image is not None
    window = _middle(tuple(sample.image.shape[1:]))
    finer = prediction.image.shape[-1] // sample.image.shape[-1]
    before = plain(np.asarray(sample.image[(slice(None), *window)]))
    after = prediction.image[(slice(None), *finer_window(window, finer))]
    statistics = {
        "noise before": float(np.mean([image_metrics.noise_level(channel) for channel in before])),
        "noise after": float(np.mean([image_metrics.noise_level(channel) for channel in after])),
    }
    if before.shape == after.shape:
        removed = [image_metrics.residual_correlation(b - a) for b, a in zip(before, after, strict=True)]
        statistics["residual correlation"] = float(np.mean(removed))
    return statistics


def _middle(shape: tuple[int, ...]) -> tuple[slice, ...]:
    starts = [max(0, (n - MEASURED_SIDE) // 2) for n in shape[-2:]]
    sides = [slice(a, min(a + MEASURED_SIDE, n)) for a, n in zip(starts, shape[-2:], strict=True)]
    planes = [slice(n // 2, n // 2 + 1) for n in shape[:-2]]
    return (*planes, *sides)


def _on_grid(mask: npt.NDArray[np.bool_], shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Give a mask on a grid whose YX is finer."""
    factor = shape[-1] // mask.shape[-1]
    return mask.repeat(factor, -1).repeat(factor, -2) if factor > 1 else mask
