"""Layers mean what the same files would: dimensions of length one mean nothing, transparency is no colour."""

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels

from microforge.gui.layers.convert import image_of, labels_on
from microforge.gui.layers.layer_axes import axes_of
from support.planes import PLANE, SINGLE, TCZYX


@pytest.mark.parametrize(("shape", "options"), SINGLE)
def test_plane_with_dimensions_of_length_one_is_a_plane(shape: Any, options: Any) -> None:
    image = image_of(Image(PLANE.reshape(shape), **options))
    assert (image.axes, image.axes_known) == ("YX", True)
    assert np.array_equal(image.data, PLANE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shape", "options", "axes", "known"),
    [
        ((1, 1, 12, 40, 48), TCZYX, "ZYX", True),
        ((7, 1, 1, 40, 48), TCZYX, "TYX", True),
        ((1, 3, 1, 40, 48), TCZYX, "CYX", True),
        ((1, 12, 40, 48), {}, "ZYX", False),
        ((1, 40, 48, 3), {"rgb": True}, "YXS", True),
        ((2, 2, 2, 2, 40, 48), {}, "?TCZYX", False),
    ],
)
def test_other_dimensions_keep_their_meaning(shape: Any, options: Any, axes: str, known: bool) -> None:
    layer = Image(np.zeros(shape, np.uint8), **options)
    letters, sure = axes_of(layer)
    assert ("".join(letter for letter in letters if not letter.islower()), sure) == (axes, known)


def test_labels_without_dimensions_of_length_one_belong_to_the_image() -> None:
    layer, labels = Image(PLANE[None, None]), Labels((PLANE > 200).astype(int))
    drawn, axes = labels_on(labels, layer, axes_of(layer)[0])
    assert (drawn.shape, axes) == ((40, 48), "YX")


@pytest.mark.parametrize("shape", [(40, 48, 4), (1, 40, 48, 4)])
def test_transparency_of_a_picture_is_left_out(shape: Any) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    image = image_of(Image(pixels, rgb=True))
    assert (image.axes, image.data.shape) == ("YXS", (40, 48, 3))
    assert np.array_equal(image.data, pixels.reshape(40, 48, 4)[..., :3])  # type: ignore[arg-type]
    assert np.shares_memory(image.data, pixels)  # type: ignore[arg-type]


def test_array_on_disk_is_not_read_to_leave_dimensions_out() -> None:
    class OnDisk:
        """Counts what is read."""

        shape, ndim, dtype, read = (1, 12, 40, 48), 4, np.dtype(np.uint8), 0

        def __getitem__(self, key: Any) -> Any:
            found = np.broadcast_to(PLANE, self.shape)[key]
            self.read += found.size
            return found

    data = OnDisk()
    image = image_of(ViewerModel().add_image(data, axis_labels=("T", "Z", "Y", "X"), contrast_limits=(0, 255)))
    before = data.read
    assert (image.axes, image.data.shape) == ("ZYX", (12, 40, 48))
    assert np.array_equal(image.data[3, :5], PLANE[:5])
    assert data.read == before + 5 * 48
