"""Arrays made of two others where they are looked at."""

import numpy as np
import pytest

from microforge.answers.before_after import Halves, Removed


@pytest.mark.parametrize("finer", [1, 3])
@pytest.mark.parametrize("colour", [False, True])
def test_halves_give_what_slicing_would(finer: int, colour: bool) -> None:
    rng = np.random.default_rng(0)
    more = (3,) if colour else ()
    before = rng.random((4, 5, 6, *more)).astype(np.float32)
    after = rng.random((4, 5 * finer, 6 * finer, *more)).astype(np.float32)
    halves = Halves(before, after, colour=colour, line=9)
    halves.divider = 2 * finer
    whole = before.repeat(finer, 1).repeat(finer, 2)
    columns = np.arange(6 * finer).reshape(-1, *more and (1,))
    wanted = np.where(columns < halves.divider, whole, after)
    wanted[:, :, halves.divider] = 9
    assert np.array_equal(np.asarray(halves), wanted)
    assert np.array_equal(halves[2], wanted[2])
    assert halves[0, 2].shape == wanted[0, 2].shape
    assert (halves.ndim, halves.shape) == (after.ndim, after.shape)


def test_removed_is_the_difference() -> None:
    before = np.random.default_rng(0).normal(1000, 1000, (4, 20, 30)).astype(np.float32)
    after = np.zeros((4, 20, 30), np.float32)
    removed = Removed(before, after)
    assert np.array_equal(removed[1:3, :5], before[1:3, :5])
    assert 3000 < removed.spread() < 4000
