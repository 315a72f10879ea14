"""Keys of the viewer that give images their class, bound only while that is what is done."""

from collections.abc import Callable
from typing import Any

from app_model.types import KeyBinding
from napari.components import ViewerModel
from napari.layers import Image

#: The keys; the first takes the class away, each other one gives a class by its place in the list.
KEYS = tuple("0123456789")


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
