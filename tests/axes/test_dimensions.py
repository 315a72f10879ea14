"""What is said of an image's dimensions, and what is read of lengths that people type."""

import pytest

from microforge.axes.dimensions import Dimensions, complete_size, read_lengths
from microforge.errors import AxesError


@pytest.mark.parametrize(
    ("shape", "axes", "sizes", "words"),
    [
        ((40, 48), "YX", {}, "40 × 48 pixels; pixel size unknown"),
        (
            (51, 9, 8),
            "ZYX",
            dict.fromkeys("YX", 0.2),
            "51 planes of 9 × 8 pixels; pixel size 0.2 µm, plane distance unknown",
        ),
        (
            (6, 2, 1200, 9),
            "TCYX",
            {"Y": 0.5, "X": 0.25},
            "6 time points of 2 channels of 1,200 × 9 pixels; pixel size 0.5 × 0.25 µm",
        ),
        ((4, 8, 9), "ZYX", {"Z": 2, "Y": 1, "X": 1}, "4 planes of 8 × 9 pixels; pixel size 1 µm, planes 2 µm apart"),
        ((8, 9, 3), "YXS", {}, "8 × 9 pixels in colour; pixel size unknown"),
    ],
)
def test_words_for_dimensions(shape: tuple[int, ...], axes: str, sizes: dict[str, float], words: str) -> None:
    assert Dimensions(shape, axes, sizes=sizes).in_words() == words


def test_pixel_size_needs_every_direction() -> None:
    sizes = {"Y": 0.2, "X": 0.3}
    assert complete_size(sizes, "TYX") == (0.2, 0.3)
    assert complete_size(sizes, "ZYX") is None
    assert complete_size({**sizes, "Z": 1.0}, "ZYX") == (1.0, 0.2, 0.3)


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        ("0.25", (0.25, 0.25)),
        ("0,25", (0.25, 0.25)),
        (" 250 nm ", (0.25, 0.25)),
        ("0.25µm", (0.25, 0.25)),
        ("1e-1 mm", (100, 100)),
        ("0.2 x 0,3", (0.2, 0.3)),
        ("0.2 × 0.3", (0.2, 0.3)),
    ],
)
def test_lengths_are_read_as_people_type_them(text: str, lengths: tuple[float, float]) -> None:
    assert read_lengths(text, 2) == pytest.approx(lengths)


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "abc", "1.000,5", "1 2", "1 x 2 x 3", "µm", "1e9"])
def test_what_no_pixel_can_be_is_refused_in_words(text: str) -> None:
    with pytest.raises(AxesError, match=r"0\.25"):
        read_lengths(text, 2)


def test_one_length_is_not_read_from_two_numbers() -> None:
    with pytest.raises(AxesError, match="2 numbers"):
        read_lengths("1 x 2", 1)
