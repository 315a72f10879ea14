import numpy as np
import pytest

from microforge.metrics.matching import average_precision, f1_score, match_objects


def blocks(*sides: tuple[int, int, int]) -> np.ndarray:
    labels = np.zeros((20, 40), np.int32)
    for label, start, stop in sides:
        labels[5:15, start:stop] = label
    return labels


def test_iou_of_shifted_blocks() -> None:
    matching = match_objects(blocks((1, 0, 10), (9, 20, 30)), blocks((4, 2, 12), (5, 20, 30)))
    assert matching.iou.tolist() == [1.0, pytest.approx(8 / 12)]
    assert matching.counts(0.6) == (2, 0, 0)
    assert matching.counts(0.7) == (1, 1, 1)


def test_one_to_one_below_one_half() -> None:
    matching = match_objects(blocks((1, 0, 10)), blocks((1, 0, 5), (2, 5, 10)))
    assert matching.counts(0.5) == (1, 1, 0)
    assert matching.counts(0.3) == (1, 1, 0)


def test_empty_images() -> None:
    empty, one = blocks(), blocks((1, 0, 10))
    assert match_objects(empty, empty).counts(0.5) == (0, 0, 0)
    assert match_objects(one, empty).counts(0.5) == (0, 0, 1)
    assert match_objects(empty, one).counts(0.5) == (0, 1, 0)


def test_image_without_background() -> None:
    full = np.ones((8, 8), np.int32)
    full[:, 4:] = 2
    assert match_objects(full, full).counts(0.9) == (2, 0, 0)


def test_scores_of_nothing_are_perfect() -> None:
    assert average_precision(0, 0, 0) == 1.0
    assert f1_score(0, 0, 0) == 1.0
    assert average_precision(6, 2, 2) == 0.6
    assert f1_score(6, 2, 2) == 0.75
