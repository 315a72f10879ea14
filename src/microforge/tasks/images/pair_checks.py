"""Check image pairs (swapped, unrelated, shifted) and match their intensities."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from microforge.errors import AnnotationError, NotEnoughDataError
from microforge.intensities import plain, usable
from microforge.metrics import images as image_metrics
from microforge.types import Array, Sample

#: Pixels are averaged in blocks of this side before two images are compared for showing the same field.
BLOCK = 4
#: Below this correlation of the blocks two images do not show the same.
UNRELATED = 0.15
#: A target explained to more than this part by its image differs from it by little.
NEAR = 0.9
#: A target noisier than this many times its image looks like a pair in the wrong order.
NOISIER = 1.5
#: ... if its noise is visible at all: this part of its range.
VISIBLE = 0.02


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
        finite = channel[usable(channel)] if channel.dtype.kind == "f" else channel
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
        image = plain(np.asarray(sample.image))
        coarse = _binned(plain(np.asarray(target)), factor)
        explained += [image_metrics.pearson(a, b) ** 2 for a, b in zip(image, coarse, strict=False)]
    return float(np.mean(explained)) > NEAR


def matched(sample: Sample, target: Array) -> Sample:
    """Give the sample with its target in the intensities of its image: fitted linearly, channel by channel.

    The noisy image is fitted by the clean one, not the other way round: noise in what is fitted does not bias the
    slope, so that the target becomes what the noisy image would be on average.
    """
    factor = target.shape[-1] // sample.image.shape[-1]
    image = plain(np.asarray(sample.image))
    clean = np.asarray(target, np.float32)
    channels = []
    for here, there in zip(image, clean, strict=True):
        slope, offset = image_metrics.linear_fit(_binned(plain(there), factor), here)
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
    image = plain(np.asarray(sample.image))
    related = [
        abs(image_metrics.pearson(_binned(a, BLOCK), _binned(plain(np.asarray(b)), BLOCK * factor)))
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


def refuse_swapped(sample: Sample) -> None:
    """Ask when the target is noisier than the image.

    Raises
    ------
    AnnotationError
        Until she says that it is meant so.
    """
    assert sample.annotation is not None
    image = plain(np.asarray(sample.image))
    target = plain(sample.annotation)
    finer = target.shape[-1] // image.shape[-1]
    before, after = (np.mean([image_metrics.noise_level(c) for c in one]) for one in (image, target))
    low, high = np.percentile(target, (1, 99.8))
    if finer == 1 and after > NOISIER * before and after > VISIBLE * (high - low):
        raise AnnotationError(
            f"The target is noisier than the image ({after:.3g} against {before:.3g} grey levels): are they swapped?",
            where=sample.name,
            remedy="Swap them, or set the option 'Target may be noisier' (noisier_target) if it is meant so.",
        )


def factor_of(sample: Sample) -> int:
    """Give how many times finer the YX of a target is than that of its image.

    Raises
    ------
    AnnotationError
        If it is not a whole number from 2 to 4, the same for both.
    """
    shape, wanted = tuple(sample.image.shape[1:]), tuple(target_of(sample).shape[1:])
    factor = int(wanted[-1] // max(shape[-1], 1))
    if not 2 <= factor <= 4 or wanted != (*shape[:-2], *(n * factor for n in shape[-2:])):
        raise AnnotationError(
            f"The image has {size_of(shape)} pixels, its target {size_of(wanted)}.",
            where=sample.name,
            remedy="The target must have exactly 2, 3 or 4 times as many pixels along Y and along X.",
        )
    return factor


def same_factor(samples: Sequence[Sample]) -> int:
    """Give the factor that all pairs share.

    Raises
    ------
    NotEnoughDataError
        If they differ; names the first that does.
    """
    factors = [factor_of(sample) for sample in samples]
    for sample, factor in zip(samples, factors, strict=True):
        if factor != factors[0]:
            raise NotEnoughDataError(
                f"The target of {sample.name} is {factor} times finer, that of {samples[0].name} {factors[0]} times.",
                remedy="Train on pairs with one factor.",
            )
    return factors[0]


def refuse_other_size(sample: Sample, target: Array, remedy: str) -> None:
    """Raise where a target has not as many pixels along each axis as its image.

    Raises
    ------
    AnnotationError
        Names both sizes; `remedy` says what to do.
    """
    shape, wanted = tuple(sample.image.shape[1:]), tuple(target.shape[1:])
    if shape != wanted:
        raise AnnotationError(
            f"The image has {size_of(shape)} pixels, its target {size_of(wanted)}.", where=sample.name, remedy=remedy
        )


def size_of(shape: Sequence[int]) -> str:
    """Give a size in words."""
    return " x ".join(map(str, shape))
