"""Images that show the same: come here for why two images are kept on one side of a split.

The same field saved twice, or two frames of a film, learnt from and measured on, make a model look better than it is.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from microforge.intensities import plain
from microforge.types import Doubles, Floats, Sample

#: From this correlation on, of what is left without slow changes of brightness, two images show the same. Pairs of
#: different fields stay below 0.62 in 9 public sets (12 to 150 images each) and below 0.94 in one whose images share a
#: round field of view; copies with 8 bits, as JPEG, or with another gamma or 1 % of noise are above 0.97.
SAME_PICTURE = 0.96
#: From here on they are copies, but for rounding.
COPY = 0.999
#: Images are compared on a grid with so many places a side, made of so many of their rows.
_GRID, _ROWS = 48, 192
#: Changes of brightness over more than so many places are those of the microscope.
_SLOW = 3.0
#: Where contrast is below this part of the usual it counts less: there is nothing but noise.
_FLOOR = 0.2
#: So many images at once are compared with all.
_CHUNK = 512


@dataclass(frozen=True, eq=False)
class Duplicate:
    """Two images that show the same, of different groups."""

    first: Sample
    second: Sample
    correlation: float

    @property
    def is_copy(self) -> bool:
        """Whether they are equal, but for rounding."""
        return self.correlation >= COPY


def find_duplicates(samples: Sequence[Sample], group: Callable[[Sample], str]) -> tuple[Duplicate, ...]:
    """Find images of different groups that show the same, whatever their number type and brightness.

    Parameters
    ----------
    samples
        Of a time series the first time point is looked at, of a stack the middle plane, of both only some rows.
    group
        Gives the group of a sample: images of one stay together anyway.
    """
    first = {sample.series: sample for sample in reversed(samples)}
    looked = [(sample, seen) for sample in reversed(first.values()) if (seen := _seen(sample)) is not None]
    found: list[Duplicate] = []
    for shape in dict.fromkeys(seen.shape for _, seen in looked):
        alike = [(sample, seen.ravel()) for sample, seen in looked if seen.shape == shape]
        found += _pairs([sample for sample, _ in alike], np.stack([seen for _, seen in alike]), group)
    return tuple(found)


def united(pairs: Iterable[tuple[str, str]], fixed: Iterable[str] = ()) -> dict[str, str]:
    """Give for each group the one it is part of, where groups that show the same are one.

    Parameters
    ----------
    pairs
        Groups that show the same.
    fixed
        Groups that are never part of another; nor are two of them united.
    """
    fixed, above = set(fixed), dict[str, str]()

    def top(name: str) -> str:
        while name in above:
            name = above[name]
        return name

    for pair in pairs:
        one, other = sorted(map(top, pair), key=lambda name: (name not in fixed, name))
        if one != other and other not in fixed:
            above[other] = one
    return {name: top(name) for name in above}


def _pairs(samples: Sequence[Sample], seen: Floats, group: Callable[[Sample], str]) -> Iterable[Duplicate]:
    for start in range(0, len(samples), _CHUNK):
        likeness = seen[start : start + _CHUNK] @ seen.T
        for row, column in np.argwhere(likeness >= SAME_PICTURE).tolist():
            one, other = samples[start + row], samples[column]
            if start + row < column and group(one) != group(other):
                yield Duplicate(one, other, float(likeness[row, column]))


def _seen(sample: Sample) -> Floats | None:
    """Give what an image shows on a coarse grid ``YX``, with mean 0 and length 1; None where that is nothing."""
    planes = () if sample.image.ndim == 3 else (sample.image.shape[1] // 2,)
    step = max(1, sample.image.shape[-2] // _ROWS)
    pixels = plain(np.asarray(sample.image[(slice(None), *planes, slice(None, None, step))])).astype(np.float64)
    pixels = np.nan_to_num(_levelled(pixels).mean(0), posinf=0, neginf=0)
    grid = _binned(_binned(pixels, 0), 1)
    grid -= gaussian_filter(grid, _SLOW, mode="nearest")
    # A border that all images share, as that of a round field of view, must not count more than what lies within.
    grid /= np.sqrt(gaussian_filter(grid**2, _SLOW, mode="nearest")) + _FLOOR * grid.std() + 1e-12
    grid -= grid.mean()
    length = float(np.linalg.norm(grid))
    # What is left of an image without contrast is rounding.
    return None if length < 1e-6 or min(grid.shape) < 4 else np.asarray(grid / length, np.float32)


def _levelled(pixels: Doubles) -> Doubles:
    """Bring the channels to one range, so that a dim one counts as much."""
    flat = pixels.reshape(len(pixels), -1)
    spread = np.nanstd(np.where(np.isfinite(flat), flat, np.nan), axis=1)
    return np.asarray(pixels / np.maximum(spread, 1e-12).reshape(-1, *(1,) * (pixels.ndim - 1)))


def _binned(pixels: Doubles, axis: int) -> Doubles:
    """Give the means of bands along an axis, of about equal width."""
    length = pixels.shape[axis]
    starts = np.unique(np.linspace(0, length, min(_GRID, length), endpoint=False).astype(int))
    widths = np.diff(np.append(starts, length))
    shape = [-1 if a == axis else 1 for a in range(pixels.ndim)]
    return np.asarray(np.add.reduceat(pixels, starts, axis=axis) / widths.reshape(shape))
