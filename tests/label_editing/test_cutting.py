"""A line cuts the object it crosses, and only that."""

import numpy as np
from scipy import ndimage

from microforge.label_editing import crossed, split


def test_line_across_an_object_cuts_it_in_two_and_leaves_its_neighbour() -> None:
    labels = np.zeros((20, 40), np.int32)
    labels[5:15, 4:24], labels[5:15, 24:34] = 2, 5
    line = np.array([[3.0, 10.0], [17.0, 10.0]])
    assert labels[crossed(labels, line)] == 2
    edit = split(labels, (8, 8), line, 6)
    after = labels.copy()
    after[edit.where] = edit.new
    assert (after == 0).sum() == (labels == 0).sum()
    assert np.array_equal(after == 5, labels == 5)
    assert (after == 2).sum() + (after == 6).sum() == 200
    assert set(np.unique(np.nonzero(after == 6)[1])) <= set(range(4, 11))
    assert (after == 6).sum() in (60, 70)


def test_line_that_ends_a_little_early_cuts_too() -> None:
    labels = np.zeros((20, 30), np.int32)
    labels[5:15, 4:24] = 2
    assert len(split(labels, (8, 8), np.array([[6.0, 10.0], [13.0, 10.0]]), 6)) in (60, 70)


def test_line_that_does_not_go_through_changes_nothing() -> None:
    labels = np.zeros((40, 30), np.int32)
    labels[5:35, 4:24] = 2
    assert len(split(labels, (8, 8), np.array([[1.0, 10.0], [20.0, 10.0]]), 6)) == 0
    assert crossed(labels, np.array([[0.0, 0.0], [0.0, 29.0]])) == ()


def test_slanted_line_leaves_no_crumbs() -> None:
    labels = np.zeros((60, 60), np.uint32)
    rows, columns = np.ogrid[:60, :60]
    labels[(rows - 30) ** 2 + (columns - 30) ** 2 <= 20**2] = 1
    path = np.array([[5.0, 12.0], [20.0, 30.0], [31.0, 28.0], [55.0, 50.0]])
    edit = split(labels, (30, 30), path, 2)
    labels[edit.where] = edit.new
    assert set(np.unique(labels)) == {0, 1, 2}
    assert [ndimage.label(labels == number)[1] for number in (1, 2)] == [1, 1]


def test_stack_is_cut_through_all_planes() -> None:
    labels = np.zeros((5, 20, 30), np.int32)
    labels[1:4, 5:15, 4:24] = 2
    edit = split(labels, (2, 8, 8), np.array([[2.0, 10.0], [18.0, 10.0]]), 6)
    assert set(edit.where[0]) == {1, 2, 3}
    assert set(edit.new) == {6}
    assert len(edit) in (180, 210)


def test_part_that_the_line_does_not_touch_keeps_its_label() -> None:
    labels = np.zeros((20, 40), np.int32)
    labels[5:15, 4:24], labels[5:15, 30:36] = 2, 2
    edit = split(labels, (8, 8), np.array([[2.0, 10.0], [18.0, 10.0]]), 6)
    labels[edit.where] = edit.new
    assert set(np.unique(labels[:, 30:36])) == {0, 2}
    assert set(edit.new) == {6}
