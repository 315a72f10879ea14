"""Regions to count in: label images (atlas), or areas drawn in ImageJ or Fiji."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from roifile import ROI_TYPE, ImagejRoi
from scipy import ndimage

from microforge.axes.areas import Area, Region, enclosed
from microforge.axes.letters import size_text
from microforge.errors import AnnotationError, PairingError
from microforge.io.files import IMAGE_SUFFIXES, natural_order
from microforge.io.images import read_labels
from microforge.io.pairing import name_of, region_core
from microforge.io.rois import (
    CORNER,
    ROI_SUFFIXES,
    NamedRoi,
    outlines,
    place_of_roi,
    read_areas,
    rectangle,
)
from microforge.types import Doubles, Labels, Window


def regions_for(where: str | Path, image: str | Path, shape: Sequence[int]) -> list[Region]:
    """Give the regions of an image.

    Parameters
    ----------
    where
        A file, whose regions apply to every image, or a folder with a file of the image's name.
    shape
        Of the image, ``(Z)YX``.

    Returns
    -------
    list of Region
        Empty where the folder holds no file for this image.

    Raises
    ------
    AnnotationError, ImageReadError
        If the file cannot be read or does not fit the image.
    PairingError
        If there is no such file or folder, or two files fit.
    """
    where, image = Path(where), Path(image)
    if not where.exists():
        raise PairingError("There is no such file or folder of regions.", where=str(where), remedy="Check the name.")
    if not where.is_dir():
        return read_regions(where, shape)
    found = _files_for(where, image)
    if len(found) > 1:
        raise PairingError(
            f"Two files of regions fit: {found[0].name} and {found[1].name}.",
            where=str(image),
            remedy="Move or rename one of them.",
        )
    return read_regions(found[0], shape) if found else []


def _files_for(folder: Path, image: Path) -> list[Path]:
    suffixes = (*IMAGE_SUFFIXES, *ROI_SUFFIXES)
    files = [path for path in folder.iterdir() if path.suffix.lower() in suffixes and not path.name.startswith(".")]
    files = natural_order(path for path in files if path.resolve() != image.resolve() and path.is_file())
    same = [path for path in files if name_of(path) == name_of(image)]
    return same or [path for path in files if region_core(path) == region_core(image)]


def read_regions(path: str | Path, shape: Sequence[int]) -> list[Region]:
    """Read the regions of a file for an image of this shape ``(Z)YX``.

    A label image gives one region per label, called by its number; YX labels of a stack count for all planes. A
    ``.roi`` or ``.zip`` file of ImageJ gives one region per area, by its name, in its plane if it was set on one;
    points and lines are overlooked. What reaches beyond the image is cut off. Regions may overlap.

    Raises
    ------
    AnnotationError, ImageReadError
        If the file cannot be read, holds no area or does not fit the image.
    """
    path, shape = Path(path), tuple(shape)
    if path.suffix.lower() in ROI_SUFFIXES:
        return _of_rois(path, shape)
    labels = _fitting(path, shape)
    values = np.unique(labels)
    values = values[values > 0]
    if not len(values):
        raise AnnotationError(
            "The label image holds no region: all its pixels are 0.",
            where=str(path),
            remedy="Give each region a number of its own.",
        )
    boxes = zip(values.tolist(), _boxes(labels, values), strict=True)
    return [Region(str(value), shape, partial(_area_of_label, labels, value, box)) for value, box in boxes]


def _boxes(labels: Labels, values: Labels) -> list[Window]:
    """Give the window around each value; an atlas may use numbers far beyond how many regions it has."""
    direct = bool(values[-1] <= labels.size)
    numbered = labels if direct else np.searchsorted(values, labels, side="right")
    boxes = ndimage.find_objects(numbered.astype(np.int32, copy=False))
    return [boxes[value - 1] for value in (values.tolist() if direct else range(1, len(values) + 1))]


def _area_of_label(labels: Labels, value: int, box: Window) -> Area:
    return Area(box, np.asarray(labels[box] == value))


def _fitting(path: Path, shape: tuple[int, ...]) -> Labels:
    labels = np.asarray(read_labels(path).data)
    for wanted in (shape, shape[-2:]):
        # Files leave out dimensions of length one, or add them.
        if [n for n in labels.shape if n > 1] == [n for n in wanted if n > 1]:
            return labels.reshape(wanted)
    raise AnnotationError(
        f"The regions are {size_text(labels.shape)}, the image is {size_text(shape)} (channels and time aside).",
        where=str(path),
        remedy="Regions must have the size of the image they are used on.",
    )


def _of_rois(path: Path, shape: tuple[int, ...]) -> list[Region]:
    areas = read_areas(path, "Draw rectangles, ovals, polygons or freehand areas.")
    names = _unlike([one.name for one in areas])
    try:
        return [
            Region(name, shape, partial(_area_of_roi, _shape_of(one.roi), _plane_of(one, shape), shape))
            for name, one in zip(names, areas, strict=True)
        ]
    except AnnotationError as error:
        raise AnnotationError(error.problem, where=str(path), remedy=error.remedy) from error


def _plane_of(one: NamedRoi, shape: tuple[int, ...]) -> int | None:
    """Give the plane a region lies on, None where it counts for all."""
    plane = place_of_roi(one.roi, None).z
    if len(shape) < 3 or plane is None:
        return None
    if plane >= shape[0]:
        raise AnnotationError(
            f"The region '{one.name}' lies on plane {plane + 1}, but the image has {shape[0]} planes.",
            remedy="Check that the regions were drawn on this image.",
        )
    return plane


class _Oval(NamedTuple):
    """Top, left, height and width, between corners of pixels."""

    top: float
    left: float
    height: float
    width: float


def _shape_of(roi: ImagejRoi) -> _Oval | list[Doubles]:
    """Give an oval, or the outlines of anything else."""
    return _Oval(*rectangle(roi)) if roi.roitype == ROI_TYPE.OVAL and not roi.composite else outlines(roi)


def _area_of_roi(drawn: _Oval | list[Doubles], plane: int | None, shape: tuple[int, ...]) -> Area:
    flat = _oval(drawn, shape[-2:]) if isinstance(drawn, _Oval) else enclosed(drawn, shape[-2:])
    return flat if plane is None else Area((slice(plane, plane + 1), *flat.window), flat.mask[None])


def _oval(drawn: _Oval, shape: tuple[int, ...]) -> Area:
    from skimage.draw import ellipse

    mask = np.zeros(shape, bool)
    height, width = drawn.height / 2, drawn.width / 2
    mask[ellipse(drawn.top + height - CORNER, drawn.left + width - CORNER, height, width, shape)] = True
    return Area((slice(0, shape[0]), slice(0, shape[1])), mask)


def _unlike(names: Sequence[str]) -> list[str]:
    """Number names that occur twice."""
    taken: dict[str, int] = {}
    unlike = []
    for name in names:
        taken[name] = taken.get(name, 0) + 1
        unlike.append(name if taken[name] == 1 else f"{name} ({taken[name]})")
    return unlike
