"""One object changes as it should, and no other."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from microforge.label_editing import Edit, close_holes, delete, fill_outline, grow, merge, shrink, smooth
from microforge.label_editing.edits import _AT_ONCE


def done(labels: np.ndarray[Any, Any], edit: Edit) -> np.ndarray[Any, Any]:
    after = labels.copy()
    assert np.array_equal(after[edit.where], edit.old)
    after[edit.where] = edit.new
    assert after.dtype == labels.dtype
    return after


def touching(dtype: Any = np.int32) -> np.ndarray[Any, Any]:
    labels = np.zeros((20, 30), dtype)
    labels[5:15, 5:15], labels[5:15, 15:25] = 3, 7
    return labels


DTYPES = pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint32])


@DTYPES
def test_delete_takes_away_one_object_and_leaves_its_neighbour(dtype: Any) -> None:
    labels = touching(dtype)
    after = done(labels, delete(labels, (8, 8)))
    assert np.array_equal(after, np.where(labels == 3, 0, labels))


@DTYPES
def test_merge_gives_the_first_ones_label_to_both(dtype: Any) -> None:
    labels = touching(dtype)
    after = done(labels, merge(labels, (8, 20), (8, 8)))
    assert np.array_equal(after, np.where(labels == 3, 7, labels))
    assert len(merge(labels, (8, 8), (9, 9))) == 0


@DTYPES
def test_grow_and_shrink_move_the_outline_by_a_pixel_and_take_nothing_of_the_neighbour(dtype: Any) -> None:
    labels = touching(dtype)
    larger = done(labels, grow(labels, (8, 8)))
    expected = labels.copy()
    expected[4, 5:15] = expected[15, 5:15] = expected[5:15, 4] = 3
    assert np.array_equal(larger, expected)
    smaller = done(labels, shrink(labels, (8, 8)))
    expected = np.where(labels == 3, 0, labels)
    expected[6:14, 6:14] = 3
    assert np.array_equal(smaller, expected)


def test_shrink_keeps_what_would_vanish_and_the_side_where_the_image_ends() -> None:
    labels = np.zeros((9, 9), np.int32)
    labels[4, 4], labels[0:3, 0:4] = 1, 2
    assert len(shrink(labels, (4, 4))) == 0
    rest = np.argwhere(done(labels, shrink(labels, (1, 1))) == 2)
    assert rest.tolist() == [[row, column] for row in (0, 1) for column in (0, 1, 2)]


def test_holes_are_filled_but_not_with_another_object() -> None:
    labels = np.zeros((20, 20), np.int32)
    labels[4:16, 4:16] = 5
    labels[6:9, 6:9] = 0
    labels[11:14, 11:14] = 8
    after = done(labels, close_holes(labels, (4, 4)))
    assert (after == 5).sum() == 12 * 12 - 9
    assert (after == 8).sum() == 9


def test_smoothing_takes_bumps_and_dents_and_keeps_the_size() -> None:
    rows, columns = np.ogrid[:60, :60]
    labels = np.where((rows - 30) ** 2 + (columns - 30) ** 2 <= 15**2, 4, 0).astype(np.int32)
    round_one = labels.copy()
    labels[29:31, 45:50] = 4
    labels[45:47, 29:31] = 0
    after = done(labels, smooth(labels, (30, 30)))
    assert (after != round_one).sum() <= 20 < 0.05 * (round_one > 0).sum()
    assert not after[29:31, 47:].any()


@pytest.mark.parametrize("change", [grow, shrink, close_holes, smooth], ids=lambda change: change.__name__)
def test_outline_changes_on_the_plane_only_that_was_clicked(change: Callable[..., Edit]) -> None:
    labels = np.zeros((3, 20, 20), np.int32)
    labels[:, 5:15, 5:15] = 2
    labels[:, 8, 8] = 0
    edit = change(labels, (1, 10, 10))
    assert set(edit.where[0]) == {1}


def test_delete_and_merge_reach_all_planes() -> None:
    labels = np.zeros((4, 20, 30), np.int32)
    labels[[0, 1, 3], 5:15, 5:15] = 3
    labels[1:3, 5:15, 15:25] = 7
    assert not (done(labels, delete(labels, (1, 8, 8))) == 3).any()
    assert np.array_equal(done(labels, merge(labels, (1, 8, 20), (1, 8, 8))) == 7, labels > 0)


def test_object_is_found_whole_in_an_image_too_large_to_be_searched() -> None:
    labels = np.zeros((1024, _AT_ONCE // 1024 + 1024), np.uint8)
    labels[500:504, 100:4000] = 1
    labels[10:20, 10:20] = 2
    assert len(delete(labels, (501, 3999))) == 4 * 3900
    assert len(delete(labels, (15, 15))) == 100


def test_outline_is_filled_on_background_only_and_closes_by_itself() -> None:
    labels = touching()
    corners = np.array([[2.0, 10.0], [2.0, 20.0], [10.0, 20.0], [10.0, 10.0]])
    after = done(labels, fill_outline(labels, corners, 9))
    assert np.array_equal(after == 9, (labels == 0) & (np.pad(np.ones((9, 11)), ((2, 9), (10, 9))) > 0))
    over = done(labels, fill_outline(labels, corners, 9, over=True))
    assert (over == 9).sum() == 9 * 11


def test_outline_beyond_the_image_ends_with_it() -> None:
    labels = np.zeros((10, 10), np.int32)
    corners = np.array([[-5.0, -5.0], [-5.0, 4.0], [4.0, 4.0], [4.0, -5.0]])
    assert (done(labels, fill_outline(labels, corners, 1)) == 1).sum() == 25
    assert len(fill_outline(labels, corners - 20, 1)) == 0


def test_edit_is_placed_among_further_axes_and_skips_what_others_have_changed() -> None:
    labels = np.zeros((3, 2, 20, 30), np.int32)
    labels[1, 1] = touching()
    edit = delete(labels[1, 1], (8, 8)).placed({0: 1, 1: 1})
    assert np.array_equal(done(labels, edit)[1, 1], np.where(touching() == 3, 0, touching()))
    labels[1, 1, 5, 5:15] = 6
    assert len(edit.still_true(labels)) == len(edit) - 10
