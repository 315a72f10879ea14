"""Simple methods without learning that every model is measured beside: a network should beat them.

They are fitted on the very images they are measured on, which makes them look better than they are, never worse.
"""

from microforge.tasks.base import Task
from microforge.tasks.baselines.base import Baseline
from microforge.tasks.baselines.constant import MajorityClass, MajorityPixel, MeanCount
from microforge.tasks.baselines.images import Blur, Regression
from microforge.tasks.baselines.objects import Watershed
from microforge.types import Annotation

__all__ = [
    "Baseline",
    "Blur",
    "MajorityClass",
    "MajorityPixel",
    "MeanCount",
    "Regression",
    "Watershed",
    "baseline_for",
]


def baseline_for(task: Task) -> Baseline | None:
    """Give the method to compare a task with, by what its answers are; None where there is none."""
    if task.truth is Annotation.IMAGE:
        return Blur() if task.keeps_intensities else Regression()
    if task.truth is Annotation.POINTS:
        return MeanCount()
    if task.truth is Annotation.CLASS:
        return MajorityClass()
    if task.truth is Annotation.LABELS:
        return Watershed() if task.labels_are_objects else MajorityPixel()
    return None
