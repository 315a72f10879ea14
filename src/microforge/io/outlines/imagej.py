"""Outlines of ImageJ and Fiji: ``.roi`` files, and ``.zip`` files of the ROI manager."""

from pathlib import Path

import numpy as np
from roifile import ROI_TYPE

from microforge.errors import AnnotationError
from microforge.io.outlines.drawing import ObjectOutline
from microforge.io.rois import CORNER, NamedRoi, Stack, outlines, place_of_roi, read_areas, rectangle
from microforge.types import Doubles

_CORNERS_OF_OVAL = 180


def read_imagej(path: Path, stack: Stack) -> list[ObjectOutline]:
    """Read the areas of a file in its order; points and lines are overlooked.

    Raises
    ------
    AnnotationError
        If the file cannot be read or holds no area.
    """
    areas = read_areas(path, "Draw outlines of objects; points are for counting ('microforge train counting').")
    try:
        return [_outline(one, stack) for one in areas]
    except AnnotationError as error:
        raise AnnotationError(error.problem, where=str(path), remedy=error.remedy) from error


def _outline(one: NamedRoi, stack: Stack) -> ObjectOutline:
    oval = one.roi.roitype == ROI_TYPE.OVAL and not one.roi.composite
    lines = [ellipse(*rectangle(one.roi))] if oval else outlines(one.roi)
    place = place_of_roi(one.roi, stack)
    return ObjectOutline([lines], plane=place.z, frame=place.t)


def ellipse(top: float, left: float, height: float, width: float) -> Doubles:
    """Give corners of the ellipse that fills a rectangle between corners of pixels."""
    angles = np.linspace(0, 2 * np.pi, _CORNERS_OF_OVAL, endpoint=False)
    middle = np.array([top + height / 2, left + width / 2]) - CORNER
    return middle + np.stack([np.sin(angles) * height / 2, np.cos(angles) * width / 2], axis=1)
