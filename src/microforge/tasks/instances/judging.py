"""Which of the objects found, and of the places nearly found, are right: what confidence is learnt from."""

import numpy as np
import numpy.typing as npt

from microforge.metrics.matching import MatchedObjects, Matching, match_objects
from microforge.tasks.confidence import Judged
from microforge.tasks.instances.near_misses import near_miss_evidence, near_objects
from microforge.types import Array, Floats, Prediction, Sample

#: From which overlap on (intersection over union) an object is right.
_RIGHT = 0.5
#: A place shows a missed object if both share this part of the smaller one.
_SHOWN = 0.25
#: An object is missed if less than this part of it is covered by what was found.
_COVERED = 0.5
#: An object holds another, or lies in it, with more than this part.
_MOSTLY = 0.5


def judge_objects(prediction: Prediction, matched: MatchedObjects) -> tuple[Judged, Judged]:
    """Tell which of the objects that count are right, and which are moreover neither several nor parts of one."""
    matching = matched.matching
    right = np.isin(np.arange(len(matching.predicted)), matching.columns[matching.pairs(_RIGHT)])
    rows = matching.predicted - 1
    evidence = {name: np.asarray(values)[rows] for name, values in prediction.evidence.items()}
    return Judged(evidence, right), Judged(evidence, right & _are_whole(matching))


def _are_whole(matching: Matching) -> npt.NDArray[np.bool_]:
    """Tell which predicted objects hold no more than one true one mostly, and lie in none mostly beside others."""
    held = matching.columns[matching.overlap > _MOSTLY * matching.truth_sizes[matching.rows]]
    lies = matching.overlap > _MOSTLY * matching.predicted_sizes[matching.columns]
    several = np.bincount(held, minlength=len(matching.predicted)) > 1
    parts = np.bincount(matching.rows[lies], minlength=len(matching.truth)) > 1
    return ~several & ~np.isin(np.arange(len(matching.predicted)), matching.columns[lies & parts[matching.rows]])


def judge_near_misses(output: Floats, prediction: Prediction, sample: Sample, smallest: int) -> Judged:
    """Tell at which of the places nearly found an object was missed, where the truth is complete."""
    assert prediction.labels is not None
    assert sample.annotation is not None
    near = near_objects(output, prediction.labels, smallest)
    evidence = near_miss_evidence(output, near, smallest)
    places = match_objects(_missed(sample.annotation, prediction.labels), near)
    smaller = np.minimum(places.truth_sizes[places.rows], places.predicted_sizes[places.columns])
    shown = places.predicted[places.columns[places.overlap > _SHOWN * smaller]]
    known = np.bincount(near.ravel(), sample.known.ravel(), minlength=len(places.predicted) + 1)[1:]
    counted = known > _COVERED * places.predicted_sizes
    right = np.isin(places.predicted, shown)
    return Judged({name: values[counted] for name, values in evidence.items()}, right[counted])


def _missed(truth: Array, found: Array) -> Array:
    """Give the true objects of which little is covered."""
    matching = match_objects(truth, (found > 0).astype(np.int32))
    covered = np.bincount(matching.rows, matching.overlap, minlength=len(matching.truth))
    return np.where(np.isin(truth, matching.truth[covered >= _COVERED * matching.truth_sizes]), 0, truth)
