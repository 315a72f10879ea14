"""What is edited is the image on the screen, whatever other dimensions its layer has."""

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels

from microforge.gui.layers.convert import add_labels
from microforge.gui.layers.gestures import ShownLabels
from microforge.gui.layers.layer_axes import letters_of_labels
from microforge.label_editing import delete, grow


def shown(shape: tuple[int, ...], axes: str, step: tuple[int, ...], **place: Any) -> tuple[Labels, ShownLabels]:
    viewer = ViewerModel()
    image = viewer.add_image(np.zeros(shape, np.uint8), **place)
    layer = add_labels(viewer, image, axes)
    viewer.dims.set_current_step(tuple(range(len(step))), step)
    return layer, ShownLabels(layer, letters_of_labels(layer, axes), viewer.dims.point, viewer.dims.displayed)


@pytest.mark.parametrize(
    ("shape", "axes", "step", "size", "window"),
    [
        ((20, 30), "YX", (), (20, 30), ()),
        ((5, 20, 30), "ZYX", (3,), (5, 20, 30), ()),
        ((4, 20, 30), "TYX", (2,), (20, 30), (2,)),
        ((4, 5, 20, 30), "TZYX", (2, 3), (5, 20, 30), (2,)),
        ((4, 2, 20, 30), "TCYX", (2, 1), (20, 30), (2, slice(None))),
        ((2, 5, 20, 30), "CZYX", (1, 3), (5, 20, 30), ()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_time_point_on_the_screen_is_edited_and_no_other(
    shape: tuple[int, ...], axes: str, step: tuple[int, ...], size: tuple[int, ...], window: Any
) -> None:
    layer, view = shown(shape, axes, step)
    assert view.labels.shape == size
    layer.data[..., 5:10, 5:10] = 3
    before, at = layer.data.copy(), (3, 6, 6)[-len(size) :]
    assert view.write(delete(view.labels, at))
    assert not view.labels.any()
    changed = np.zeros(before.shape, bool)
    changed[window] = True
    assert np.array_equal(layer.data, np.where(changed, 0, before))
    layer.undo()
    assert np.array_equal(layer.data, before)


def test_places_follow_scale_and_position_of_the_image() -> None:
    layer, view = shown((20, 30), "YX", (), scale=(0.5, 0.25), translate=(10, 20))
    layer.data[5:10, 8:12] = 1
    assert view.on_object((10 + 6 * 0.5, 20 + 9 * 0.25)) == (6, 9)
    assert view.on_object((10 + 15 * 0.5, 20 + 9 * 0.25)) == ()
    assert view.pixel((0, 0)) == ()


def test_view_from_the_side_is_edited_on_the_plane_that_is_seen() -> None:
    viewer = ViewerModel()
    image = viewer.add_image(np.zeros((5, 20, 30), np.uint8))
    layer = add_labels(viewer, image, "ZYX")
    layer.data[1:4, 5:10, 5:10] = 2
    viewer.dims.order = (1, 0, 2)
    viewer.dims.set_current_step(1, 7)
    view = ShownLabels(layer, "ZYX", viewer.dims.point, viewer.dims.displayed)
    assert view.labels.shape == (20, 5, 30)
    assert view.write(grow(view.labels, (7, 2, 6)))
    assert (layer.data[:, 7] == 2).sum() == 3 * 5 + 2 * (3 + 5)
    assert (layer.data[:, 8] == 2).sum() == 3 * 5
