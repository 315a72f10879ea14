"""Outlines in GeoJSON, as QuPath exports them: a list of features or a collection, with holes and several pieces."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from microforge.io.outlines.drawing import ObjectOutline
from microforge.io.outlines.imagej import ellipse
from microforge.io.rois import CORNER
from microforge.types import Doubles

_FEATURES = ("Feature", "FeatureCollection")


def is_geojson(content: Any) -> bool:
    """Tell whether a JSON value holds features."""
    first = content[0] if isinstance(content, list) and content else content
    return isinstance(first, dict) and first.get("type") in _FEATURES


def outlines_of_geojson(content: Any) -> Iterator[ObjectOutline]:
    """Give the areas of a file in its order; points and lines are overlooked.

    Raises
    ------
    KeyError, TypeError, ValueError
        If it is made otherwise.
    """
    if isinstance(content, dict):
        content = content["features"] if content["type"] == "FeatureCollection" else [content]
    for feature in content:
        geometry = feature.get("geometry") or {}
        kind = geometry.get("type")
        if kind in ("Polygon", "MultiPolygon"):
            pieces = geometry["coordinates"] if kind == "MultiPolygon" else [geometry["coordinates"]]
            parts = [[line_of_corners(ring) for ring in piece] for piece in pieces]
            if geometry.get("isEllipse"):
                parts = [[_ellipse(parts[0][0])]]
            place = geometry.get("plane") or {}
            yield ObjectOutline(parts, plane=place.get("z"), frame=place.get("t"))


def line_of_corners(corners: Any) -> Doubles:
    """Give a closed line ``(N, 2)`` along Y and X from pairs x, y, counted from the corner of the first pixel."""
    line = np.asarray(corners, np.float64)
    if line.ndim != 2 or line.shape[1] < 2 or len(line) < 3 or not np.all(np.abs(line) < 1e7):
        raise ValueError("a line has fewer than three corners, or they are no places in an image")
    return np.ascontiguousarray(line[:, 1::-1]) - CORNER


def _ellipse(line: Doubles) -> Doubles:
    low, high = line.min(0) + CORNER, line.max(0) + CORNER
    return ellipse(low[0], low[1], high[0] - low[0], high[1] - low[1])
