"""ROIs of ImageJ and Fiji, read and written: areas, points, and where in a stack they lie."""

from microforge.io.rois.reading import (
    CORNER,
    ROI_SUFFIXES,
    NamedRoi,
    centre,
    is_area,
    is_points,
    outlines,
    place_of_roi,
    points_of,
    read_areas,
    read_rois,
    rectangle,
)
from microforge.io.rois.stack_position import Stack, StackPosition, stack_position_of
from microforge.io.rois.writing import write_area_rois

__all__ = [
    "CORNER",
    "ROI_SUFFIXES",
    "NamedRoi",
    "Stack",
    "StackPosition",
    "centre",
    "is_area",
    "is_points",
    "outlines",
    "place_of_roi",
    "points_of",
    "read_areas",
    "read_rois",
    "rectangle",
    "stack_position_of",
    "write_area_rois",
]
