"""One field recorded twice: with little light, full of noise, and with much; and short noisy time series."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from microforge.simulate.camera import smooth_noise
from microforge.types import Floats

Photons = npt.NDArray[np.uint16]

#: Width of the blur in pixels (standard deviation).
_BLUR = 1.2
_CAMERA_OFFSET = 100.0
_COUNTS_PER_PHOTON = 2.0
_READ_NOISE = 3.0
#: Pixels that a vesicle moves from one frame to the next.
_STEP = 0.4


def noisy_pair(
    seed: int = 0, size: tuple[int, int] = (192, 192), *, photons: float = 5.0, ratio: float = 20.0
) -> tuple[Photons, Photons]:
    """Make a field of fine filaments, vesicles and large soft bodies, recorded twice; a seed always gives the same.

    Parameters
    ----------
    photons
        Brightness of a typical structure in the first recording, in photons per pixel.
    ratio
        How many times longer the second is exposed.

    Returns
    -------
    tuple
        The noisy and the clean recording, uint16 ``YX``, both with the offset of the camera.
    """
    rng = np.random.default_rng([seed, 7])
    light = _blurred(_fixed(rng, size) + _vesicles(_places(rng, size), _glow(rng, size), size))
    return _record(rng, light * photons), _record(rng, light * photons * ratio)


def noisy_series(
    seed: int = 0, frames: int = 12, size: tuple[int, int] = (128, 128), *, photons: float = 5.0, ratio: float = 20.0
) -> tuple[Photons, Photons]:
    """Make a time series of such a field, in which the vesicles move; as `noisy_pair`, but ``TYX``."""
    rng = np.random.default_rng([seed, 8])
    fixed, places, glow = _fixed(rng, size), _places(rng, size), _glow(rng, size)
    noisy, clean = [], []
    for _ in range(frames):
        light = _blurred(fixed + _vesicles(places, glow, size))
        noisy.append(_record(rng, light * photons))
        clean.append(_record(rng, light * photons * ratio))
        places = places + rng.normal(0, _STEP, places.shape)
    return np.stack(noisy), np.stack(clean)


def _fixed(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    """Give what does not move: filaments, large bodies, and a dim ground."""
    haze = np.clip(smooth_noise(rng, size, (24, 24)), 0, None)
    grains = np.exp(0.25 * smooth_noise(rng, size, (2.5, 2.5)))
    return np.asarray(0.12 + 0.1 * haze + _bodies(rng, size) * grains + _filaments(rng, size), np.float32)


def _bodies(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    """Give large soft ellipses, such as nuclei."""
    y, x = np.indices(size, np.float32)
    light = np.zeros(size, np.float32)
    for _ in range(max(1, round(size[0] * size[1] / 96**2))):
        middle, radii, turn = rng.random(2) * size, rng.uniform(10, 20, 2), rng.uniform(0, np.pi)
        along = (y - middle[0]) * np.cos(turn) + (x - middle[1]) * np.sin(turn)
        across = (x - middle[1]) * np.cos(turn) - (y - middle[0]) * np.sin(turn)
        distance = np.sqrt((along / radii[0]) ** 2 + (across / radii[1]) ** 2)
        # Far away nothing is left of a body, and the exponential of the distance would be no number any more.
        light += np.float32(rng.uniform(0.6, 1.4)) / (1 + np.exp(np.minimum((distance - 1) * 12, 80)))
    return light.astype(np.float32)


def _filaments(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    """Give thin bent lines that cross the field."""
    places, glow = [], []
    steps = np.arange(0, 1.2 * max(size), 0.5)
    for _ in range(max(2, round(size[0] * size[1] / 48**2))):
        bends = ndimage.gaussian_filter1d(rng.standard_normal(len(steps)), 30) * 0.2
        heading = rng.uniform(0, 2 * np.pi) + np.cumsum(bends)
        line = np.cumsum(np.stack([np.sin(heading), np.cos(heading)], -1), 0) * 0.5
        places.append(line - line[len(line) // 2] + rng.random(2) * size)
        glow.append(np.full(len(steps), rng.uniform(0.6, 1.6)))
    return _drawn(np.concatenate(places), np.concatenate(glow), size)


def _places(rng: np.random.Generator, size: tuple[int, int]) -> npt.NDArray[np.float64]:
    return rng.random((_number(size), 2)) * size


def _glow(rng: np.random.Generator, size: tuple[int, int]) -> npt.NDArray[np.float64]:
    return rng.lognormal(np.log(16), 0.5, _number(size))


def _number(size: tuple[int, int]) -> int:
    """Give how many vesicles a field has."""
    return max(4, round(size[0] * size[1] / 24**2))


def _vesicles(places: npt.NDArray[np.float64], glow: npt.NDArray[np.float64], size: tuple[int, int]) -> Floats:
    """Give small spots, every third a little larger."""
    small, large = np.arange(len(places)) % 3 > 0, np.arange(len(places)) % 3 == 0
    spread = ndimage.gaussian_filter(_drawn(places[large], glow[large] * 3, size), 1.8)
    return np.asarray(_drawn(places[small], glow[small], size) + spread, np.float32)


def _drawn(places: npt.NDArray[np.float64], glow: npt.NDArray[np.float64], size: tuple[int, int]) -> Floats:
    """Give light at places between pixels, shared by the four around each."""
    light = np.zeros(size, np.float32)
    low = np.floor(places).astype(int)
    part = places - low
    for down in (0, 1):
        for right in (0, 1):
            share = np.abs(1 - down - part[:, 0]) * np.abs(1 - right - part[:, 1]) * glow
            at = low + np.array([down, right])
            inside = np.all((at >= 0) & (at < size), axis=1)
            np.add.at(light, tuple(at[inside].T), share[inside])
    return light


def _blurred(light: Floats) -> Floats:
    return np.asarray(ndimage.gaussian_filter(light, _BLUR, mode="reflect"), np.float32)


def _record(rng: np.random.Generator, photons: Floats) -> Photons:
    """Count photons and read the camera out."""
    counts = rng.poisson(photons) * _COUNTS_PER_PHOTON + rng.normal(_CAMERA_OFFSET, _READ_NOISE, photons.shape)
    return np.asarray(np.clip(np.rint(counts), 0, 65535), np.uint16)
