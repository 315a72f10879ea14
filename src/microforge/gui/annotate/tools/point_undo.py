"""Undo and redo for Points layers, which napari lacks."""

from typing import Any

from app_model.types import KeyBinding, KeyCode, KeyMod
from napari.layers import Points
from napari.layers.base import ActionType

_UNDO = KeyBinding.from_int(KeyMod.CtrlCmd | KeyCode.KeyZ)
_REDO = KeyBinding.from_int(KeyMod.CtrlCmd | KeyMod.Shift | KeyCode.KeyZ)
_BEFORE = {ActionType.ADDING, ActionType.REMOVING, ActionType.CHANGING}
#: So many steps can be taken back.
_STEPS = 100


class PointHistory:
    """Remember the points of a layer before each change, and bind the keys that napari uses for labels."""

    def __init__(self, layer: Points) -> None:
        self.layer = layer
        self._past: list[tuple[Any, Any]] = []
        self._future: list[tuple[Any, Any]] = []
        self._busy = False
        layer.events.data.connect(self._on_data)
        layer.bind_key(_UNDO, lambda _: self.undo(), overwrite=True)
        layer.bind_key(_REDO, lambda _: self.redo(), overwrite=True)

    def undo(self) -> None:
        """Take the last change back."""
        if self._past:
            self._future.append(self._state())
            self._restore(*self._past.pop())

    def redo(self) -> None:
        """Make the change again that was taken back last."""
        if self._future:
            self._past.append(self._state())
            self._restore(*self._future.pop())

    def detach(self) -> None:
        """Leave the layer as it was found."""
        self.layer.events.data.disconnect(self._on_data)
        for key in (_UNDO, _REDO):
            self.layer.bind_key(key, None, overwrite=True)

    def _on_data(self, event: Any) -> None:
        if self._busy or event.action not in _BEFORE:
            return
        self._future.clear()
        self._past = [*self._past[1 - _STEPS :], self._state()]

    def _state(self) -> tuple[Any, Any]:
        return self.layer.data.copy(), self.layer.features.copy()

    def _restore(self, data: Any, features: Any) -> None:
        self._busy = True
        try:
            # What is selected may be gone.
            self.layer.selected_data = set()
            self.layer.data = data
            self.layer.features = features
        finally:
            self._busy = False
