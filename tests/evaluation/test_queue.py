"""What a person is asked about first."""

import numpy as np
import pytest

from microforge.evaluation.queue import ToCheck, errors_left, queue_of, queue_of_points
from microforge.types import NearMiss, Points


def _labels() -> np.ndarray:
    labels = np.zeros((30, 40), np.int32)
    labels[2:8, 2:8], labels[2:8, 12:20], labels[12:20, 2:10], labels[22:28, 30:38] = 1, 2, 3, 5
    return labels


COLUMNS = {"label": np.array([1, 2, 3, 5]), "confidence": np.array([0.9, 0.3, 0.7, 0.99])}


def test_the_least_certain_object_comes_first_with_its_place() -> None:
    queue = queue_of(_labels(), COLUMNS)
    assert [one.number for one in queue] == [2, 3, 1, 5]
    assert [one.confidence for one in queue] == pytest.approx([0.3, 0.7, 0.9, 0.99])
    assert queue[0].start == (2, 12)
    assert queue[0].mask.shape == (6, 8)
    assert queue[0].mask.all()
    assert queue[0].middle == (4.5, 15.5)
    assert errors_left(queue[1:]) == pytest.approx(0.3 + 0.1 + 0.01)


def test_places_where_an_object_was_nearly_found_are_asked_about_among_them() -> None:
    likely = NearMiss((10, 30), np.ones((3, 4), bool), 0.6)
    unlikely = NearMiss((20, 15), np.ones((3, 4), bool), 0.2)
    hardly = NearMiss((25, 2), np.ones((2, 2), bool), 0.01)
    queue = queue_of(_labels(), COLUMNS, [likely, unlikely, hardly])
    assert [(one.number, one.found) for one in queue] == [
        (2, True),
        (0, False),
        (3, True),
        (0, False),
        (1, True),
        (5, True),
    ]
    assert (queue[1].start, queue[1].confidence) == ((10, 30), pytest.approx(0.4))


def test_an_object_in_which_another_was_nearly_found_is_less_certain() -> None:
    within = NearMiss((22, 30), np.ones((6, 8), bool), 0.8)
    assert queue_of(_labels(), COLUMNS, [within])[0].number == 5
    assert queue_of(_labels(), COLUMNS, [within])[0].confidence == pytest.approx(0.2)
    surer = NearMiss((2, 12), np.ones((6, 8), bool), 0.1)
    assert queue_of(_labels(), COLUMNS, [surer])[0].confidence == pytest.approx(0.3)


def test_what_a_person_changed_is_not_asked_about() -> None:
    labels = _labels()
    labels[labels == 2] = 77
    assert [one.number for one in queue_of(labels, COLUMNS)] == [3, 1, 5]
    assert queue_of(labels, {"label": np.array([1])}) == ()


def test_objects_of_a_series_are_those_of_their_time_point() -> None:
    first, second = _labels(), np.where(_labels() == 2, 0, _labels())
    frames = {
        "frame": np.array([0, 0, 1, 1]),
        "label": np.array([1, 2, 1, 3]),
        "confidence": np.array([0.9, 0.8, 0.1, 0.5]),
    }
    near = [NearMiss((1, 10, 30), np.ones((3, 4), bool), 0.7)]
    queue = queue_of(np.stack([first, second]), frames, near, series=True)
    assert [(one.start[0], one.number) for one in queue] == [(1, 1), (1, 0), (1, 3), (0, 2), (0, 1)]
    assert queue[0].mask.shape == (6, 6)
    assert queue[0].middle == (1, 4.5, 4.5)


def test_points_come_in_the_same_order() -> None:
    points = Points(np.array([[3.2, 4.6], [10.0, 1.0]], np.float32), np.zeros(2, np.int32))
    queue = queue_of_points(points, np.array([0.8, 0.4]))
    assert [(one.number, one.start) for one in queue] == [(1, (10, 1)), (0, (3, 5))]
    assert isinstance(queue[0], ToCheck)
    assert errors_left(queue) == pytest.approx(0.8)
