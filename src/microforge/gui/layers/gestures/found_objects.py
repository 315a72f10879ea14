"""What a network found, laid on the labels that a person paints: whichever part of the image it saw."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels, Layer

from microforge.gui.layers.gestures.shown_labels import ShownLabels, pixels_of
from microforge.gui.layers.marks import is_result
from microforge.gui.layers.results import CLASSES_KIND, DETAILS, measurements_of, results_of
from microforge.label_editing import Edit
from microforge.types import Array, Window

#: So far may two grids be apart, in pixels, and still be the same.
_OFF = 0.02


@dataclass(frozen=True, eq=False)
class FoundObjects:
    """The objects of a layer of a network over the labels on the screen; both are views ``(Z)YX`` of the same part.

    Attributes
    ----------
    labels, found
        What is painted, and what the network found.
    window
        Where the part lies in the labels on the screen.
    """

    labels: Array
    found: Array
    window: Window
    _layer: Labels
    _others: dict[int, int]

    def confidence(self) -> dict[int, float]:
        """Give how sure the network is of each object of `found`, where it is known; slow for long series."""
        return _confidence(self._layer, self._others)

    def in_whole(self, edit: Edit) -> Edit:
        """Give an edit of the part as one of all the labels on the screen."""
        places = (own + part.start for own, part in zip(edit.where, self.window, strict=True))
        return Edit(tuple(places), edit.old, edit.new)


def found_layers(viewer: ViewerModel, image: Layer) -> list[Labels]:
    """Give the visible layers that hold the objects that a network found on an image, the top one first."""
    results = [layer for layer in results_of(viewer, image) if is_result(layer) and layer.visible]
    objects = [layer for layer in results if layer.metadata[DETAILS].get("kind") != CLASSES_KIND]
    return [layer for layer in reversed(objects) if isinstance(layer, Labels)]


def found_over(layer: Labels, shown: ShownLabels) -> FoundObjects | None:
    """Lay what a network found on the labels on the screen; None where it is of another time, part or grid."""
    own = shown.layer
    whole: Array = np.zeros(own.ndim)
    for axis, fixed in shown.fixed.items():
        whole[axis] = fixed
    origin = _in_pixels(layer, own.data_to_world(whole))
    axes = [axis + layer.ndim - own.ndim for axis in shown.axes]
    if min(axes) < 0 or not _same_grid(layer, own, whole, shown.axes, origin):
        return None
    at = np.round(origin).astype(int)
    others = {axis: int(at[axis]) for axis in range(layer.ndim) if axis not in axes}
    if any(not 0 <= place < layer.data.shape[axis] for axis, place in others.items()):
        return None
    view = pixels_of(layer, axes, others)
    window = _common(shown.labels.shape, view.shape, [int(at[axis]) for axis in axes])
    if window is None:
        return None
    there = tuple(slice(part.start + at[axis], part.stop + at[axis]) for part, axis in zip(window, axes, strict=True))
    return FoundObjects(shown.labels[window], view[there], window, layer, others)


def _common(labels: Sequence[int], found: Sequence[int], start: Sequence[int]) -> Window | None:
    """Give the part of one grid that another covers; `start` is where the first begins in the second."""
    spans = [
        (max(0, -begin), min(mine, theirs - begin)) for begin, mine, theirs in zip(start, labels, found, strict=True)
    ]
    if any(low >= high for low, high in spans):
        return None
    return tuple(slice(low, high) for low, high in spans)


def _same_grid(layer: Labels, own: Layer, whole: Array, axes: Sequence[int], origin: Array) -> bool:
    """Whether a step along each axis of the labels is a step of the found ones, and they lie on whole pixels."""
    for axis in axes:
        ahead = whole.copy()
        ahead[axis] += 1
        step = _in_pixels(layer, own.data_to_world(ahead)) - origin
        expected = np.zeros(layer.ndim)
        expected[axis + layer.ndim - own.ndim] = 1
        if not np.allclose(step, expected, atol=_OFF):
            return False
    places = origin[[axis + layer.ndim - own.ndim for axis in axes]]
    return bool(np.allclose(places, np.round(places), atol=_OFF))


def _in_pixels(layer: Layer, world: Sequence[float]) -> Array:
    return np.asarray(layer.world_to_data(np.asarray(world, np.float64)[-layer.ndim :]), np.float64)


def _confidence(layer: Labels, others: dict[int, int]) -> dict[int, float]:
    """Give how sure the network is of each object; of a series, those of the time point alone."""
    table = measurements_of(layer)
    if "confidence" not in table or "label" not in table:
        return {}
    rows = np.ones(len(table["label"]), bool)
    if "frame" in table and others:
        rows = np.isin(table["frame"], list(others.values()))
    labels, sure = (np.asarray(table[name])[rows].tolist() for name in ("label", "confidence"))
    return {int(label): float(value) for label, value in zip(labels, sure, strict=True)}
