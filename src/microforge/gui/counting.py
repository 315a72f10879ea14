"""Count what was found in images and in regions drawn on them, and say it in words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from microforge.gui.regions import Outline, mask_of
from microforge.tasks.base import Count, Task
from microforge.types import Array, Image, Points, Prediction

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
    masks = [mask_of([_flat(outline)], density.shape[-2:]) for _, outline in question.regions]
    depth = density.shape[-3] if "Z" in question.image.axes else 1
    pixel = pixel_size_of(question.image)
    whole = int(np.prod(density.shape[-2:]))
    places: list[tuple[int | None, str, npt.NDArray[np.bool_] | None, int]] = [(None, WHOLE, None, whole)]
    for number, (inside, (called, _)) in enumerate(zip(masks, question.regions, strict=True)):
        places.append((number, called, inside, int(inside.sum())))
    for frame in range(len(density)) if series else (None,):
        one = question.prediction if frame is None else replace(question.prediction, image=density[frame])
        for region, name, mask, pixels in places:
            if question.dots is not None:
                counts = _by_hand(question.dots, frame, mask)
            else:
                counts = _by_model(question.task, one, mask)
            for c in counts:
                where = (question.image.name, frame, region, name)
                size, by_hand = pixels * depth * pixel, question.dots is not None
                yield CountRow(*where, c.kind, size, c.value, c.low, c.high, by_hand, 2 + ("Z" in question.image.axes))


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


def count_text(value: float, kind: str, low: float | None = None, high: float | None = None) -> str:
    """Say a count: 176 cells (168-184)."""
    number = round(value)
    noun = kind or ("cell" if number == 1 else "cells")
    between = "" if low is None or high is None else f" ({round(low):,}–{round(high):,})"
    return f"{number:,} {noun}{between}"


def figures_line(prediction: Prediction) -> str:
    """Say the counts of a whole result; of a series the mean over its time points."""
    figures, points = prediction.figures, prediction.points
    said = []
    for kind in points.kinds if points is not None else ():
        of = f" {kind}" if kind and f"count {kind}" in figures else ""
        if f"count{of}" in figures:
            said.append(count_text(figures[f"count{of}"], kind, figures.get(f"low{of}"), figures.get(f"high{of}")))
    mean = "on average " if points is not None and "T" in points.axes else ""
    return mean + ", ".join(said)


def densities_text(prediction: Prediction) -> str:
    """Say how many cells there are in a result whose counts were not bounded: the integrals of its densities."""
    assert prediction.points is not None
    assert prediction.image is not None
    return ", ".join(
        count_text(max(float(density.sum(dtype=np.float64)), 0.0), kind)
        for kind, density in zip(prediction.points.kinds, prediction.image, strict=True)
    )


def chances_of(prediction: Prediction) -> dict[str, float]:
    """Give how probable each class is."""
    return {
        name[2:-1]: value for name, value in prediction.figures.items() if name.startswith("P(") and name.endswith(")")
    }


def class_text(class_name: str, probabilities: Mapping[str, float]) -> str:
    """Say a class: good (98 %)."""
    known = probabilities.get(class_name)
    return class_name if known is None else f"{class_name} ({percent(known)})"


def percent(value: float) -> str:
    """Say a part of one."""
    return f"{100 * value:.0f} %"


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


def _by_model(task: Task, prediction: Prediction, mask: npt.NDArray[np.bool_] | None) -> tuple[Count, ...]:
    if mask is None:
        return task.count(prediction)
    window = _window(mask)
    assert prediction.image is not None
    part = replace(prediction, image=prediction.image[(..., *window)])
    return task.count(part, mask[window])


def _by_hand(dots: Points, frame: int | None, mask: npt.NDArray[np.bool_] | None) -> tuple[Count, ...]:
    places, kinds = dots.coordinates, dots.kind
    if frame is not None:
        here = np.round(places[:, 0]) == frame
        places, kinds = places[here], kinds[here]
    if mask is not None:
        y, x = (np.round(places[:, k]).astype(int) for k in (-2, -1))
        inside = (y >= 0) & (x >= 0) & (y < mask.shape[0]) & (x < mask.shape[1])
        inside[inside] = mask[y[inside], x[inside]]
        kinds = kinds[inside]
    return tuple(Count(name, float((kinds == k).sum())) for k, name in enumerate(dots.kinds))


def _window(mask: npt.NDArray[np.bool_]) -> tuple[slice, slice]:
    """Give the smallest window that holds a mask; one pixel where it is empty."""
    sides = []
    for axis in (1, 0):
        found = np.flatnonzero(mask.any(axis=axis))
        sides.append(slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 1))
    return sides[0], sides[1]


def _flat(outline: Outline) -> Outline:
    return Outline(outline.corners[:, -2:])
