"""Predictions as layers: geometry, what is updated, and that nothing drawn is lost."""

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels

from microforge.gui.layers.marks import is_result
from microforge.gui.layers.results import add_results, features_of, layer_place, measurements_of, results_of
from microforge.types import Prediction

DETAILS = {"model": "nuclei.safetensors", "settings": {}}


def objects(shape: tuple[int, ...], count: int = 2) -> Prediction:
    labels = np.zeros(shape, np.int32)
    labels[..., 1, 1], labels[..., 3, 3] = 1, 2
    columns = {"label": np.arange(1, count + 1), "area": np.ones(count, int)}
    return Prediction(labels=labels, measurements=columns)


def apply(viewer: ViewerModel, source: Image, axes: str, prediction: Prediction) -> Labels:
    (layer,) = add_results(viewer, layer_place(source, axes), prediction, DETAILS)
    return layer


def test_result_lies_on_the_image() -> None:
    viewer = ViewerModel()
    affine = np.array([[1, 0.1, 5], [0, 1, 7], [0, 0, 1]])
    source = viewer.add_image(
        np.zeros((8, 9)), name="cells", scale=(0.5, 0.25), translate=(3, 4), affine=affine, units=("um", "um")
    )
    layer = apply(viewer, source, "YX", objects((8, 9)))
    assert layer.name == "cells (objects)"
    assert is_result(layer)
    assert results_of(viewer, source) == [layer]
    for point in ((0, 0), (3, 5)):
        np.testing.assert_allclose(layer.data_to_world(point), source.data_to_world(point))
    assert layer.units == source.units
    assert layer.metadata["microforge"]["model"] == "nuclei.safetensors"


@pytest.mark.parametrize(
    ("axes", "shape", "result", "expected"),
    [
        ("CYX", (3, 8, 9), (8, 9), (8, 9)),
        ("TYX", (4, 8, 9), (4, 8, 9), (4, 8, 9)),
        ("TCYX", (4, 3, 8, 9), (4, 8, 9), (4, 1, 8, 9)),
        ("CZYX", (3, 5, 8, 9), (5, 8, 9), (5, 8, 9)),
        ("ZCYX", (5, 3, 8, 9), (5, 8, 9), (5, 1, 8, 9)),
        ("TZCYX", (4, 5, 3, 8, 9), (4, 5, 8, 9), (4, 5, 1, 8, 9)),
        ("ZTYX", (5, 4, 8, 9), (4, 5, 8, 9), (5, 4, 8, 9)),
        ("XY", (9, 8), (8, 9), (9, 8)),
    ],
)
def test_axes_of_results(axes: str, shape: tuple[int, ...], result: tuple[int, ...], expected: tuple[int, ...]) -> None:
    viewer = ViewerModel()
    scale = np.arange(1, len(shape) + 1) / 2
    source = viewer.add_image(np.zeros(shape), scale=scale)
    layer = apply(viewer, source, axes, objects(result))
    assert layer.data.shape == expected
    # Whatever the sliders say, the same pixel of the result is looked at as of the image.
    for fraction in (0, 0.4, 0.99):
        inside = [int(fraction * n) for n in shape]
        world = source.data_to_world(inside)
        seen = np.round(layer.world_to_data(world[-layer.ndim :])).astype(int)
        wanted = [0 if axis == "C" else i for axis, i in zip(axes, inside, strict=True)][-layer.ndim :]
        assert seen.tolist() == wanted


def test_colour_image() -> None:
    viewer = ViewerModel()
    source = viewer.add_image(np.zeros((8, 9, 3), np.uint8), rgb=True, scale=(2, 2))
    layer = apply(viewer, source, "YXS", objects((8, 9)))
    assert layer.data.shape == (8, 9)
    assert layer.scale.tolist() == [2, 2]


