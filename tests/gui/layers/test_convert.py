from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels, Shapes

from microforge.axes.areas import mask_of
from microforge.errors import AnnotationError, AxesError
from microforge.gui.layers.convert import add_labels, add_region, image_of, labels_on
from microforge.gui.layers.layer_axes import axes_of, layer_pixel_size
from microforge.gui.layers.outlines import outlines_of
from microforge.gui.session.snapshot import snapshot_of, snapshots_of
from microforge.gui.session.state import Session
from microforge.types import Sample


def samples_of(session: Session) -> list[Sample]:
    return [sample for snapshot in snapshots_of(session) for sample in snapshot.samples()]


PLACE = {"scale": (0.5, 0.25), "translate": (3, -4), "rotate": 30, "shear": [0.2]}


@pytest.mark.parametrize(
    ("shape", "options", "axes", "known"),
    [
        ((8, 9), {}, "YX", True),
        ((8, 9, 3), {"rgb": True}, "YXS", True),
        ((20, 8, 9), {}, "ZYX", False),
        ((2, 8, 9), {}, "CYX", False),
        ((20, 8, 9), {"metadata": {"axes": "TYX"}}, "TYX", True),
        ((20, 8, 9), {"axis_labels": ("t", "y", "x")}, "TYX", True),
        ((5, 8, 9, 3), {"rgb": True, "axis_labels": ("t", "y", "x")}, "TYXS", True),
    ],
)
def test_axes_come_from_the_layer_or_are_only_likely(shape: Any, options: Any, axes: str, known: bool) -> None:
    layer = Image(np.zeros(shape, np.uint8), **options)
    assert axes_of(layer) == (axes, known)
    image = image_of(layer)
    assert (image.axes, image.axes_known, image.data.shape) == (axes, known, shape)


def test_confirmed_axes_are_known_and_asked_for_again_where_they_do_not_fit() -> None:
    layer = Image(np.zeros((20, 8, 9)))
    assert image_of(layer, "TYX").axes_known
    layer.data = np.zeros((2, 20, 8, 9))
    assert not image_of(layer, "TYX").axes_known


@pytest.mark.parametrize(
    ("scale", "units", "expected"),
    [
        ((1, 1), None, None),
        ((0.5, 0.25), None, None),
        ((0.5, 0.25), ("um", "um"), (0.5, 0.25)),
        ((500, 250), ("nm", "nm"), (0.5, 0.25)),
        ((1, 1), ("um", "um"), (1, 1)),
    ],
)
def test_pixel_size_is_what_the_units_say(scale: Any, units: Any, expected: Any) -> None:
    size = layer_pixel_size(Image(np.zeros((4, 4)), scale=scale, units=units), "YX")
    assert size == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize("axes", ["TYX", "ZYX"])
def test_scale_of_frames_or_planes_without_units_is_no_pixel_size(axes: str) -> None:
    assert layer_pixel_size(Image(np.zeros((3, 4, 4)), scale=(60, 1, 1)), axes) is None
    film = Image(np.zeros((3, 4, 4)), scale=(60, 0.5, 0.5), units=("s", "um", "um"))
    assert layer_pixel_size(film, axes) == (None if axes == "ZYX" else (0.5, 0.5))


@pytest.mark.parametrize(
    ("shape", "axes", "expected"),
    [
        ((8, 9), "YX", (8, 9)),
        ((2, 8, 9), "CYX", (8, 9)),
        ((4, 2, 8, 9), "TCYX", (4, 2, 8, 9)),
        ((4, 8, 9), "ZYX", (4, 8, 9)),
    ],
)
def test_labels_lie_exactly_on_their_image(shape: Any, axes: str, expected: Any) -> None:
    viewer = ViewerModel()
    image = viewer.add_image(np.zeros(shape), scale=np.arange(2, 2 + len(shape)), translate=np.arange(len(shape)))
    labels = add_labels(viewer, image, axes)
    assert labels.data.shape == expected
    corner = np.array(image.ndim * [2.0])
    np.testing.assert_allclose(
        labels.data_to_world(corner[-labels.ndim :]), image.data_to_world(corner)[-labels.ndim :]
    )
    assert viewer.layers.selection.active is labels
    assert labels.mode == "paint"


def test_labels_take_rotation_shear_and_affine_along() -> None:
    viewer = ViewerModel()
    image = viewer.add_image(np.zeros((8, 9)), affine=[[1, 0.1, 5], [0, 2, 7], [0, 0, 1]], **PLACE)
    labels = add_labels(viewer, image, "YX")
    np.testing.assert_allclose(labels.data_to_world((3, 5)), image.data_to_world((3, 5)))


def test_what_is_drawn_shows_on_every_channel_of_a_slider() -> None:
    viewer = ViewerModel()
    image = viewer.add_image(np.zeros((4, 3, 8, 9)))
    labels = add_labels(viewer, image, "TCYX")
    labels.data_setitem((np.array([1]), np.array([0]), np.array([5]), np.array([6])), 7)
    drawn, axes = labels_on(labels, image, "TCYX")
    assert (axes, drawn.shape, drawn[1, 5, 6]) == ("TYX", (4, 8, 9), 7)
    assert (labels.data[1, :, 5, 6] == 7).all()


def test_labels_of_another_image_are_refused() -> None:
    with pytest.raises(AnnotationError, match="other"):
        labels_on(Labels(np.zeros((4, 4), int), name="other"), Image(np.zeros((8, 9))), "YX")


