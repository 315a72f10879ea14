"""Crop images to the bounding box of what is annotated, or less, so that a run costs no more than that."""

from dataclasses import replace

import numpy as np

from microforge.types import Sample, Window, box_of


def annotated_extent(sample: Sample) -> Window:
    """Give the bounding box ``(Z)YX`` of what is annotated; empty slices where nothing is."""
    if sample.mask is None:
        return tuple(slice(0, n) for n in sample.image.shape[1:])
    return box_of(sample.mask)


def crop_to_annotation(sample: Sample, context: tuple[int, ...]) -> Sample:
    """Give the annotated part with `context` pixels around it, as views; the image stays lazy where it is.

    Intensities must be normalised by the whole image: take its normaliser before cropping.
    """
    shape = tuple(sample.image.shape[1:])
    window = _widened(annotated_extent(sample), context, shape)
    if all(side.start == 0 and side.stop == n for side, n in zip(window, shape, strict=True)):
        return sample
    return sample.part(window)


def part_of_large(sample: Sample, most: int, context: tuple[int, ...], rng: np.random.Generator) -> Sample:
    """Give a part of a large image in which at most `most` pixels count, anywhere inside what is annotated.

    It keeps all planes. `context` pixels around it are seen but not counted, so that an answer at its border is that of
    the whole image.
    """
    extent = annotated_extent(sample)
    lengths = [side.stop - side.start for side in extent]
    share = min(1.0, float(np.sqrt(most / max(np.prod(lengths, dtype=np.float64), 1.0))))
    sides = list(extent)
    for axis in (-2, -1):
        length = max(1, int(share * lengths[axis]))
        start = extent[axis].start + int(rng.integers(lengths[axis] - length + 1))
        sides[axis] = slice(start, start + length)
    window = _widened(tuple(sides), context, tuple(sample.image.shape[1:]))
    part = sample.part(window)
    counted = np.zeros(tuple(part.image.shape[1:]), bool)
    inner = tuple(slice(s.start - w.start, s.stop - w.start) for s, w in zip(sides, window, strict=True))
    counted[inner] = part.known[inner]
    return replace(part, mask=counted)


def _widened(window: Window, context: tuple[int, ...], shape: tuple[int, ...]) -> Window:
    sides = zip(window, context, shape, strict=True)
    return tuple(slice(max(side.start - c, 0), min(side.stop + c, n)) for side, c, n in sides)
