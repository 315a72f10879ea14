"""Annotations that a model contradicts, the surest first; come here to find slips of a person rather than of a model.

A model contradicts where it is sure of what it found: an object that nobody annotated, several annotated objects that
it takes for one, one that it takes for several, another outline; or where it found nothing although it finds nearly all
annotated objects of that size. What it has learnt from it contradicts less often than what was kept aside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from microforge.evaluation.object_errors import ObjectComparison, ObjectFinding

#: From this certainty on a model is called sure.
SURE = 0.8
#: So many annotated objects of about the same size tell how often such are found; fewer than the least tell nothing.
_ALIKE, FEWEST_ALIKE = 20, 8


@dataclass(frozen=True)
class Contradiction:
    """A contradiction between annotation and model.

    Attributes
    ----------
    finding
        What differs, as of a comparison whose truth is the annotation.
    certainty
        How sure the model is, 0..1: its confidence in what it found; where it found nothing, which part of annotated
        objects of that size it found.
    """

    finding: ObjectFinding
    certainty: float


def doubtful_annotations(
    comparison: ObjectComparison, confidence: Mapping[tuple[int, int], float], least: float = SURE
) -> tuple[Contradiction, ...]:
    """Give the contradictions of which the model is sure, the surest first.

    Parameters
    ----------
    comparison
        Of annotation (truth) and model (prediction) by `microforge.evaluation.object_errors.compare_objects`, with a
        mask that says on which ground everything is annotated.
    confidence
        Of the objects that the model found, 0..1, by time point and label; of an image without time points by 0 and
        label. Those that are not named are taken to be unsure.
    least
        From which certainty on.
    """
    found = [Contradiction(one, _certainty(one, comparison, confidence)) for one in comparison.findings]
    return tuple(sorted((one for one in found if one.certainty >= least), key=lambda one: -one.certainty))


def _certainty(
    finding: ObjectFinding, comparison: ObjectComparison, confidence: Mapping[tuple[int, int], float]
) -> float:
    frame = int(finding.centre[0]) if comparison.series else 0
    own = (finding.label,) if finding.where == "prediction" else finding.partners
    if own:
        return min(confidence.get((frame, label), 0.0) for label in own)
    return _found_share(finding.size, comparison.truth_sizes, comparison.truth_found)


def _found_share(size: float, sizes: Sequence[float], found: Sequence[bool]) -> float:
    """Give how many of the other annotated objects that are nearest in size were found."""
    is_found: npt.NDArray[np.bool_] = np.array(found, bool)
    apart = np.abs(np.log(np.array(sizes, np.float64)) - np.log(size))
    # The first is the object itself, or another of its size that was missed as well.
    nearest = np.lexsort((is_found, apart))[1 : _ALIKE + 1]
    return float(is_found[nearest].mean()) if len(nearest) >= FEWEST_ALIKE else 0.0
