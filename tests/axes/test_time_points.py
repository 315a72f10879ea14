"""Points of a file or a layer are given the axes of the image, or it is said why that cannot be."""

import numpy as np
import pytest

from microforge.axes.samples import to_samples
from microforge.errors import AnnotationError
from microforge.types import Image, Points

SIZES = {"T": 3, "C": 2, "Z": 4, "Y": 8, "X": 9, "S": 3}


def image_of(axes: str, **sizes: int) -> Image:
    return Image("cells", np.zeros([(SIZES | sizes)[letter] for letter in axes], np.uint8), axes, source="cells.tif")


def points_at(axes: str, *places: tuple[float, ...]) -> Points:
    coordinates = np.array(places, np.float32).reshape(-1, len(axes))
    return Points(coordinates, np.arange(len(places), dtype=np.int32) % 2, ("a", "b"), axes)


def split(image: Image, points: Points) -> list[list[list[float]]]:
    samples = to_samples(image, points=points)
    for sample in samples:
        assert sample.points is not None
        assert sample.points.axes == ("ZYX" if "Z" in image.axes else "YX")
        assert sample.points.coordinates.shape[1] == sample.image.ndim - 1
        assert sample.points.kinds == ("a", "b")
    return [sample.points.coordinates.tolist() for sample in samples if sample.points is not None]


@pytest.mark.parametrize("axes", ["YX", "CYX", "YXS", "YXC"])
def test_points_of_a_plane(axes: str) -> None:
    assert split(image_of(axes), points_at("YX", (1.5, 2), (3, 4))) == [[[1.5, 2], [3, 4]]]


@pytest.mark.parametrize("axes", ["ZYX", "ZCYX", "CZYX"])
def test_points_of_a_stack(axes: str) -> None:
    assert split(image_of(axes), points_at("ZYX", (0, 1, 2), (3, 4, 5))) == [[[0, 1, 2], [3, 4, 5]]]


def test_points_of_a_series_go_to_their_time_points() -> None:
    points = points_at("TYX", (2, 1, 2), (0, 3, 4), (2, 5, 6))
    assert split(image_of("TCYX"), points) == [[[3, 4]], [], [[1, 2], [5, 6]]]
    kinds = [sample.points.kind.tolist() for sample in to_samples(image_of("TYX"), points=points) if sample.points]
    assert kinds == [[1], [0, 0]]
    assert split(image_of("TZYX"), points_at("TZYX", (1, 3, 4, 5))) == [[], [[3, 4, 5]], []]


def test_axes_in_another_order_are_put_right() -> None:
    assert split(image_of("ZYX"), points_at("XYZ", (5, 4, 3))) == [[[3, 4, 5]]]


def test_stacks_and_series_are_confused_often() -> None:
    assert split(image_of("TYX"), points_at("ZYX", (2, 4, 5))) == [[], [], [[4, 5]]]
    assert split(image_of("ZYX"), points_at("TYX", (2, 4, 5))) == [[[2, 4, 5]]]


def test_coordinates_that_say_nothing_are_left_out_or_added() -> None:
    assert split(image_of("YX"), points_at("ZYX", (3, 1, 2), (3, 4, 5))) == [[[1, 2], [4, 5]]]
    assert split(image_of("YX"), points_at("TZYX", (1, 3, 1, 2))) == [[[1, 2]]]
    assert split(image_of("ZYX", Z=1), points_at("YX", (1, 2))) == [[[0, 1, 2]]]
    assert split(image_of("TYX", T=1), points_at("YX", (1, 2))) == [[[1, 2]]]


@pytest.mark.parametrize("axes", ["YX", "ZYX", "TYX", "TZYX"])
@pytest.mark.parametrize("own", ["YX", "ZYX", "TZYX"])
def test_no_points_fit_every_image(axes: str, own: str) -> None:
    assert split(image_of(axes), points_at(own)) == [[]] * (3 if "T" in axes else 1)


@pytest.mark.parametrize(
    ("axes", "points", "match"),
    [
        ("ZYX", points_at("YX", (1, 2)), r"The points have no plane \(z\), but the image has 4 planes"),
        ("TYX", points_at("YX", (1, 2)), r"The points have no time point \(t\), but the image has 3 time points"),
        ("TZYX", points_at("ZYX", (1, 1, 2)), r"no time point \(t\)"),
        ("TZYX", points_at("TYX", (1, 1, 2)), r"no plane \(z\)"),
        ("YX", points_at("ZYX", (1, 1, 2), (2, 1, 2)), "The points lie on 2 planes, but the image has one only"),
        ("CYX", points_at("TYX", (1, 1, 2), (2, 1, 2)), "The points lie on 2 time points, but the image has one only"),
        ("ZYX", points_at("TZYX", (1, 0, 1, 2), (2, 0, 1, 2)), "The points lie on 2 time points"),
        ("TYX", points_at("TYX", (1, 1, 2), (3, 1, 2)), "A point lies in frame 3, but the image has the frames 0 to 2"),
        ("TYX", points_at("TYX", (-1, 1, 2)), "A point lies in frame -1"),
    ],
)
def test_points_that_do_not_fit_say_why(axes: str, points: Points, match: str) -> None:
    with pytest.raises(AnnotationError, match=match) as caught:
        to_samples(image_of(axes), points=points)
    assert caught.value.where == "cells.tif"
    assert caught.value.remedy


def test_coordinates_and_axes_of_different_number_are_refused() -> None:
    wrong = Points(np.zeros((2, 3), np.float32), np.zeros(2, np.int32), axes="YX")
    with pytest.raises(AnnotationError, match="coordinates of another number than their axes YX"):
        to_samples(image_of("YX"), points=wrong)


def test_points_come_with_labels_and_mask() -> None:
    mask = np.zeros((8, 9), bool)
    (sample,) = to_samples(image_of("YX"), mask=mask, points=points_at("YX", (1, 2)))
    assert sample.mask is not None
    assert sample.points is not None
    assert len(sample.points) == 1
    (without,) = to_samples(image_of("YX"))
    assert without.points is None
