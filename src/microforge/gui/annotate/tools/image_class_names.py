"""Buttons and keyboard shortcuts (0 to 9) of image classes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app_model.types import KeyBinding
from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtWidgets import QLabel, QPushButton, QWidget

from microforge.gui.widgets.basics import plain_tip
from microforge.gui.widgets.name_rows import NameRows

#: The keys; the first takes the class away, each other one gives a class by its place in the list.
KEYS = tuple("0123456789")


class ClassNames(NameRows):
    """Show classes of images: a click on one gives it to the image looked at."""

    def more(self) -> tuple[QWidget, ...]:
        """Make the place for the number of images."""
        return (QLabel(),)

    def show_classes(self, names: Sequence[str], counts: Mapping[str, int], chosen: str) -> None:
        """Show these classes, how many images have each, and the one that the image looked at has."""
        self.set_length(len(names))
        for number, name in enumerate(names):
            self._fill(number, name, counts.get(name, 0), name == chosen)

    def button(self, number: int) -> QPushButton:
        """Give the button of a class."""
        return self._rows[number][0]

    def _fill(self, place: int, name: str, count: int, chosen: bool) -> None:
        give, line, number, remove = self._rows[place]
        key = KEYS[place + 1] if place + 1 < len(KEYS) else ""
        give.setText(key or "•")
        give.setFixedWidth(36)
        give.setCheckable(True)
        give.setToolTip(plain_tip(f"This image is '{name}'.{f' Key {key}.' if key else ''}"))
        give.setChecked(chosen)
        give.setStyleSheet("font-weight: bold; background: #2f9e5f; color: white;" if chosen else "")
        line.setToolTip("The name of this class.")
        self.show_name(place, name)
        number.setText(f"{count:,} image{'s' * (count != 1)}")
        number.setToolTip(plain_tip(f"Open images that are '{name}'."))
        remove.setToolTip(plain_tip(f"Take '{name}' off the list; its images have no class then."))


class ClassKeys:
    """Call a function with the number of the key pressed, while bound.

    The active layer's keys come before those of the viewer, and image layers use 1 and 2 themselves: so each image
    layer is bound as well. Labels, Points and Shapes layers keep their keys.
    """

    def __init__(self, viewer: ViewerModel, pressed: Callable[[int], Any]) -> None:
        self.viewer, self._pressed = viewer, pressed
        self._before: dict[Any, dict[str, Any]] = {}

    @property
    def bound(self) -> bool:
        """Whether the keys are bound now."""
        return bool(self._before)

    def bind(self) -> None:
        """Take the keys; again where images were opened since."""
        wanted = [self.viewer, *(layer for layer in self.viewer.layers if isinstance(layer, Image))]
        for gone in [owner for owner in self._before if owner not in wanted]:
            self._give_back(gone)
        for owner in wanted:
            if owner not in self._before:
                self._before[owner] = {key: owner.keymap.get(KeyBinding.from_str(key)) for key in KEYS}
                for number, key in enumerate(KEYS):
                    owner.bind_key(key, _function(self._pressed, number), overwrite=True)

    def unbind(self) -> None:
        """Give the keys back as they were."""
        for owner in list(self._before):
            self._give_back(owner)

    def _give_back(self, owner: Any) -> None:
        for key, before in self._before.pop(owner).items():
            owner.bind_key(key, before, overwrite=True)


def _function(pressed: Callable[[int], Any], number: int) -> Callable[[Any], None]:
    def give_class(_owner: Any) -> None:
        pressed(number)

    # A function with a name: napari asks for it at every key.
    return give_class
