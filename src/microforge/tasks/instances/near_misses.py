"""Places where the network nearly found an object; come here for what is offered beside the objects of a result."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from microforge.tasks.instances.watershed import split_objects
from microforge.types import Array, Floats, NearMiss, Window

#: From which probability on, and from which height of its summit, a place is looked at.
_PROBABLE, _HIGH = 0.12, 0.05
#: How deep a notch divides two of them.
_MERGING = 0.25
#: What a candidate may be smaller by than the smallest object.
_SMALLER = 0.5
_FEWEST_PIXELS = 3
#: What is less likely is not told of objects.
_WORTH_TELLING = 0.05


def near_objects(output: Floats, labels: Array, smallest: int) -> npt.NDArray[np.int32]:
    """Label the places beside the objects found where another one is not out of the question, int32 ``(Z)YX``.

    Parameters
    ----------
    output
        Probability and depth, float32 ``C(Z)YX``.
    labels
        The objects found ``(Z)YX``; what touches one is its rim.
    smallest
        Pixels of the smallest object that is kept.
    """
    touched = ndimage.binary_dilation(labels > 0, np.ones((3,) * labels.ndim))
    free = (output[0] > _PROBABLE) & ~touched
    return split_objects(output[1], free, _MERGING, _HIGH, max(_FEWEST_PIXELS, int(_SMALLER * smallest))).labels


def near_miss_evidence(output: Floats, near: npt.NDArray[np.int32], smallest: int) -> dict[str, Floats]:
    """Give what speaks for an object at each place, float32 ``(n,)`` per name."""
    numbers = np.arange(1, int(near.max(initial=0)) + 1)
    sizes = np.bincount(near.ravel(), minlength=len(numbers) + 1)[1:]
    if not len(numbers):
        return {name: np.zeros(0, np.float32) for name in ("peak", "probability", "size")}
    peak, probability = (measure(output[0], near, numbers) for measure in (ndimage.maximum, ndimage.mean))
    parts = {"peak": peak, "probability": probability, "size": np.log(sizes / max(smallest, 1))}
    return {name: np.asarray(values, np.float32) for name, values in parts.items()}


def near_misses_of(near: npt.NDArray[np.int32], confidence: Floats) -> tuple[NearMiss, ...]:
    """Cut the places out, the likeliest first."""
    boxes: list[Window] = ndimage.find_objects(near)
    order = np.argsort(-confidence, kind="stable").tolist()
    return tuple(
        NearMiss(tuple(side.start for side in boxes[k]), near[boxes[k]] == k + 1, float(confidence[k])) for k in order
    )


def within_objects(labels: Array, likely: Floats) -> Iterator[NearMiss]:
    """Give the objects that may be several, or parts of one; `likely` ``(n,)`` says how likely each is."""
    boxes: list[Window | None] = ndimage.find_objects(labels)
    for place, box in enumerate(boxes):
        if box is not None and likely[place] >= _WORTH_TELLING:
            yield NearMiss(tuple(side.start for side in box), labels[box] == place + 1, float(likely[place]))
