"""Where in an image a model errs most, as small pictures to look at; come here for what a person should see first."""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from microforge.events import WorstPlace
from microforge.intensities import plain
from microforge.tasks.counting.points import around
from microforge.types import Array, ArrayLike, Points, Prediction, Sample

#: Pixels of the side of a place: a few objects and what is around them. Places begin at multiples of a part of it.
PLACE_SIDE, PLACE_STEPS = 96, 4
#: More places than this nobody looks at while a network learns.
MOST_PLACES = 2
#: A place with fewer wrong pixels is not worth a look.
LEAST_WRONG = 20
_SHOWN = (1, 99.5)
#: Pixels from a point to the ring around it.
_RING = 4.0


def worst_places(errors: npt.NDArray[np.bool_], prediction: Prediction, sample: Sample) -> Iterator[WorstPlace]:
    """Find the places of an image with the most wrong pixels, the worst first; they do not overlap.

    Parameters
    ----------
    errors
        bool ``(Z)YX``: what is wrong; of a stack the plane with most errors is looked at.
    prediction, sample
        With labels ``(Z)YX`` both, or points; the image is read there only.
    """
    plane = () if errors.ndim == 2 else (int(errors.sum((1, 2)).argmax()),)
    left = errors[plane].copy()
    for _ in range(MOST_PLACES):
        wrong, corner = _densest(left)
        if wrong < LEAST_WRONG:
            return
        window = tuple(slice(start, start + PLACE_SIDE) for start in corner)
        left[window] = False
        yield _pictured(wrong, (*plane, *corner), (*plane, *window), prediction, sample)


def worst_of(places: Iterable[WorstPlace]) -> tuple[WorstPlace, ...]:
    """Give the worst of the places of several images."""
    return tuple(sorted(places, key=lambda place: -place.wrong)[:MOST_PLACES])


def _densest(errors: npt.NDArray[np.bool_]) -> tuple[int, tuple[int, int]]:
    """Give how many pixels are wrong in the worst window, and where it begins."""
    sums = np.zeros([n + 1 for n in errors.shape], np.int64)
    sums[1:, 1:] = errors.cumsum(0, np.int64).cumsum(1)
    rows, columns = (_starts(n) for n in errors.shape)
    ends = [np.minimum(starts + PLACE_SIDE, n) for starts, n in zip((rows, columns), errors.shape, strict=True)]
    inside = sums[np.ix_(ends[0], ends[1])] - sums[np.ix_(rows, ends[1])]
    inside += sums[np.ix_(rows, columns)] - sums[np.ix_(ends[0], columns)]
    row, column = np.unravel_index(int(inside.argmax()), inside.shape)
    return int(inside[row, column]), (int(rows[row]), int(columns[column]))


def _starts(length: int) -> npt.NDArray[np.int64]:
    """Give where places along an axis begin, so that the last one ends with it."""
    step, last = PLACE_SIDE // PLACE_STEPS, max(length - PLACE_SIDE, 0)
    return np.minimum(np.arange(0, last + step, step), last)


def _pictured(
    wrong: int, corner: tuple[int, ...], window: tuple[int | slice, ...], prediction: Prediction, sample: Sample
) -> WorstPlace:
    pixels = plain(np.asarray(sample.image[(slice(None), *window)])).mean(0)
    low, high = np.percentile(pixels, _SHOWN)
    grey = ((pixels - low) / max(high - low, 1e-9)).clip(0, 1)
    truth = _drawn(sample.annotation, sample.points, window, sample)
    found = _drawn(prediction.labels, prediction.points, window, sample)
    return WorstPlace(sample.name, corner, wrong, (grey * 255).astype(np.uint8), truth, found)


def _drawn(
    labels: ArrayLike | None, points: Points | None, window: tuple[int | slice, ...], sample: Sample
) -> npt.NDArray[np.bool_]:
    """Give the outlines of objects, or rings around points, in a part of an image."""
    if points is None:
        assert labels is not None
        return _outlines(np.asarray(labels[window]))
    shape = sample.image.shape[1:]
    return _outlines(around(points.coordinates, np.full(len(shape), _RING), shape)[window])


def _outlines(labels: Array) -> npt.NDArray[np.bool_]:
    """Give the pixels of objects that touch something else."""
    edges = np.zeros(labels.shape, bool)
    down, right = labels[1:] != labels[:-1], labels[:, 1:] != labels[:, :-1]
    edges[1:] |= down
    edges[:-1] |= down
    edges[:, 1:] |= right
    edges[:, :-1] |= right
    return edges & (np.asarray(labels) > 0)
