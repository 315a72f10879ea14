"""Automatic new label for each object painted in a Labels layer (instance segmentation)."""

from typing import Any

import numpy as np
from napari.layers import Labels

KEY = "n"


class FreshLabels:
    """Take an unused label whenever a new object is begun in a Labels layer.

    Painting that starts on empty ground begins an object; painting that starts on an object goes on with it. After a
    polygon is closed the next one gets a new label. The key takes a new label at any time.
    """

    def __init__(self, layer: Labels) -> None:
        self.layer = layer
        self.enabled = True
        self._highest = _highest(layer)
        layer.mouse_drag_callbacks.insert(0, self._on_press)
        layer.bind_key(KEY, self._on_key, overwrite=True)
        layer.events.paint.connect(self._on_painted)
        layer.events.data.connect(self._on_data)

    def take(self) -> int:
        """Choose the next unused label and give it."""
        self._highest = max(self._highest, int(self.layer.selected_label)) + 1
        self.layer.selected_label = self._highest
        return self._highest

    def detach(self) -> None:
        """Leave the layer as it was found."""
        self.layer.mouse_drag_callbacks.remove(self._on_press)
        self.layer.bind_key(KEY, None, overwrite=True)
        self.layer.events.paint.disconnect(self._on_painted)
        self.layer.events.data.disconnect(self._on_data)

    def _on_press(self, layer: Labels, event: Any) -> None:
        if not self.enabled or layer.mode != "paint" or event.button != 1 or layer.selected_label == 0:
            return
        value = layer.get_value(
            event.position, view_direction=event.view_direction, dims_displayed=event.dims_displayed, world=True
        )
        if value:
            layer.selected_label = int(value)
        else:
            self.take()

    def _on_key(self, layer: Labels) -> None:
        self.take()

    def _on_painted(self, event: Any) -> None:
        self._highest = max(self._highest, int(self.layer.selected_label))
        if self.enabled and self.layer.mode == "polygon":
            self.take()

    def _on_data(self, event: Any) -> None:
        self._highest = _highest(self.layer)


def _highest(layer: Labels) -> int:
    return int(np.max(layer.data)) if layer.data.size else 0
