"""A hand at the canvas of a real window: Qt events of mouse and keys, at pixels of a layer."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from napari.layers import Layer
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
PLAIN, CTRL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
#: napari hears of mouse moves so many milliseconds apart at most.
_APART = 8
#: Pixels between two moves of a drag.
_STEP = 3


class Mouse:
    """Press, move and release the mouse over pixels of a layer, and press keys, as Qt delivers them."""

    def __init__(self, viewer: Any, layer: Layer) -> None:
        self.viewer, self.layer = viewer, layer
        self.canvas = viewer.window._qt_viewer.canvas
        self.native = self.canvas.native

    def drag(self, *places: Sequence[float], button: Any = LEFT) -> None:
        """Press at the first place (row, column), move to the others in small steps, let go."""
        self.move(places[0])
        self._send(QEvent.Type.MouseButtonPress, places[0], button, button)
        for start, end in pairwise(places):
            steps = max(2, int(np.ceil(np.hypot(*np.subtract(end, start)) / _STEP)))
            for part in np.linspace(0, 1, steps + 1)[1:]:
                place = np.asarray(start) + part * np.subtract(end, start)
                self._send(QEvent.Type.MouseMove, place, Qt.MouseButton.NoButton, button)
        self._send(QEvent.Type.MouseButtonRelease, places[-1], button, Qt.MouseButton.NoButton)

    def click(self, place: Sequence[float], button: Any = LEFT) -> None:
        """Press and let go at one place."""
        self.drag(place, button=button)

    def move(self, place: Sequence[float]) -> None:
        """Move there without a button."""
        self._send(QEvent.Type.MouseMove, place, Qt.MouseButton.NoButton, Qt.MouseButton.NoButton)

    def key(self, key: Any, modifier: Any = PLAIN) -> None:
        """Press a key while the canvas has the focus."""
        QTest.keyClick(self.native, key, modifier)
        QApplication.processEvents()

    def undo(self) -> None:
        """Press the keys of undo."""
        self.key(Qt.Key.Key_Z, CTRL)

    def redo(self) -> None:
        """Press the keys of redo."""
        self.key(Qt.Key.Key_Z, CTRL | SHIFT)

    def _send(self, kind: Any, place: Sequence[float], button: Any, held: Any) -> None:
        at = self._on_canvas(place)
        event = QMouseEvent(kind, at, QPointF(self.native.mapToGlobal(at.toPoint())), button, held, PLAIN)
        QApplication.sendEvent(self.native, event)
        QTest.qWait(_APART)

    def _on_canvas(self, place: Sequence[float]) -> QPointF:
        """Give where a pixel of the layer is on the canvas."""
        # napari 0.9 moved the camera, and warns of the old place.
        camera = self.viewer.scene.camera if hasattr(self.viewer, "scene") else self.viewer.camera
        size, before = self.canvas.size, self.viewer.dims.point[self.viewer.dims.ndim - self.layer.ndim : -2]
        world = self.layer.data_to_world((*before, *place))[-2:]
        rows, columns = (np.asarray(world) - np.asarray(camera.center)[-2:]) * camera.zoom
        return QPointF(size[1] / 2 + columns, size[0] / 2 + rows)
