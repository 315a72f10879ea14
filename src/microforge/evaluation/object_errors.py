"""What went wrong with which object: missed, extra, merged, split, outlines that are off; come here to find errors."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from microforge.measurements.objects import centroids
from microforge.metrics.matching import MatchedObjects, average_precision, f1_score, match_inside
from microforge.types import Labels

#: Overlaps (intersection over union) at which objects count as found.
OVERLAPS = (0.5, 0.7)
#: Two objects belong together at all from here on.
TOUCHING = 0.1
FINDING_KINDS = {
    "missed": "In the truth, but nothing was found there.",
    "extra": "Found, but there is nothing in the truth.",
    "merged": "Several objects of the truth were found as one.",
    "split": "One object of the truth was found as several.",
    "outline": "Found, but the outlines overlap by less than half.",
}
#: The colour of each kind, in the window and in reports alike.
FINDING_COLOURS = {
    "missed": "#ff4f4f",
    "extra": "#ffd34e",
    "merged": "#e35bd8",
    "split": "#4fc3ff",
    "outline": "#ff9a3c",
}
_Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ObjectFinding:
    """An object with which something went wrong.

    Attributes
    ----------
    kind
        One of `FINDING_KINDS`.
    where, label
        The label image that the object is in, ``truth`` or ``prediction``, and its label there.
    centre
        Its centroid ``(T)(Z)YX`` in pixels.
    size
        Its number of pixels.
    overlap
        Intersection over union with its partner, where the outline is off; else 0.
    partners
        Labels in the other label image: of the true objects that were merged, of the pieces of one that was split, of
        the object whose outline differs.
    """

    kind: str
    where: str
    label: int
    centre: tuple[float, ...]
    size: float
    overlap: float = 0.0
    partners: tuple[int, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values, as `microforge.evaluate` does; the intersection over union is called ``iou``."""
        return {
            "kind": self.kind,
            "where": self.where,
            "label": self.label,
            "partners": list(self.partners),
            "centre": list(self.centre),
            "size": self.size,
            "iou": self.overlap,
        }


@dataclass(frozen=True)
class ObjectCounts:
    """Objects found, extra and missed at one overlap."""

    hits: int = 0
    extra: int = 0
    missed: int = 0

    @property
    def precision(self) -> float:
        """Average precision, TP / (TP + FP + FN)."""
        return average_precision(self.hits, self.extra, self.missed)

    @property
    def f1(self) -> float:
        """F1 score, 2 TP / (2 TP + FP + FN)."""
        return f1_score(self.hits, self.extra, self.missed)


@dataclass(frozen=True)
class ObjectComparison:
    """What a comparison gave.

    Attributes
    ----------
    counts
        Per overlap of `OVERLAPS`.
    findings
        What went wrong with which object.
    objects
        How many are true.
    truth_sizes, truth_found
        Of each true object, its number of pixels, and whether it was found at the first overlap.
    series
        Whether the first axis was time.
    """

    counts: tuple[ObjectCounts, ...]
    findings: tuple[ObjectFinding, ...]
    objects: int
    truth_sizes: tuple[int, ...] = ()
    truth_found: tuple[bool, ...] = ()
    series: bool = False


def compare_objects(
    truth: Labels, predicted: Labels, mask: npt.NDArray[np.bool_] | None = None, *, series: bool = False
) -> ObjectComparison:
    """Compare two label images object by object.

    Parameters
    ----------
    truth, predicted
        Integers ``(T)(Z)YX`` of one shape, 0 = background.
    mask
        bool of that shape, True where the truth is complete; objects mostly outside do not count. None = everywhere.
    series
        Whether the first axis is time: then each time point is compared for itself.
    """
    arrays = (truth, predicted) if mask is None else (truth, predicted, mask)
    frames = [match_inside(*frame) for frame in zip(*arrays, strict=True)] if series else [match_inside(*arrays)]
    findings = [
        replace(finding, centre=(float(t), *finding.centre)) if series else finding
        for t, frame in enumerate(frames)
        for finding in find_object_errors(frame)
    ]
    counts = [ObjectCounts(*_summed(frame.matching.counts(overlap) for frame in frames)) for overlap in OVERLAPS]
    sizes = [size for frame in frames for size in frame.matching.truth_sizes.tolist()]
    is_found = [one for frame in frames for one in _found(frame)]
    return ObjectComparison(tuple(counts), tuple(findings), len(sizes), tuple(sizes), tuple(is_found), series)


