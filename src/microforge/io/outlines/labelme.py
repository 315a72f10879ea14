"""Outlines of Labelme: one JSON file per image, with polygons, rectangles and circles."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from microforge.io.outlines.drawing import ObjectOutline
from microforge.io.outlines.geojson import line_of_corners
from microforge.io.outlines.imagej import ellipse
from microforge.types import Doubles


def is_labelme(content: Any) -> bool:
    """Tell whether a JSON value lists shapes."""
    return isinstance(content, dict) and isinstance(content.get("shapes"), list)


def outlines_of_labelme(content: Any) -> Iterator[ObjectOutline]:
    """Give the objects of a file in its order; shapes of one group are one object, points and lines are overlooked.

    Raises
    ------
    KeyError, TypeError, ValueError
        If it is made otherwise.
    """
    groups: dict[object, list[list[Doubles]]] = {}
    for number, shape in enumerate(content["shapes"]):
        line = _line(shape.get("shape_type") or "polygon", shape["points"])
        if line is not None:
            group = shape.get("group_id")
            key = ("alone", number) if group is None else (shape.get("label"), group)
            groups.setdefault(key, []).append([line])
    yield from (ObjectOutline(parts) for parts in groups.values())


def _line(kind: str, points: Any) -> Doubles | None:
    if kind == "polygon":
        return line_of_corners(points)
    if kind not in ("rectangle", "circle"):
        return None
    (x0, y0), (x1, y1) = np.asarray(points, float).reshape(2, 2)
    if kind == "rectangle":
        return line_of_corners([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
    radius = float(np.hypot(x1 - x0, y1 - y0))
    return ellipse(y0 - radius, x0 - radius, 2 * radius, 2 * radius)
