"""Measure objects of large label images band by band, in little memory."""

from collections.abc import Iterator

import numpy as np

from microforge.measurements.objects import measure_objects
from microforge.types import Array, Labels, Sample

#: Label images up to this many pixels are measured at once; larger ones in bands of that size.
BAND_PIXELS = 1 << 23


def measure_sample(labels: Labels, sample: Sample, band_pixels: int = BAND_PIXELS) -> dict[str, Array]:
    """Measure all objects, the same as `measure_objects` does, whatever the size of the image.

    Parameters
    ----------
    labels
        ``(Z)YX``, 0 = background, on the grid of the sample's image.

    Returns
    -------
    dict
        One array per column, one row per object in ascending order of the labels.
    """
    if labels.size <= band_pixels:
        return measure_objects(labels, sample.image, sample.pixel_size, sample.channel_names)
    depth = max(1, band_pixels // int(np.prod(labels.shape[1:])))
    tables = list(_bands(labels, sample, depth))
    order = np.argsort(np.concatenate([table["label"] for table in tables]), kind="stable")
    return {name: np.concatenate([table[name] for table in tables])[order] for name in tables[0]}


def _bands(labels: Labels, sample: Sample, depth: int) -> Iterator[dict[str, Array]]:
    """Measure the objects that begin in each band, in a window that reaches to where the last of them ends."""
    first, last = _extents(labels, depth)
    for band in range(-(-len(labels) // depth)):
        begin_here = first == band
        begin_here[0] = False
        end = last[begin_here].max(initial=band) + 1
        window = slice(band * depth, int(end) * depth)
        part = labels[window]
        part = np.where(begin_here[part], part, 0)
        image = sample.image[(slice(None), window)]
        table = measure_objects(part, image, sample.pixel_size, sample.channel_names)
        yield _moved(table, window.start, labels.ndim, sample)


def _extents(labels: Labels, depth: int) -> tuple[Array, Array]:
    """Give the first and the last band in which each label is, -1 for labels there are not."""
    count = int(labels.max(initial=0)) + 1
    first, last = np.full(count, -1, np.int32), np.full(count, -1, np.int32)
    for band, start in enumerate(range(0, len(labels), depth)):
        # Marking is much quicker than sorting the pixels.
        seen = np.zeros(count, bool)
        seen[labels[start : start + depth]] = True
        first[seen & (first < 0)] = band
        last[seen] = band
    return first, last


def _moved(table: dict[str, Array], start: int, dims: int, sample: Sample) -> dict[str, Array]:
    """Give a band's table with places counted from the beginning of the image."""
    axis = "zyx"[-dims]
    moved = {f"centroid_{axis}": table[f"centroid_{axis}"] + start}
    if f"centroid_{axis}_um" in table and sample.pixel_size is not None:
        size = sample.pixel_size[-dims:][0]
        moved[f"centroid_{axis}_um"] = table[f"centroid_{axis}_um"] + start * size
    return table | moved
