"""Which tiles of an array are written."""

from typing import Any

import numpy as np
import pytest

from microforge.axes.lazy_view import LazyView
from microforge.gui.session.saving.changed_tiles import TILE, ChangedTiles

Pixels = np.ndarray[Any, Any]


def written(tiles: ChangedTiles, pixels: Any) -> dict[tuple[int, ...], Pixels]:
    found = dict(tiles.of(pixels))
    tiles.keep()
    return found


def test_of_a_large_array_only_the_tile_with_the_stroke_is_written() -> None:
    pixels = np.zeros((5 * TILE, 3 * TILE + 7), np.int32)
    tiles = ChangedTiles()
    assert written(tiles, pixels) == {}
    pixels[TILE + 3, 3 * TILE + 5] = 4
    found = written(tiles, pixels)
    assert list(found) == [(TILE, 3 * TILE)]
    assert found[TILE, 3 * TILE].shape == (TILE, 7)
    assert found[TILE, 3 * TILE].sum() == 4
    assert written(tiles, pixels) == {}


def test_what_is_erased_is_written_as_nothing() -> None:
    pixels = np.zeros((300, 300), np.int32)
    tiles = ChangedTiles()
    pixels[5, 5] = 1
    written(tiles, pixels)
    pixels[5, 5] = 0
    found = written(tiles, pixels)
    assert list(found) == [(0, 0)]
    assert not found[0, 0].any()


def test_what_could_not_be_written_differs_again() -> None:
    pixels = np.ones((20, 20), np.uint8)
    tiles = ChangedTiles()
    assert len(list(tiles.of(pixels))) == 1
    assert len(list(tiles.of(pixels))) == 1
    tiles.keep()
    assert list(tiles.of(pixels)) == []


def test_tiles_are_copies() -> None:
    pixels = np.ones((20, 20), np.uint8)
    ((_, tile),) = ChangedTiles().of(pixels)
    pixels[:] = 2
    assert (tile == 1).all()


@pytest.mark.parametrize("lazy", [False, True])
def test_of_a_film_the_plane_is_written_that_was_painted_on(lazy: bool) -> None:
    pixels = np.zeros((4, 3, 50, 60), np.uint16)
    seen = LazyView(pixels, (0, 1, 2, 3), {}) if lazy else pixels
    tiles = ChangedTiles()
    pixels[2, 1, 3, 4] = 9
    found = written(tiles, seen)
    assert list(found) == [(2, 1, 0, 0)]
    assert found[2, 1, 0, 0].shape == (1, 1, 50, 60)


def test_what_is_repeated_along_the_channels_is_read_as_it_is_seen() -> None:
    pixels = np.broadcast_to(np.arange(12, dtype=np.int32).reshape(3, 4), (2, 3, 4))
    assert list(written(ChangedTiles(), pixels)) == [(0, 0, 0), (1, 0, 0)]
