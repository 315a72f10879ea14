"""Compare two label images object by object: figures, and what went wrong where. Without Qt and napari."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from microforge.measurements.objects import measure_objects
from microforge.metrics.matching import Matching, average_precision, f1_score, match_objects
from microforge.types import Array, Labels

#: Overlaps (intersection over union) at which objects count as found.
OVERLAPS = (0.5, 0.7)
#: Two objects belong together at all from here on.
TOUCHING = 0.1
KINDS = {
    "missed": "In the truth, but nothing was found there.",
    "extra": "Found, but there is nothing in the truth.",
    "merged": "Several objects of the truth were found as one.",
    "split": "One object of the truth was found as several.",
    "outline": "Found, but the outlines overlap by less than half.",
}


@dataclass(frozen=True)
class Finding:
    """Something to look at; `centre` and `label` are in the layer `where`, ``(T)(Z)YX`` in pixels."""

    kind: str
    where: str
    label: int
    centre: tuple[float, ...]
    size: float
    overlap: float = 0.0


@dataclass(frozen=True)
class Counts:
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
class Comparison:
    """What a comparison gave: counts per overlap of `OVERLAPS`, and the findings."""

    counts: tuple[Counts, ...]
    findings: tuple[Finding, ...]
    objects: int


def compare(truth: Labels, predicted: Labels, mask: Array | None = None, *, series: bool = False) -> Comparison:
    """Compare label images of one shape; each time point for itself where the first axis is time (`series`)."""
    if mask is not None:
        truth, predicted = np.where(mask, truth, 0), np.where(mask, predicted, 0)
    frames = list(zip(truth, predicted, strict=True)) if series else [(truth, predicted)]
    parts = [_compare_frame(*frame) for frame in frames]
    counts = [
        Counts(*(sum(values) for values in zip(*((c.hits, c.extra, c.missed) for c in column), strict=True)))
        for column in zip(*(part.counts for part in parts), strict=True)
    ]
    findings = [
        replace(finding, centre=(float(t), *finding.centre)) if series else finding
        for t, part in enumerate(parts)
        for finding in part.findings
    ]
    return Comparison(tuple(counts), tuple(findings), sum(part.objects for part in parts))


def _compare_frame(truth: Labels, predicted: Labels) -> Comparison:
    matching = match_objects(truth, predicted)
    counts = []
    for overlap in OVERLAPS:
        hits, extra, missed = matching.counts(overlap)
        counts.append(Counts(hits, extra, missed))
    return Comparison(tuple(counts), tuple(_Judge(matching, truth, predicted).findings()), len(matching.truth))


class _Judge:
    """Says of each object that was not matched what went wrong with it."""

    def __init__(self, matching: Matching, truth: Labels, predicted: Labels) -> None:
        self.matching = matching
        self.tables = {"truth": measure_objects(truth), "prediction": measure_objects(predicted)}
        sizes = [next(table[name] for name in ("area", "volume") if name in table) for table in self.tables.values()]
        rows, columns, iou = matching.rows, matching.columns, matching.iou
        shared = iou * (sizes[0][rows] + sizes[1][columns]) / (1 + iou)
        self.sizes = dict(zip(self.tables, sizes, strict=True))
        self.of_truth, self.of_predicted = shared / sizes[0][rows], shared / sizes[1][columns]

    def findings(self) -> Iterator[Finding]:
        m = self.matching
        merged = _repeated(m.columns[self.of_truth > 0.5])
        split = _repeated(m.rows[self.of_predicted > 0.5])
        for column in merged:
            yield self.finding("merged", "prediction", int(column))
        for row in split:
            yield self.finding("split", "truth", int(row))
        pairs = m.pairs(OVERLAPS[0])
        in_merged = np.isin(m.columns, merged) & (self.of_truth > 0.5)
        in_split = np.isin(m.rows, split) & (self.of_predicted > 0.5)
        rows_left = np.setdiff1d(np.arange(len(m.truth)), np.union1d(m.rows[pairs], [*m.rows[in_merged], *split]))
        columns_left = np.setdiff1d(
            np.arange(len(m.predicted)), np.union1d(m.columns[pairs], [*m.columns[in_split], *merged])
        )
        yield from self.unmatched(rows_left, columns_left)

    def unmatched(self, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]) -> Iterator[Finding]:
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
            kind = "outline" if row in partner else "missed"
            yield self.finding(kind, "truth", row, float(m.iou[partner[row]]) if row in partner else 0.0)
        for column in sorted(free):
            yield self.finding("extra", "prediction", column)

    def finding(self, kind: str, where: str, number: int, overlap: float = 0.0) -> Finding:
        table = self.tables[where]
        centre = tuple(
            float(table[name][number]) for name in ("centroid_z", "centroid_y", "centroid_x") if name in table
        )
        return Finding(kind, where, int(table["label"][number]), centre, float(self.sizes[where][number]), overlap)


def _repeated(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    values, counts = np.unique(numbers, return_counts=True)
    return values[counts > 1]


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    """Sort by kind, then the largest first: errors of large objects count most for a person."""
    order = list(KINDS)
    return sorted(findings, key=lambda finding: (order.index(finding.kind), -finding.size))
