"""Object baseline: Otsu threshold and distance-transform watershed."""

from collections.abc import Iterator

import numpy as np
from scipy import ndimage

from microforge.intensities import plain
from microforge.tasks.baselines.base import Baseline
from microforge.types import Floats, Prediction, Sample

#: Where intensities are read, and which side of the threshold is inside.
_CHANNELS = ("the mean of the channels", "the brightest channel")
_VARIANTS = tuple((channel, bright) for channel in _CHANNELS for bright in (True, False))
#: Width of the blur against noise before the threshold, in pixels.
_BLUR = 1.0
#: Tops of the distance are at least this part of the typical radius apart.
_APART = 0.7


class Watershed(Baseline):
    """Otsu's threshold on the channel and side that overlap best with the truth, split by a watershed."""

    kind = "a threshold"

    def __init__(self) -> None:
        self.overlap = dict.fromkeys(_VARIANTS, 0.0)
        self.radii: list[float] = []
        self.channels = 1

    def look(self, sample: Sample) -> None:
        """Measure the overlap (Dice) of each variant, and the size of the objects."""
        assert sample.annotation is not None
        self.channels = max(self.channels, sample.image.shape[0])
        known = sample.known
        truth = (sample.annotation > 0) & known
        for channel, smooth in _planes(sample):
            above = smooth > _otsu(smooth)
            for bright in (True, False):
                inside = (above == bright) & known
                both, total = int((inside & truth).sum()), int(inside.sum()) + int(truth.sum())
                self.overlap[channel, bright] += 2 * both / max(total, 1)
        sizes = np.bincount(np.unique(sample.annotation[truth], return_inverse=True)[1])
        if len(sizes):
            self.radii.append(_radius(float(np.median(sizes)), sample.annotation.ndim))

    def predict(self, sample: Sample) -> Prediction:
        """Threshold and split."""
        from skimage.feature import peak_local_max
        from skimage.segmentation import watershed

        channel, bright = self.best
        smooth = next(plane for name, plane in _planes(sample) if name == channel)
        inside = ndimage.binary_fill_holes((smooth > _otsu(smooth)) == bright)
        depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(inside).astype(np.float32), _BLUR)
        apart = max(1, round(_APART * float(np.median(self.radii)))) if self.radii else 1
        tops = peak_local_max(depth, min_distance=apart, labels=inside.astype(np.int32), exclude_border=False)
        markers = np.zeros(inside.shape, np.int32)
        markers[tuple(tops.T)] = np.arange(1, len(tops) + 1)
        return Prediction(labels=np.asarray(watershed(-depth, markers, mask=inside), np.int32))

    @property
    def best(self) -> tuple[str, bool]:
        """The channel, and whether objects are brighter than the background."""
        return max(self.overlap, key=lambda variant: self.overlap[variant])

    @property
    def name(self) -> str:
        """Tell the variant."""
        channel, bright = self.best
        of = f" of {channel}" if self.channels > 1 else ""
        return f"Otsu threshold{of} and distance watershed ({'bright' if bright else 'dark'} objects)"


def _planes(sample: Sample) -> Iterator[tuple[str, Floats]]:
    """Give what may be thresholded ``(Z)YX``, smoothed; a single channel once."""
    image = plain(np.asarray(sample.image))
    choices = [image.mean(axis=0)]
    if len(image) > 1:
        choices.append(image[int(np.argmax(image.reshape(len(image), -1).mean(axis=1)))])
    for name, plane in zip(_CHANNELS, choices, strict=False):
        yield name, ndimage.gaussian_filter(plane, _BLUR)


def _otsu(plane: Floats) -> float:
    from skimage.filters import threshold_otsu

    return float(threshold_otsu(plane)) if float(np.ptp(plane)) > 0 else float(plane.flat[0])


def _radius(size: float, dims: int) -> float:
    """Give the radius of a disc or ball of so many pixels."""
    return float(np.sqrt(size / np.pi)) if dims == 2 else float(np.cbrt(size * 3 / (4 * np.pi)))
