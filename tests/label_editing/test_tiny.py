"""Objects that are far too small to be meant are found, and can be taken away."""

import numpy as np
import pytest

from microforge.label_editing.tiny import TinyObject, tiny_objects, without


def squares(*sides: int) -> np.ndarray:
    labels = np.zeros((32, 32 * len(sides)), np.int32)
    for label, side in enumerate(sides, start=1):
        labels[2 : 2 + side, 32 * label - 30 : 32 * label - 30 + side] = label
    return labels


@pytest.mark.parametrize(
    ("sides", "tiny"),
    [
        ((20, 20, 20, 20), []),
        ((20, 20, 20, 6), [4]),
        ((20, 20, 20, 7), []),
        ((20, 20, 3), []),
        ((20, 20, 20, 20, 3, 2), [5, 6]),
        ((20, 18, 9, 12, 25), []),
        ((3, 3, 3, 2), []),
    ],
)
def test_less_than_a_tenth_of_the_median_is_tiny_among_four_at_least(sides: tuple[int, ...], tiny: list[int]) -> None:
    found = tiny_objects(squares(*sides))
    assert [one.label for one in found] == tiny
    assert [one.pixels for one in found] == [sides[label - 1] ** 2 for label in tiny]


def test_it_is_taken_away_and_all_else_stays() -> None:
    labels = squares(20, 20, 20, 20, 3, 2)
    edit = without(labels, tiny_objects(labels))
    assert edit is not None
    before = labels.copy()
    labels[edit.where] = edit.new
    assert np.array_equal(labels, np.where(before > 4, 0, before))


def test_pixels_of_all_planes_and_frames_count() -> None:
    flat = squares(20, 20, 20, 20, 5)
    labels = np.stack([flat] * 4)
    assert [one.pixels for one in tiny_objects(labels)] == [100]
    labels[1:] = np.where(labels[1:] == 3, 0, labels[1:])
    assert [one.label for one in tiny_objects(labels)] == [5], "an object on one plane only is not tiny by that"
    labels = np.stack([np.zeros_like(flat), flat])
    assert tiny_objects(labels)[0].at == (1, 2, 130)


def test_numbers_may_be_any() -> None:
    labels = squares(20, 20, 20, 20, 3).astype(np.uint32)
    labels[labels == 5] = 4_000_000_000
    assert tiny_objects(labels) == (TinyObject(4_000_000_000, 9, (2, 130)),)
    assert tiny_objects(np.zeros((8, 8), np.uint8)) == ()


def test_what_was_changed_meanwhile_stays() -> None:
    labels = squares(20, 20, 20, 20, 3)
    assert without(labels, [TinyObject(9, 9, (2, 130))]) is None
    assert without(labels, []) is None
