"""One plane as readers give it: with dimensions of length one, in several places."""

from typing import Any

import numpy as np

PLANE = np.random.default_rng(0).integers(0, 255, (40, 48), np.uint8)
TCZYX = {"axis_labels": ("T", "C", "Z", "Y", "X")}
#: Shapes of the plane with dimensions of length one, and what else the layer says.
SINGLE: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    ((1, 40, 48), {}),
    ((1, 1, 40, 48), {}),
    ((1, 1, 1, 40, 48), {}),
    ((1, 1, 1, 40, 48), TCZYX),
    ((1, 1, 1, 1, 40, 48), {}),
    ((40, 48, 1), {}),
    ((1, 1, 40, 48), {"metadata": {"axes": "YX"}}),
]
