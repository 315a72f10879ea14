"""What is said of answers, on screen and in a terminal: counts, classes, what was measured; come here for wording."""

from collections.abc import Mapping, Sequence

import numpy as np

from microforge.types import Prediction

#: Above this correlation of neighbouring pixels what was removed is not only noise.
NOT_NOISE = 0.2


def count_text(value: float, kind: str, low: float | None = None, high: float | None = None) -> str:
    """Say a count: 176 cells (168-184)."""
    number = round(value)
    noun = kind or ("cell" if number == 1 else "cells")
    between = "" if low is None or high is None else f" ({round(low):,}–{round(high):,})"
    return f"{number:,} {noun}{between}"


def counts_text(prediction: Prediction) -> str:
    """Say the counts of a whole result; of a series the mean over its time points."""
    statistics, points = prediction.statistics, prediction.points
    said = []
    for kind in points.kinds if points is not None else ():
        of = f" {kind}" if kind and f"count {kind}" in statistics else ""
        if f"count{of}" in statistics:
            said.append(
                count_text(statistics[f"count{of}"], kind, statistics.get(f"low{of}"), statistics.get(f"high{of}"))
            )
    mean = "on average " if points is not None and "T" in points.axes else ""
    return mean + ", ".join(said)


def densities_text(prediction: Prediction) -> str:
    """Say how many cells there are in a result whose counts were not bounded: the integrals of its densities."""
    assert prediction.points is not None
    assert prediction.image is not None
    return ", ".join(
        count_text(max(float(density.sum(dtype=np.float64)), 0.0), kind)
        for kind, density in zip(prediction.points.kinds, prediction.image, strict=True)
    )


def class_probabilities(prediction: Prediction) -> dict[str, float]:
    """Give how probable each class is."""
    return {
        name[2:-1]: value
        for name, value in prediction.statistics.items()
        if name.startswith("P(") and name.endswith(")")
    }


def first_look_text(seconds: float) -> str:
    """Say in how many seconds there is a preview, roughly."""
    rounded = max(5, round(seconds / 5) * 5)
    return (
        f"First look in about {rounded} s." if rounded < 90 else f"First look in about {round(seconds / 60)} minutes."
    )


def class_text(class_name: str, probabilities: Mapping[str, float]) -> str:
    """Say a class: good (98 %)."""
    known = probabilities.get(class_name)
    return class_name if known is None else f"{class_name} ({percent(known)})"


def percent(value: float) -> str:
    """Say a part of one."""
    return f"{100 * value:.0f} %"


def statistics_text(statistics: Mapping[str, float]) -> str:
    """Say what was measured on a result."""
    rest = dict(statistics)
    lines = []
    if {"noise before", "noise after"} <= set(rest):
        lines.append(f"Noise {rest.pop('noise before'):.3g} → {rest.pop('noise after'):.3g} grey levels.")
    alike = rest.pop("residual correlation", None)
    if alike is not None and abs(alike) > NOT_NOISE:
        lines.append(
            f"Neighbouring pixels of what was removed are alike (correlation {alike:.2f}): more than noise may have "
            "been removed. Look at the difference layer."
        )
    elif alike is not None:
        lines.append(f"What was removed looks like noise: neighbouring pixels are not alike (correlation {alike:.2f}).")
    return " ".join([*lines, *(f"{name} {value:.3g}." for name, value in rest.items())])


def confusion_text(classes: Sequence[str], table: Sequence[Sequence[int]]) -> str:
    """Give the table of true classes (rows) and those found (columns)."""
    corner = "true \\ found"
    first = max(len(name) for name in (corner, *classes))
    widths = [max(len(name), 5) for name in classes]
    lines = [" ".join([f"{corner:>{first}}", *(f"{name:>{w}}" for name, w in zip(classes, widths, strict=True))])]
    for name, row in zip(classes, table, strict=True):
        lines.append(" ".join([f"{name:>{first}}", *(f"{n:>{w}}" for n, w in zip(row, widths, strict=True))]))
    return "\n".join(lines)
