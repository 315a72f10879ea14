"""Two images of one field compared pixel by pixel, without a model; come here for what Review shows of images."""

from collections.abc import Sequence

import numpy as np

from microforge.axes.samples import to_samples
from microforge.metrics.images import LIKENESS_FIGURES, likeness
from microforge.types import Image


def compare_images(truth: Image, image: Image, names: Sequence[str] = LIKENESS_FIGURES) -> dict[str, float]:
    """Give the figures of an image against the truth, the same as `microforge.evaluate` gives a model that made it.

    Parameters
    ----------
    truth, image
        Of one shape and axes.
    names
        Of the figures wanted; see `microforge.metrics.images.likeness`.

    Returns
    -------
    dict
        Each figure as the mean over the channels of a time point, then over the time points.

    Raises
    ------
    AnnotationError
        If no pixel of a time point has a value in both.
    AxesError
        If the axes do not fit the shape.
    """
    pairs = zip(to_samples(truth), to_samples(image), strict=True)
    rows = [likeness(np.asarray(one.image), np.asarray(other.image), names) for one, other in pairs]
    return {name: float(np.mean([row[name] for row in rows])) for name in names}
