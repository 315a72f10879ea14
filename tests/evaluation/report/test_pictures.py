"""Pictures of a report show what went wrong where."""

import io

import numpy as np
import pytest
from PIL import Image as Picture

from microforge.evaluation.object_errors import FINDING_COLOURS
from microforge.evaluation.report.pictures import RIGHT, SIDE, picture_of, png
from microforge.tasks import get_task
from microforge.types import Points, Prediction, Sample
from support.fakes import FakeCounter


def colours(picture: np.ndarray) -> set[str]:
    coloured = picture.reshape(-1, 3)
    return {f"#{r:02x}{g:02x}{b:02x}" for r, g, b in np.unique(coloured, axis=0) if not r == g == b}


def boxes(*places: tuple[int, int], shape: tuple[int, ...] = (80, 80)) -> np.ndarray:
    labels = np.zeros(shape, np.int32)
    for number, (y, x) in enumerate(places, start=1):
        labels[..., y : y + 10, x : x + 10] = number
    return labels


def sample(truth: np.ndarray, image: np.ndarray | None = None) -> Sample:
    return Sample("x", ((truth > 0) * 100.0)[None] if image is None else image, truth)


def test_objects_missed_and_extra_have_their_colours_where_they_are() -> None:
    truth, found = boxes((5, 5), (40, 5)), boxes((5, 5), (40, 50))
    picture = picture_of(get_task("instances")(), Prediction(labels=found), sample(truth))
    assert colours(picture) == {RIGHT, FINDING_COLOURS["missed"], FINDING_COLOURS["extra"]}
    red = np.argwhere(picture[..., 0] != picture[..., 1])
    assert tuple(picture[40, 7]) == (0xFF, 0x4F, 0x4F)
    assert tuple(picture[40, 52]) == (0xFF, 0xD3, 0x4E)
    assert len(red) == 3 * 36


def test_of_a_large_image_the_part_with_most_errors_is_drawn() -> None:
    truth = boxes((20, 20), (900, 900), shape=(1000, 1000))
    picture = picture_of(get_task("instances")(), Prediction(labels=np.where(truth == 1, 1, 0)), sample(truth))
    assert picture.shape == (SIDE, SIDE, 3)
    assert colours(picture) == {FINDING_COLOURS["missed"]}


def test_of_a_stack_the_plane_with_most_errors_is_drawn() -> None:
    truth = boxes((5, 5), shape=(4, 40, 40))
    found = truth.copy()
    found[2] = 0
    found[2, 20:30, 20:30] = 7
    picture = picture_of(get_task("instances")(), Prediction(labels=found), sample(truth))
    assert FINDING_COLOURS["extra"] in colours(picture)


def test_pixels_of_the_wrong_class_are_tinted() -> None:
    task = get_task("segmentation").from_options({"classes": {0: "ground", 1: "cell"}})
    truth = boxes((5, 5))
    picture = picture_of(task, Prediction(labels=boxes((5, 45))), sample(truth))
    assert tuple(picture[10, 10]) == (0xFF, 0x4F, 0x4F)
    assert len(set(picture[70, 70])) == 1


def test_predicted_images_stand_between_input_and_truth() -> None:
    noisy = np.random.default_rng(0).normal(size=(1, 60, 70)).astype(np.float32)
    picture = picture_of(get_task("restoration")(), Prediction(image=noisy), Sample("x", noisy, noisy))
    assert picture.shape == (60, 210, 3)
    assert np.array_equal(picture[:, :70], picture[:, 140:])


def test_points_are_dots_found_missed_or_extra() -> None:
    pixels = np.zeros((1, 80, 80), np.float32)
    pixels[0, [10, 60], [11, 20]] = 50
    set_by_hand = Points(np.array([(10, 10), (60, 60)], np.float32), np.zeros(2, np.int32))
    one = Sample("x", pixels, points=set_by_hand)
    task = get_task("counting").from_options({"kinds": ("",), "spacing": 12.0, "radius": 6.0})
    picture = picture_of(task, FakeCounter(task).predict(one), one)
    assert colours(picture) == {RIGHT, FINDING_COLOURS["missed"], FINDING_COLOURS["extra"]}
    assert tuple(picture[60, 60]) == (0xFF, 0x4F, 0x4F)


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_images_without_contrast_are_drawn_too(value: float) -> None:
    truth = boxes((5, 5))
    picture = picture_of(
        get_task("instances")(), Prediction(labels=truth), sample(truth, np.full((1, 80, 80), value, np.float32))
    )
    assert colours(picture) == {RIGHT}


def test_a_picture_of_noise_stays_small() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (SIDE, SIDE, 3), np.uint8)
    written = png(noise)
    assert len(written) < 60_000
    assert Picture.open(io.BytesIO(written)).size == (SIDE, SIDE)
    assert max(Picture.open(io.BytesIO(png(noise, 72))).size) == 72
