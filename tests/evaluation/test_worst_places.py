"""Where a model errs most."""

from dataclasses import replace

import numpy as np
import pytest

from microforge.evaluation.worst_places import LEAST_WRONG, MOST_PLACES, PLACE_SIDE, worst_of, worst_places
from microforge.tasks import get_task
from microforge.tasks.abilities import LocatesErrors
from microforge.types import Points, Prediction, Sample


def field(shape: tuple[int, ...], missed: list[tuple[slice, ...]], **values: np.ndarray) -> tuple[Sample, Prediction]:
    """An image on which squares were annotated; the model finds none of those that are missed, and all others."""
    labels = np.zeros(shape, np.int32)
    labels[..., 40:50, 40:50] = 1
    found = labels.copy()
    for number, where in enumerate(missed, start=2):
        labels[where] = number
    image = np.random.default_rng(0).normal(100, 10, (1, *shape)).astype(np.float32)
    return Sample("a", image, labels, **values), Prediction(labels=found)


def places(sample: Sample, prediction: Prediction) -> list:
    task = get_task("instances")()
    assert isinstance(task, LocatesErrors)
    return list(worst_places(task.errors(prediction, sample), prediction, sample))


def covers(place, row: int, column: int) -> bool:
    top, left = place.corner[-2:]
    return bool(top <= row < top + PLACE_SIDE and left <= column < left + PLACE_SIDE)


def test_the_worst_places_come_first_and_do_not_overlap() -> None:
    sample, prediction = field((400, 500), [np.s_[300:320, 400:420], np.s_[100:112, 300:312], np.s_[200:206, 20:26]])
    first, second = places(sample, prediction)
    assert (first.wrong, second.wrong) == (400, 144)
    assert covers(first, 310, 410)
    assert covers(second, 106, 306)
    assert first.image.shape == first.truth.shape == first.found.shape == (PLACE_SIDE, PLACE_SIDE)
    assert first.truth.sum() == 4 * 19
    assert not first.found.any()


def test_of_a_stack_the_worst_plane_is_shown() -> None:
    sample, prediction = field((6, 120, 130), [np.s_[4, 60:80, 60:80]])
    (place,) = places(sample, prediction)
    assert place.corner[0] == 4
    assert covers(place, 70, 70)


@pytest.mark.parametrize("shape", [(50, 60), (30, 200)])
def test_small_images_are_one_place(shape: tuple[int, int]) -> None:
    sample, prediction = field(shape, [np.s_[2:12, 2:12]])
    (place,) = places(sample, prediction)
    assert place.wrong == 100
    assert place.image.shape == (min(shape[0], PLACE_SIDE), min(shape[1], PLACE_SIDE))


def test_nothing_is_shown_where_little_is_wrong_or_nothing_known() -> None:
    sample, prediction = field((200, 200), [np.s_[100:104, 100:104]])
    assert LEAST_WRONG > 16
    assert places(sample, prediction) == []
    mask = np.zeros((200, 200), bool)
    sample, prediction = field((200, 200), [np.s_[100:140, 100:140]], mask=mask)
    assert places(sample, prediction) == []


def test_the_worst_of_several_images() -> None:
    found = [
        place
        for size in (10, 30, 20)
        for place in places(*field((200, 200), [np.s_[100 : 100 + size, 100 : 100 + size]]))
    ]
    assert [place.wrong for place in worst_of(found)] == [900, 400]
    assert len(worst_of(found)) == MOST_PLACES


def test_wrong_classes_of_pixels_are_errors() -> None:
    task = get_task("segmentation").from_options({"classes": {1: "a", 2: "b"}})
    labels = np.ones((60, 60), np.int32)
    labels[:10, :10] = 2
    sample = Sample("a", np.zeros((1, 60, 60), np.float32), labels, mask=np.arange(60)[:, None] < np.full(60, 5))
    assert isinstance(task, LocatesErrors)
    assert task.errors(Prediction(labels=np.ones_like(labels)), sample).sum() == 50


def test_of_counts_the_places_are_where_cells_are_missed_or_too_many() -> None:
    sample, found = counted([[50, 50], [52, 240], [200, 60]], [[51, 50], [130, 140], [136, 150], [202, 61]])
    task = get_task("counting").from_options({"radius": 6.0, "spacing": 12.0})
    errors = task.errors(found, sample)
    assert errors[52, 240], "missed"
    assert errors[130, 140], "too many"
    assert not errors[50, 50], "found"
    assert not errors[60, 240]
    worst, second = worst_places(errors, found, sample)
    assert covers(worst, 130, 140)
    assert covers(worst, 136, 150)
    assert covers(second, 52, 240)
    assert worst.found.any()
    assert not worst.truth.any()
    assert second.truth.any()
    assert not second.found.any()


def test_of_counts_nothing_is_wrong_outside_what_is_annotated() -> None:
    sample, found = counted([[50, 50]], [[50, 50], [200, 200]])
    mask = np.zeros((256, 256), bool)
    mask[:100, :100] = True
    task = get_task("counting").from_options({"radius": 6.0, "spacing": 12.0})
    assert not task.errors(found, replace(sample, mask=mask)).any()
    assert task.errors(found, sample)[200, 200]


def counted(clicked: list[list[float]], found: list[list[float]]) -> tuple[Sample, Prediction]:
    """An image with cells that were clicked, and those that were found."""

    def points(places: list[list[float]]) -> Points:
        return Points(np.array(places, np.float32), np.zeros(len(places), np.int32))

    image = np.random.default_rng(0).normal(100, 10, (1, 256, 256)).astype(np.float32)
    return Sample("a", image, points=points(clicked)), Prediction(points=points(found))
