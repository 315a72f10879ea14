"""A new label for each object painted, without choosing numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np
from napari.layers import Labels

KEY = "n"
#: Bytes of labels that are searched in a moment; of larger layers what was found in the background counts.
_AT_ONCE = 1 << 28


class FreshLabels:
    """Take an unused label whenever a new object is begun in a Labels layer.

    Painting that starts on empty ground begins an object; painting that starts on an object goes on with it. After a
    polygon is closed the next one gets a new label. The key takes a new label at any time.

    Parameters
    ----------
    highest
        Gives the highest label that was found in the layer lately, for layers too large to be searched at each stroke.
    say
        Is told, once, that the numbers of the layer were used up.
    """

    def __init__(self, layer: Labels, highest: Callable[[], int] | None = None, say: Any = None) -> None:
        self.layer = layer
        self.enabled = True
        self._highest, self._say = highest or (lambda: 0), say or (lambda text: None)
        self._taken = 0
        layer.mouse_drag_callbacks.insert(0, self._on_press)
        layer.bind_key(KEY, self._on_key, overwrite=True)
        layer.events.paint.connect(self._on_painted)

    def take(self) -> int:
        """Choose the next unused label and give it; a layer whose numbers are used up is made to hold larger ones."""
        label = max(self._highest_used(), self._taken, int(self.layer.selected_label)) + 1
        if label > np.iinfo(self.layer.data.dtype).max:
            label = self._beyond(label)
        else:
            self._taken = label
        self.layer.selected_label = label
        return label

    def detach(self) -> None:
        """Leave the layer as it was found."""
        self.layer.mouse_drag_callbacks.remove(self._on_press)
        self.layer.bind_key(KEY, None, overwrite=True)
        self.layer.events.paint.disconnect(self._on_painted)

    def _highest_used(self) -> int:
        data = self.layer.data
        if isinstance(data, np.ndarray) and data.nbytes <= _AT_ONCE:
            # Looked for each time: scripts and other plugins write into layers, and nothing tells of it.
            return int(data.max(initial=0))
        return self._highest()

    def _beyond(self, label: int) -> int:
        """Make room for a label that the layer cannot hold, or give the lowest that is free; say so."""
        old, layer = self.layer.data.dtype, self.layer
        if isinstance(layer.data, np.ndarray) and label <= np.iinfo(np.int32).max:
            layer.data = layer.data.astype(np.int32)
            self._say(
                f"{layer.name} could hold the numbers up to {np.iinfo(old).max:,} only ({old}) and is int32 now. All "
                "that is painted stays, and can be undone as before."
            )
            return label
        return self._lowest_free(old)

    def _lowest_free(self, old: Any) -> int:
        layer = self.layer
        used = np.unique(np.asarray(layer.data))
        free = np.setdiff1d(np.arange(1, len(used) + 2), used)
        if not free.size or free[0] > np.iinfo(old).max:
            self._say(
                f"{layer.name} has no free label: {old} holds numbers up to {np.iinfo(old).max:,}. Right-click the "
                "layer in the list and choose Convert data type, then int32."
            )
            return int(layer.selected_label)
        return int(free[0])

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
        self._taken = max(self._taken, int(self.layer.selected_label))
        if self.enabled and self.layer.mode == "polygon":
            self.take()
