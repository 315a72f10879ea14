"""At which scale a network sees images of objects, from the size of these objects."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from microforge.label_numbers import renumbered
from microforge.types import Array, Sample

#: Objects between these diameters are seen as they are.
SMALLEST_AS_IT_IS, LARGEST_AS_IT_IS = 20.0, 90.0
#: Smaller ones are enlarged to about so many pixels, larger ones shrunk to so many.
ENLARGED_TO, SHRUNK_TO = 27.0, 60.0
#: No more than so many times; and by less than this nothing is changed.
MOST, LEAST, WORTHWHILE = 2.5, 0.25, 1.18
#: Medians of images that differ by more: no one scale is right for all of them.
ALIKE_IN_SIZE = 1.6


class ObjectSizes(NamedTuple):
    """Of annotated objects.

    Attributes
    ----------
    typical
        Diameter of the middle one in pixels; 0 where there is none.
    working_scale
        How many times to enlarge images; 1 where the sizes need none, or no one scale fits all images.
    """

    typical: float = 0.0
    working_scale: float = 1.0


def sizes_in(samples: Sequence[Sample]) -> ObjectSizes:
    """Measure annotated objects.

    The largest of them are not enlarged beyond what the network sees at once, nor the smallest shrunk to nothing.
    Stacks are seen as they are.
    """
    per_image = [diameters(sample.annotation) for sample in samples if sample.annotation is not None]
    per_image = [found for found in per_image if len(found)]
    if not per_image:
        return ObjectSizes()
    low, high = np.percentile([np.median(found) for found in per_image], [10, 90])
    small, middle, large = np.percentile(np.concatenate(per_image), [10, 50, 90])
    alike = high <= ALIKE_IN_SIZE * low and all(sample.image.ndim == 3 for sample in samples)
    scale = 1.0
    if alike and middle < SMALLEST_AS_IT_IS:
        scale = min(ENLARGED_TO / middle, SHRUNK_TO / large, MOST)
    elif alike and middle > LARGEST_AS_IT_IS:
        scale = max(SHRUNK_TO / middle, ENLARGED_TO / 2 / small, LEAST)
    return ObjectSizes(
        round(float(middle), 2), round(float(scale), 4) if not 1 / WORTHWHILE < scale < WORTHWHILE else 1.0
    )


def diameters(labels: Array) -> npt.NDArray[np.float64]:
    """Give the diameter in pixels of a disc as large as each object in the YX plane, in a stack on average."""
    numbered = renumbered(labels)
    size = np.bincount(numbered.ravel(), minlength=1)[1:].astype(np.float64)
    if labels.ndim > 2:
        boxes = ndimage.find_objects(numbered)
        size /= [1 if box is None else box[0].stop - box[0].start for box in boxes]
    return np.sqrt(4 / np.pi * size[size > 0])
