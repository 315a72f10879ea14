"""Labels that nothing has yet, for new objects, without choosing numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np
from napari.layers import Labels

#: Bytes of labels that are searched in a moment; of larger layers what was found in the background counts.
_AT_ONCE = 1 << 28


class NewLabels:
    """Choose the labels of new objects in a Labels layer.

    Parameters
    ----------
    highest
        Gives the highest label that was found in the layer lately, for layers too large to be searched at each stroke.
    say
        Is told, once, that the numbers of the layer were used up.
    """

    def __init__(self, layer: Labels, highest: Callable[[], int] | None = None, say: Any = None) -> None:
        self.layer = layer
        self._highest, self._say = highest or (lambda: 0), say or (lambda text: None)
        self._taken = 0

    def take(self, count: int = 1) -> int:
        """Choose the next unused label and give it, or 0 where there is none; of several that follow it, the first.

        A layer whose numbers are used up is made to hold larger ones.
        """
        highest = max(self._highest_used(), self._taken)
        if highest + count <= np.iinfo(self.layer.data.dtype).max or self._made_larger(highest + count):
            self._taken = highest + count
            label = highest + 1
        else:
            label = self._lowest_free() if count == 1 else 0
        if label:
            self.layer.selected_label = label
        return label

    def give_back(self, label: int, count: int = 1) -> None:
        """Let the next objects have labels that were taken and not needed, the last of which is this."""
        if self._taken == label:
            self._taken -= count

    def painted(self) -> None:
        """Know that something was painted with the label in hand."""
        self._taken = max(self._taken, int(self.layer.selected_label))

    def _highest_used(self) -> int:
        data = self.layer.data
        if isinstance(data, np.ndarray) and data.nbytes <= _AT_ONCE:
            # Looked for each time: scripts and other plugins write into layers, and nothing tells of it.
            return int(data.max(initial=0))
        return self._highest()

    def _made_larger(self, label: int) -> bool:
        """Make room for a label that the layer cannot hold, and say so; give whether that was possible."""
        old, layer = self.layer.data.dtype, self.layer
        if not isinstance(layer.data, np.ndarray) or label > np.iinfo(np.int32).max:
            return False
        layer.data = layer.data.astype(np.int32)
        self._say(
            f"{layer.name} could hold the numbers up to {np.iinfo(old).max:,} only ({old}) and is int32 now. All "
            "that is painted stays, and can be undone as before."
        )
        return True

    def _lowest_free(self) -> int:
        layer, old = self.layer, self.layer.data.dtype
        used = np.unique(np.asarray(layer.data))
        free = np.setdiff1d(np.arange(1, len(used) + 2), used)
        if not free.size or free[0] > np.iinfo(old).max:
            self._say(
                f"{layer.name} has no free label: {old} holds numbers up to {np.iinfo(old).max:,}. Right-click the "
                "layer in the list and choose Convert data type, then int32."
            )
            return 0
        return int(free[0])
