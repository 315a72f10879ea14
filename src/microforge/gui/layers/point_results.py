"""Predicted points as Points layers, and points back from a layer."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Layer
from napari.layers import Points as PointsLayer
from scipy.spatial import KDTree

from microforge.gui.layers.marks import networks_point
from microforge.gui.layers.results import (
    DETAILS,
    LayerPlace,
    add_ours,
    doubts_of,
    find_ours,
    fingerprint,
    fit_points,
    remember,
    renew,
    results_of,
)
from microforge.io.points import PLACE_COLUMNS
from microforge.types import Array, Points, Prediction

#: Width of a ring as a part of the distance to the next cell, and its limits in pixels; how wide its line is in it.
_PART, _SMALLEST, _LARGEST, _LINE = 0.55, 4.0, 40.0, 0.22
_USUAL = 7.0
CELLS_LAYER = "cells"


def shown_point_size(points: Points, spacing: float | None = None) -> float:
    """Give how wide points are drawn, in pixels, so that they do not hide each other.

    Parameters
    ----------
    spacing
        Typical distance of a cell to the next; found from the points where it is not known.
    """
    if spacing is None:
        places = points.coordinates[:, -2:]
        if len(places) < 2:
            return _USUAL
        spacing = float(np.median(KDTree(places).query(places, k=2)[0][:, 1]))
    return float(np.clip(_PART * spacing, _SMALLEST, _LARGEST))


def look_of(points: Points, size: float) -> dict[str, Any]:
    """Give the arguments of a layer that shows points as rings in the colours of their kinds."""
    look: dict[str, Any] = {"size": size, "face_color": "transparent", "border_width": _LINE, "opacity": 1.0}
    if len(points.kinds) < 2:
        return look | {"border_color": networks_point()}
    colours = {name: networks_point(k) for k, name in enumerate(points.kinds)}
    return look | {"border_color": "kind", "border_color_cycle": colours}


def add_point_results(
    viewer: ViewerModel,
    place: LayerPlace,
    prediction: Prediction,
    details: Mapping[str, Any],
    spacing: float | None = None,
) -> PointsLayer:
    """Show the cells of a prediction as points on their image; a layer that the user has corrected stays as it is."""
    points = prediction.points
    assert points is not None
    data, transform = fit_points(place, points.coordinates, points.axes)
    size = shown_point_size(points, spacing)
    # Layers of other kinds have other colours: they are left as they are.
    kind = " ".join((CELLS_LAYER, *points.kinds)).strip()
    layer = find_ours(viewer, place, kind, data.shape[1])
    if layer is None:
        name = f"{place.name} ({CELLS_LAYER})"
        look = look_of(points, size) | transform
        layer = PointsLayer(data, ndim=data.shape[1], name=name, features=features_of_points(prediction), **look)
        add_ours(viewer, layer)
    else:
        layer.selected_data = set()
        renew(layer, data, {"features": features_of_points(prediction), "size": size, **transform})
        layer.refresh_colors()
    known = {"axes": place.axes[-data.shape[1] :], "kinds": points.kinds}
    remember(layer, place, kind, {**details, **doubts_of(prediction), **known})
    return layer


def points_of_result(layer: PointsLayer) -> Points:
    """Give the points of a layer of `add_point_results` as they are now."""
    known = layer.metadata[DETAILS]
    axes: str = known["axes"]
    letters = "".join(letter for letter in "TZYX" if letter in axes)
    kinds: tuple[str, ...] = known["kinds"]
    places = np.asarray(layer.data, np.float32).reshape(-1, len(axes))[:, [axes.index(letter) for letter in letters]]
    return Points(places, _kinds_of(layer, kinds), kinds, letters)


def point_layers_found(viewer: ViewerModel, image: Layer) -> list[PointsLayer]:
    """Give the visible layers of `add_point_results` of an image, the top one first."""
    layers = [layer for layer in results_of(viewer, image) if isinstance(layer, PointsLayer) and layer.visible]
    return [layer for layer in reversed(layers) if "kinds" in layer.metadata[DETAILS]]


def is_corrected(layer: PointsLayer) -> bool:
    """Whether a person has moved, added or deleted points of a layer of `add_point_results`."""
    return bool(layer.metadata[DETAILS]["fingerprint"] != fingerprint(layer))


def columns_of_points(layer: PointsLayer) -> dict[str, Array]:
    """Give the points of a layer as columns: where they are, in pixels, and what is known of each."""
    points = points_of_result(layer)
    columns: dict[str, Array] = {PLACE_COLUMNS[axis]: points.coordinates[:, k] for k, axis in enumerate(points.axes)}
    columns |= {name: layer.features[name].to_numpy() for name in layer.features.columns}
    return columns


def features_of_points(prediction: Prediction) -> dict[str, Array]:
    """Give what is known of each point."""
    # The time point is a coordinate of the points, which may be moved.
    columns = {name: np.asarray(column) for name, column in prediction.measurements.items() if name != "frame"}
    points = prediction.points
    if points is not None and len(points.kinds) > 1:
        columns["kind"] = np.array(points.kinds, object)[points.kind]
    return columns


def _kinds_of(layer: PointsLayer, kinds: tuple[str, ...]) -> Any:
    if len(kinds) < 2 or "kind" not in layer.features.columns:
        return np.zeros(len(layer.data), np.int32)
    numbers = {name: number for number, name in enumerate(kinds)}
    return np.array([numbers.get(str(name), 0) for name in layer.features["kind"]], np.int32)
