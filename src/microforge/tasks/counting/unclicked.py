"""How many cells look like those that are clicked and have no point; come here for the hint that a region is needed."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from microforge.events import RunAdvice
from microforge.intensities import plain
from microforge.tasks.counting.points import spacing_of
from microforge.tasks.instances.ground import unpainted_objects
from microforge.types import Doubles, Floats, Labels, Sample

#: Widths of the blobs that cells are compared with, in pixels: the narrowest, the widest, and how many.
_NARROW, _WIDE, _WIDTHS = 1.5, 20.0, 8
#: Part of a cell's radius that is taken for the cell.
_CORE = 0.8
#: So many pixels are looked at for cells without a point, of which there must be so many, and no fewer than clicked.
PIXELS_SEARCHED, FEWEST_UNCLICKED = 2_000_000, 3


def advice_on_unclicked(samples: Sequence[Sample]) -> Iterator[RunAdvice]:
    """Say where a region is needed, as many cells have no point; only some images are looked at, as it takes time."""
    left = PIXELS_SEARCHED
    for sample in samples:
        left -= sample.size
        if sample.mask is not None or sample.points is None or left < 0:
            continue
        clicked, others = len(sample.points), unclicked_cells(sample)
        if others >= max(FEWEST_UNCLICKED, clicked):
            text = (
                f"{sample.name}: {clicked} points are set, and about {others} places look like them but count as no "
                "cell. A region is needed: press Mark annotated region and draw around cells that all have their "
                "point. Or click the others, too."
            )
            yield RunAdvice(f"partly {sample.name}", text, "warning")


def unclicked_cells(sample: Sample) -> int:
    """Estimate how many cells of a plane look like those with a point and have none; 0 where that cannot be told."""
    if sample.points is None or len(sample.points) < 2 or sample.image.ndim != 3:
        return 0
    places = np.round(sample.points.coordinates).astype(int).clip(0, np.array(sample.image.shape[1:]) - 1)
    spacing = spacing_of([sample], (1.0, 1.0)) or _WIDE
    level = plain(np.asarray(sample.image)).mean(axis=0)
    radius = max(_CORE * _cell_radius(level, places, spacing), _NARROW)
    return unpainted_objects(sample.image, _discs(level.shape, places, radius))


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
