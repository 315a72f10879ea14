"""Strokes of the brush: whose label they have is decided when the brush is lifted."""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels

from microforge.gui.layers.gestures.lines import way_of
from microforge.gui.layers.gestures.shown_labels import ShownLabels
from microforge.label_editing import continued, footprint, over_next_plane, relabel
from microforge.types import Doubles

if TYPE_CHECKING:
    from microforge.gui.layers.gestures.hand import Hand


#: napari's brush covers so much more than half of its size.
_RIM = 0.5


def stroke(hand: "Hand", layer: Labels, event: Any) -> Generator[None, None, None]:
    """Paint one stroke of an object; napari's own brush does the painting.

    A stroke that begins on an object goes on with it. One that begins on empty ground is painted with a new label; when
    the brush is lifted and it lies mostly on an object, it becomes part of that.
    """
    shown = hand.shown(event.position, event.dims_displayed)
    under = shown.on_object(event.position)
    if hand.asked_new or under:
        if not hand.asked_new:
            layer.selected_label = int(shown.labels[under])
        hand.asked_new = False
        return
    painted = hand.numbers.take()
    # Where the layer had to be made to hold larger numbers its pixels are others now.
    shown = hand.shown(event.position, event.dims_displayed)
    path = yield from way_of(shown, event)
    # napari has not ended its own stroke yet: what is changed here is undone together with it.
    if painted and layer.preserve_labels:
        _decide(hand, shown, path, np.floor(layer.brush_size / 2) + _RIM, painted)


def _decide(hand: "Hand", shown: ShownLabels, path: Doubles, radius: float, painted: int) -> None:
    """Give a stroke to the object that it goes on with, if there is one."""
    made = footprint(path, radius, shown.labels.shape, shown.steps())
    if not made.mask.any():
        return
    label = continued(shown.labels, made, painted) or over_next_plane(shown.labels, made)
    if label:
        shown.write(relabel(shown.labels, made, painted, label))
        hand.numbers.give_back(painted)
        shown.layer.selected_label = label
