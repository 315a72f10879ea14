"""What mouse and keys do on a Labels layer that is annotated; come here when a gesture does not do what the hand means.

What a gesture changes is asked of `microforge.label_editing`; here it is heard, shown while it is made, and written
such that one undo takes it back.
"""

from microforge.gui.layers.gestures.borrowed_keys import BorrowedKeys
from microforge.gui.layers.gestures.found_objects import FoundObjects, found_layers, found_over
from microforge.gui.layers.gestures.hand import Hand, Labelled
from microforge.gui.layers.gestures.key_table import (
    BACK,
    CLASS_KEYS,
    EVERYWHERE,
    FILL_PLANES,
    GROUND_KEY,
    IMAGE_BEFORE,
    IS_RIGHT,
    IS_WRONG,
    NEW_OBJECT,
    NEXT_IMAGE,
    NEXT_KIND,
    NEXT_TO_ANNOTATE,
    OF_NAPARI,
    OF_POINTS,
    REPAIR,
    SKIP,
    TAKE_ALL,
    KeyUse,
)
from microforge.gui.layers.gestures.object_tools import TAKE, TOOLS, Tool
from microforge.gui.layers.gestures.shown_labels import ShownLabels

__all__ = [
    "BACK",
    "CLASS_KEYS",
    "EVERYWHERE",
    "FILL_PLANES",
    "GROUND_KEY",
    "IMAGE_BEFORE",
    "IS_RIGHT",
    "IS_WRONG",
    "NEW_OBJECT",
    "NEXT_IMAGE",
    "NEXT_KIND",
    "NEXT_TO_ANNOTATE",
    "OF_NAPARI",
    "OF_POINTS",
    "REPAIR",
    "SKIP",
    "TAKE",
    "TAKE_ALL",
    "TOOLS",
    "BorrowedKeys",
    "FoundObjects",
    "Hand",
    "KeyUse",
    "Labelled",
    "ShownLabels",
    "Tool",
    "found_layers",
    "found_over",
]
