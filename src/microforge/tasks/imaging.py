"""What all tasks share whose answer is an image: channels, units, figures of quality, checks of pairs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from microforge import image_metrics
from microforge.config import AugmentationConfig
from microforge.errors import AnnotationError
from microforge.tasks.base import Readiness, Task, TaskOptions
from microforge.types import Annotation, Array, Prediction, Sample, Target, finer_window

if TYPE_CHECKING:
    import torch

#: Side of the window in the middle of an image on which noise is measured.
MEASURED_SIDE = 256
#: Pixels are averaged in blocks of this side before two images are compared for showing the same field.
BLOCK = 4
#: Below this correlation of the blocks two images do not show the same.
UNRELATED = 0.15
#: A target explained to more than this part by its image differs from it by little.
NEAR = 0.9
#: Mark of options that are found in the data rather than chosen.
FITTED = {"fitted": True}


class ImageOptions(TaskOptions):
    """Settings of tasks whose answer is an image."""

    channels: int = Field(
        0, ge=0, title="Channels", description="Output channels; found in the data.", json_schema_extra=dict(FITTED)
    )
    channel_names: tuple[str, ...] = Field(
        (),
        title="Channel names",
        description="Of the output channels; found in the data.",
        json_schema_extra=dict(FITTED),
    )


class ImageTask(Task):
    """Base of the tasks whose answer is an image."""

    image_name: ClassVar[str]
    Options: ClassVar[type[TaskOptions]] = ImageOptions
    options: ImageOptions

    @property
    def truth(self) -> Annotation:
        """Images are compared with images."""
        return Annotation.IMAGE

    @property
    def out_channels(self) -> int:
        """As many as the targets have."""
        return max(self.options.channels, 1)

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

    def with_options(self, **values: Any) -> Self:
        """Give the task with some options changed."""
        return type(self)(self.options.model_copy(update=values))

    def augmentation(self, config: AugmentationConfig) -> AugmentationConfig:
        """Mirror and turn only: interpolation and other gains would change the noise."""
        return config.model_copy(update={"interpolate": False, "intensity": 0.0})

    def check(self, sample: Sample) -> Sample:
        """Accept every image without a target; a target is only there to be compared with."""
        return sample

    def describe(self, samples: Sequence[Sample]) -> Readiness:
        """Count images and pixels."""
        if not samples:
            return Readiness("no images", "Choose at least one image.")
        pixels = sum(int(np.prod(sample.image.shape[1:])) for sample in samples)
        return Readiness(f"{len(samples)} image{'s' * (len(samples) > 1)}, {pixels / 1e6:.2g} megapixels")

    def encode(self, sample: Sample) -> Target:
        """Give the image wanted; what is not finite, or lies outside the mask, counts for nothing."""
        assert sample.annotation is not None
        value = np.asarray(sample.annotation, np.float32)
        known = np.asarray(np.isfinite(value).all(0))
        if sample.mask is not None:
            known = known & _on_grid(sample.mask, known.shape)
        return Target(np.where(known, value, 0), known[None].astype(np.float32))

    def activate(self, output: "torch.Tensor") -> "torch.Tensor":
        """Intensities are read as they are."""
        return output

    def decode(self, output: npt.NDArray[np.float32]) -> Prediction:
        """Give the image."""
        return Prediction(image=output, image_name=self.image_name, channel_names=self.options.channel_names)

    def tally(self, prediction: Prediction, sample: Sample) -> dict[str, float]:
        """Compare with the truth, image by image."""
        assert prediction.image is not None
        assert sample.annotation is not None
        return {"images": 1.0, **likeness(np.asarray(sample.annotation, np.float32), prediction.image)}

    def summarise(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Give the means over the images."""
        return {name: value / tally["images"] for name, value in tally.items() if name != "images"}


def likeness(truth: Array, image: Array) -> dict[str, float]:
    """Compare ``C(Z)YX`` with the truth: means over the channels."""
    rows = []
    for wanted, given in zip(truth, image, strict=True):
        wanted = np.nan_to_num(wanted, nan=float(np.nanmedian(wanted)))
        fitted = image_metrics.fit_linear(given, wanted)
        rows.append(
            (
                image_metrics.psnr(wanted, fitted),
                image_metrics.ssim(wanted, fitted),
                image_metrics.psnr(wanted, given),
                image_metrics.pearson(wanted, given),
            )
        )
    names = ("PSNR after linear fit", "SSIM after linear fit", "PSNR", "Pearson r")
    return {name: float(value) for name, value in zip(names, np.mean(rows, axis=0), strict=True)}