def _found(frame: MatchedObjects) -> list[bool]:
    """Tell of each true object whether it has a partner."""
    matching = frame.matching
    found = np.zeros(len(matching.truth), bool)
    found[matching.rows[matching.pairs(OVERLAPS[0])]] = True
    return found.tolist()


def find_object_errors(matched: MatchedObjects) -> list[ObjectFinding]:
    """Say of each object that has no partner what went wrong with it.

    Parameters
    ----------
    matched
        Labels ``(Z)YX`` of one time point, matched by `microforge.metrics.matching.match_inside`.
    """
    return list(_Judge(matched).findings())


def worst_first(findings: Iterable[ObjectFinding]) -> list[ObjectFinding]:
    """Sort by kind, then the largest first: errors of large objects count most for a person."""
    order = list(FINDING_KINDS)
    return sorted(findings, key=lambda finding: (order.index(finding.kind), -finding.size))


def _summed(counts: Iterable[tuple[int, int, int]]) -> tuple[int, int, int]:
    hits, extra, missed = (sum(column) for column in zip(*counts, strict=True))
    return hits, extra, missed


class _Judge:
    """Says of each object that was not matched what went wrong with it."""

    def __init__(self, matched: MatchedObjects) -> None:
        self.matched, self.matching = matched, matched.matching
        m = self.matching
        self.labels = {"truth": m.truth, "prediction": m.predicted}
        self.sizes = {"truth": m.truth_sizes, "prediction": m.predicted_sizes}
        self.of_truth, self.of_predicted = m.overlap / m.truth_sizes[m.rows], m.overlap / m.predicted_sizes[m.columns]
        self.centres: dict[str, npt.NDArray[np.float64]] = {}

    def findings(self) -> Iterator[ObjectFinding]:
        m = self.matching
        mostly_in, mostly_of = self.of_truth > 0.5, self.of_predicted > 0.5
        merged, split = _repeated(m.columns[mostly_in]), _repeated(m.rows[mostly_of])
        for column in merged.tolist():
            yield self.finding("merged", "prediction", column, m.truth[m.rows[mostly_in & (m.columns == column)]])
        for row in split.tolist():
            yield self.finding("split", "truth", row, m.predicted[m.columns[mostly_of & (m.rows == row)]])
        pairs = m.pairs(OVERLAPS[0])
        in_merged, in_split = np.isin(m.columns, merged) & mostly_in, np.isin(m.rows, split) & mostly_of
        rows_left = np.setdiff1d(np.arange(len(m.truth)), np.union1d(m.rows[pairs], [*m.rows[in_merged], *split]))
        columns_left = np.setdiff1d(
            np.arange(len(m.predicted)), np.union1d(m.columns[pairs], [*m.columns[in_split], *merged])
        )
        yield from self.unmatched(rows_left, columns_left)

    def unmatched(self, rows: _Indices, columns: _Indices) -> Iterator[ObjectFinding]:
        """Tell outlines that are off from objects that are not there."""
        m, free = self.matching, set(columns.tolist())
        near = np.flatnonzero((m.iou >= TOUCHING) & np.isin(m.rows, rows) & np.isin(m.columns, columns))
        partner: dict[int, int] = {}
        for k in near.tolist():
            row, column = int(m.rows[k]), int(m.columns[k])
            if row not in partner and column in free:
                partner[row] = k
                free.discard(column)
        for row in rows.tolist():
            pair = partner.get(row)
            if pair is None:
                yield self.finding("missed", "truth", row)
            else:
                yield self.finding("outline", "truth", row, m.predicted[m.columns[[pair]]], float(m.iou[pair]))
        for column in sorted(free):
            yield self.finding("extra", "prediction", column)

    def finding(
        self, kind: str, where: str, number: int, partners: _Indices | None = None, overlap: float = 0.0
    ) -> ObjectFinding:
        centre = tuple(self.centres_in(where)[number].tolist())
        others = () if partners is None else tuple(sorted(partners.tolist()))
        size = float(self.sizes[where][number])
        return ObjectFinding(kind, where, int(self.labels[where][number]), centre, size, overlap, others)

    def centres_in(self, where: str) -> npt.NDArray[np.float64]:
        """Give the centroids of a label image; measured only where something went wrong in it."""
        if where not in self.centres:
            labels = self.matched.truth if where == "truth" else self.matched.predicted
            self.centres[where] = centroids(labels)
        return self.centres[where]


def _repeated(numbers: _Indices) -> _Indices:
    values, counts = np.unique(numbers, return_counts=True)
    return values[counts > 1]
