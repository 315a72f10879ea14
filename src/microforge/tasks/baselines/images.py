"""Image baselines: Gaussian blur, linear regression of the channels."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from microforge.intensities import plain
from microforge.metrics import images as image_metrics
from microforge.tasks.baselines.base import Baseline
from microforge.types import Array, Floats, Prediction, Sample

#: Widths of the Gaussian blur that are tried, in pixels.
SIGMAS = tuple(float(sigma) for sigma in np.arange(0, 4.5, 0.5))
#: Widths at which the input channels are seen by the regression.
SCALES = (0.0, 1.0, 2.0, 4.0, 8.0)


class Blur(Baseline):
    """The Gaussian blur with the best mean PSNR after a linear fit; enlarged where the truth is finer."""

    kind = "a blur"

    def __init__(self) -> None:
        self.psnr = np.zeros(len(SIGMAS))
        self.finer = False

    def look(self, sample: Sample) -> None:
        """Measure each width."""
        truth = _truth(sample)
        self.finer |= truth.shape[-1] != sample.image.shape[-1]
        for k, sigma in enumerate(SIGMAS):
            pairs = zip(truth, _blurred(sample, sigma), strict=True)
            self.psnr[k] += np.mean([image_metrics.psnr(a, image_metrics.fit_linear(b, a)) for a, b in pairs])

    def predict(self, sample: Sample) -> Prediction:
        """Blur by the best width."""
        return Prediction(image=_blurred(sample, self.sigma))

    @property
    def sigma(self) -> float:
        """The best width."""
        return SIGMAS[int(np.argmax(self.psnr))]

    @property
    def name(self) -> str:
        """Tell the width."""
        return f"best Gaussian (sigma {self.sigma:g})" + (", bicubic interpolation" if self.finer else "")


class Regression(Baseline):
    """Each target a weighted sum of the input channels, blurred by several widths; least squares over all images."""

    kind = "a linear filter"

    def __init__(self) -> None:
        self.left: npt.NDArray[np.float64] | None = None
        self.right: npt.NDArray[np.float64] | None = None

    def look(self, sample: Sample) -> None:
        """Add up the normal equations."""
        seen, truth = _features(sample), _truth(sample).reshape(len(_truth(sample)), -1)
        left, right = (seen @ seen.T).astype(np.float64), (seen @ truth.T).astype(np.float64)
        self.left = left if self.left is None else self.left + left
        self.right = right if self.right is None else self.right + right

    def predict(self, sample: Sample) -> Prediction:
        """Give the weighted sums."""
        assert self.left is not None
        assert self.right is not None
        # A little of the identity keeps channels that resemble each other from being played against each other.
        steady = self.left + 1e-4 * np.trace(self.left) / len(self.left) * np.eye(len(self.left))
        weights = np.linalg.solve(steady, self.right)
        image = weights.T.astype(np.float32) @ _features(sample)
        return Prediction(image=image.reshape(-1, *sample.image.shape[1:]))

    @property
    def name(self) -> str:
        """Tell what it is fitted on."""
        return f"linear regression of the input channels at {len(SCALES)} scales, fitted on these very images"


def _truth(sample: Sample) -> Floats:
    assert sample.annotation is not None
    return plain(np.asarray(sample.annotation))


def _blurred(sample: Sample, sigma: float) -> Floats:
    """Blur each channel ``(Z)YX``, by the same length along coarse Z, and bring it onto the grid of the truth."""
    assert sample.annotation is not None
    image = plain(np.asarray(sample.image))
    width = sigma * _steps(sample)
    blurred = np.stack([ndimage.gaussian_filter(channel, width, mode="nearest") for channel in image])
    return _enlarged(blurred, sample.annotation.shape[-1] // sample.image.shape[-1])


def _enlarged(image: Floats, factor: int) -> Floats:
    if factor == 1:
        return image
    import torch

    from microforge.networks.blocks import enlarge

    finer: Floats = enlarge(torch.from_numpy(image)[None], factor)[0].numpy()
    return finer


def _steps(sample: Sample) -> Array:
    """Give pixels along each of ``(Z)YX`` per pixel along X."""
    size = sample.pixel_size
    dims = sample.image.ndim - 1
    return np.ones(dims) if size is None or len(size) != dims else size[-1] / np.array(size)


def _features(sample: Sample) -> Floats:
    """Give one row per channel and width, each channel with mean 0 and deviation 1, and a row of ones."""
    rows = []
    for channel in plain(np.asarray(sample.image)):
        even = (channel - channel.mean()) / max(float(channel.std()), 1e-6)
        rows += [ndimage.gaussian_filter(even, scale * _steps(sample), mode="nearest").ravel() for scale in SCALES]
    return np.stack([*rows, np.ones_like(rows[0])])