def noise_figures(prediction: Prediction, sample: Sample) -> dict[str, float]:
    """Measure noise before and after, and what was removed, in a window in the middle of the image."""
    assert prediction.image is not None
    window = _middle(tuple(sample.image.shape[1:]))
    finer = prediction.image.shape[-1] // sample.image.shape[-1]
    before = np.nan_to_num(np.asarray(sample.image[(slice(None), *window)], np.float32))
    after = prediction.image[(slice(None), *finer_window(window, finer))]
    figures = {
        "noise before": float(np.mean([image_metrics.noise_level(channel) for channel in before])),
        "noise after": float(np.mean([image_metrics.noise_level(channel) for channel in after])),
    }
    if before.shape == after.shape:
        removed = [image_metrics.residual_correlation(b - a) for b, a in zip(before, after, strict=True)]
        figures["residual correlation"] = float(np.mean(removed))
    return figures


def _middle(shape: tuple[int, ...]) -> tuple[slice, ...]:
    starts = [max(0, (n - MEASURED_SIDE) // 2) for n in shape[-2:]]
    sides = [slice(a, min(a + MEASURED_SIDE, n)) for a, n in zip(starts, shape[-2:], strict=True)]
    planes = [slice(n // 2, n // 2 + 1) for n in shape[:-2]]
    return (*planes, *sides)


def _on_grid(mask: npt.NDArray[np.bool_], shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Give a mask on a grid whose YX is finer."""
    factor = shape[-1] // mask.shape[-1]
    return mask.repeat(factor, -1).repeat(factor, -2) if factor > 1 else mask


def target_of(sample: Sample) -> Array:
    """Give the target ``C(Z)YX``.

    Raises
    ------
    AnnotationError
        If there is none, or it is the same everywhere.
    """
    if sample.annotation is None:
        raise AnnotationError(
            "There is no target image.", where=sample.name, remedy="Choose the image it should become."
        )
    target = np.asarray(sample.annotation)
    if target.ndim != sample.image.ndim:
        raise AnnotationError(
            f"The target has {target.ndim - 1} dimensions, the image {sample.image.ndim - 1} (channels aside).",
            where=sample.name,
            remedy="Give a target of the same kind: a plane for a plane, a stack for a stack.",
        )
    for channel in target:
        finite = channel[np.isfinite(channel)] if channel.dtype.kind == "f" else channel
        if finite.size == 0 or finite.min() == finite.max():
            raise AnnotationError(
                "All pixels of the target are equal: there is nothing to learn from it.",
                where=sample.name,
                remedy="Leave this pair out, or check that the right file was chosen.",
            )
    return target


def is_near(samples: Sequence[Sample]) -> bool:
    """Tell whether images explain most of their targets, so that a network had better add to its input.

    Where noise is most of an image the network would first have to learn to take it away again.
    """
    explained = []
    for sample in samples:
        target = target_of(sample)
        factor = target.shape[-1] // sample.image.shape[-1]
        image = np.nan_to_num(np.asarray(sample.image, np.float32))
        coarse = _binned(np.nan_to_num(np.asarray(target, np.float32)), factor)
        explained += [image_metrics.pearson(a, b) ** 2 for a, b in zip(image, coarse, strict=False)]
    return float(np.mean(explained)) > NEAR


def matched(sample: Sample, target: Array) -> Sample:
    """Give the sample with its target in the intensities of its image: fitted linearly, channel by channel.

    The noisy image is fitted by the clean one, not the other way round: noise in what is fitted does not bias the
    slope, so that the target becomes what the noisy image would be on average.
    """
    factor = target.shape[-1] // sample.image.shape[-1]
    image = np.nan_to_num(np.asarray(sample.image, np.float32))
    clean = np.asarray(target, np.float32)
    channels = []
    for here, there in zip(image, clean, strict=True):
        slope, offset = image_metrics.linear_fit(_binned(np.nan_to_num(there), factor), here)
        channels.append(slope * there + offset)
    return replace(sample, annotation=np.stack(channels).astype(np.float32))


def refuse_unrelated(sample: Sample, target: Array) -> None:
    """Refuse a pair that does not show the same field.

    Raises
    ------
    AnnotationError
        With the correlation measured.
    """
    factor = target.shape[-1] // sample.image.shape[-1]
    image = np.nan_to_num(np.asarray(sample.image, np.float32))
    related = [
        abs(image_metrics.pearson(_binned(a, BLOCK), _binned(np.nan_to_num(np.asarray(b, np.float32)), BLOCK * factor)))
        for a, b in zip(image, target, strict=False)
    ]
    if max(related) < UNRELATED:
        raise AnnotationError(
            f"Image and target do not show the same: their correlation is {max(related):.2f}.",
            where=sample.name,
            remedy="Check that both are of the same field and that neither is shifted, turned or mirrored.",
        )


def _binned(image: Array, factor: int) -> Array:
    """Average blocks in YX; what is left over at the far sides is cut off."""
    if factor == 1:
        return image
    height, width = (max(n // factor, 1) for n in image.shape[-2:])
    image = image[..., : height * factor, : width * factor]
    if min(image.shape[-2:]) < factor:
        return image
    blocks: Array = image.reshape(*image.shape[:-2], height, factor, width, factor).mean((-3, -1))
    return blocks
