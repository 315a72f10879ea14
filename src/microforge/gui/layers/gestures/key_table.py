"""The keys of the plugin and what each does, for the list behind `?`; come here before giving a key another meaning.

napari's own keys must not be among them (tests/gui/annotate/test_keys.py).
"""

from typing import NamedTuple


class KeyUse(NamedTuple):
    """A key and what it does, in words of a person who paints."""

    key: str
    does: str


NEW_OBJECT = KeyUse("N", "the next stroke is a new object, wherever it begins")
GROUND_KEY = KeyUse("U", "paint what is background; once more: paint objects again")
TAKE_ALL = KeyUse("Shift+T", "take all that the network is sure of")
FILL_PLANES = KeyUse("I", "fill the planes between two on which an object is painted")
#: Of napari itself, told beside ours as they are needed all the time.
OF_NAPARI = (
    KeyUse("2", "brush"),
    KeyUse("1", "eraser"),
    KeyUse("[ and ]", "smaller and larger brush"),
    KeyUse("Space", "hold it to move the view"),
    KeyUse("Ctrl+Z", "undo"),
    KeyUse("Ctrl+Shift+Z", "redo"),
)
#: On a layer of points.
OF_POINTS = (
    KeyUse("2", "a click sets a point"),
    KeyUse("3", "select and move points; drag for a box"),
    KeyUse("Delete", "remove the points selected"),
    KeyUse("4", "move the view"),
    KeyUse("Ctrl+Z", "undo"),
    KeyUse("Ctrl+Shift+Z", "redo"),
)
#: Several kinds of points only.
NEXT_KIND = KeyUse("K", "the point under the mouse, or those selected: of the next kind")
#: The classes of pixels by their place in the list: the numbers alone are napari's tools.
CLASS_KEYS = tuple(f"Ctrl+{number}" for number in range(1, 10))
NEXT_IMAGE = KeyUse("PageDown", "the next image")
IMAGE_BEFORE = KeyUse("PageUp", "the image before")
NEXT_TO_ANNOTATE = KeyUse("Shift+PageDown", "the next image on which nothing is annotated yet")
#: While the objects of a result are checked one by one, and only then.
IS_RIGHT, IS_WRONG, REPAIR = (
    KeyUse("Y", "it is right: it becomes yours"),
    KeyUse("N", "it is wrong: there is background"),
    KeyUse("E", "take it over and repair it; Y goes on"),
)
SKIP, BACK = KeyUse("Space", "skip it"), KeyUse("Backspace", "go back, and take that answer back")
#: Wherever the plugin is open, whatever the goal.
EVERYWHERE: tuple[KeyUse, ...] = (NEXT_IMAGE, IMAGE_BEFORE, NEXT_TO_ANNOTATE, KeyUse("?", "show this list"))
