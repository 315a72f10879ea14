"""Baselines: simple methods without learning that models are measured beside.

They are fitted on the very images they are measured on, which makes them look better than they are, never worse.
"""

from microforge.tasks.baselines.base import Baseline
from microforge.tasks.baselines.constant import MajorityClass, MajorityPixel, MeanCount
from microforge.tasks.baselines.images import Blur, Regression
from microforge.tasks.baselines.objects import Watershed

__all__ = [
    "Baseline",
    "Blur",
    "MajorityClass",
    "MajorityPixel",
    "MeanCount",
    "Regression",
    "Watershed",
]
