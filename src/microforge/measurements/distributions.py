"""What a column of measurements looks like as a whole: number, mean, total, outliers, histogram."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from microforge.measurements.headings import Heading
from microforge.types import Array, Doubles

#: Outliers are further from the median than so many times what half of the values on their side are from it at most:
#: 3.5 standard deviations of a normal distribution (Iglewicz & Hoaglin 1993, "How to detect and handle outliers").
OUTLYING = 3.5 / 0.6745
#: Of fewer values none is called an outlier.
FEWEST_VALUES = 8
_MOST_BARS, _FEWEST_BARS = 40, 5


@dataclass(frozen=True)
class Summary:
    """What is said of all values of a column; NaN where there is none.

    Attributes
    ----------
    count
        How many values there are, missing ones apart.
    outliers
        How many of them are far from the others.
    """

    count: int
    mean: float
    median: float
    total: float
    outliers: int = 0


@dataclass(frozen=True, eq=False)
class Histogram:
    """How many values, ``(n,)``, lie between each edge and the next, ``(n + 1,)``; the last bar has both its edges."""

    counts: npt.NDArray[np.int64]
    edges: Doubles

    def bar_of(self, values: Array) -> npt.NDArray[np.int64]:
        """Give the number of the bar of each value; -1 outside and where a value is missing."""
        values = np.asarray(values, np.float64)
        bar = np.searchsorted(self.edges, values, "right") - 1
        bar[values == self.edges[-1]] = len(self.counts) - 1
        return np.where((bar >= 0) & (bar < len(self.counts)) & np.isfinite(values), bar, -1)


def numbers_of(column: Array) -> Doubles | None:
    """Give a column as float64, NaN where a value is missing; None where it holds words."""
    column = np.asarray(column)
    if column.dtype.kind in "biuf":
        return column.astype(np.float64)
    try:
        return np.array([np.nan if value is None or value == "" else float(value) for value in column], np.float64)
    except (TypeError, ValueError):
        return None


def outliers(values: Array) -> npt.NDArray[np.bool_]:
    """Tell which values are far from the others, bool ``(n,)``; a skewed distribution has no more of them for that.

    Distances from the median are compared with the median of those on the same side. Nothing is an outlier where there
    are few values, or where half of one side are equal.
    """
    values = np.asarray(values, np.float64)
    known = np.isfinite(values)
    if known.sum() < FEWEST_VALUES:
        return np.zeros(len(values), bool)
    distance = values - np.median(values[known])
    far = np.zeros(len(values), bool)
    for side in (known & (distance >= 0), known & (distance <= 0)):
        usual = float(np.median(np.abs(distance[side])))
        if usual > 0:
            far |= side & (np.abs(distance) > OUTLYING * usual)
    return far


def summary_of(values: Array) -> Summary:
    """Give what can be said of all values."""
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return Summary(0, np.nan, np.nan, np.nan)
    return Summary(
        len(known), float(known.mean()), float(np.median(known)), float(known.sum()), int(outliers(known).sum())
    )


def summary_text(values: Array, heading: Heading) -> str:
    """Say what can be said of all values of a column: "area: n = 62, mean 412 µm²"."""
    found = summary_of(values)
    unit = f" {heading.unit}" if heading.unit else ""
    parts = [f"n = {found.count:,}"]
    if found.count:
        parts.append(f"mean {number_text(found.mean)}{unit}")
    if found.count and heading.added:
        parts.append(f"total {number_text(found.total)}{unit}")
    if found.outliers:
        parts.append(f"{found.outliers:,} far from the others")
    return f"{heading.title}: {', '.join(parts)}"


def histogram(values: Array) -> Histogram:
    """Count values in bars of one width that shows the shape of the distribution.

    The width follows the spread of the middle half (Freedman & Diaconis 1981, doi 10.1007/BF01025868); whole numbers
    of a narrow range get a bar each.
    """
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return Histogram(np.zeros(0, np.int64), np.zeros(1))
    low, high = float(known.min()), float(known.max())
    whole = bool((known == np.round(known)).all())
    if whole and high - low < _MOST_BARS:
        edges = np.arange(low - 0.5, high + 1)
    elif high == low:
        # One bar, wide enough to be seen beside the numbers on the axis.
        edges = low + np.array([-1.0, 1.0]) * (0.1 * abs(low))
    else:
        edges = np.linspace(low, high, _bars(known, high - low) + 1)
    counts, _ = np.histogram(known, edges)
    return Histogram(counts.astype(np.int64), edges.astype(np.float64))


def number_text(value: float) -> str:
    """Write a number with about four digits, whole ones with a comma at the thousands; nothing where it is missing."""
    if not np.isfinite(value):
        return ""
    if abs(value) >= 1000 or value == round(value):
        return f"{value:,.0f}"
    return f"{value:.4g}"


def _bars(known: Doubles, span: float) -> int:
    quarter, three_quarters = np.percentile(known, (25, 75))
    width = 2 * (three_quarters - quarter) / len(known) ** (1 / 3)
    return _MOST_BARS if width * _MOST_BARS <= span else max(_FEWEST_BARS, int(np.ceil(span / width)))
