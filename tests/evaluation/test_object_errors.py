"""What went wrong with which object."""

import numpy as np
import pytest

from microforge.evaluation.object_errors import ObjectComparison, compare_objects, worst_first


def boxes(*corners: tuple[int, int, int, int], shape: tuple[int, int] = (60, 60)) -> np.ndarray:
    labels = np.zeros(shape, np.int32)
    for number, (y0, y1, x0, x1) in enumerate(corners):
        labels[y0:y1, x0:x1] = 10 * (number + 1)
    return labels


def kinds(comparison: ObjectComparison) -> list[tuple[str, int]]:
    return [(finding.kind, finding.label) for finding in worst_first(comparison.findings)]


FIRST, SECOND, THIRD = (0, 10, 0, 10), (0, 10, 11, 21), (30, 40, 30, 40)


@pytest.mark.parametrize(
    ("truth", "predicted", "expected"),
    [
        ([FIRST, THIRD], [FIRST, THIRD], []),
        ([FIRST, THIRD], [FIRST], [("missed", 20)]),
        ([FIRST], [FIRST, THIRD], [("extra", 20)]),
        ([FIRST, SECOND], [(0, 10, 0, 21)], [("merged", 10)]),
        ([(0, 10, 0, 21)], [FIRST, SECOND], [("split", 10)]),
        ([FIRST], [(0, 10, 6, 16)], [("outline", 10)]),
        ([(0, 10, 0, 30), SECOND], [(0, 10, 0, 8)], [("missed", 20), ("outline", 10)]),
        ([FIRST], [], [("missed", 10)]),
        ([], [FIRST], [("extra", 10)]),
        ([], [], []),
    ],
)
def test_findings(truth: list, predicted: list, expected: list) -> None:
    assert kinds(compare_objects(boxes(*truth), boxes(*predicted))) == expected


def test_counts_at_both_overlaps() -> None:
    comparison = compare_objects(boxes(FIRST, THIRD), boxes((0, 10, 0, 6), THIRD))
    half, strict = comparison.counts
    assert (half.hits, half.extra, half.missed) == (2, 0, 0)
    assert (strict.hits, strict.extra, strict.missed) == (1, 1, 1)
    assert half.precision == 1
    assert strict.precision == pytest.approx(1 / 3)
    assert strict.f1 == pytest.approx(1 / 2)
    assert comparison.objects == 2


def test_only_the_region_counts() -> None:
    mask = np.zeros((60, 60), bool)
    mask[:20] = True
    assert kinds(compare_objects(boxes(FIRST), boxes(FIRST, THIRD), mask)) == []


def test_objects_across_the_border_count_where_most_of_them_lies() -> None:
    mask = np.zeros((60, 60), bool)
    mask[:6] = True
    most, least = (0, 10, 0, 10), (4, 20, 30, 40)
    assert kinds(compare_objects(boxes(most, least), boxes(most), mask)) == []
    assert kinds(compare_objects(boxes(most), boxes(least), mask)) == [("missed", 10)]


def test_partners_are_named() -> None:
    merged = compare_objects(boxes(FIRST, SECOND), boxes((0, 10, 0, 21))).findings
    split = compare_objects(boxes((0, 10, 0, 21)), boxes(FIRST, SECOND)).findings
    outline = compare_objects(boxes(FIRST), boxes(THIRD, (0, 10, 6, 16))).findings
    assert [one.partners for one in (*merged, *split, *outline)] == [(10, 20), (10, 20), (20,), ()]
    assert outline[0].as_dict() == {
        "kind": "outline",
        "where": "truth",
        "label": 10,
        "partners": [20],
        "centre": [4.5, 4.5],
        "size": 100.0,
        "iou": pytest.approx(40 / 160),
    }


def test_time_points_are_compared_each_for_itself() -> None:
    truth = np.stack([boxes(FIRST), boxes(THIRD)])
    comparison = compare_objects(truth, np.stack([boxes(FIRST), boxes(FIRST)]), series=True)
    assert comparison.counts[0].hits == 1
    assert [f.centre for f in worst_first(comparison.findings)] == [(1.0, 34.5, 34.5), (1.0, 4.5, 4.5)]


def test_stack() -> None:
    truth = np.zeros((8, 20, 20), np.int32)
    truth[2:5, 3:9, 3:9] = 4
    (finding,) = compare_objects(truth, np.zeros_like(truth)).findings
    assert finding.centre == (3, 5.5, 5.5)
