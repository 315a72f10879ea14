"""Annotations as plain files that Fiji opens: label TIFFs, points as CSV, regions as corners and as a mask.

Come here for what a file of an annotation holds. Each is written beside the one in place, which stays until the
document knows the new one (`microforge.project.annotations.generations`).
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from microforge.axes.areas import Outline, mask_of
from microforge.errors import AnnotationError, ProjectError
from microforge.io.atomic import atomic_write_bytes
from microforge.io.images import read_image, read_labels
from microforge.io.points import read_points, write_points_csv
from microforge.io.writing import BandWindow, Layout, write_label_bands
from microforge.project.annotations.generations import next_path
from microforge.project.annotations.layers import ComposedLabels
from microforge.project.document import AnnotationPart
from microforge.types import Array, ArrayLike, PixelSize, Points


class Written(NamedTuple):
    """What was written: names of the files, of which the first counts, how many things, and what they are."""

    names: tuple[str, ...]
    things: int
    part: AnnotationPart


def write_layer(folder: Path, name: str, layer: ComposedLabels, axes: str, pixel_size: PixelSize | None) -> Written:
    """Write a label layer band by band.

    Raises
    ------
    WriteError
        If it cannot be written.
    """
    found: set[int] = set()

    def read(window: BandWindow) -> Array:
        band = layer.window(window)
        found.update(np.unique(band[band > 0]).tolist())
        return band

    file = f"{name}.tif"
    write_label_bands(next_path(folder, file), Layout(axes, layer.shape, np.dtype(np.uint32), pixel_size), read)
    return Written((file,), len(found), AnnotationPart(axes=axes, shape=layer.shape))


def read_layer(path: Path, shape: Sequence[int]) -> ArrayLike:
    """Open the file of a layer, in the shape of the layer: files leave out axes of length one.

    Raises
    ------
    ImageReadError
        If it cannot be read.
    AnnotationError
        If it has another shape.
    """
    data: Any = read_image(path).data
    if [n for n in data.shape if n > 1] != [n for n in shape if n > 1]:
        raise AnnotationError(f"The labels have the shape {data.shape}, not {tuple(shape)}.", where=str(path))
    return data if tuple(data.shape) == tuple(shape) else data.reshape(tuple(shape))  # type: ignore[no-any-return]


def read_edited_layer(path: Path, shape: Sequence[int]) -> Array:
    """Read labels that another program has changed.

    Raises
    ------
    MicroforgeError
        If they are no labels, or of another shape.
    """
    labels = np.asarray(read_labels(path).data)
    if [n for n in labels.shape if n > 1] != [n for n in shape if n > 1]:
        raise AnnotationError(f"The labels have the shape {labels.shape}, not {tuple(shape)}.", where=str(path))
    return labels.reshape(tuple(shape))


def write_points_file(folder: Path, name: str, points: Points, pixel_size: PixelSize | None) -> Written:
    """Write points as a table.

    Raises
    ------
    WriteError
        If it cannot be written.
    """
    fitting = pixel_size if pixel_size is not None and len(pixel_size) >= sum(a in "ZYX" for a in points.axes) else None
    file = f"{name}.csv"
    write_points_csv(next_path(folder, file), points, pixel_size=fitting)
    return Written((file,), len(points), AnnotationPart(axes=points.axes, kinds=points.kinds))


def read_points_file(path: Path, kinds: Sequence[str]) -> Points:
    """Read points with the kinds that were looked for, also those of which there is none.

    Raises
    ------
    AnnotationError
        If the file cannot be read.
    """
    points = read_points(path)
    if not kinds or not set(points.kinds[: 1 if not len(points) else None]) <= {*kinds, ""}:
        return points
    names = [points.kinds[kind] for kind in points.kind.tolist()]
    if not set(names) <= set(kinds):
        return points
    numbers = np.array([kinds.index(name) for name in names], np.int32)
    return Points(points.coordinates, numbers, tuple(kinds), points.axes)


def points_bytes(points: Points) -> bytes:
    """Give points as they are kept in the journal."""
    return json.dumps(
        {
            "axes": points.axes,
            "kinds": points.kinds,
            "kind": points.kind.tolist(),
            "coordinates": points.coordinates.astype(float).tolist(),
        }
    ).encode()


def points_from(raw: bytes) -> Points:
    """Read what `points_bytes` gave."""
    values = json.loads(raw)
    coordinates = np.array(values["coordinates"], np.float32).reshape(-1, len(values["axes"]))
    return Points(coordinates, np.array(values["kind"], np.int32), tuple(values["kinds"]), values["axes"])


def outlines_bytes(outlines: Sequence[Outline]) -> bytes:
    """Give outlines as they are kept in the journal and in their file: the corners of each."""
    return json.dumps({"outlines": [np.asarray(one.corners, float).tolist() for one in outlines]}).encode()


def outlines_from(raw: bytes) -> tuple[Outline, ...]:
    """Read what `outlines_bytes` gave."""
    return tuple(Outline(np.array(corners, np.float64)) for corners in json.loads(raw)["outlines"])


def write_region_files(
    folder: Path, name: str, outlines: Sequence[Outline], shape: Sequence[int], pixel_size: PixelSize | None
) -> Written:
    """Write outlines as corners, and as a mask where the shape ``(T)(Z)YX`` of the image is known.

    Raises
    ------
    WriteError
        If they cannot be written.
    """
    corners, mask = f"{name}.json", f"{name}.tif"
    atomic_write_bytes(next_path(folder, corners), outlines_bytes(outlines))
    if shape:
        layout = Layout("TZYX"[-len(shape) :], tuple(shape), np.dtype(np.uint32), pixel_size)
        write_label_bands(next_path(folder, mask), layout, lambda window: mask_in(outlines, window))
    return Written((corners, mask) if shape else (corners,), len(outlines), AnnotationPart())


def mask_in(outlines: Sequence[Outline], window: BandWindow) -> Array:
    """Give the mask of a window: that of a whole slide would not fit into memory."""
    first = np.array([start for start, _ in window], float)
    moved = [Outline(one.corners - first[-one.corners.shape[1] :]) for one in outlines]
    return mask_of(moved, tuple(stop - start for start, stop in window))


def read_region_file(path: Path) -> tuple[Outline, ...]:
    """Read the corners of outlines.

    Raises
    ------
    ProjectError
        If they cannot be read.
    """
    try:
        return outlines_from(path.read_bytes())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ProjectError(f"The region cannot be read ({error}).", where=str(path)) from error
