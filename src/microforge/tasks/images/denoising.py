"""Denoising without clean images: from the noisy ones themselves, or from frames that repeat each other.

Three ways, all resting on noise that differs from pixel to pixel, or from frame to frame, while the signal does not:

- *hidden pixels*: guess pixels from their neighbours (see `hiding`);
- *sub-sampling*: of each block of 2 x 2 pixels, two neighbours make two noisy copies of a smaller image
  (Neighbor2Neighbor, Huang et al. 2021, arXiv 2101.02824); in turns with hidden pixels the network learns both from
  every pixel of a patch and at the scale at which it will be used;
- *repeats*: predict one frame of a series from the next (Noise2Noise, Lehtinen et al. 2018, arXiv 1803.04189).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from microforge.annotations import NOTHING, AnnotationKind
from microforge.answers.quality import Quality, denoising_quality
from microforge.config import choice_field
from microforge.errors import NotEnoughDataError
from microforge.intensities import plain
from microforge.metrics import images as image_metrics
from microforge.tasks.abilities import PlanningHints
from microforge.tasks.base import Direction, TaskOptions
from microforge.tasks.images.base import ImageOptions, ImageTask, noise_statistics
from microforge.tasks.images.blind_spots import Stripes, draw_positions, hide, hide_array
from microforge.types import Batch, Prediction, Sample, Target

if TYPE_CHECKING:
    import torch

#: Part of the pixels to be guessed in a patch: more learns faster, until too little is left to guess from.
HIDDEN_SHARE = 0.1
#: Part of the batches that are sub-sampled where both ways take turns.
SUB_SAMPLED_SHARE = 0.5
#: Part of the pixels of an image kept aside that measure quality.
MEASURED_SHARE = 0.05
ERROR = "error on unseen pixels (%)"


class DenoisingOptions(ImageOptions):
    """Settings of denoising."""

    method: Literal["noisy images", "repeats", "hidden pixels", "sub-sampling"] = choice_field(
        "noisy images",
        title="Learn from",
        choices={
            "noisy images": "any images, by hiding pixels and by sub-sampling in turns",
            "repeats": "time series or repeated exposures in which little moves from frame to frame",
            "hidden pixels": "by hiding only, where the finest structures are one pixel wide",
            "sub-sampling": "only so, where they are several pixels wide",
        },
    )
    stripes: Stripes = Field(
        "none",
        title="Stripes",
        description="Noise that runs along rows (horizontal) or columns (vertical), as of many cameras and scanners; "
        "for hidden pixels only.",
    )


class Denoising(ImageTask):
    """Remove noise, without clean images."""

    name: ClassVar[str] = "denoising"
    title: ClassVar[str] = "Denoise"
    group: ClassVar[str] = "Improve"
    place: ClassVar[int] = 1
    description: ClassVar[str] = "Remove noise. Needs noisy images only: nothing to paint, no clean images."
    annotation: ClassVar[AnnotationKind] = NOTHING
    monitor: ClassVar[tuple[str, Direction]] = (ERROR, "min")
    result: ClassVar[str] = "denoised"
    image_name: ClassVar[str] = "denoised"
    Options: ClassVar[type[TaskOptions]] = DenoisingOptions
    options: DenoisingOptions

    @property
    def hints(self) -> PlanningHints:
        """Sub-sampling halves images."""
        return PlanningHints(input_downsampling=2 if self._share_sub_sampled else 1)

    @property
    def _share_sub_sampled(self) -> float:
        """Part of the batches that are sub-sampled; stripes would be in both copies of an image."""
        if self.options.method == "noisy images" and self.options.stripes == "none":
            return SUB_SAMPLED_SHARE
        return float(self.options.method == "sub-sampling")

    def arrange(self, samples: Sequence[Sample]) -> tuple[Sequence[Sample], str]:
        """Pair each frame of a series with the next, where frames repeat each other."""
        if self.options.method != "repeats":
            return [replace(sample, annotation=None) for sample in samples], ""
        series: dict[str, list[Sample]] = defaultdict(list)
        for sample in samples:
            series[sample.series].append(sample)
        pairs = [pair for frames in series.values() for pair in _neighbouring(frames)]
        if not pairs:
            raise NotEnoughDataError(
                "None of the images is a series of frames.",
                remedy="Give time series (axes TYX or TZYX), or learn from 'hidden pixels' instead.",
            )
        alone = sum(len(frames) == 1 for frames in series.values())
        left_out = f" {alone} single images are not used." if alone else ""
        return pairs, f"Each of {len(pairs)} frames learns from its neighbour in time.{left_out}"

    def encode(self, sample: Sample) -> Target:
        """Give the other frame, or nothing: patches are their own targets."""
        if sample.annotation is not None:
            return super().encode(sample)
        if sample.partner is not None:
            return Target(sample.partner, sample.weight)
        return Target(np.zeros((0, *sample.image.shape[1:]), np.float32), sample.weight)

    def corrupt(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """Hide pixels, or sub-sample; repeats are pairs already."""
        if self.options.method == "repeats":
            return batch
        if rng.random() < self._share_sub_sampled:
            return _sub_sampled(batch, rng)
        sides = [n // self.hints.input_downsampling for n in batch.image.shape[-2:]]
        image, weight = (t[..., : sides[0], : sides[1]] for t in (batch.image, batch.weight))
        seen, asked = hide(image, draw_positions(tuple(image.shape), HIDDEN_SHARE, self.options.stripes, rng))
        return replace(batch, image=seen, target=image, weight=weight * asked)

    def loss(self, output: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """Mean squared error, whose best answer is the mean of all that the pixel may be."""
        from microforge import losses

        per_channel = batch.weight.expand_as(output)
        return losses.weighted_mean((output - batch.target) ** 2, per_channel) * output.shape[1]

    def validation_input(self, sample: Sample) -> Sample:
        """Hide pixels of an image kept aside; the network's guesses are compared with what was recorded there."""
        if sample.partner is not None:
            sample = replace(sample, annotation=np.asarray(sample.partner), partner=None)
        if sample.annotation is not None:
            return replace(sample, mask=np.ones(sample.image.shape[1:], bool))
        image = np.asarray(sample.image)
        rng = np.random.default_rng(0)
        positions = draw_positions((1, 1, *image.shape[1:]), MEASURED_SHARE, self.options.stripes, rng)
        channels = [hide_array(channel[None], positions) for channel in image]
        seen = np.concatenate([one for one, _ in channels])
        return replace(sample, image=seen, annotation=image, mask=channels[0][1][0])

    def tally(self, prediction: Prediction, sample: Sample) -> dict[str, float]:
        """Count errors on pixels the network did not see; without hidden pixels compare with a clean image."""
        if sample.mask is None:
            return super().tally(prediction, sample)
        assert prediction.image is not None
        assert sample.annotation is not None
        recorded = plain(np.asarray(sample.annotation))
        low, high = np.percentile(recorded, (1, 99.8), axis=tuple(range(1, recorded.ndim)), keepdims=True)
        error = ((prediction.image - recorded) / np.maximum(high - low, 1e-12)) ** 2
        residual = [image_metrics.residual_correlation(r - p) for r, p in zip(recorded, prediction.image, strict=True)]
        return {
            "error": float(error[:, sample.mask].sum()),
            "pixels": float(sample.mask.sum() * len(error)),
            "correlation": float(np.mean(residual)),
            "images": 1.0,
        }

    @classmethod
    def in_words(cls, metrics: Mapping[str, float]) -> Quality | None:
        """Say what is removed, and how well hidden pixels are guessed."""
        return denoising_quality(metrics, ERROR)

    def summarise(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Give the error in percent of the images' range, or the likeness to clean images."""
        if "pixels" not in tally:
            return super().summarise(tally)
        error = 100 * np.sqrt(tally["error"] / max(tally["pixels"], 1.0))
        return {ERROR: float(error), "residual correlation": tally["correlation"] / tally["images"]}

    def statistics(self, prediction: Prediction, sample: Sample) -> dict[str, float]:
        """Measure noise before and after, and whether what was removed looks like noise."""
        return noise_statistics(prediction, sample)


def _neighbouring(frames: Sequence[Sample]) -> Iterator[Sample]:
    """Give each frame with the next as its target, the last with the one before."""
    for place, frame in enumerate(frames if len(frames) > 1 else ()):
        other = frames[place + 1] if place + 1 < len(frames) else frames[place - 1]
        if isinstance(other.image, np.ndarray):
            yield replace(frame, annotation=other.image)
        else:
            yield replace(frame, partner=other.image)


def _sub_sampled(batch: Batch, rng: np.random.Generator) -> Batch:
    """Make two half-size images of neighbouring pixels: one is seen, the other is the target."""
    import torch

    from microforge.networks.blocks import fold

    image, weight = batch.image, batch.weight
    image, weight = (t[..., : t.shape[-2] // 2 * 2, : t.shape[-1] // 2 * 2] for t in (image, weight))
    factors = [1] * (image.ndim - 4) + [2, 2]
    size = [n // f for n, f in zip(image.shape[2:], factors, strict=True)]
    blocks = fold(image, factors).reshape(image.shape[0], image.shape[1], 4, *size)
    seed = torch.Generator(device=image.device).manual_seed(int(rng.integers(2**31)))
    one, side = (
        torch.randint(low, high, (len(image), 1, 1, *size), generator=seed, device=image.device)
        for low, high in ((0, 4), (1, 3))
    )
    # Pixels of a block: 0 1 / 2 3; changing the first bit steps along X, the second along Y.
    seen, target = (
        blocks.gather(2, place.expand(-1, image.shape[1], -1, *size))[:, :, 0] for place in (one, one ^ side)
    )
    return replace(batch, image=seen, target=target, weight=fold(weight, factors).amin(1, keepdim=True))
