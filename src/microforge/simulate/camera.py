"""Texture, blur, light and noise: what specimen and microscope add to ideal shapes."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from microforge.types import Floats

_CAMERA_OFFSET = 100.0
_COUNTS_PER_PHOTON = 6.0
_READ_NOISE = 5.0


def chromatin(rng: np.random.Generator, shape: tuple[int, ...], diameter: float, steps: Floats) -> Floats:
    """Give the factor by which the density of DNA changes the light: fine grains on coarse patches."""
    fine = smooth_noise(rng, shape, tuple(diameter * 0.05 / steps))
    coarse = smooth_noise(rng, shape, tuple(diameter * 0.16 / steps))
    return np.asarray(np.exp(0.16 * fine + 0.14 * coarse), np.float32)


def smooth_noise(rng: np.random.Generator, shape: tuple[int, ...], sigma: Sequence[float]) -> Floats:
    """Give smooth noise of mean 0 and standard deviation 1."""
    noise = ndimage.gaussian_filter(rng.standard_normal(shape, np.float32), sigma, mode="reflect", truncate=3)
    return np.asarray(noise / max(float(noise.std()), 1e-6), np.float32)


def photograph(
    rng: np.random.Generator, light: Floats, diameter: float, steps: Floats, photons: float
) -> npt.NDArray[np.uint16]:
    """Blur, light unevenly, count photons and read the camera out."""
    in_plane = np.maximum(diameter * 0.045, 0.7)
    depth_blur = np.where(steps > 1, 2.5, 1).astype(np.float32)
    sharp = ndimage.gaussian_filter(light, in_plane * depth_blur / steps, truncate=3)
    hazy = ndimage.gaussian_filter(light, diameter * 0.9 / steps, mode="reflect", truncate=2.5)
    drifting = np.exp(smooth_noise(rng, light.shape, tuple(diameter * 1.5 / steps)) * 0.4) * 0.03
    lit = (sharp + 0.22 * hazy + drifting + 0.02) * _illumination(rng, light.shape)
    counts = rng.poisson(np.clip(lit * photons, 0, None)) * _COUNTS_PER_PHOTON
    counts = counts + rng.normal(_CAMERA_OFFSET, _READ_NOISE, light.shape)
    return np.asarray(np.clip(np.rint(counts), 0, 65535), np.uint16)


def _illumination(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Give light that falls off from a place near the middle of the plane, to about two thirds."""
    y, x = (np.linspace(-1, 1, n, dtype=np.float32) - np.float32(rng.uniform(-0.35, 0.35)) for n in shape[-2:])
    return (1 - np.float32(rng.uniform(0.08, 0.2)) * (y[:, None] ** 2 + x[None, :] ** 2)).astype(np.float32)
