"""Predicted images of open images, as files."""

from pathlib import Path

import numpy as np
import pytest

from microforge.answers.images import write_predicted
from microforge.io.images import read_image
from microforge.types import Image, Prediction


@pytest.mark.parametrize(
    ("source", "channels", "axes", "names"),
    [
        ("YX", 1, "YX", ()),
        ("TYX", 1, "TYX", ()),
        ("CYX", 2, "CYX", ("red", "green")),
        ("TZYX", 2, "TZCYX", ()),
        ("ZCYX", 1, "ZYX", ()),
    ],
)
def test_axes_and_channels_of_a_predicted_image_are_kept(
    tmp_path: Path, source: str, channels: int, axes: str, names: tuple[str, ...]
) -> None:
    lengths = {"T": 3, "C": 2, "Z": 4, "Y": 6, "X": 7}
    pixels = np.zeros([lengths[letter] for letter in source], np.uint8)
    image = Image("a", pixels, source, channel_names=names)
    order = [letter for letter in "TCZYX" if letter in source or letter == "C"]
    size = [channels if letter == "C" else lengths[letter] for letter in order]
    predicted = np.arange(np.prod(size), dtype=np.float32).reshape(size)
    write_predicted(tmp_path / "a.tif", Prediction(image=predicted), image)
    back = read_image(tmp_path / "a.tif")
    assert sorted(back.axes) == sorted(axes)
    assert back.channel_names == names
    moved = predicted.transpose(
        [order.index(letter) for letter in axes if letter in order] if "C" in axes else range(len(order))
    )
    np.testing.assert_array_equal(np.asarray(back.data[...]), moved.reshape(back.data.shape))
