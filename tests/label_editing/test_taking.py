"""What a network found becomes hers where she painted nothing, and nothing else changes."""

from typing import Any

import numpy as np
import pytest

from microforge.label_editing import Edit, confident, take, take_as_background, unknown, worth_asking


def done(labels: np.ndarray[Any, Any], edit: Edit) -> np.ndarray[Any, Any]:
    after = labels.copy()
    assert np.array_equal(after[edit.where], edit.old)
    after[edit.where] = edit.new
    assert after.dtype == labels.dtype
    return after


def squares(count: int, side: int = 6, dtype: Any = np.int32) -> np.ndarray[Any, Any]:
    """So many squares in rows of ten, 10 pixels apart, with the labels 1, 2, ..."""
    image = np.zeros((10 * -(-count // 10), 100), dtype)
    for number in range(count):
        row, column = divmod(number, 10)
        image[10 * row : 10 * row + side, 10 * column : 10 * column + side] = number + 1
    return image


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint32])
def test_what_is_taken_gets_a_label_of_its_own_and_keeps_its_outline(dtype: Any) -> None:
    found, labels = squares(10), np.zeros((10, 100), dtype)
    labels[8, 0] = 7
    after = done(labels, take(labels, found, [3, 5], 20))
    expected = labels.copy()
    expected[found == 3], expected[found == 5] = 20, 21
    assert np.array_equal(after, expected)


def test_a_painted_object_keeps_its_pixels_and_of_the_pieces_left_the_largest_is_taken() -> None:
    found, labels = squares(1), np.zeros((10, 100), np.int32)
    labels[0:6, 1] = 4
    after = done(labels, take(labels, found, [1], 5))
    assert (after == 4).sum() == 6
    assert np.array_equal(after == 5, (found == 1) & (np.arange(100) > 1))
    covered = np.where(found == 1, 9, 0)
    assert len(take(covered, found, [1], 10)) == 0


def test_taking_nothing_or_what_is_not_there_changes_nothing() -> None:
    found, labels = squares(2), np.zeros((10, 100), np.int32)
    assert len(take(labels, found, [], 1)) == 0
    assert len(take(labels, found, [0, 77], 1)) == 0


def test_labels_may_be_numbers_in_the_thousands_of_millions() -> None:
    far = np.uint32(3_000_000_000)
    found = np.where(squares(3) > 0, squares(3).astype(np.uint32) + far, np.uint32(0))
    labels = np.where(squares(1, 3)[:10] > 0, far, np.uint32(0))
    assert unknown(labels, found).tolist() == [far + 2, far + 3]
    after = done(labels, take(labels, found, [int(far) + 2], int(far) + 9))
    assert np.array_equal(after == far + 9, found == far + 2)


def test_an_object_is_known_where_hers_cover_most_of_it_or_it_covers_most_of_hers() -> None:
    found, labels = squares(4), np.zeros((10, 100), np.int32)
    labels[0:6, 0:4] = 1  # two thirds of the first
    labels[2:4, 12:14] = 2  # inside the second
    labels[0:9, 19:22] = 3  # beside the third, whose first two columns it takes: most of hers lies outside
    assert unknown(labels, found).tolist() == [3, 4]


def test_stacks_are_taken_with_all_planes() -> None:
    found = np.zeros((4, 12, 12), np.int32)
    found[1:4, 2:8, 2:8] = 6
    labels = np.zeros_like(found)
    labels[2, 2:4, 2:4] = 1
    after = done(labels, take(labels, found, [6], 2))
    assert np.array_equal(after == 2, (found == 6) & (labels == 0))


def test_confident_leaves_out_what_the_network_doubts() -> None:
    found, labels = squares(4), np.zeros((10, 100), np.int32)
    assert confident(labels, found, {1: 0.9, 2: 0.3, 3: 0.6}).tolist() == [1, 3, 4]


def test_background_is_said_of_found_pixels_only_where_no_object_is_painted() -> None:
    found, labels = squares(2), np.zeros((10, 100), np.int32)
    labels[0:6, 0:2] = 5
    ground = np.zeros_like(labels)
    after = done(ground, take_as_background(ground, labels, found, [1]))
    assert np.array_equal(after == 1, (found == 1) & (labels == 0))
    assert len(take_as_background(after, labels, found, [1])) == 0


class TestWorthAsking:
    def painted(self, found: np.ndarray[Any, Any], count: int) -> np.ndarray[Any, Any]:
        return np.where(found <= count, found, 0)

    def test_many_sure_objects_beside_what_is_painted_are(self) -> None:
        found = squares(58)
        asked = worth_asking(self.painted(found, 8), found, {})
        assert asked.tolist() == list(range(9, 59))

    def test_few_beside_many_are_not(self) -> None:
        found = squares(58)
        assert not len(worth_asking(self.painted(found, 54), found, {}))
        assert not len(worth_asking(self.painted(found, 50), found, {}))
        assert len(worth_asking(self.painted(found, 45), found, {})) == 13

    def test_unsure_ones_are_not(self) -> None:
        found = squares(58)
        assert not len(worth_asking(self.painted(found, 8), found, dict.fromkeys(range(1, 59), 0.4)))

    def test_nothing_is_where_nothing_is_painted(self) -> None:
        assert not len(worth_asking(np.zeros_like(squares(58)), squares(58), {}))

    def test_patches_of_another_size_are_not(self) -> None:
        tiny = self.painted(squares(58, 2), 8)
        assert not len(worth_asking(tiny, squares(58, 6), {}))
        assert not len(worth_asking(self.painted(squares(58, 9), 8), squares(58, 4), {}))

    def test_what_lies_where_she_has_said_what_is_there_is_not(self) -> None:
        found = squares(58)
        ground = np.zeros(found.shape, bool)
        ground[:30] = True
        assert worth_asking(self.painted(found, 8), found, {}, ground).tolist() == list(range(31, 59))
