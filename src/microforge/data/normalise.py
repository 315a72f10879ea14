"""Intensity normalisation by percentiles of the whole image, and back to recorded intensities.

Normalised, the background is near 0 and the bright end of an image near 1, whatever the dtype and exposure.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from microforge.config import NormalisationMode
from microforge.intensities import LARGEST, UNUSABLE, plain, spread_out, usable
from microforge.io.model_file import NormalisationCard
from microforge.tasks.base import Task
from microforge.types import Array, ArrayLike, Floats, Prediction

PERCENTILES = (1.0, 99.8)
# An image range below this many standard deviations of its noise is empty: noise must not be blown up to signal.
NOISE_RANGE = 10.0
NOISE_PIXELS = 1 << 14
# Above this, values are compressed: one hot pixel must not flood a receptive field.
KNEE = np.float32(2.0)


@dataclass(frozen=True, eq=False)
class Normaliser:
    """Map recorded intensities of ``C(Z)YX`` to about 0..1; `low` and `high` hold one value per channel."""

    low: Floats
    high: Floats
    compresses: bool = True

    def __call__(self, image: Array) -> Floats:
        """Give float32 ``C(Z)YX``; pixels that are no intensities (see `usable`) become background."""
        values = np.asarray(image)
        shape = (-1,) + (1,) * (values.ndim - 1)
        scale = (1 / (self.high - self.low)).astype(np.float32).reshape(shape)
        with np.errstate(over="ignore", invalid="ignore"):  # of pixels that are no intensities
            x: Floats = (values.astype(np.float32) - self.low.reshape(shape)) * scale
        if values.dtype.kind == "f":
            x[~usable(values)] = 0
        return _compressed(x) if self.compresses else x

    def invert(self, values: Floats) -> Floats:
        """Turn normalised ``C(Z)YX`` back into recorded intensities, float32."""
        shape = (-1,) + (1,) * (values.ndim - 1)
        span, low = (self.high - self.low).reshape(shape), self.low.reshape(shape)
        if not (self.compresses and values.size and values.max() > KNEE):
            return values * span + low
        with np.errstate(over="ignore"):  # of answers that no network gives which has learnt anything
            values = np.where(values > KNEE, np.exp(np.maximum(values, KNEE) - KNEE) + (KNEE - 1), values)
            return np.clip(values * span + low, -LARGEST, LARGEST).astype(np.float32)


def _compressed(x: Floats) -> Floats:
    """Keep values from below -KNEE, and give logarithms above KNEE."""
    if x.size and x.max() > KNEE:
        x = np.where(x > KNEE, KNEE + np.log(np.maximum(x, KNEE) - (KNEE - 1)), x)
    return np.maximum(x, -KNEE)


def normaliser_for(image: ArrayLike, card: NormalisationCard) -> Normaliser:
    """Give the normaliser of one image ``C(Z)YX`` under a model's rule."""
    channels = image.shape[0]
    if card.mode == "none":
        return Normaliser(np.zeros(channels, np.float32), np.ones(channels, np.float32), card.compresses)
    if card.mode == "dataset":
        return Normaliser(np.array(card.low, np.float32), np.array(card.high, np.float32), card.compresses)
    low, high = intensity_range(image)
    return Normaliser(low, high, card.compresses)


def recorded(prediction: Prediction, task: Task, normaliser: Normaliser) -> Prediction:
    """Turn the image of a prediction back into intensities as recorded, for tasks that keep them."""
    if prediction.image is None or not task.keeps_intensities:
        return prediction
    return replace(prediction, image=normaliser.invert(prediction.image))


def card_for(images: Sequence[ArrayLike], mode: NormalisationMode) -> NormalisationCard:
    """Give the rule a model keeps; for "dataset" the middle of the training images' ranges."""
    if mode != "dataset" or not images:
        return NormalisationCard(mode=mode)
    ranges = np.array([intensity_range(image) for image in images])
    low, high = np.median(ranges, axis=0)
    return NormalisationCard(mode=mode, low=tuple(map(float, low)), high=tuple(map(float, high)))


def intensity_range(image: ArrayLike) -> tuple[Floats, Floats]:
    """Give background and bright level of each channel of ``C(Z)YX``, float32, `high` > `low`."""
    levels = [_channel_range(spread_out(image, channel)) for channel in range(image.shape[0])]
    low, high = np.array(levels, np.float32).T
    return low, high


def blank(image: ArrayLike) -> str:
    """Say why nothing can be seen in ``C(Z)YX``; empty where something can."""
    words = f"all pixels are {UNUSABLE}"
    for channel in range(image.shape[0]):
        values = spread_out(image, channel)
        values = values[usable(values)]
        if values.size and values.min() != values.max():
            return ""
        words = "all pixels are equal" if values.size else words
    return words


def is_constant(image: ArrayLike) -> bool:
    """Tell whether no channel of ``C(Z)YX`` varies."""
    return bool(blank(image))


def _channel_range(values: Array) -> tuple[float, float]:
    if values.dtype.kind == "b":
        return 0.0, 1.0
    found = values[usable(values)] if values.dtype.kind == "f" else values.ravel()
    narrow = found.dtype.itemsize <= 2 and found.dtype.kind != "f"
    found = found if narrow else found.astype(np.float32, copy=False)
    if found.size == 0:
        return 0.0, 1.0
    low, high = _percentiles(found)
    return float(low), float(low + max(high - low, NOISE_RANGE * _noise(values), _least_step(values.dtype, found)))


def _percentiles(values: Array) -> tuple[float, float]:
    """Low and high level; from a histogram, ten times faster, where the dtype has few values."""
    if values.dtype.kind != "u" or values.dtype.itemsize > 2:
        low, high = np.percentile(values, PERCENTILES)
        return float(low), float(high)
    below = np.cumsum(np.bincount(values))
    low, high = np.searchsorted(below, np.array(PERCENTILES) / 100 * below[-1])
    return float(low), float(high)


def _noise(values: Array) -> float:
    """Standard deviation of the noise from neighbours in a row, robust against edges (median absolute deviation)."""
    rows = values.reshape(-1, values.shape[-1])
    rows = rows[:: max(1, rows.size // NOISE_PIXELS)]
    if rows.shape[1] < 3:
        return 0.0
    known, rows = usable(rows), plain(rows)
    second = rows[:, 2:] - 2 * rows[:, 1:-1] + rows[:, :-2]
    second = second[known[:, 2:] & known[:, 1:-1] & known[:, :-2]]
    return float(np.median(np.abs(second)) / 0.6745 / np.sqrt(6)) if second.size else 0.0


def _least_step(dtype: np.dtype[Any], found: Array) -> float:
    """A few grey levels for integers; a hair above rounding for floats: a constant image must not divide by zero."""
    return 4.0 if dtype.kind in "ui" else max(1e-6 * float(np.abs(found).max()), 1e-12)
