"""Crop images to the bounding box of what is annotated, so that a run costs no more than that."""

import numpy as np

from microforge.types import Sample, Window


def annotated_extent(sample: Sample) -> Window:
    """Give the bounding box ``(Z)YX`` of what is annotated; empty slices where nothing is."""
    shape = tuple(sample.image.shape[1:])
    if sample.mask is None:
        return tuple(slice(0, n) for n in shape)
    sides = []
    for axis in range(len(shape)):
        others = tuple(a for a in range(len(shape)) if a != axis)
        places = np.flatnonzero(sample.mask.any(axis=others))
        sides.append(slice(int(places[0]), int(places[-1]) + 1) if len(places) else slice(0, 0))
    return tuple(sides)


def crop_to_annotation(sample: Sample, context: tuple[int, ...]) -> Sample:
    """Give the annotated part with `context` pixels around it, as views; the image stays lazy where it is.

    Intensities must be normalised by the whole image: take its normaliser before cropping.
    """
    shape = tuple(sample.image.shape[1:])
    extent = annotated_extent(sample)
    window = tuple(
        slice(max(side.start - c, 0), min(side.stop + c, n)) for side, c, n in zip(extent, context, shape, strict=True)
    )
    if all(side.start == 0 and side.stop == n for side, n in zip(window, shape, strict=True)):
        return sample
    return sample.part(window)
