"""The tools that change objects: what each is called, its key, and what a click or a drag with it does."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from microforge.gui.layers.gestures.lines import draw_cut, draw_outline, is_click, way_of
from microforge.gui.layers.gestures.shown_labels import ShownLabels
from microforge.gui.layers.gestures.taking import take_objects
from microforge.label_editing import Edit, close_holes, delete, grow, merge, shrink, smooth
from microforge.types import Array

if TYPE_CHECKING:
    from microforge.gui.layers.gestures.hand import Hand

Gesture = Callable[["Hand", Any], Generator[None, None, None]]
ObjectChange = Callable[[Array, Sequence[int]], Edit]


@dataclass(frozen=True)
class Tool:
    """A tool for objects.

    Attributes
    ----------
    word
        What its button says.
    key
        As napari writes keys.
    does
        What it does, for the list of keys and the button's tip.
    gesture
        What a drag with it in hand does.
    change
        What it does with an object under the mouse, at once when its key is pressed; None for lines.
    of_classes
        Whether it serves classes of pixels as well.
    """

    word: str
    key: str
    does: str
    gesture: Gesture
    change: ObjectChange | None = None
    of_classes: bool = False


def change_object(hand: "Hand", shown: ShownLabels, at: tuple[int, ...], change: ObjectChange) -> None:
    """Change the object that has a pixel, as one step of undo."""
    label = int(shown.labels[at])
    shown.write(change(shown.labels, at))
    # A tool is no brush: what is painted next must not be of a label that is gone.
    hand.layer.selected_label = label


def _clicking(change: ObjectChange) -> Gesture:
    def click(hand: "Hand", event: Any) -> Generator[None, None, None]:
        shown, at = _pressed(hand, event)
        yield
        while event.type == "mouse_move":
            yield
        if at:
            change_object(hand, shown, at, change)
        else:
            hand.say("There is no object of yours there.")

    return click


def _join(hand: "Hand", event: Any) -> Generator[None, None, None]:
    """Click two objects one after the other, or drag from one to the other."""
    shown, at = _pressed(hand, event)
    clicked = is_click((yield from way_of(shown, event)), event)
    end = at if clicked else shown.on_object(event.position)
    hand.first_of_two = join(hand, shown, hand.first_of_two if clicked else at, end)


def join(hand: "Hand", shown: ShownLabels, first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...]:
    """Join two objects, if both are known; give the one that waits for its partner."""
    if not second:
        hand.say("There is no object of yours there.")
        return first
    if not first or not shown.labels[first] or shown.labels[first] == shown.labels[second]:
        hand.say("Now click the object that belongs to it.")
        return second
    shown.write(merge(shown.labels, first, second))
    hand.layer.selected_label = int(shown.labels[first])
    return ()


def _pressed(hand: "Hand", event: Any) -> tuple[ShownLabels, tuple[int, ...]]:
    shown = hand.shown(event.position, event.dims_displayed)
    return shown, shown.on_object(event.position)


LASSO = Tool("Outline", "O", "draw round an object: the outline closes and fills", draw_outline, of_classes=True)
JOIN = Tool("Join", "J", "join two objects: click one, then the other", _join)
TAKE = Tool("Take", "T", "click what the network found: it becomes yours; drag to take all on the way", take_objects)
TOOLS = (
    TAKE,
    LASSO,
    JOIN,
    Tool("Cut", "K", "cut an object: draw a line across it", draw_cut),
    Tool("Delete", "D", "delete the object under the mouse", _clicking(delete), delete),
    Tool("Holes", "H", "fill the holes of the object under the mouse", _clicking(close_holes), close_holes),
    Tool("Smooth", "S", "smooth the outline of the object under the mouse", _clicking(smooth), smooth),
    Tool("Grow", "G", "make the object under the mouse a pixel larger", _clicking(grow), grow),
    Tool("Shrink", "Shift+G", "make the object under the mouse a pixel smaller", _clicking(shrink), shrink),
)
