"""Use predicted, perhaps corrected, points as annotation: they are added to what a person clicked, which stays."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from napari.layers import Layer
from napari.layers import Points as PointsLayer

from microforge.annotations import POINTS
from microforge.gui.layers.brush_cursor import add_beside_brushes
from microforge.gui.layers.convert import geometry_of
from microforge.gui.layers.layer_axes import axes_of
from microforge.gui.layers.marks import mine_point
from microforge.gui.layers.point_results import points_of_result
from microforge.gui.layers.points import KIND, kind_column, name_of_layer, named_layers, places_in, points_on
from microforge.gui.session.state import Session
from microforge.metrics.matching import match_points
from microforge.tasks import available_tasks
from microforge.types import Doubles, Points

_USUAL_SIZE = 7.0


def learn_from_points(session: Session, image: Layer, points: PointsLayer, tolerance: Doubles | None = None) -> str:
    """Learn from found points and from those that the user clicked, which stay as they are; give what to say.

    Parameters
    ----------
    tolerance
        How near to one of the user's, in pixels along ``(Z)YX``, a found point is the same cell, which is not added;
        None is a pixel.
    """
    axes, before = axes_of(image, session.axes_of(image))[0], session.annotated_of(image)
    hers = () if before is None else before.points
    found = points_of_result(points)
    same = np.ones(len(found.axes.replace("T", ""))) if tolerance is None else tolerance
    new = found.only(~known_points(points_on(hers, image, axes), found, same))
    made, given = [], 0
    for number, name in enumerate(new.kinds):
        part = new.only(new.kind == number)
        layer = _layer_for(hers, name) or _new_layer(session, image, points, name, number)
        made += [] if layer in hers else [layer]
        given += len(part)
        _add(layer, places_in(layer, part, image, axes), name)
    points.visible = False
    session.annotate_points(image, (*hers, *made))
    _choose_task(session)
    _take_up(session, made or hers)
    return _said(given, len(found) - given)


def known_points(hers: Points, found: Points, tolerance: Doubles) -> npt.NDArray[np.bool_]:
    """Tell which of the found points are cells that the user clicked, of whatever kind."""
    mine = hers.coordinates[:, [hers.axes.index(letter) for letter in found.axes]]
    # Half a time point: cells of two are never the same.
    within = np.array([0.5, *tolerance])[-len(found.axes) :] if "T" in found.axes else tolerance
    _, same = match_points(mine / within, found.coordinates / within, 1.0)
    return np.isin(np.arange(len(found)), same)


def take_point(session: Session, image: Layer, points: PointsLayer, one: Points) -> PointsLayer:
    """Make a found point one of the user's, the last in its layer; give the layer."""
    axes, before = axes_of(image, session.axes_of(image))[0], session.annotated_of(image)
    hers = () if before is None else before.points
    name = one.kinds[int(one.kind[0])]
    layer = _layer_for(hers, name)
    if layer is None:
        layer = _new_layer(session, image, points, name, int(one.kind[0]))
        session.annotate_points(image, (*hers, layer))
    _add(layer, places_in(layer, one, image, axes), name)
    return layer


def _layer_for(hers: Sequence[PointsLayer], kind: str) -> PointsLayer | None:
    """Give the user's layer for a kind of cells, if there is one; where a kind has no name there is but one."""
    for layer, names in zip(hers, named_layers(hers), strict=True):
        if kind in names or "" in (*names, kind):
            return layer
    return None


def _new_layer(session: Session, image: Layer, points: PointsLayer, kind: str, number: int) -> PointsLayer:
    layer = PointsLayer(
        ndim=points.ndim,
        name=name_of_layer(image, kind),
        size=float(np.median(points.size)) if len(points.data) else _USUAL_SIZE,
        **mine_point(number),
        metadata={KIND: kind},
        **geometry_of(points, range(points.ndim)),
    )
    add_beside_brushes(session.viewer, layer)
    return layer


def _add(layer: PointsLayer, places: Doubles, kind: str) -> None:
    """Add points as one step of undo; none is selected afterwards, so that no key deletes them."""
    if not len(places):
        return
    column = kind_column(layer)
    if column:
        layer.feature_defaults = {**_first(layer), column: kind}
    layer.add(places)
    layer.selected_data = set()


def _first(layer: PointsLayer) -> dict[str, object]:
    return {str(name): layer.feature_defaults[name].iloc[0] for name in layer.feature_defaults.columns}


def _take_up(session: Session, layers: Sequence[PointsLayer]) -> None:
    """Let the next click set a point."""
    for layer in layers[:1]:
        session.viewer.layers.selection.active = layer
        layer.mode = "add"


def _said(given: int, known: int) -> str:
    cells = f"{given:,} cell{'s' * (given != 1)}"
    if not known:
        return f"{cells} {'are' if given != 1 else 'is'} yours now: go on clicking in Annotate, or train."
    return f"{cells} added to yours; {known:,} you had clicked already. Ctrl+Z takes them back."


def _choose_task(session: Session) -> None:
    if session.kind is not POINTS:
        tasks = [name for name, task in available_tasks().items() if task.annotation is POINTS]
        session.set_task(tasks[0])
