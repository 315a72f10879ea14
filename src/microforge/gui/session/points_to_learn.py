"""Use predicted, perhaps corrected, points as annotation."""

import numpy as np
from napari.layers import Layer
from napari.layers import Points as PointsLayer

from microforge.annotations import POINTS
from microforge.gui.layers.brush_cursor import add_beside_brushes
from microforge.gui.layers.convert import geometry_of
from microforge.gui.layers.marks import mine_point
from microforge.gui.layers.point_results import points_of_result
from microforge.gui.layers.points import KIND, name_of_layer
from microforge.gui.session.state import Session
from microforge.tasks import available_tasks


def learn_from_points(session: Session, image: Layer, points: PointsLayer) -> str:
    """Copy points into layers of the user, one per kind, and choose the task that learns from them; give what to say.

    Points that the user set on the image before are not replaced: the copies are then only offered.
    """
    found = points_of_result(points)
    before = session.annotated_of(image)
    known = [layer for layer in before.points if len(layer.data)] if before is not None else []
    copies = []
    for number, name in enumerate(found.kinds):
        copy = PointsLayer(
            np.asarray(points.data)[found.kind == number],
            ndim=points.ndim,
            name=name_of_layer(image, name),
            size=float(np.median(points.size)) if len(points.data) else 7.0,
            **mine_point(number),
            metadata={KIND: name},
            **geometry_of(points, range(points.ndim)),
        )
        add_beside_brushes(session.viewer, copy)
        copies.append(copy)
    points.visible = False
    names = ", ".join(copy.name for copy in copies)
    if known:
        there = ", ".join(layer.name for layer in known)
        return f"Made {names}. You set points on {image.name} before ({there}): delete those to use the new ones."
    session.annotate_points(image, copies)
    _choose_task(session)
    return f"{names} is learnt from now: go on in Annotate or Train."


def _choose_task(session: Session) -> None:
    if session.kind is not POINTS:
        tasks = [name for name, task in available_tasks().items() if task.annotation is POINTS]
        session.set_task(tasks[0])
