"""Planes between painted ones are filled with what lies between the two outlines."""

import numpy as np

from microforge.label_editing import fill_between, planes_filled


def disc(radius: float, row: float, column: float) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    rows, columns = np.ogrid[:60, :80]
    return (rows - row) ** 2 + (columns - column) ** 2 <= radius**2


def test_planes_between_two_discs_hold_discs_of_sizes_between() -> None:
    labels = np.zeros((7, 60, 80), np.int32)
    labels[1][disc(6, 30, 20)], labels[5][disc(14, 30, 20)] = 3, 3
    edit = fill_between(labels)
    assert edit is not None
    after = labels.copy()
    after[edit.where] = edit.new
    for plane, radius in ((2, 8), (3, 10), (4, 12)):
        wanted = disc(radius, 30, 20)
        found = after[plane] == 3
        assert (found & wanted).sum() / (found | wanted).sum() > 0.9
    assert planes_filled(edit) == (1, 3)
    assert not after[[0, 6]].any()
    assert np.array_equal(after[[1, 5]], labels[[1, 5]])


def test_tilted_object_stays_in_one_piece() -> None:
    labels = np.zeros((5, 60, 80), np.uint8)
    labels[0][disc(6, 30, 15)], labels[4][disc(6, 30, 55)] = 1, 1
    edit = fill_between(labels)
    assert edit is not None
    labels[edit.where] = edit.new
    for plane, column in ((1, 25), (2, 35), (3, 45)):
        wanted = disc(6, 30, column)
        assert ((labels[plane] == 1) & wanted).sum() / ((labels[plane] == 1) | wanted).sum() > 0.85


def test_filling_takes_no_pixel_of_another_object_nor_of_one_filled_before() -> None:
    labels = np.zeros((3, 60, 80), np.int32)
    labels[[0, 2], 10:30, 10:30] = 1
    labels[[0, 2], 10:30, 30:50] = 2_000_000_000
    labels[1, 15:20, 15:20] = 7
    edit = fill_between(labels)
    assert edit is not None
    after = labels.copy()
    after[edit.where] = edit.new
    assert (after[1] == 7).sum() == 25
    assert (after[1] == 1).sum() > 300
    assert (after[1] == 2_000_000_000).sum() > 300
    assert len(np.unique(np.ravel_multi_index(edit.where, labels.shape))) == len(edit)


def test_nothing_is_filled_where_no_plane_is_missing() -> None:
    labels = np.zeros((4, 60, 80), np.int32)
    labels[1:3, 5:9, 5:9] = 1
    labels[2, 20:30, 20:30] = 2
    assert fill_between(labels) is None
