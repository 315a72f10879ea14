"""Lines drawn on the canvas: the outline that fills, and the cut. They are seen while drawn, and leave no trace.

A line is drawn into the labels themselves, and taken back before what it means is done: so it needs nothing on the
canvas that a graphics driver could trip over, and looks the same with every version of napari.
"""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import numpy as np

from microforge.gui.layers.gestures.shown_labels import ShownLabels
from microforge.label_editing import Edit, crossed, draw_line, fill_outline, over_next_plane, split, stroke_of
from microforge.types import Doubles

if TYPE_CHECKING:
    from microforge.gui.layers.gestures.hand import Hand

#: Pixels of the screen: half of a line's width, and what a mouse may move during a click.
_HALF, _CLICK = 1.0, 4.0
_Way = Generator[None, None, Doubles]


def way_of(shown: ShownLabels, event: Any) -> _Way:
    """Follow the mouse until its button is up; give its way ``(N, (Z)YX)`` in pixels of the labels shown."""
    way = [shown.place(event.position)]
    yield
    while event.type == "mouse_move":
        way.append(shown.place(event.position))
        yield
    return np.array(way)


def draw_outline(hand: "Hand", event: Any) -> Generator[None, None, None]:
    """Draw an outline; it closes by itself, is filled, and takes a new label (or the class in hand)."""
    label = hand.numbers.take() if hand.objects else int(hand.layer.selected_label)
    before, shown = hand.layer.selected_label, hand.shown(event.position, event.dims_displayed)
    with hand.layer.block_history():
        path = yield from _follow(shown, event, label, over=False)
        filled = _fill(hand, shown, path, label) if len(path) and label else 0
        hand.layer.selected_label = filled or before
        if filled != label:
            hand.numbers.give_back(label)


def draw_cut(hand: "Hand", event: Any) -> Generator[None, None, None]:
    """Draw a line across an object: it falls apart there."""
    shown = hand.shown(event.position, event.dims_displayed)
    with hand.layer.block_history():
        path = yield from _follow(shown, event, 0, over=True)
        if len(path):
            _split(hand, shown, path)


def is_click(way: Doubles, event: Any) -> bool:
    """Whether the mouse hardly moved, on the screen."""
    return float(np.ptp(way, axis=0).max()) * _zoom(event) <= _CLICK


def _follow(shown: ShownLabels, event: Any, label: int, *, over: bool) -> _Way:
    """Follow the mouse and show its way; give the way once the button is up, nothing where it was a click."""
    path, drawn, seen = [shown.place(event.position)], list[Edit](), 0
    radius = max(0.5, _HALF / _zoom(event))
    yield
    while event.type == "mouse_move":
        path.append(shown.place(event.position))
        if not is_click(np.array(path), event):
            line = draw_line(shown.plane(path[0]), np.array(path[seen:])[:, -2:], radius, label, over=over)
            drawn.append(shown.on_stack(line, path[0]))
            shown.write(drawn[-1])
            seen = len(path) - 1
        yield
    for edit in reversed(drawn):
        shown.write(edit.back())
    return np.array(path) if drawn else np.zeros((0, len(path[0])))


def _fill(hand: "Hand", shown: ShownLabels, path: Doubles, label: int) -> int:
    """Fill an outline; give the label that it got, 0 where there was nothing to fill."""
    edit = fill_outline(shown.plane(path[0]), path[:, -2:], label, over=not hand.objects)
    edit = shown.on_stack(edit, path[0])
    if not len(edit):
        hand.say("All that this outline encloses belongs to objects already: nothing was changed.")
        return 0
    if hand.objects:
        label = over_next_plane(shown.labels, stroke_of(edit)) or label
    shown.write(edit.becoming(label))
    return label


def _split(hand: "Hand", shown: ShownLabels, path: Doubles) -> None:
    at = crossed(shown.plane(path[0]), path[:, -2:])
    if not at:
        hand.say("The line crosses no object: nothing was changed.")
        return
    before, fresh = hand.layer.selected_label, hand.numbers.take()
    at = (*(int(np.round(place)) for place in path[0][:-2]), *at)
    if not fresh or not shown.write(split(shown.labels, at, path[:, -2:], fresh)):
        hand.numbers.give_back(fresh)
        hand.layer.selected_label = before
        hand.say("The line does not cut the object in two: draw it from one side of the object to the other.")


def _zoom(event: Any) -> float:
    """Give the pixels of the screen for one of the image."""
    return float(getattr(event, "camera_zoom", 1.0)) or 1.0