def test_applying_again_updates_the_layer() -> None:
    viewer = ViewerModel()
    source = viewer.add_image(np.zeros((8, 9)))
    first = apply(viewer, source, "YX", objects((8, 9), 2))
    second = apply(viewer, source, "YX", Prediction(np.ones((8, 9), np.int32), measurements={"label": np.array([1])}))
    assert second is first
    assert len(viewer.layers) == 2
    assert first.data.min() == 1
    assert len(first.features) == 2


@pytest.mark.parametrize("how", ["paint", "fill", "inplace", "rename"])
def test_what_a_person_changed_is_kept(how: str) -> None:
    viewer = ViewerModel()
    source = viewer.add_image(np.zeros((8, 9)))
    first = apply(viewer, source, "YX", objects((8, 9)))
    if how == "paint":
        first.paint((6, 6), 9)
    elif how == "fill":
        first.fill((0, 0), 5)
    elif how == "inplace":
        first.data[7, 7] = 3
    else:
        first.name = "mine"
    drawn = first.data.copy()
    second = apply(viewer, source, "YX", objects((8, 9)))
    assert second is not first
    assert np.array_equal(first.data, drawn)
    third = apply(viewer, source, "YX", objects((8, 9)))
    assert third is second
    first.undo()
    assert apply(viewer, source, "YX", objects((8, 9))) is second


def test_source_may_be_gone() -> None:
    viewer = ViewerModel()
    source = viewer.add_image(np.zeros((8, 9)), name="cells")
    place = layer_place(source, "YX")
    viewer.layers.clear()
    (layer,) = add_results(viewer, place, objects((8, 9)), DETAILS)
    assert layer.name == "cells (objects)"


def test_all_kinds_of_results() -> None:
    viewer = ViewerModel()
    source = viewer.add_image(np.zeros((4, 2, 8, 9)), scale=(1, 1, 3, 3))
    prediction = Prediction(
        labels=np.zeros((4, 8, 9), np.int32),
        image=np.zeros((4, 2, 8, 9), np.float32),
    )
    layers = add_results(viewer, layer_place(source, "TCYX"), prediction, DETAILS, "classes")
    image, classes = layers
    assert isinstance(image, Image)
    assert image.data.shape == (2, 4, 1, 8, 9)
    assert classes.name.endswith("(classes)")


def test_one_channel_of_probability_has_no_channel_axis() -> None:
    viewer = ViewerModel()
    source = viewer.add_image(np.zeros((8, 9)))
    (image,) = add_results(
        viewer, layer_place(source, "YX"), Prediction(image=np.zeros((1, 8, 9), np.float32)), DETAILS
    )
    assert image.data.shape == (8, 9)


@pytest.mark.parametrize("labels", [[1, 2, 3], [4, 9], []])
def test_features_name_the_right_object(labels: list[int]) -> None:
    names = np.array([f"class {label}" for label in labels], object)
    measured = {"label": np.array(labels, int), "class": names, "area": np.arange(len(labels)) + 10.0}
    layer = Labels(np.zeros((4, 4), int), features=features_of(measured))
    for label, area in zip(labels, measured["area"], strict=True):
        row = layer.features.iloc[layer._label_index[label]]
        assert row["area"] == area
    back = measurements_of(layer)
    assert {name: list(column) for name, column in back.items()} == {n: list(c) for n, c in measured.items()}


@pytest.mark.parametrize(("axes", "shape"), [("YX", (8, 9)), ("ZYX", (4, 8, 9)), ("TCYX", (2, 3, 8, 9))])
def test_result_layers_say_what_their_axes_are(axes: str, shape: tuple[int, ...]) -> None:
    viewer = ViewerModel()
    source = viewer.add_image(np.zeros(shape))
    labels = np.zeros([n for n, letter in zip(shape, axes, strict=True) if letter != "C"], np.int32)
    (layer,) = add_results(viewer, layer_place(source, axes), Prediction(labels=labels), DETAILS)
    assert layer.axis_labels == tuple(axes)
    (again,) = add_results(viewer, layer_place(source, axes), Prediction(labels=labels), DETAILS)
    assert again.axis_labels == tuple(axes)
