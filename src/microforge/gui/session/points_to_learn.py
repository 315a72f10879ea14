"""Use predicted, perhaps corrected, points as annotation."""

import numpy as np
from napari.layers import Layer
from napari.layers import Points as PointsLayer

from microforge.annotations import POINTS
from microforge.gui.layers.brush_cursor import add_beside_brushes
from microforge.gui.layers.convert import geometry_of
from microforge.gui.layers.point_results import colour_of, dots_of
from microforge.gui.layers.points import KIND, name_of_layer
from microforge.gui.session.state import Session
from microforge.tasks import available_tasks


def learn_from_dots(session: Session, image: Layer, dots: PointsLayer) -> str:
    """Copy dots into layers of the user, one per kind, and choose the task that learns from them; give what to say.

    Dots that the user set on the image before are not replaced: the copies are then only offered.
    """
    found = dots_of(dots)
    before = session.annotated_of(image)
    known = [layer for layer in before.points if len(layer.data)] if before is not None else []
    copies = []
    for number, name in enumerate(found.kinds):
        copy = PointsLayer(
            np.asarray(dots.data)[found.kind == number],
            ndim=dots.ndim,
            name=name_of_layer(image, name),
            size=float(np.median(dots.size)) if len(dots.data) else 7.0,
            face_color=colour_of(number),
            border_color="#101418",
            border_width=0.12,
            metadata={KIND: name},
            **geometry_of(dots, range(dots.ndim)),
        )
        add_beside_brushes(session.viewer, copy)
        copies.append(copy)
    dots.visible = False
    names = ", ".join(copy.name for copy in copies)
    if known:
        there = ", ".join(layer.name for layer in known)
        return f"Made {names}. You set dots on {image.name} before ({there}): delete those to use the new ones."
    session.annotate_points(image, copies)
    _choose_task(session)
    return f"{names} is learnt from now: go on in Annotate or Train."


def _choose_task(session: Session) -> None:
    if session.kind is not POINTS:
        tasks = [name for name, task in available_tasks().items() if task.annotation is POINTS]
        session.set_task(tasks[0])
