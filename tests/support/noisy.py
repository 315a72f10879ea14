"""Smooth random structures with shot noise, for tests of image tasks."""

import numpy as np
from scipy.ndimage import gaussian_filter

from microforge.types import Array, Sample


def clean_field(seed: int, size: int = 96, width: float = 4.0, peak: float = 40.0) -> Array:
    """Expected photons of a field with structures some pixels wide, float32 ``YX``."""
    rng = np.random.default_rng(seed)
    field = gaussian_filter(rng.normal(size=(size, size)), width)
    field = np.maximum(field - np.percentile(field, 20), 0)
    return np.asarray(2 + field * peak / field.max(), np.float32)


def noisy_field(clean: Array, seed: int, gain: float = 10.0, offset: float = 100.0) -> Array:
    """One recording of a field: Poisson noise, gain and camera offset, uint16."""
    photons = np.random.default_rng(1000 + seed).poisson(clean)
    return np.asarray(np.round(photons * gain + offset), np.uint16)


def noisy_sample(seed: int, size: int = 96) -> Sample:
    """A noisy image alone."""
    return Sample(f"field {seed}", noisy_field(clean_field(seed, size), seed)[None])


def pair_sample(seed: int, size: int = 96) -> Sample:
    """A noisy image and its clean target, which was recorded with another gain and offset."""
    clean = clean_field(seed, size)
    return Sample(f"field {seed}", noisy_field(clean, seed)[None], (clean * 500 + 3000)[None])


def coarse_sample(seed: int, factor: int = 2, size: int = 96) -> Sample:
    """An image with few pixels and its target with `factor` times as many."""
    fine = clean_field(seed, size * factor, width=2.5, peak=800.0)
    coarse = fine.reshape(size, factor, size, factor).mean((1, 3))
    return Sample(f"field {seed}", noisy_field(coarse, seed)[None], (fine * 3 + 7)[None])
