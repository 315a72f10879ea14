"""Undo and redo for Points layers, which napari lacks."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
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
    """Remember the points of a layer before each change, and bind the keys that napari uses for labels.

    Attributes
    ----------
    past, future
        What can be taken back, and made again.
    busy
        Whether changes are not to be remembered one by one.
    """

    def __init__(self, layer: Points) -> None:
        self.layer = layer
        self.past: list[_Step] = []
        self.future: list[_Step] = []
        self.busy = False
        layer.events.data.connect(self._on_data)
        layer.bind_key(_UNDO, lambda _: self.undo(), overwrite=True)
        layer.bind_key(_REDO, lambda _: self.redo(), overwrite=True)

    def undo(self) -> None:
        """Take the last change back, and what was changed together with it in another layer."""
        self._go(self.past, self.future, PointHistory.undo)

    def redo(self) -> None:
        """Make the change again that was taken back last."""
        self._go(self.future, self.past, PointHistory.redo)

    @contextlib.contextmanager
    def one_step(self, other: "PointHistory") -> Iterator[None]:
        """Make what is done to both layers one step of undo, in whichever of them it is asked for."""
        both = (self, other)
        for history in both:
            history.remember(both)
            history.busy = True
        try:
            yield
        finally:
            for history in both:
                history.busy = False

    def detach(self) -> None:
        """Leave the layer as it was found."""
        self.layer.events.data.disconnect(self._on_data)
        for key in (_UNDO, _REDO):
            self.layer.bind_key(key, None, overwrite=True)

    def _go(self, source: "list[_Step]", target: "list[_Step]", again: "Callable[[PointHistory], None]") -> None:
        if not source:
            return
        step = source.pop()
        target.append(replace(self._state(), together=step.together))
        self._restore(step)
        for other in step.together:
            steps = other.past if again is PointHistory.undo else other.future
            if other is not self and steps and steps[-1].together is step.together:
                again(other)

    def _on_data(self, event: Any) -> None:
        if not self.busy and event.action in _BEFORE:
            self.remember()

    def remember(self, together: "tuple[PointHistory, ...]" = ()) -> None:
        """Keep the points as they are, before they change, perhaps together with those of other layers."""
        self.future.clear()
        self.past = [*self.past[1 - _STEPS :], replace(self._state(), together=together)]

    def _state(self) -> "_Step":
        return _Step(self.layer.data.copy(), self.layer.features.copy())

    def _restore(self, step: "_Step") -> None:
        self.busy = True
        try:
            # What is selected may be gone.
            self.layer.selected_data = set()
            self.layer.data = step.data
            self.layer.features = step.features
        finally:
            self.busy = False


@dataclass(frozen=True, eq=False)
class _Step:
    """The points of a layer before a change, and the histories of the layers that were changed together."""

    data: Any
    features: Any
    together: tuple[PointHistory, ...] = ()