def shapes_on(labels: Labels, data: Any, kind: str = "rectangle", **options: Any) -> Any:
    region = Shapes([np.array(data, float)], shape_type=kind, **options)
    return mask_of(outlines_of(region, labels, range(labels.ndim)), labels.data.shape)


def test_a_rectangle_becomes_a_mask() -> None:
    mask = shapes_on(Labels(np.zeros((10, 12), int)), [[2, 3], [2, 6], [5, 6], [5, 3]])
    assert mask[2:6, 3:7].all()
    assert mask.sum() == 16


def test_an_ellipse_is_round_and_a_line_is_no_area() -> None:
    labels = Labels(np.zeros((40, 40), int))
    box = [[5, 5], [5, 34], [34, 34], [34, 5]]
    mask = shapes_on(labels, box, "ellipse")
    assert mask[20, 20]
    assert not mask[6, 6]
    assert mask.sum() == pytest.approx(np.pi * 14.5**2, rel=0.05)
    assert not shapes_on(labels, [[1, 1], [9, 9]], "line").any()


def test_a_region_follows_the_transforms_of_both_layers() -> None:
    labels = Labels(np.zeros((20, 20), int), scale=(0.5, 0.5), translate=(10, 20))
    mask = shapes_on(labels, [[10, 20], [10, 22], [12, 22], [12, 20]])
    assert mask[:5, :5].all()
    assert mask.sum() == 25
    mask = shapes_on(labels, [[0, 0], [0, 2], [2, 2], [2, 0]], translate=(10, 20))
    assert mask.sum() == 25


def test_a_region_counts_for_its_plane_only_unless_drawn_without_planes() -> None:
    labels = Labels(np.zeros((6, 10, 10), int))
    mask = shapes_on(labels, [[3, 2, 2], [3, 2, 5], [3, 5, 5], [3, 5, 2]])
    assert mask[3].sum() == mask.sum() == 16
    assert shapes_on(labels, [[2, 2], [2, 5], [5, 5], [5, 2]]).sum() == 6 * 16


def test_a_region_partly_or_wholly_outside_is_cut() -> None:
    labels = Labels(np.zeros((10, 10), int))
    assert shapes_on(labels, [[-5, -5], [-5, 3], [3, 3], [3, -5]]).sum() == 16
    assert not shapes_on(Labels(np.zeros((2, 9, 9), int)), [[5, 1, 1], [5, 1, 5], [5, 5, 5], [5, 5, 1]]).any()


def painted(session: Session, shape: Any = (20, 24), axes: str = "YX") -> Any:
    image = session.viewer.add_image(np.random.default_rng(0).random(shape), name="cells")
    session.set_axes(image, axes)
    item = session.annotate(image, add_labels(session.viewer, image, axes))
    item.labels.data[..., 4:8, 4:8] = 1
    return item


def test_a_sample_is_a_copy(session: Session) -> None:
    item = painted(session)
    (sample,) = samples_of(session)
    item.labels.data[:] = 9
    session.viewer.layers.remove(item.image)
    assert sample.annotation is not None
    assert (sample.name, sample.image.shape, sample.annotation.max()) == ("cells", (1, 20, 24), 1)
    assert sample.mask is not None
    assert sample.mask.sum() == 16
    assert sample.partly_painted


def test_all_is_known_where_it_is_said_so(session: Session) -> None:
    item = painted(session)
    session.change(item, unpainted="background")
    (sample,) = samples_of(session)
    assert (sample.mask, sample.partly_painted) == (None, False)


def test_what_is_painted_outside_a_region_counts_too_where_images_are_painted_in_part(session: Session) -> None:
    item = painted(session)
    session.set_region(item, add_region(session.viewer, item.image, "YX"))
    item.region.add_rectangles([[15, 15], [15, 18], [18, 18], [18, 15]])
    (sample,) = samples_of(session)
    assert sample.mask.sum() == 16 + 16  # type: ignore[union-attr]
    assert sample.partly_painted


def test_scribbles_count_where_painted(session: Session) -> None:
    item = painted(session)
    session.change(item, unpainted="unknown")
    (sample,) = samples_of(session)
    assert sample.mask is not None
    assert sample.mask.sum() == 16


def test_inside_a_region_unpainted_is_background(session: Session) -> None:
    item = painted(session)
    session.change(item, unpainted="unknown")
    session.set_region(item, add_region(session.viewer, item.image, "YX"))
    assert samples_of(session)[0].mask.sum() == 16  # type: ignore[union-attr]
    item.region.add_rectangles([[2, 2], [2, 11], [11, 11], [11, 2]])
    assert samples_of(session)[0].mask.sum() == 100  # type: ignore[union-attr]


def test_a_time_point_without_paint_says_nothing(session: Session) -> None:
    item = painted(session, (5, 20, 24), "TYX")
    item.labels.data[[0, 1, 3, 4]] = 0
    assert [sample.name for sample in samples_of(session)] == ["cells t=002"]
    session.set_region(item, add_region(session.viewer, item.image, "TYX"))
    item.region.add_rectangles([[4, 2, 2], [4, 2, 11], [4, 11, 11], [4, 11, 2]])
    assert [sample.name for sample in samples_of(session)] == ["cells t=002", "cells t=004"]


def test_axes_nobody_confirmed_are_an_error(session: Session) -> None:
    image = session.viewer.add_image(np.zeros((6, 20, 24)))
    item = session.annotate(image, add_labels(session.viewer, image, "ZYX"))
    with pytest.raises(AxesError, match="not confirmed"):
        snapshot_of(session, item)
