"""Image quality metrics: PSNR, SSIM, Pearson, noise level, registration shift.

Images are arrays ``(Z)YX`` or ``C(Z)YX`` of any real dtype; both of a pair have one shape.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from microforge.errors import AnnotationError
from microforge.intensities import usable
from microforge.types import Array, Doubles

_Known = npt.NDArray[np.bool_]

#: Brightest values that cameras can give; counted as saturated where many pixels have them.
FULL_WELLS = (255, 1023, 4095, 16383, 65535)
SATURATED_PIXELS = 16
#: Side of the part of large images that tells how they are displaced.
REGISTERED_SIDE = 1024
#: What second differences along both axes make of white noise of standard deviation one.
_NOISE_GAIN = 6.0
_MAD_TO_STD = 0.6744898
#: The figures of `likeness` that `evaluate` gives; the window shows SSIM without a fit as well.
LIKENESS_FIGURES = ("PSNR after linear fit", "SSIM after linear fit", "PSNR", "Pearson r")
_FITTED = " after linear fit"


def likeness(truth: Array, image: Array, names: Sequence[str] = LIKENESS_FIGURES) -> dict[str, float]:
    """Compare an image with the truth, channel by channel.

    A pixel that is not a number in one of the two counts for nothing in any figure: whatever was put in its place would
    be an error, or a success, of its own. For SSIM that leaves out the windows that hold such pixels.

    Parameters
    ----------
    truth, image
        ``C(Z)YX`` of one shape, any real dtype.
    names
        Of the figures wanted, in the order wanted: PSNR (dB), SSIM, Pearson r, and the first two ``after linear fit``,
        which matches brightness and contrast first.

    Returns
    -------
    dict
        Each figure as the mean over the channels.

    Raises
    ------
    AnnotationError
        If no pixel has a value in both.
    """
    rows = [_channel_likeness(*pair, names) for pair in zip(truth, image, strict=True)]
    rows = [row for row in rows if row]
    if not rows:
        raise AnnotationError("No pixel has a value in both images.", remedy="Choose other images.")
    return {name: float(np.mean([row[name] for row in rows])) for name in names}


def _channel_likeness(truth: Array, image: Array, names: Sequence[str]) -> dict[str, float]:
    """Give the figures of one channel ``(Z)YX``; nothing where no pixel is known."""
    truth, image = np.asarray(truth, np.float32), np.asarray(image, np.float32)
    known = usable(truth) & usable(image)
    if not known.any():
        return {}
    slope, offset = linear_fit(image[known], truth[known])
    fitted = slope * np.asarray(image, np.float64) + offset
    return {
        name: _FIGURES[name.removesuffix(_FITTED)](truth, fitted if name.endswith(_FITTED) else image, known)
        for name in names
    }


def fit_linear(image: Array, truth: Array) -> Doubles:
    """Give ``a * image + b`` with the a and b that bring it nearest to the truth (least squares)."""
    slope, offset = linear_fit(image, truth)
    return slope * np.asarray(image, np.float64) + offset


def linear_fit(image: Array, truth: Array) -> tuple[float, float]:
    """Give a and b that minimise ``|a * image + b - truth|²``; of a constant image 0 and the truth's mean."""
    x, y = np.asarray(image, np.float64).ravel(), np.asarray(truth, np.float64).ravel()
    mean_x, mean_y = x.mean(), y.mean()
    spread = np.mean((x - mean_x) ** 2)
    slope = float(np.mean((x - mean_x) * (y - mean_y)) / spread) if spread > 0 else 0.0
    return slope, float(mean_y - slope * mean_x)


def psnr(truth: Array, image: Array) -> float:
    """Peak signal to noise ratio in dB; the peak is the truth's own range."""
    truth = np.asarray(truth, np.float64)
    error = np.mean((np.asarray(image, np.float64) - truth) ** 2)
    return float(10 * np.log10(max(np.ptp(truth), 1e-20) ** 2 / max(error, 1e-20)))


def ssim(truth: Array, image: Array, known: _Known | None = None) -> float:
    """Structural similarity (Wang et al. 2004, doi 10.1109/TIP.2003.819861) with windows of 7 pixels, in planes.

    Parameters
    ----------
    known
        Which pixels have values; only windows that hold no others count. Where there is none, those whose middle is
        known do, with the median in place of what is not.
    """
    from skimage.metrics import structural_similarity

    truth, image = np.asarray(truth, np.float64), np.asarray(image, np.float64)
    known = np.ones(truth.shape, bool) if known is None else known
    side, span = min(7, *truth.shape[-2:]), float(np.ptp(truth[known])) or 1.0
    window, values = side - (side + 1) % 2, []
    truth, image = (np.where(known, one, np.median(truth[known])) for one in (truth, image))
    for a, b, there in zip(*(one.reshape(-1, *one.shape[-2:]) for one in (truth, image, known)), strict=True):
        _, similar = structural_similarity(a, b, data_range=span, win_size=window, full=True)
        values.append(_mean_of_windows(similar, there, window))
    found = [value for value in values if value is not None]
    return float(np.mean(found)) if found else 0.0


