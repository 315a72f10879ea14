"""Images of noise: what files of images hold need not look like anything."""

import numpy as np

from microforge.types import Array


def noise(*shape: int, dtype: str = "u2") -> Array:
    """Give integers below 100, the same each time."""
    return np.random.default_rng(0).integers(0, 100, shape).astype(dtype)
