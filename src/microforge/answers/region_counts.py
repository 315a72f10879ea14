"""How many cells there are in an image and in regions of it, by the model or as corrected by hand; the only such count.

A model counts by its `task.count` alone; come here for which pixels and points are counted, and for tables of counts.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from microforge.answers.words import count_text
from microforge.axes.areas import Area, Region
from microforge.axes.samples import to_samples
from microforge.io.tables import TableRows, text_rows
from microforge.types import Array, Count, Image, Points, Prediction, Sample

#: `task.count`.
CountFunction = Callable[[Prediction, npt.NDArray[np.bool_] | None], tuple[Count, ...]]
#: What the whole image is called in the column of the regions, on screen and in the tables of a folder.
_ON_SCREEN, _IN_FILES = "whole image", "image"


@dataclass(frozen=True)
class CountRow:
    """How many cells of a kind there are in an image or a region.

    Attributes
    ----------
    frame
        The time point; None where there is no time.
    region, name
        Number of the region in the order given, and its name; None and empty: the whole image.
    pixels, size
        Number of pixels, and area in square micrometres, of a stack (`dims` 3) the volume in cubic ones; NaN where the
        pixel size is not known.
    points
        How many points lie there; None where there are no points.
    by_hand
        Whether these are points that a person has corrected.
    """

    image: str
    frame: int | None
    region: int | None
    name: str
    kind: str
    value: float
    low: float | None = None
    high: float | None = None
    pixels: int = 0
    size: float = float("nan")
    dims: int = 2
    points: int | None = None
    by_hand: bool = False

    @property
    def place(self) -> str:
        """Name of the region, in words where it is none."""
        return _ON_SCREEN if self.region is None else self.name

    @property
    def per_mm(self) -> float:
        """Cells per square, or cubic, millimetre; NaN where the size is not known, or nothing."""
        return self.value / self.size * 1000**self.dims if self.size > 0 else float("nan")


@dataclass(frozen=True, eq=False)
class CountQuestion:
    """An image whose cells are counted, as it is at one moment.

    Attributes
    ----------
    count
        `task.count` of the model.
    prediction
        Its image is the density ``(T)C(Z)YX``.
    regions
        Count for all time points.
    corrected
        Where a person has corrected them, the points ``(T)(Z)YX``; then these are counted.
    """

    image: Image
    count: CountFunction
    prediction: Prediction
    regions: tuple[Region, ...] = ()
    corrected: Points | None = None


def count_image(question: CountQuestion) -> Iterator[CountRow]:
    """Count the whole image and each region, at each time point."""
    density, series = question.prediction.image, "T" in question.image.axes
    assert density is not None
    for t, sample in enumerate(to_samples(question.image)):
        prediction = replace(question.prediction, image=density[t] if series else density, points=None)
        corrected = _at(question.corrected, t) if series else question.corrected
        named = replace(sample, name=question.image.name)
        yield from count_regions(
            question.count, prediction, named, question.regions, frame=t if series else None, corrected=corrected
        )


def count_regions(
    count: CountFunction,
    prediction: Prediction,
    sample: Sample,
    regions: Sequence[Region] = (),
    *,
    frame: int | None = None,
    corrected: Points | None = None,
) -> Iterator[CountRow]:
    """Count one time point: the whole image, then each region, one row for each kind of cells.

    Parameters
    ----------
    prediction
        A density ``C(Z)YX``, or labels ``(Z)YX``, with the points found where there are some.
    sample
        What was predicted: its size counts.
    corrected
        Points set by hand, ``(Z)YX``; counted instead of what the model says.
    """
    shape, by_hand = tuple(sample.image.shape[1:]), corrected is not None
    for number, region in ((None, None), *enumerate(regions)):
        area = None if region is None else region.area
        found = prediction.points if corrected is None else corrected
        here = found if found is None or area is None else area.points_inside(found, shape)
        counts = _by_model(count, prediction, area, shape) if corrected is None else _by_hand(here)
        pixels = int(np.prod(shape)) if area is None else area.pixels(shape)
        for one in counts:
            yield CountRow(
                sample.name,
                frame,
                number,
                "" if region is None else region.name,
                one.kind,
                one.value,
                one.low,
                one.high,
                pixels,
                pixels * _pixel(sample),
                len(shape),
                None if here is None else len(here.of_kind(one.kind)),
                by_hand,
            )


def count_columns(rows: Sequence[CountRow]) -> dict[str, Array]:
    """Give counts of several images as the columns of a table."""
    columns: dict[str, Array] = {"image": np.array([row.image for row in rows], object)}
    if any(row.frame is not None for row in rows):
        columns["frame"] = np.array([row.frame for row in rows], object)
    columns["region"] = np.array([row.place for row in rows], object)
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


def count_table(rows: Iterable[CountRow]) -> TableRows:
    """Give counts of one image as rows of the table of a folder."""
    rows = list(rows)
    space = ("volume_px", "volume_um3", "cells_per_mm3")
    plane = ("area_px", "area_um2", "cells_per_mm2")
    series = any(row.frame is not None for row in rows)
    size = space if any(row.dims == 3 for row in rows) else plane
    columns = (*(("frame",) if series else ()), "region", "kind", "count", "low", "high", *size, "points")
    return text_rows(columns, [[*((row.frame,) if series else ()), *_line(row)] for row in rows])


def count_lines(rows: Sequence[CountRow]) -> list[str]:
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


def _by_model(
    count: CountFunction, prediction: Prediction, area: Area | None, shape: tuple[int, ...]
) -> tuple[Count, ...]:
    if area is None:
        return count(prediction, None)
    if prediction.labels is not None or prediction.image is None:
        # Objects are counted by their centroids, in pixels of the whole image.
        return count(prediction, area.on(shape))
    inside: tuple[Any, ...] = (..., *area.window)
    return count(replace(prediction, image=prediction.image[inside]), area.mask)


def _by_hand(points: Points | None) -> tuple[Count, ...]:
    assert points is not None
    return tuple(Count(name, float(len(points.of_kind(name)))) for name in points.kinds)


def _at(points: Points | None, frame: int) -> Points | None:
    """Give the points ``T(Z)YX`` of a time point, without T."""
    if points is None:
        return None
    here = points.only(np.round(points.coordinates[:, 0]) == frame)
    return replace(here, coordinates=here.coordinates[:, 1:], axes=here.axes[1:])


def _pixel(sample: Sample) -> float:
    """Give the area of a pixel, in a stack its volume, in micrometres; NaN where it is not known."""
    dims, size = sample.image.ndim - 1, sample.pixel_size
    return float(np.prod(size[-dims:])) if size is not None and len(size) >= dims else float("nan")


def _line(row: CountRow) -> list[object]:
    """Give a row as it is written into files."""
    name = _IN_FILES if row.region is None else " ".join(row.name.split())
    counted = [None if value is None else f"{value:.2f}" for value in (row.value, row.low, row.high)]
    known = not np.isnan(row.size)
    density = row.per_mm if row.size > 0 else 0.0
    sizes = [f"{row.size:.7g}", f"{density:.6g}"] if known else [None, None]
    return [name, row.kind, *counted, row.pixels, *sizes, row.points]
