"""The labels that are on the screen, as the engine edits them: one image, without time points and channels."""

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

import numpy as np
from napari.layers import Labels

from microforge.label_editing import Edit
from microforge.types import Array, Doubles

_ON_SCREEN = 2


class ShownLabels:
    """The labels ``(Z)YX`` of the time point that is shown; the two axes on the screen come last.

    Parameters
    ----------
    layer
        The Labels layer.
    axes
        A letter for each of its dimensions.
    position
        A place in world coordinates on the plane that is shown.
    displayed
        The dimensions of the viewer that are on the screen.

    Attributes
    ----------
    labels
        The labels, a view.
    """

    def __init__(self, layer: Labels, axes: str, position: Sequence[float], displayed: Sequence[int]) -> None:
        self.layer = layer
        shown = [place - len(position) + layer.ndim for place in displayed][-_ON_SCREEN:]
        others = [place for place, letter in enumerate(axes) if letter in "ZYX" and place not in shown]
        self.axes = (*others, *shown)
        at = self._pixel(position)
        self.fixed = {place: at[place] for place in range(layer.ndim) if place not in self.axes}
        self.labels = pixels_of(layer, self.axes, self.fixed)

    def place(self, position: Sequence[float]) -> Doubles:
        """Give a place in world coordinates as pixels of `labels`."""
        data = self.layer.world_to_data(position)
        return np.array([data[axis] for axis in self.axes], np.float64)

    def pixel(self, position: Sequence[float]) -> tuple[int, ...]:
        """Give the pixel of `labels` at a place in world coordinates, or nothing where there is none."""
        at = tuple(int(np.round(place)) for place in self.place(position))
        inside = all(0 <= place < length for place, length in zip(at, self.labels.shape, strict=True))
        return at if inside else ()

    def on_object(self, position: Sequence[float]) -> tuple[int, ...]:
        """Give the pixel at a place in world coordinates if it is of an object, or nothing."""
        at = self.pixel(position)
        return at if at and self.labels[at] else ()

    def plane(self, at: Doubles) -> Array:
        """Give the plane of `labels` that a pixel lies on, a view."""
        plane: Array = self.labels[tuple(int(np.round(place)) for place in at[:-_ON_SCREEN])]
        return plane

    def write(self, edit: Edit) -> bool:
        """Change pixels such that they can be undone; give whether there were any."""
        if len(edit):
            self.layer.data_setitem(self.places(edit), edit.new)
        return len(edit) > 0

    def places(self, edit: Edit) -> tuple[Array, ...]:
        """Give where an edit of `labels` lies in the layer, along each of its dimensions."""
        places = dict(zip(self.axes, edit.where, strict=True))
        fixed = {axis: np.full(len(edit), at) for axis, at in self.fixed.items()}
        return tuple((places | fixed)[axis] for axis in range(self.layer.ndim))

    def in_layer(self, at: Sequence[float]) -> list[float]:
        """Give a place in `labels` as one in the layer, along each of its dimensions."""
        places = dict(zip(self.axes, at, strict=True)) | self.fixed
        return [float(places[axis]) for axis in range(self.layer.ndim)]

    def beside(self, layer: Labels) -> "ShownLabels":
        """Give the labels at the same place of another layer with the same dimensions."""
        other = copy(self)
        other.layer = layer
        other.labels = pixels_of(layer, self.axes, self.fixed)
        return other

    def on_stack(self, edit: Edit, at: Doubles) -> Edit:
        """Give the edit of a plane as one of `labels`."""
        before = {axis: int(np.round(place)) for axis, place in enumerate(at[:-_ON_SCREEN])}
        return edit.placed(before)

    def steps(self) -> tuple[float, ...]:
        """Give how far each step along an axis of `labels` is for the brush: it reaches along those it edits only."""
        edited = self.axes[-max(_ON_SCREEN, self.layer.n_edit_dimensions) :]
        sizes = np.abs([self.layer.scale[axis] for axis in self.axes])
        finest = min(size for size, axis in zip(sizes, self.axes, strict=True) if axis in edited)
        return tuple(
            float(size / finest) if axis in edited else np.inf for size, axis in zip(sizes, self.axes, strict=True)
        )

    def _pixel(self, position: Sequence[float]) -> list[int]:
        data = self.layer.world_to_data(position)
        return [
            int(np.clip(np.round(at), 0, length - 1)) for at, length in zip(data, self.layer.data.shape, strict=True)
        ]


def pixels_of(layer: Labels, axes: Sequence[int], fixed: Mapping[int, int]) -> Array:
    """Give the labels of a layer at a place along some of its dimensions; the others are in the order of `axes`."""
    view: Any = layer.data[tuple(fixed.get(axis, slice(None)) for axis in range(layer.ndim))]
    order = sorted(axes)
    return np.transpose(np.asarray(view), [order.index(axis) for axis in axes])
