"""Cells that look like those that are clicked and have no point: how many, and where nothing can be said for them.

Come here for the hint that an image is clicked in part, and for what is learnt from one that is.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from microforge.events import RunAdvice
from microforge.intensities import plain
from microforge.tasks.counting.points import spacing_of
from microforge.tasks.instances.ground import known_ground, unpainted_objects
from microforge.types import Doubles, Floats, Labels, Sample

#: Widths of the blobs that cells are compared with, in pixels: the narrowest, the widest, and how many.
_NARROW, _WIDE, _WIDTHS = 1.5, 20.0, 8
#: Part of a cell's radius that is taken for the cell.
_CORE = 0.8
#: So many pixels are looked at for cells without a point, of which there must be so many, and no fewer than clicked.
PIXELS_SEARCHED, FEWEST_UNCLICKED = 4_500_000, 3


def advice_on_unclicked(samples: Sequence[Sample]) -> Iterator[RunAdvice]:
    """Say where many cells have no point, and what that means; only some images are looked at, as it takes time."""
    left = PIXELS_SEARCHED
    for sample in samples:
        left -= sample.size
        if (sample.mask is not None and not sample.inferred) or sample.points is None or left < 0:
            continue
        clicked, others = len(sample.points), unclicked_cells(sample)
        if others >= max(FEWEST_UNCLICKED, clicked):
            text = f"{sample.name}: {clicked} points are set, and about {others} places look like them "
            yield RunAdvice(f"partly {sample.name}", text + (_LEFT_OPEN if sample.inferred else _NO_CELL), "warning")


_NO_CELL = (
    "but count as no cell. A region is needed: press Mark annotated region and draw around cells that all have their "
    "point. Or click the others, too."
)
_LEFT_OPEN = "and have none: nothing is learnt there. Click more, or set No point means to no cell."


def unclicked_cells(sample: Sample) -> int:
    """Estimate how many cells of a plane look like those with a point and have none; 0 where that cannot be told."""
    discs = _clicked_discs(sample)
    return 0 if discs is None else unpainted_objects(sample.image, discs)


def clicked_ground(sample: Sample) -> npt.NDArray[np.bool_] | None:
    """Tell where it is known whether there is a cell, bool ``YX``, where many that look alike have no point.

    That is at the points, and on ground that looks like that around them. None where all seem to have their point, or
    that cannot be told.
    """
    discs = _clicked_discs(sample)
    if discs is None or sample.size > PIXELS_SEARCHED:
        return None
    least = max(FEWEST_UNCLICKED, int(discs.max()))
    return known_ground(sample.image, discs) if unpainted_objects(sample.image, discs) >= least else None


def cell_width(sample: Sample) -> float | None:
    """Give the width of the cells with a point, in pixels; None where that cannot be told."""
    looked_at = _places(sample)
    return None if looked_at is None else 2 * _cell_radius(*looked_at)


def _places(sample: Sample) -> tuple[Floats, npt.NDArray[np.intp], float] | None:
    """Give the plane, the pixels of the points on it, and how far apart they are at most."""
    if sample.points is None or len(sample.points) < 2 or sample.image.ndim != 3:
        return None
    places = np.round(sample.points.coordinates).astype(int).clip(0, np.array(sample.image.shape[1:]) - 1)
    spacing = spacing_of([sample], (1.0, 1.0)) or _WIDE
    return plain(np.asarray(sample.image)).mean(axis=0), places, spacing


def _clicked_discs(sample: Sample) -> Labels | None:
    looked_at = _places(sample)
    if looked_at is None:
        return None
    level, places, _ = looked_at
    return _discs(level.shape, places, max(_CORE * _cell_radius(*looked_at), _NARROW))


def _cell_radius(level: Floats, places: npt.NDArray[np.intp], spacing: float) -> float:
    """Give the radius of the blob that cells resemble most (scale selection, Lindeberg 1998)."""
    widths = np.geomspace(_NARROW, np.clip(spacing / 2, 2 * _NARROW, _WIDE), _WIDTHS)
    answers: Doubles = np.array([np.abs(w**2 * ndimage.gaussian_laplace(level, w))[tuple(places.T)] for w in widths])
    return float(np.sqrt(2) * np.median(widths[answers.argmax(axis=0)]))


def _discs(shape: tuple[int, ...], places: npt.NDArray[np.intp], radius: float) -> Labels:
    """Give each place a disc of its own."""
    numbers = np.zeros(shape, np.int32)
    numbers[tuple(places.T)] = np.arange(1, len(places) + 1)
    distance, nearest = ndimage.distance_transform_edt(numbers == 0, return_indices=True)
    return np.where(distance <= radius, numbers[tuple(nearest)], 0).astype(np.int32)
