"""Which recorded numbers are intensities (NaN, infinite, absurdly large ones are not), and which tell of the others."""

import numpy as np
import numpy.typing as npt

from microforge.types import Array, ArrayLike, Floats

#: Above it are marks for "not measured" (3.4e38, 1.7e308) and errors; up to it squares can be added up in float32.
LARGEST = 1e15
#: So many pixels of a channel tell its levels.
PIXELS_READ = 1 << 20
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


def spread_out(image: ArrayLike, channel: int) -> Array:
    """Read about a million pixels of a channel, in whole rows spread evenly, so that files are read in order."""
    shape = image.shape[1:]
    rows_wanted = max(1, PIXELS_READ // max(shape[-1], 1))
    rows = int(np.prod(shape[:-1]))
    if rows <= rows_wanted:
        return np.asarray(image[channel])
    step = int(np.ceil(rows / rows_wanted))
    if len(shape) == 2:
        return np.asarray(image[channel, ::step])
    planes = max(1, int(np.sqrt(step)))
    return np.asarray(image[channel, ::planes, :: max(1, step // planes)])
