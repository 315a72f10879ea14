"""How far a count may be off: split conformal prediction (Lei et al. 2018, doi 10.1080/01621459.2017.1307116).

The errors on images kept aside, each divided by the error to be expected of a count of that size, are sorted; the
interval of a new count reaches as far as nine in ten of them. It holds for new images that are like those kept aside,
whatever the network and however its errors are distributed. That rests on images being drawn alike, which the time
points of one series are not: each series counts once, with the worst of its time points. Between two errors the bound
is interpolated, as with few images the next larger one alone would hold for 95 % instead of 90 %.
"""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

import numpy as np
from pydantic import Field

from microforge.config import Settings

#: Part of the counts that are to lie inside their interval.
LEVEL = 0.9
#: With fewer images kept aside no such interval exists: the largest of n errors is exceeded once in n + 1.
FEWEST = ceil(LEVEL / (1 - LEVEL) - 1e-9)


class Interval(Settings):
    """The errors of counts on images kept aside, in units of the error expected of a count of that size."""

    width: float = Field(ge=0, description="Not exceeded by nine in ten new images.")
    typical: float = Field(gt=0, description="Typical count on the images kept aside.")
    images: int = Field(ge=1, description="Number of images kept aside; a series is one.")

    def around(self, count: float) -> tuple[float, float]:
        """Give the lower and the upper bound of a count, not below 0."""
        reach = self.width * expected_error(count, self.typical)
        return max(0.0, count - reach), count + reach


def expected_error(count: float, typical: float) -> float:
    """Give how the error of a count grows with it, up to a factor.

    As its square root for smaller counts than usual (single cells are missed by chance), in proportion for larger ones
    (a model that misses one in ten does so everywhere); never less than for one cell. Both are on the safe side.
    """
    count = max(count, 1.0)
    return float(np.sqrt(count) * max(1.0, np.sqrt(count / typical)))


def fit_interval(
    found: Sequence[float], truth: Sequence[float], series: Sequence[str] | None = None
) -> Interval | None:
    """Find the interval from counts on images kept aside; None where these are too few.

    Parameters
    ----------
    series
        Which image each count is of; None = each of another. All time points of nine in ten new series then lie inside.
    """
    names = [str(k) for k in range(len(found))] if series is None else series
    if len(set(names)) < FEWEST:
        return None
    typical = max(float(np.median(found)), 1.0)
    worst: dict[str, float] = {}
    for name, a, b in zip(names, found, truth, strict=True):
        worst[name] = max(abs(a - b) / expected_error(a, typical), worst.get(name, 0.0))
    scores = list(worst.values())
    # The k-th of n sorted errors is not exceeded by k of n + 1 new ones: the quantile that counts like this.
    width = float(np.quantile(scores, LEVEL, method="weibull"))
    return Interval(width=width, typical=typical, images=len(scores))


def intervals_text(intervals: Mapping[str, Any]) -> str:
    """Say how far counts may be off, for each kind of cells, from intervals or what was written of them."""
    texts = []
    for kind, values in intervals.items():
        interval = Interval.model_validate(values)
        low, high = interval.around(interval.typical)
        texts.append(
            f"{kind}{': ' * bool(kind)}{100 * LEVEL:.0f} % of counts of about {interval.typical:.0f} lie between "
            f"{low:.0f} and {high:.0f} (measured on {interval.images} images)"
        )
    return "; ".join(texts)
