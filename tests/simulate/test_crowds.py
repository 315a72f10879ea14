"""Simulated crowds to count, and focus that is lost."""

import numpy as np
from scipy import ndimage

from microforge.simulate import simulate_crowd, simulate_focus
from microforge.simulate.crowds import CELL_KINDS


def test_a_crowd_holds_what_was_asked_for() -> None:
    crowd = simulate_crowd((96, 128), n=50, seed=1)
    assert (crowd.image.shape, crowd.image.dtype) == ((96, 128), np.uint16)
    assert crowd.points.shape == (50, 2)
    assert ((crowd.points >= 0) & (crowd.points <= [95, 127])).all()
    assert set(crowd.kind.tolist()) == set(range(len(CELL_KINDS)))
    np.testing.assert_array_equal(crowd.image, simulate_crowd((96, 128), n=50, seed=1).image)


def test_points_lie_on_cells_and_light_adds_up() -> None:
    crowd = simulate_crowd(n=80, seed=2)
    at = crowd.image[tuple(np.round(crowd.points).astype(int).T)]
    assert np.mean(at > 2 * np.median(crowd.image)) > 0.9
    few, many, nothing = (simulate_crowd(n=n, seed=3).image.mean() for n in (20, 80, 0))
    assert 2.5 < (many - nothing) / (few - nothing) < 5.5


def test_focus_can_be_seen_in_the_edges_only() -> None:
    sharp, blurred = (simulate_focus(4, sharp=value).astype(float) for value in (True, False))
    edges = [ndimage.gaussian_gradient_magnitude(image, 1.5).max() for image in (sharp, blurred)]
    assert edges[0] > 2 * edges[1]
    np.testing.assert_allclose(sharp.mean(), blurred.mean(), rtol=0.02)
