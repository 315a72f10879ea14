"""Train/validation split: by image, or by a block of the only image, never by overlapping patches."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from microforge.types import Sample

MOST_VALIDATION_IMAGES = 16
BLOCK_FRACTION = 0.25
SMALLEST_BLOCK = 48
ENOUGH_OF_CLASS = 3


def split_samples(
    samples: Sequence[Sample], fraction: float, seed: int
) -> tuple[tuple[Sample, ...], tuple[Sample, ...]]:
    """Give training and validation samples.

    Several images are split by image, and time points of one series stay together. Of a single image a block at one
    side is kept aside; a margin between the two is not learnt from, so that nothing measured was seen in training.
    With `fraction` 0, or an image too small for a block, nothing is kept aside. Where images have classes, every class
    with at least three images is among those kept aside, and the last image of a class never is.
    """
    if fraction <= 0 or not samples:
        return tuple(samples), ()
    groups: dict[str, list[Sample]] = {}
    for sample in samples:
        groups.setdefault(sample.series, []).append(sample)
    if len(groups) == 1:
        return _split_in_space(samples)
    names = sorted(groups)
    order = np.random.default_rng(seed).permutation(len(names))
    count = min(max(1, round(fraction * len(names))), MOST_VALIDATION_IMAGES, len(names) - 1)
    chosen = _chosen([names[k] for k in order], {name: groups[name][0].class_name for name in names}, count)
    training = tuple(s for name in groups if name not in chosen for s in groups[name])
    validation = tuple(s for name in groups if name in chosen for s in groups[name])
    return training, validation


def _chosen(names: Sequence[str], classes: Mapping[str, str], count: int) -> set[str]:
    """Choose images to keep aside, in the order of `names`, so that each class can be both learnt and measured."""
    left = Counter(classes.values())
    if set(left) == {""}:
        return set(names[:count])
    # The first image of each class that can spare one, then whatever follows.
    first = {classes[name]: name for name in reversed(names) if left[classes[name]] >= ENOUGH_OF_CLASS}
    chosen: set[str] = set()
    for name in (*(name for name in names if name in first.values()), *names):
        wanted = name in first.values() or len(chosen) < count
        if wanted and name not in chosen and left[classes[name]] > 1:
            chosen.add(name)
            left[classes[name]] -= 1
    return chosen


def _split_in_space(samples: Sequence[Sample]) -> tuple[tuple[Sample, ...], tuple[Sample, ...]]:
    """Cut every sample of one image (its time points) at the same place."""
    known = np.any([sample.known for sample in samples], axis=0)
    cut = _place_of_cut(known)
    if cut is None:
        return tuple(samples), ()
    axis, start, stop = cut
    return tuple(_masked(s, axis, 0, start) for s in samples), tuple(_cropped(s, axis, stop) for s in samples)


def _place_of_cut(known: npt.NDArray[np.bool_]) -> tuple[int, int, int] | None:
    """Give axis, end of training and start of validation; None where the annotated part is too small."""
    axis = known.ndim - 2 + int(known.shape[-1] >= known.shape[-2])
    others = tuple(a for a in range(known.ndim) if a != axis)
    profile = np.cumsum(known.sum(axis=others))
    total = int(profile[-1])
    start_validation = int(np.searchsorted(profile, (1 - BLOCK_FRACTION) * total)) if total else 0
    annotated = np.flatnonzero(np.diff(profile, prepend=0))
    if not total or annotated[-1] + 1 - start_validation < SMALLEST_BLOCK:
        return None
    margin = max(8, (annotated[-1] - annotated[0]) // 32)
    return (axis, start_validation - margin, start_validation) if start_validation - margin > SMALLEST_BLOCK else None


def _masked(sample: Sample, axis: int, start: int, stop: int) -> Sample:
    """Keep the whole image but learn from a slab of it only."""
    mask = np.zeros(tuple(sample.image.shape[1:]), bool)
    inside = (slice(None),) * axis + (slice(start, stop),)
    mask[inside] = sample.known[inside]
    return replace(sample, mask=mask)


def _cropped(sample: Sample, axis: int, start: int) -> Sample:
    shape = tuple(sample.image.shape[1:])
    window = tuple(slice(start if a == axis else 0, n) for a, n in enumerate(shape))
    return replace(sample.part(window), name=f"{sample.name} (block)")
