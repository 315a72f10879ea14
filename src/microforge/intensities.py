"""Which recorded numbers are intensities; come here for NaN, infinite and absurdly large pixels."""

import numpy as np
import numpy.typing as npt

from microforge.types import Array, Floats

#: Above it are marks for "not measured" (3.4e38, 1.7e308) and errors; up to it squares can be added up in float32.
LARGEST = 1e15
UNUSABLE = "NaN, infinite or beyond 1e15"


def usable(values: Array) -> npt.NDArray[np.bool_]:
    """Tell which pixels are intensities: neither NaN nor infinite, and not beyond `LARGEST`."""
    if values.dtype.kind != "f":
        return np.ones(values.shape, bool)
    found: npt.NDArray[np.bool_] = np.abs(values) <= min(LARGEST, float(np.finfo(values.dtype).max))
    return found


def plain(values: Array) -> Floats:
    """Give float32 values, 0 where they are no intensities."""
    if values.dtype.kind != "f":
        return values.astype(np.float32)
    return np.where(usable(values), values, 0).astype(np.float32)
