"""Match objects (IoU) and points with the truth; average precision and F1 from additive counts."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching
from scipy.spatial import KDTree

from microforge.label_numbers import renumbered
from microforge.types import Labels

Coordinates = npt.NDArray[np.floating]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Matching:
    """Which predicted objects overlap which true ones; only pairs that do are listed.

    `truth` and `predicted` are the labels of all objects, in ascending order, with their numbers of pixels in
    `truth_sizes` and `predicted_sizes`; overlapping pair k is ``truth[rows[k]]`` with ``predicted[columns[k]]``, which
    share ``overlap[k]`` pixels, at intersection over union ``iou[k]``, largest first.
    """

    truth: Indices
    predicted: Indices
    truth_sizes: Indices
    predicted_sizes: Indices
    rows: Indices
    columns: Indices
    overlap: Indices
    iou: npt.NDArray[np.float64]

    def pairs(self, threshold: float = 0.5) -> npt.NDArray[np.int64]:
        """Give indices of pairs matched one to one with at least that overlap, the best overlap first.

        Above one half an object has one possible partner, so that this is the optimal matching; below it is greedy.
        """
        rows_taken: set[int] = set()
        columns_taken: set[int] = set()
        kept = []
        for k in np.flatnonzero(self.iou >= threshold):
            row, column = int(self.rows[k]), int(self.columns[k])
            if row not in rows_taken and column not in columns_taken:
                rows_taken.add(row)
                columns_taken.add(column)
                kept.append(k)
        return np.array(kept, dtype=np.int64)

    def counts(self, threshold: float = 0.5) -> tuple[int, int, int]:
        """Give true positives, false positives and false negatives at an IoU threshold."""
        hits = len(self.pairs(threshold))
        return hits, len(self.predicted) - hits, len(self.truth) - hits


def match_objects(truth: Labels, predicted: Labels) -> Matching:
    """Find all overlaps between two label images of one shape, in memory that grows with the overlaps only."""
    t_ids, t, t_sizes = np.unique(truth, return_inverse=True, return_counts=True)
    p_ids, p, p_sizes = np.unique(predicted, return_inverse=True, return_counts=True)
    keys, overlap = np.unique(t.ravel().astype(np.int64) * len(p_ids) + p.ravel(), return_counts=True)
    rows, columns = np.divmod(keys, len(p_ids))
    objects = (t_ids[rows] != 0) & (p_ids[columns] != 0)
    rows, columns, overlap = rows[objects], columns[objects], overlap[objects]
    iou = overlap / (t_sizes[rows] + p_sizes[columns] - overlap)
    order = np.argsort(-iou, kind="stable")
    t_first, p_first = int(0 in t_ids[:1]), int(0 in p_ids[:1])  # objects are numbered without the background
    return Matching(
        t_ids[t_first:].astype(np.int64),
        p_ids[p_first:].astype(np.int64),
        t_sizes[t_first:].astype(np.int64),
        p_sizes[p_first:].astype(np.int64),
        rows[order] - t_first,
        columns[order] - p_first,
        overlap[order].astype(np.int64),
        iou[order],
    )


@dataclass(frozen=True, eq=False)
class MatchedObjects:
    """Two label images ``(Z)YX`` of one image, without the objects that do not count, and how they match."""

    truth: Labels
    predicted: Labels
    matching: Matching


def match_inside(truth: Labels, predicted: Labels, mask: npt.NDArray[np.bool_] | None = None) -> MatchedObjects:
    """Match the objects of which more than half lies where the truth is complete.

    The same holds for both: else a true object that reaches out of an annotated region would be missed, or one found
    there be extra, though nobody said what is there.

    Parameters
    ----------
    mask
        bool ``(Z)YX``, True where the truth is complete; None = everywhere.
    """
    truth, predicted = _mostly_inside(truth, mask), _mostly_inside(predicted, mask)
    return MatchedObjects(truth, predicted, match_objects(truth, predicted))


def _mostly_inside(labels: Labels, mask: npt.NDArray[np.bool_] | None) -> Labels:
    if mask is None or labels.size == 0:
        return labels
    numbered = renumbered(labels)
    size = np.bincount(numbered.ravel())
    inside = np.bincount(numbered.ravel(), weights=mask.ravel(), minlength=len(size))
    return np.where(inside[numbered] * 2 > size[numbered], labels, 0)


def average_precision(hits: float, extra: float, missed: float) -> float:
    """TP / (TP + FP + FN), as StarDist ("accuracy") and Cellpose ("average precision") report it; 1 if all are 0."""
    total = hits + extra + missed
    return hits / total if total else 1.0


def f1_score(hits: float, extra: float, missed: float) -> float:
    """2 TP / (2 TP + FP + FN); 1 if there is nothing to find and nothing found."""
    total = 2 * hits + extra + missed
    return 2 * hits / total if total else 1.0


def match_points(truth: Coordinates, found: Coordinates, radius: float) -> tuple[Indices, Indices]:
    """Match points one to one, as many as possible, each pair no further apart than `radius`.

    Parameters
    ----------
    truth, found
        ``(N, D)`` and ``(M, D)``, in units in which distances mean the same along all axes.

    Returns
    -------
    tuple
        Indices into both, pair by pair.
    """
    if not len(truth) or not len(found):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    near = KDTree(truth).sparse_distance_matrix(KDTree(found), radius, output_type="coo_matrix")
    # A distance of 0 would be no entry: only the pattern matters here.
    graph = csr_matrix((np.ones(near.nnz), (near.row, near.col)), (len(truth), len(found)))
    partner = maximum_bipartite_matching(graph, perm_type="column")
    rows = np.flatnonzero(partner >= 0)
    return rows, partner[rows].astype(np.int64)
