"""Which of the objects found, and of the places nearly found, are right: what confidence is learnt from."""

import numpy as np

from microforge.metrics.matching import MatchedObjects, match_objects
from microforge.tasks.confidence import Judged
from microforge.tasks.instances.near_misses import near_miss_evidence, near_objects
from microforge.types import Array, Floats, Prediction, Sample

#: From which overlap on (intersection over union) an object is right.
_RIGHT = 0.5
#: A place shows a missed object if both share this part of the smaller one.
_SHOWN = 0.25
#: An object is missed if less than this part of it is covered by what was found.
_COVERED = 0.5


def judge_objects(prediction: Prediction, matched: MatchedObjects) -> Judged:
    """Tell which of the objects that count are right."""
    matching = matched.matching
    right = np.isin(matching.predicted, matching.predicted[matching.columns[matching.pairs(_RIGHT)]])
    rows = matching.predicted - 1
    return Judged({name: np.asarray(values)[rows] for name, values in prediction.evidence.items()}, right)


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
