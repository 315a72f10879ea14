"""What a network that saw a few painted objects finds beside them; come here for what it may learn of that.

Seen for long, a few objects are known by heart, and others are taken apart. What the network finds before that, on
ground that nobody spoke of, is mostly right where it finds the same in the mirrored image (self-training by what
answers agree on; Sohn et al. 2020, arXiv 2001.07685).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from microforge.label_numbers import label_sizes
from microforge.metrics.matching import match_objects
from microforge.types import Floats, Labels, Sample

#: Two answers agree on an object from this intersection over union on, and on background below this probability.
AGREES, SURELY_NOTHING = 0.75, 0.2
#: Objects are taken that are no smaller than half the smallest painted one, and no larger than twice the largest.
SIZES = 0.5, 2.0
#: No more of an object that is taken may lie on painted ones, and on what is known to be background.
ON_PAINTED, ON_GROUND = 0.05, 0.3
#: Background is believed up to so many pixels from what is taken.
BESIDE = 6.0


def agreed_answer(sample: Sample, found: Sequence[Labels], inside: Sequence[Floats]) -> Sample:
    """Give an image annotated with what two answers agree on.

    Parameters
    ----------
    sample
        The image ``C(Z)YX``.
    found
        Objects of each answer, int32 ``(Z)YX``.
    inside
        Probability of being inside an object of each answer, 0..1 ``(Z)YX``.

    Returns
    -------
    The sample with int32 labels of these objects, and a mask of what is sure.
    """
    first, second = found
    matching = match_objects(first, second)
    alike = matching.truth[matching.rows[matching.pairs(AGREES)]]
    labels = np.where(np.isin(first, alike), first, 0).astype(np.int32)
    nothing = np.maximum(*inside) < SURELY_NOTHING
    return replace(sample, annotation=labels, mask=(labels > 0) | (nothing & (first == 0) & (second == 0)))


def completed(sample: Sample, answer: Sample) -> Sample:
    """Add objects of an answer, and background beside them, where a person has said nothing.

    Parameters
    ----------
    sample
        With int32 labels, and a mask of what is known.
    answer
        As of `agreed_answer`, of the same image.
    """
    assert sample.annotation is not None
    assert answer.annotation is not None
    painted, known = sample.annotation, sample.known
    theirs = np.where(np.isin(answer.annotation, _fitting(painted, known, answer.annotation)), answer.annotation, 0)
    new = (theirs > 0) & ~known
    labels = np.where(new, theirs + painted.max(), painted).astype(np.int32)
    near: npt.NDArray[np.bool_] = ndimage.distance_transform_edt(~new) <= BESIDE if new.any() else new
    return replace(sample, annotation=labels, mask=known | new | (near & answer.known & (answer.annotation == 0)))


def _fitting(painted: Labels, known: npt.NDArray[np.bool_], theirs: Labels) -> npt.NDArray[np.intp]:
    """Give the labels of objects as large as painted ones that are neither painted nor known not to be there."""
    sizes = label_sizes(painted)
    area = np.bincount(theirs.ravel())
    on_painted = np.bincount(theirs[painted > 0], minlength=len(area))
    on_ground = np.bincount(theirs[known & (painted == 0)], minlength=len(area))
    large = (area >= SIZES[0] * sizes.min()) & (area <= SIZES[1] * sizes.max())
    fitting = large & (on_painted <= ON_PAINTED * area) & (on_ground <= ON_GROUND * area)
    fitting[0] = False
    return np.flatnonzero(fitting)
