"""Intensity ranges of targets with units of their own, kept in the model."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from microforge.config import fitted_field
from microforge.intensities import usable
from microforge.tasks.base import TaskOptions
from microforge.types import Sample, Target

TARGET_PERCENTILES = (1.0, 99.8)
TARGET_PIXELS_READ = 1 << 20


class TargetRanges(TaskOptions):
    """Dark and bright level of each target channel."""

    low: tuple[float, ...] = fitted_field((), title="Dark level", description="Of each channel; found in the data.")
    high: tuple[float, ...] = fitted_field((), title="Bright level", description="Of each channel; found in the data.")

    @staticmethod
    def of(samples: Sequence[Sample]) -> dict[str, Any]:
        """Measure the ranges of all targets together, so that one without any signal stays dark."""
        targets = [np.asarray(s.annotation) for s in samples if s.annotation is not None]
        step = max(1, sum(target[0].size for target in targets) // TARGET_PIXELS_READ)
        pooled = np.concatenate([target.reshape(len(target), -1)[:, ::step] for target in targets], axis=1)
        values = pooled.astype(np.float64)
        low, high = np.nanpercentile(np.where(usable(values), values, np.nan), TARGET_PERCENTILES, axis=1)
        high = np.maximum(high, low + 1e-6 * np.maximum(np.abs(low), 1.0))
        return {"low": tuple(map(float, low)), "high": tuple(map(float, high))}

    def normalised(self, target: Target) -> Target:
        """Bring a target ``C(Z)YX`` to about 0..1."""
        low, span = self._levels(target.value.ndim)
        return replace(target, value=((np.asarray(target.value) - low) / span).astype(np.float32))

    def recorded(self, output: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Give an output ``C(Z)YX`` in the units of the targets."""
        low, span = self._levels(output.ndim)
        return output * span + low

    def _levels(self, dims: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        shape = (-1, *[1] * (dims - 1))
        low, high = (np.array(levels, np.float32).reshape(shape) for levels in (self.low, self.high))
        return low, high - low
