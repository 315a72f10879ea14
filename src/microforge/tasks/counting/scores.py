"""Scores of counts and points: MAE, RMSE, MAPE, bias, F1, coverage of intervals."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from microforge.metrics.matching import f1_score, match_points
from microforge.tasks.confidence import Judged
from microforge.tasks.counting.points import around
from microforge.types import Count, Prediction, Sample


def tally_counts(
    counts: Sequence[Count], prediction: Prediction, sample: Sample, reach: npt.NDArray[np.floating]
) -> dict[str, float]:
    """Add up what `summarise_counts` needs, of each kind, inside what is annotated.

    Parameters
    ----------
    counts
        What was counted there, one for each kind.
    reach
        How far a point may be from where it was set, in pixels along ``(Z)YX``.
    """
    assert sample.points is not None
    assert prediction.points is not None
    known_truth, known_found = (sample.known_points(points) for points in (sample.points, prediction.points))
    sums: Counter[str] = Counter(images=1)
    for count in counts:
        truth, found = (points.of_kind(count.kind) for points in (known_truth, known_found))
        error, bounded = count.value - len(truth), count.low is not None and count.high is not None
        inside = count.low is not None and count.high is not None and count.low <= len(truth) <= count.high
        hits = len(match_points(truth / reach, found / reach, 1.0)[0])
        sums.update({f"found {count.kind}": count.value, f"truth {count.kind}": len(truth)})
        sums.update({"counts": 1, "error": abs(error), "square": error**2, "bias": error})
        sums.update({"relative": abs(error) / max(len(truth), 1), "bounded": bounded, "inside": inside})
        sums.update({"hits": hits, "extra": len(found) - hits, "missed": len(truth) - hits})
    return {name: float(value) for name, value in sums.items()}


def judge_points(prediction: Prediction, sample: Sample, reach: npt.NDArray[np.floating]) -> Judged:
    """Tell which points found are right, of those inside what is annotated; `reach` as of `tally_counts`."""
    assert sample.points is not None
    assert prediction.points is not None
    truth, found = sample.known_points(sample.points), prediction.points
    right = np.zeros(len(found), bool)
    for number, kind in enumerate(found.kinds):
        own = np.flatnonzero(found.kind == number)
        right[own[match_points(truth.of_kind(kind) / reach, found.coordinates[own] / reach, 1.0)[1]]] = True
    counted = np.ones(len(found), bool) if sample.mask is None else found.are_inside(sample.mask)
    return Judged({name: values[counted] for name, values in prediction.evidence.items()}, right[counted])


def misplaced(prediction: Prediction, sample: Sample, reach: npt.NDArray[np.floating]) -> npt.NDArray[np.bool_]:
    """Give what lies around points that are missed or too many inside what is annotated, bool ``(Z)YX``.

    Parameters
    ----------
    reach
        As of `tally_counts`; so far around each.
    """
    assert sample.points is not None
    assert prediction.points is not None
    known_truth, known_found = (sample.known_points(points) for points in (sample.points, prediction.points))
    wrong = [np.zeros((0, len(reach)))]
    for kind in dict.fromkeys(known_truth.kinds + known_found.kinds):
        truth, found = (points.of_kind(kind) for points in (known_truth, known_found))
        hits = match_points(truth / reach, found / reach, 1.0)
        wrong += [np.delete(places, own, axis=0) for places, own in zip((truth, found), hits, strict=True)]
    return around(np.concatenate(wrong), reach, sample.image.shape[1:])


def summarise_counts(sums: Mapping[str, float]) -> dict[str, float]:
    """MAE, RMSE, MAPE and bias of the counts, F1 of the points, how often the interval held, where there was one."""
    n = max(sums["counts"], 1)
    result = {
        "MAE": sums["error"] / n,
        "RMSE": float(np.sqrt(sums["square"] / n)),
        "MAPE": sums["relative"] / n,
        "bias": sums["bias"] / n,
        "F1": f1_score(sums["hits"], sums["extra"], sums["missed"]),
    }
    return result | ({"coverage": sums["inside"] / sums["bounded"]} if sums["bounded"] else {})
