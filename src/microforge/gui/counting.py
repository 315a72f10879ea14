"""Count what was found in images and in regions drawn on them, and say it in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from microforge.answers.words import count_text
from microforge.gui.layers.outlines import Outline, mask_of
from microforge.tasks.base import Task
from microforge.types import Array, Count, Image, Points, Prediction

#: What a region is called that is none.
WHOLE = "whole image"


@dataclass(frozen=True)
class CountRow:
    """How many cells of a kind there are in an image or a region.

    Attributes
    ----------
    frame
        The time point; None where there is no time.
    region
        Number of the region in the order given; None = the whole image.
    size
        Area in square micrometres, of a stack the volume in cubic ones; NaN where the pixel size is not known.
    by_hand
        Whether these are dots that a person has corrected.
    """

    image: str
    frame: int | None
    region: int | None
    name: str
    kind: str
    size: float
    value: float
    low: float | None = None
    high: float | None = None
    by_hand: bool = False
    dims: int = 2

    @property
    def per_mm(self) -> float:
        """Cells per square, or cubic, millimetre; NaN where the size is not known."""
        return self.value / self.size * 1000**self.dims if self.size > 0 else float("nan")


@dataclass(frozen=True, eq=False)
class Question:
    """An image whose cells are counted, as it is at one moment.

    Attributes
    ----------
    prediction
        Its image is the density ``(T)C(Z)YX``.
    regions
        Names and outlines, whose last two columns are Y and X: a region counts for all planes and time points.
    dots
        Where a person has corrected them, the dots; then these are counted. Axes ``(T)(Z)YX``.
    """

    image: Image
    task: Task
    prediction: Prediction
    regions: tuple[tuple[str, Outline], ...] = ()
    dots: Points | None = None


def count_rows(question: Question) -> Iterator[CountRow]:
    """Count the whole image and each region, at each time point."""
    density = question.prediction.image
    assert density is not None
    series = "T" in question.image.axes
    depth = density.shape[-3] if "Z" in question.image.axes else 1
    pixel, dims = pixel_size_of(question.image) * depth, 2 + ("Z" in question.image.axes)
    whole, by_hand = int(np.prod(density.shape[-2:])), question.dots is not None
    places: list[tuple[int | None, str, _Area | None, int]] = [(None, WHOLE, None, whole)]
    for number, (called, outline) in enumerate(question.regions):
        corners = np.ascontiguousarray(outline.corners[:, -2:], np.float64)
        inside = _area_of(corners.tobytes(), density.shape[-2:])
        places.append((number, called, inside, int(inside.mask.sum())))
    for frame in range(len(density)) if series else (None,):
        one = question.prediction if frame is None else replace(question.prediction, image=density[frame])
        for region, name, area, pixels in places:
            if question.dots is not None:
                counts = _by_hand(question.dots, frame, area)
            else:
                counts = _by_model(question.task, one, area)
            where = (question.image.name, frame, region, name)
            for c in counts:
                yield CountRow(*where, c.kind, pixels * pixel, c.value, c.low, c.high, by_hand, dims)


def columns_of(rows: Sequence[CountRow]) -> dict[str, Array]:
    """Give the rows as the columns of a table."""
    columns: dict[str, Array] = {"image": np.array([row.image for row in rows], object)}
    if any(row.frame is not None for row in rows):
        columns["frame"] = np.array([row.frame for row in rows], object)
    columns["region"] = np.array([row.name for row in rows], object)
    columns["kind"] = np.array([row.kind for row in rows], object)
    nothing = float("nan")
    flat = all(row.dims == 2 for row in rows)
    columns["area_um2" if flat else "volume_um3"] = np.array([row.size for row in rows], float)
    columns["count"] = np.array([row.value for row in rows], float)
    columns["low"] = np.array([nothing if row.low is None else row.low for row in rows], float)
    columns["high"] = np.array([nothing if row.high is None else row.high for row in rows], float)
    columns["cells_per_mm2" if flat else "cells_per_mm3"] = np.array([row.per_mm for row in rows], float)
    columns["counted_by"] = np.array(["you" if row.by_hand else "model" for row in rows], object)
    return columns


def pixel_size_of(image: Image) -> float:
    """Give the area of a pixel, in a stack its volume, in micrometres; NaN where it is not known."""
    dims = 2 + ("Z" in image.axes)
    known = image.pixel_size is not None and len(image.pixel_size) >= dims
    return float(np.prod(image.pixel_size[-dims:])) if known and image.pixel_size else float("nan")


def lines_of(rows: Sequence[CountRow]) -> list[str]:
    """Say the counts of one image at one time point: a line for the image, and one for each region."""
    lines = []
    for region in dict.fromkeys(row.region for row in rows):
        here = [row for row in rows if row.region == region]
        said = ", ".join(count_text(row.value, row.kind, row.low, row.high) for row in here)
        if region is not None:
            said = f"{here[0].name}: {said}"
        elif here[0].by_hand:
            said = f"counted by you: {said}"
        lines.append(said)
    return lines


@dataclass(frozen=True, eq=False)
class _Area:
    """A region: the window of YX that holds it, and which pixels of the window belong to it."""

    window: tuple[slice, slice]
    mask: npt.NDArray[np.bool_]


@lru_cache(maxsize=128)
def _area_of(outline: bytes, shape: tuple[int, ...]) -> _Area:
    """Find the pixels of a region; kept, as drawing one more region or dot leaves the others as they are."""
    corners = np.frombuffer(outline, np.float64).reshape(-1, 2)
    sides = []
    for axis, length in enumerate(shape):
        low, high = np.floor(corners[:, axis].min()), np.ceil(corners[:, axis].max()) + 1
        start = int(np.clip(low, 0, length - 1))
        sides.append(slice(start, int(np.clip(high, start + 1, length))))
    moved = Outline(corners - [side.start for side in sides])
    return _Area((sides[0], sides[1]), mask_of([moved], tuple(side.stop - side.start for side in sides)))


def _by_model(task: Task, prediction: Prediction, area: _Area | None) -> tuple[Count, ...]:
    if area is None:
        return task.count(prediction)
    assert prediction.image is not None
    return task.count(replace(prediction, image=prediction.image[(..., *area.window)]), area.mask)


def _by_hand(dots: Points, frame: int | None, area: _Area | None) -> tuple[Count, ...]:
    places, kinds = dots.coordinates, dots.kind
    if frame is not None:
        here = np.round(places[:, 0]) == frame
        places, kinds = places[here], kinds[here]
    if area is not None:
        y, x = (np.round(places[:, k - 2]).astype(int) - area.window[k].start for k in (0, 1))
        inside = (y >= 0) & (x >= 0) & (y < area.mask.shape[0]) & (x < area.mask.shape[1])
        inside[inside] = area.mask[y[inside], x[inside]]
        kinds = kinds[inside]
    return tuple(Count(name, float((kinds == k).sum())) for k, name in enumerate(dots.kinds))
