"""How objects are matched with the truth, scored and counted; come here for what all tasks share that find objects."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from microforge.answers.quality import Quality, object_quality
from microforge.measurements.objects import centroids
from microforge.metrics.matching import MatchedObjects, Matching, average_precision, f1_score, match_inside
from microforge.tasks.base import Task
from microforge.types import Count, Doubles, Prediction, Sample

#: Overlaps (intersection over union) from which an object counts as found.
THRESHOLDS = (0.5, 0.7, 0.8)


class ObjectTask(Task):
    """Base of the tasks whose labels are objects."""

    def match(self, prediction: Prediction, sample: Sample) -> MatchedObjects:
        """Match what was found with the annotation; objects mostly outside the annotated mask do not count."""
        assert prediction.labels is not None
        assert sample.annotation is not None
        return match_inside(sample.annotation, prediction.labels, sample.mask)

    def errors(self, prediction: Prediction, sample: Sample) -> npt.NDArray[np.bool_]:
        """Give what is object in one and not in the other."""
        assert prediction.labels is not None
        assert sample.annotation is not None
        return np.asarray(((prediction.labels > 0) != (sample.annotation > 0)) & sample.known)

    def degenerate(self, prediction: Prediction) -> str:
        """Tell of no object, and of one over most of the image."""
        assert prediction.labels is not None
        largest, share = int(prediction.labels.max(initial=0)), float((prediction.labels > 0).mean())
        if largest == 0:
            return "no object"
        return "one object that covers the image" if largest == 1 and share > 0.5 else ""

    def tally(self, prediction: Prediction, sample: Sample) -> dict[str, float]:
        """Count hits, extra and missed objects inside what is annotated."""
        return self.tally_matching(self.match(prediction, sample).matching)

    def tally_matching(self, matching: Matching) -> dict[str, float]:
        """Give the tally of objects that are matched already."""
        counts: dict[str, float] = {}
        for threshold in THRESHOLDS:
            for name, count in zip(("hits", "extra", "missed"), matching.counts(threshold), strict=True):
                counts[f"{name}@{threshold}"] = count
        counts["iou"] = float(matching.iou[matching.pairs(0.5)].sum())
        return counts

    def summarise(self, tally: Mapping[str, float]) -> dict[str, float]:
        """AP at several IoU thresholds; F1, recall, precision at one half; panoptic quality (Kirillov et al. 2019)."""
        counts = {t: [tally[f"{name}@{t}"] for name in ("hits", "extra", "missed")] for t in THRESHOLDS}
        result = {f"AP@{t}": average_precision(*counts[t]) for t in THRESHOLDS}
        result["F1@0.5"] = f1_score(*counts[0.5])
        hits, extra, missed = counts[0.5]
        result["recall@0.5"] = hits / max(hits + missed, 1)
        result["precision@0.5"] = hits / max(hits + extra, 1)
        result["PQ"] = tally["iou"] / max(hits + extra / 2 + missed / 2, 1)
        return result

    @classmethod
    def in_words(cls, metrics: Mapping[str, float]) -> Quality | None:
        """Say how many objects are found, how many found are none, and how borders fit."""
        return object_quality(metrics)

    def count(self, prediction: Prediction, region: npt.NDArray[np.bool_] | None = None) -> tuple[Count, ...]:
        """Count the objects whose centroid lies in the region."""
        middles = _middles(prediction)
        if region is not None and len(middles):
            pixels = np.round(middles[:, -region.ndim :]).astype(int)
            return (Count("", float(region[tuple(pixels.T)].sum())),)
        return (Count("", float(len(middles))),)


def _middles(prediction: Prediction) -> Doubles:
    """Give the centroids of all objects ``(N, D)``, from their measurements where they were measured."""
    assert prediction.labels is not None
    table = prediction.measurements
    axes = [f"centroid_{axis}" for axis in "zyx"[-prediction.labels.ndim :]]
    if all(name in table for name in axes):
        return np.stack([np.asarray(table[name], np.float64) for name in axes], axis=1)
    return centroids(prediction.labels)
