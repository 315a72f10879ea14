"""Whose a layer is can be seen: filled in warm colours, outlined in one cool colour, and keys that hide either."""

import colorsys
from itertools import pairwise

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels, Points
from napari.utils.colormaps.standardize_color import transform_color

from microforge.gui.layers.marks import (
    CLASSES,
    MINE,
    NETWORKS,
    dress_mine,
    dress_networks,
    mark_result,
    mine_point,
    toggle_fill,
    toggle_mine,
    toggle_networks,
)
from microforge.gui.layers.point_results import look_of
from microforge.types import Points as Cells

LABELS = np.arange(24, dtype=np.int32).reshape(4, 6)


def hue_and_brightness(colour: str) -> tuple[float, float]:
    red, green, blue = transform_color(colour)[0][:3]
    hue, _, _ = colorsys.rgb_to_hsv(red, green, blue)
    return 360 * hue, 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colour", MINE)
def test_what_a_person_draws_is_warm_and_never_dark(colour: str) -> None:
    hue, brightness = hue_and_brightness(colour)
    assert hue < 70 or hue > 320
    assert brightness > 0.3


@pytest.mark.parametrize("colour", NETWORKS)
def test_what_a_network_says_is_cool_and_never_dark(colour: str) -> None:
    hue, brightness = hue_and_brightness(colour)
    assert 110 < hue < 280
    assert brightness > 0.25


def test_her_objects_are_filled_and_neighbours_differ() -> None:
    layer = Labels(LABELS)
    dress_mine(layer, classes=False)
    colours = [tuple(layer.get_color(label)) for label in range(1, 24)]
    assert layer.contour == 0
    assert all(one != other for one, other in pairwise(colours))
    assert set(colours) == {tuple(transform_color(colour)[0]) for colour in MINE}


def test_a_networks_objects_are_outlines_in_one_colour() -> None:
    layer = Labels(LABELS)
    dress_networks(layer, classes=False)
    assert layer.contour > 0
    assert {tuple(layer.get_color(label)) for label in (1, 2, 17)} == {tuple(transform_color(NETWORKS[0])[0])}


def test_classes_have_the_same_colours_on_both_sides() -> None:
    hers, found = Labels(LABELS), Labels(LABELS)
    dress_mine(hers, classes=True)
    dress_networks(found, classes=True)
    for value in range(1, 11):
        assert np.allclose(hers.get_color(value), found.get_color(value))
    assert len(set(CLASSES)) == len(CLASSES)
    assert found.opacity < hers.opacity


def test_points_that_were_set_are_filled_and_found_ones_are_rings() -> None:
    found = look_of(Cells(np.zeros((2, 2), np.float32), np.array([0, 1], np.int32), ("a", "b")), 7.0)
    assert found["face_color"] == "transparent"
    assert found["border_color_cycle"] == {"a": NETWORKS[0], "b": NETWORKS[1]}
    assert [mine_point(kind)["face_color"] for kind in (0, 1, 10)] == [MINE[0], MINE[1], MINE[0]]


def test_keys_hide_what_was_drawn_and_what_was_found_apart() -> None:
    viewer = ViewerModel()
    image, hers, clicked, found = Image(LABELS), Labels(LABELS), Points([[1, 2]]), Labels(LABELS)
    mark_result(found, "nuclei (objects)")
    dress_networks(found, classes=False)
    viewer.layers.extend([image, hers, clicked, found])
    toggle_networks(viewer)
    assert [layer.visible for layer in viewer.layers] == [True, True, True, False]
    toggle_mine(viewer)
    assert [layer.visible for layer in viewer.layers] == [True, False, False, False]
    toggle_networks(viewer)
    toggle_mine(viewer)
    assert all(layer.visible for layer in viewer.layers)
    toggle_fill(viewer)
    assert (found.contour, hers.contour) == (0, 0)
    toggle_fill(viewer)
    assert found.contour > 0
