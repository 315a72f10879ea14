"""Annotations that a model contradicts: what is listed, how sure it is of each, and what says nothing."""

import numpy as np
import pytest

from microforge.evaluation.doubtful import FEWEST_ALIKE, Contradiction, doubtful_annotations
from microforge.evaluation.object_errors import compare_objects

ROW = [(2, 2 + 12 * k, 10, 10 + 12 * k) for k in range(12)]


def boxes(*places: tuple[int, int, int, int], shape: tuple[int, int] = (40, 150)) -> np.ndarray:
    labels = np.zeros(shape, np.int32)
    for number, (top, left, bottom, right) in enumerate(places, start=1):
        labels[top:bottom, left:right] = number
    return labels


def doubts(
    truth: np.ndarray, predicted: np.ndarray, confidence: dict[int, float], mask: np.ndarray | None = None
) -> list[tuple[str, int, float]]:
    found = doubtful_annotations(compare_objects(truth, predicted, mask), {(0, k): v for k, v in confidence.items()})
    return [(one.finding.kind, one.finding.label, one.certainty) for one in found]


def sure(labels: np.ndarray, value: float = 0.95) -> dict[int, float]:
    return dict.fromkeys(np.unique(labels[labels > 0]).tolist(), value)


def test_an_object_nobody_annotated_is_doubtful_where_the_model_is_sure() -> None:
    predicted = boxes(*ROW, (20, 20, 30, 30), (20, 60, 30, 70))
    assert doubts(boxes(*ROW), predicted, sure(predicted) | {14: 0.5}) == [("extra", 13, 0.95)]


def test_what_is_missed_is_doubtful_where_objects_of_its_size_are_found() -> None:
    kind, label, certainty = doubts(boxes(*ROW, (20, 20, 28, 28)), boxes(*ROW), sure(boxes(*ROW)))[0]
    assert (kind, label, certainty) == ("missed", 13, 1.0)


def test_what_is_missed_is_not_doubtful_where_the_model_misses_many() -> None:
    truth = boxes(*ROW)
    assert doubts(truth, boxes(*ROW[:5]), sure(truth)) == []


def test_a_small_object_is_not_doubtful_because_large_ones_are_found() -> None:
    large = [(2, 2 + 12 * k, 12, 12 + 12 * k) for k in range(12)]
    small = [(20, 2 + 6 * k, 23, 5 + 6 * k) for k in range(22)]
    assert doubts(boxes(*large, *small), boxes(*large), sure(boxes(*large))) == []


def test_of_few_objects_nothing_is_said_of_missed_ones() -> None:
    some = ROW[: FEWEST_ALIKE - 1]
    assert doubts(boxes(*some, (20, 20, 28, 28)), boxes(*some), sure(boxes(*some))) == []


def test_merged_and_split_objects_are_as_doubtful_as_the_least_sure_of_the_models_is() -> None:
    truth = boxes((0, 0, 10, 10), (0, 10, 10, 20), (20, 0, 30, 20))
    predicted = boxes((0, 0, 10, 20), (20, 0, 30, 10), (20, 10, 30, 20))
    found = doubts(truth, predicted, {1: 0.9, 2: 0.99, 3: 0.85})
    assert found == [("merged", 1, 0.9), ("split", 3, 0.85)]
    assert doubts(truth, predicted, {1: 0.9, 2: 0.99, 3: 0.3}) == [("merged", 1, 0.9)]


def test_another_outline_is_doubtful_where_the_model_is_sure_of_its_own() -> None:
    truth, predicted = boxes((0, 0, 10, 10)), boxes((0, 6, 10, 16))
    assert doubts(truth, predicted, {1: 0.9}) == [("outline", 1, 0.9)]


def test_ground_of_which_nothing_is_known_gives_no_doubt() -> None:
    predicted = boxes(*ROW, (20, 20, 30, 30))
    mask = np.zeros(predicted.shape, bool)
    mask[:12] = True
    assert doubts(boxes(*ROW), predicted, sure(predicted), mask) == []


def test_the_surest_comes_first() -> None:
    predicted = boxes((0, 0, 9, 9), (20, 20, 29, 29), (20, 60, 29, 69))
    found = doubts(boxes(), predicted, {1: 0.85, 2: 0.99, 3: 0.9})
    assert [label for _, label, _ in found] == [2, 3, 1]


def test_confidence_of_a_time_series_is_that_of_the_time_point() -> None:
    predicted = np.stack([boxes((0, 0, 9, 9)), boxes((20, 0, 29, 9))])
    comparison = compare_objects(np.zeros_like(predicted), predicted, series=True)
    found = doubtful_annotations(comparison, {(0, 1): 0.1, (1, 1): 0.9})
    assert [one.certainty for one in found] == [pytest.approx(0.9)]
    assert isinstance(found[0], Contradiction)
    assert found[0].finding.centre[0] == 1
