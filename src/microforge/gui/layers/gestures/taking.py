"""Click what a network found, or drag over it: it becomes an object of the person's."""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import numpy as np

from microforge.gui.layers.gestures.found_objects import FoundObjects, found_layers, found_over
from microforge.gui.layers.gestures.lines import way_of
from microforge.gui.layers.gestures.shown_labels import ShownLabels
from microforge.label_editing import footprint, take
from microforge.types import Array, Doubles

if TYPE_CHECKING:
    from microforge.gui.layers.gestures.hand import Hand


def take_objects(hand: "Hand", event: Any) -> Generator[None, None, None]:
    """Take the objects on the way of the mouse once its button is up."""
    shown = hand.shown(event.position, event.dims_displayed)
    said = _taken(hand, shown, (yield from way_of(shown, event)))
    if said:
        hand.say(said)


def _taken(hand: "Hand", shown: ShownLabels, way: Doubles) -> str:
    """Take from the top layer that has anything on the way; give what is to be said."""
    layers = [] if hand.image is None else found_layers(hand.viewer, hand.image)
    for found in (found_over(layer, shown) for layer in layers):
        if found is not None and len(_passed(found, way)):
            return _take(hand, shown, found, _passed(found, way))
    return "The network found nothing there." if layers else "No network has said anything of this image yet."


def _take(hand: "Hand", shown: ShownLabels, found: FoundObjects, chosen: Array) -> str:
    before = int(hand.layer.selected_label)
    first = hand.numbers.take(len(chosen))
    if first and shown.write(found.in_whole(take(found.labels, found.found, chosen.tolist(), first))):
        return ""
    hand.numbers.give_back(first + len(chosen) - 1, len(chosen))
    hand.layer.selected_label = before
    return "You have painted that already."


def _passed(found: FoundObjects, way: Doubles) -> Array:
    """Give the labels of the found objects on a way through the labels on the screen."""
    corner = [part.start for part in found.window]
    stroke = footprint(way - corner, 0.0, found.found.shape)
    labels = np.unique(found.found[stroke.window][stroke.mask])
    return labels[labels > 0]
