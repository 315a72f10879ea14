"""What a terminal says of counts and of tables of a few words."""

from collections.abc import Mapping, Sequence
from typing import Any

from microforge.tasks.counting.interval import LEVEL, Interval


def interval_text(intervals: Mapping[str, Any]) -> str:
    """Say how far counts may be off, for each kind of cells."""
    texts = []
    for kind, values in intervals.items():
        interval = Interval.model_validate(values)
        low, high = interval.around(interval.typical)
        texts.append(
            f"{kind}{': ' * bool(kind)}{100 * LEVEL:.0f} % of counts of about {interval.typical:.0f} lie between "
            f"{low:.0f} and {high:.0f} (measured on {interval.images} images)"
        )
    return "; ".join(texts)


def confusion_text(classes: Sequence[str], table: Sequence[Sequence[int]]) -> str:
    """Give the table of true classes (rows) and those found (columns)."""
    corner = "true \\ found"
    first = max(len(name) for name in (corner, *classes))
    widths = [max(len(name), 5) for name in classes]
    lines = [" ".join([f"{corner:>{first}}", *(f"{name:>{w}}" for name, w in zip(classes, widths, strict=True))])]
    for name, row in zip(classes, table, strict=True):
        lines.append(" ".join([f"{name:>{first}}", *(f"{n:>{w}}" for n, w in zip(row, widths, strict=True))]))
    return "\n".join(lines)
