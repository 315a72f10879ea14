"""A stroke belongs to the object it mostly lies on, and takes nobody's pixels."""

from typing import Any

import numpy as np
import pytest

from microforge.label_editing import Stroke, continued, footprint, over_next_plane, relabel

NEW = 9


def painted(labels: np.ndarray[Any, Any], stroke: Stroke) -> np.ndarray[Any, Any]:
    """Paint a stroke with a new label, on background only, as the brush does."""
    labels = labels.copy()
    view = labels[stroke.window]
    view[stroke.mask & (view == 0)] = NEW
    return labels


def two_objects(dtype: Any = np.int32) -> np.ndarray[Any, Any]:
    """Give object 1 in the columns 4 to 11 and object 2, which touches it, in 12 to 19."""
    labels = np.zeros((24, 32), dtype)
    labels[6:18, 4:12], labels[6:18, 12:20] = 1, 2
    return labels


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint32])
def test_stroke_that_begins_beside_an_object_and_lies_mostly_on_it_becomes_part_of_it(dtype: Any) -> None:
    before = two_objects(dtype)
    stroke = footprint(np.array([[12.0, 2.0], [12.0, 9.0]]), 2, before.shape)
    labels = painted(before, stroke)
    assert continued(labels, stroke, NEW) == 1
    edit = relabel(labels, stroke, NEW, 1)
    labels[edit.where] = edit.new
    added = (labels == 1) & (before == 0)
    assert labels.dtype == dtype
    assert added.sum() == len(edit) == (stroke.mask & (before[stroke.window] == 0)).sum()
    assert np.array_equal(labels == 2, before == 2)
    assert not (labels == NEW).any()


def test_stroke_that_lies_mostly_on_empty_ground_is_a_new_object() -> None:
    before = two_objects()
    stroke = footprint(np.array([[12.0, 19.0], [12.0, 28.0]]), 2, before.shape)
    assert continued(painted(before, stroke), stroke, NEW) == 0


def test_stroke_over_the_border_of_two_objects_goes_on_with_the_one_it_lies_on_most() -> None:
    before = two_objects()
    stroke = footprint(np.array([[16.0, 8.0], [18.0, 13.0]]), 2, before.shape)
    under = before[stroke.window][stroke.mask]
    assert 0 < (under == 2).sum() < (under == 1).sum() < stroke.mask.sum() / 2
    assert continued(painted(before, stroke), stroke, NEW) == 1


def test_footprint_is_what_a_round_brush_covers() -> None:
    stroke = footprint(np.array([[10.0, 10.0]]), 4, (24, 24))
    rows, columns = np.ogrid[-4:5, -4:5]
    assert stroke.window == (slice(6, 15), slice(6, 15))
    assert np.array_equal(stroke.mask, rows**2 + columns**2 <= 16)


def test_footprint_of_a_brush_beyond_the_image_ends_with_the_image() -> None:
    assert footprint(np.array([[0.0, 0.0]]), 2, (9, 9)).mask.sum() == 6
    assert not footprint(np.array([[-9.0, -9.0]]), 2, (9, 9)).mask.any()


def on_plane(plane: int, columns: tuple[float, float]) -> Stroke:
    path = np.array([[plane, 12.0, columns[0]], [plane, 12.0, columns[1]]])
    return footprint(path, 3, (5, 24, 32), (np.inf, 1, 1))


@pytest.mark.parametrize("plane", [1, 3])
def test_stroke_over_an_object_of_the_next_plane_goes_on_with_it(plane: int) -> None:
    labels = np.zeros((5, 24, 32), np.int32)
    labels[2, 8:17, 6:16] = 4
    stroke = on_plane(plane, (8, 13))
    assert stroke.mask.shape[0] == 1
    assert over_next_plane(painted(labels, stroke), stroke) == 4
    assert over_next_plane(painted(labels, stroke)[plane], footprint(np.array([[12.0, 8.0]]), 3, (24, 32))) == 0


def test_stroke_beside_an_object_of_the_next_plane_is_a_new_one() -> None:
    labels = np.zeros((5, 24, 32), np.int32)
    labels[2, 8:17, 6:16] = 4
    stroke = on_plane(3, (17, 26))
    assert labels[2][stroke.window[1:]][stroke.mask[0]].astype(bool).sum() > 0
    assert over_next_plane(painted(labels, stroke), stroke) == 0


def test_plane_between_goes_on_with_the_object_it_lies_over_more() -> None:
    labels = np.zeros((5, 24, 32), np.int32)
    labels[1, 9:16, 4:10], labels[3, 9:16, 6:18] = 4, 5
    stroke = on_plane(2, (7, 15))
    assert over_next_plane(painted(labels, stroke), stroke) == 5
