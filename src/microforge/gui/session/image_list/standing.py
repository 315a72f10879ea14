"""How an image at hand stands: how much of it is annotated, and what it is for; come here for filters and marks."""

from collections.abc import Mapping
from typing import Literal

from napari.layers import Labels, Layer

from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.annotations import window_annotation
from microforge.gui.session.annotations.base import AmountDrawn
from microforge.gui.session.image_list.listed_image import ListedImage, WantedRole
from microforge.gui.session.state import Session

#: Which images are listed.
Choice = Literal["all", "to do", "annotated", "aside"]


class Standings:
    """How the images of a session stand now; made anew after every change, as it looks at all annotations once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._items: Mapping[Layer, Annotated] = {item.image: item for item in session.annotated}

    def progress(self, entry: ListedImage) -> AmountDrawn:
        """Say how much of an image is annotated, for the goal chosen."""
        item = None if entry.layer is None else self._items.get(entry.layer)
        return "none" if item is None else window_annotation(self._session.kind).progress(item, self._holds)

    def role(self, entry: ListedImage) -> WantedRole:
        """Say what an image is for, as a person wants it, or as it was drawn."""
        item = None if entry.layer is None else self._items.get(entry.layer)
        if item is None:
            return entry.role
        return "validation" if item.role == "" and item.is_aside else item.role

    def fits(self, entry: ListedImage, choice: Choice) -> bool:
        """Tell whether an image is among those chosen; one that is said to be done is no work left."""
        if choice == "all":
            return True
        if choice == "aside":
            return self.role(entry) in ("validation", "test")
        begun = self.progress(entry) != "none"
        return begun if choice == "annotated" else not begun and not entry.reviewed

    def _holds(self, layer: Layer) -> bool:
        if self._session.image_list.is_at_rest(layer):
            # Of an image on which nothing is drawn no layer is put away.
            return True
        if isinstance(layer, Labels):
            return self._session.contents.highest(layer) > 0
        return len(layer.data) > 0
