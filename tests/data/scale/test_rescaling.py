"""Images on a finer or coarser grid."""

import numpy as np
import pytest

from microforge.data.scale.rescaling import Rescaled, nearest, rescaled_shape
from microforge.types import Array


def picture(*shape: int, dtype: str = "float32") -> Array:
    return (np.random.default_rng(0).random(shape) * 200).astype(dtype)


@pytest.mark.parametrize("scale", [(2.1, 2.1), (0.37, 0.37), (1.0, 0.5), (0.25, 2.5)])
def test_a_window_is_what_the_whole_has_there(scale: tuple[float, float]) -> None:
    made = Rescaled(picture(2, 61, 83, dtype="uint16"), scale)
    whole = np.asarray(made)
    assert whole.shape == made.shape == (2, *rescaled_shape((61, 83), scale))
    assert whole.dtype == made.dtype == np.float32
    for y, x in [(0, 0), (7, 3), (made.shape[1] - 5, made.shape[2] - 9)]:
        window = (slice(None), slice(y, y + 5), slice(x, x + 9))
        np.testing.assert_array_equal(made[window], whole[window])


def test_planes_of_a_stack_can_be_left_as_they_are() -> None:
    stack = picture(1, 4, 20, 20)
    made = np.asarray(Rescaled(stack, (1.0, 2.0, 2.0)))
    assert made.shape == (1, 4, 40, 40)
    for plane in range(4):
        np.testing.assert_array_equal(made[:, plane], np.asarray(Rescaled(stack[:, plane], (2.0, 2.0))))


@pytest.mark.parametrize("factor", [0.3, 0.5, 1.7, 2.5])
def test_a_ramp_stays_a_ramp_of_pixel_centres(factor: float) -> None:
    ramp = np.broadcast_to(np.arange(200.0)[None, :, None], (1, 200, 8))
    made = np.asarray(Rescaled(ramp, (factor, 1.0)))[0, :, 0]
    centres = (np.arange(len(made)) + 0.5) / factor - 0.5
    inner = slice(4, -4)
    np.testing.assert_allclose(made[inner], centres[inner], atol=1e-4 if factor > 1 else 0.2)


def test_all_pixels_count_where_the_grid_is_coarser() -> None:
    lines = np.zeros((1, 64, 64), np.float32)
    lines[:, ::4] = 1
    made = np.asarray(Rescaled(lines, (0.25, 0.25)))
    np.testing.assert_allclose(made[:, 2:-2, 2:-2], 0.25, atol=0.01)


def test_what_is_not_a_number_stays_so_and_spreads_no_further_than_its_neighbours() -> None:
    image = picture(1, 20, 20)
    image[0, 10, 10] = np.nan
    lost = np.isnan(np.asarray(Rescaled(image, (2.0, 2.0))))
    assert lost[0, 20, 20]
    assert lost.sum() <= 16


@pytest.mark.parametrize("factor", [1.0, 1.9, 2.5, 8.0])
def test_labels_come_back_from_a_finer_grid_as_they_were(factor: float) -> None:
    labels = np.arange(60 * 41).reshape(60, 41)
    finer = nearest(labels, (factor, factor))
    assert finer.shape == rescaled_shape(labels.shape, (factor, factor))
    np.testing.assert_array_equal(nearest(finer, (1 / factor, 1 / factor), labels.shape), labels)


def test_no_side_is_lost() -> None:
    assert np.asarray(Rescaled(picture(1, 1, 3), (0.25, 0.25))).shape == (1, 1, 1)
    assert nearest(np.ones((1, 3), int), (0.25, 0.25)).tolist() == [[1]]


def test_float64_keeps_its_range() -> None:
    made = np.asarray(Rescaled(np.full((1, 4, 4), 1e300), (2.0, 2.0)))
    assert made.dtype == np.float64
    np.testing.assert_allclose(made, 1e300)