def _mean_of_windows(similar: Doubles, known: _Known, window: int) -> float | None:
    """Give the mean over the windows of a plane that lie on it and hold known pixels only; None where none does."""
    from scipy.ndimage import minimum_filter

    inner = (slice(window // 2, similar.shape[-2] - window // 2), slice(window // 2, similar.shape[-1] - window // 2))
    similar, middle = similar[inner], known[inner]
    whole = middle if known.all() else minimum_filter(known, window)[inner]
    counted = whole if whole.any() else middle
    return float(similar[counted].mean()) if counted.any() else None


def pearson(first: Array, second: Array) -> float:
    """Pearson's correlation of the pixels of two images; 0 where one is constant."""
    x, y = np.asarray(first, np.float64).ravel(), np.asarray(second, np.float64).ravel()
    x, y = x - x.mean(), y - y.mean()
    size = np.sqrt(np.mean(x * x) * np.mean(y * y))
    return float(np.mean(x * y) / size) if size > 0 else 0.0


#: What is measured of truth, image and the pixels known in both.
_FIGURES: dict[str, Callable[[Array, Array, _Known], float]] = {
    "PSNR": lambda truth, image, known: psnr(truth[known], image[known]),
    "SSIM": ssim,
    "Pearson r": lambda truth, image, known: pearson(truth[known], image[known]),
}


def noise_level(image: Array) -> float:
    """Estimate the standard deviation of pixel-wise noise, robust against edges.

    From second differences, which answer to noise and not to slopes (Immerkaer 1996, doi 10.1006/cviu.1996.0060).
    """
    values = np.asarray(image, np.float32)
    if min(values.shape[-2:]) < 3:
        return 0.0
    across = values[..., 2:] - 2 * values[..., 1:-1] + values[..., :-2]
    both = across[..., 2:, :] - 2 * across[..., 1:-1, :] + across[..., :-2, :]
    return float(np.median(np.abs(both)) / _MAD_TO_STD / _NOISE_GAIN)


def residual_correlation(residual: Array) -> float:
    """Correlation of neighbouring pixels in what was removed: 0 for white noise, towards 1 where structure went too."""
    values = np.asarray(residual, np.float32)
    values = values - values.mean()
    power = float(np.mean(values * values))
    if power <= 0 or min(values.shape[-2:]) < 2:
        return 0.0
    along = np.mean(values[..., 1:] * values[..., :-1]), np.mean(values[..., 1:, :] * values[..., :-1, :])
    return float(max(along, key=abs)) / power


def saturated(image: Array) -> tuple[int, int]:
    """Give how many pixels have the brightest value a camera can give, and that value; 0, 0 where it is not reached.

    The ranges of 8, 10, 12, 14 and 16 bit cameras are known, as 12-bit images usually come as uint16.
    """
    values = np.asarray(image)
    if values.dtype.kind not in "ui" or values.size == 0:
        return 0, 0
    top = int(values.max())
    count = int((values == top).sum()) if top in FULL_WELLS else 0
    return (count, top) if count >= SATURATED_PIXELS else (0, 0)


def displacement(image: Array, target: Array) -> tuple[float, ...]:
    """Measure by how many pixels a target ``YX`` is shifted against an image, by cross-correlation, to 0.1 pixel.

    Of large images the middle is taken. Both are smoothed, so that noise does not decide, and faded out towards their
    sides, which do not belong together (Guizar-Sicairos et al. 2008, doi 10.1364/OL.33.000156).
    """
    from scipy.ndimage import gaussian_filter
    from skimage.filters import window
    from skimage.registration import phase_cross_correlation

    starts = [max(0, (n - REGISTERED_SIDE) // 2) for n in np.shape(image)]
    middle = tuple(slice(a, a + REGISTERED_SIDE) for a in starts)
    smooth = [gaussian_filter(np.asarray(one[middle], np.float32), 2.0) for one in (target, image)]
    fade = window("hann", smooth[0].shape)
    faded = [(one - one.mean()) * fade for one in smooth]
    shift, _, _ = phase_cross_correlation(*faded, upsample_factor=10, normalization=None)
    return tuple(float(length) for length in shift)
