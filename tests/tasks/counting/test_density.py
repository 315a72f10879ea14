"""Points from a density."""

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from microforge.metrics.matching import f1_score, match_points
from microforge.tasks.counting.density import _summits, find_positions, stamp_density


def test_neighbours_hidden_in_one_blob_are_found() -> None:
    places = np.array([[20, 20], [20, 24.0]], np.float32)
    density = stamp_density(places, (40, 44), (2.5, 2.5))
    found = find_positions(density, 2, (2.5, 2.5))
    rows, _ = match_points(places, found.places, 2.5)
    assert len(rows) == 2


@pytest.mark.parametrize(("number", "least"), [(60, 0.97), (200, 0.9)])
def test_crowded_fields(number: int, least: float) -> None:
    rng = np.random.default_rng(number)
    places = rng.uniform(0, 127, (number, 2)).astype(np.float32)
    density = stamp_density(places, (128, 128), (2, 2)) + rng.normal(0, 5e-4, (128, 128)).astype(np.float32)
    found = find_positions(density, number, (2, 2)).places
    hits = len(match_points(places, found, 4)[0])
    assert f1_score(hits, len(found) - hits, number - hits) > least


def test_no_points_are_made_of_noise() -> None:
    noise = np.random.default_rng(0).normal(0, 1e-4, (64, 64)).astype(np.float32)
    assert len(find_positions(noise, 5, (2, 2)).places) == 0


def test_a_flat_density_is_not_full_of_points() -> None:
    density = np.full((64, 64), 0.3 / (2 * np.pi * 4), np.float32)
    found = find_positions(density, round(float(density.sum())), (2, 2)).places
    rows, columns = match_points(found, found + 0.01, 1.5)
    assert len(found) < 64
    assert len(rows) == len(columns) == len(found)


def test_confidence_is_the_height_of_the_peak() -> None:
    density = stamp_density(np.array([[16, 16]], np.float32), (64, 32), (2, 2))
    density += 0.5 * stamp_density(np.array([[48, 16]], np.float32), (64, 32), (2, 2))
    found = find_positions(density, 2, (2, 2))
    np.testing.assert_allclose(found.confidence, [1, 0.5], atol=0.03)
    np.testing.assert_array_equal(found.places, [[16, 16], [48, 16]])


def test_matching_is_the_largest_possible() -> None:
    # Greedy by distance would pair the middle ones and leave both ends alone.
    truth, found = np.array([[0, 0], [0, 5.0]]), np.array([[0, 4.0], [0, 9.0]])
    rows, columns = match_points(truth, found, 4.5)
    assert (rows.tolist(), columns.tolist()) == ([0, 1], [0, 1])


def test_a_point_on_the_very_place_matches() -> None:
    same = np.array([[3.0, 4.0]])
    assert len(match_points(same, same, 1)[0]) == 1
    assert len(match_points(same, np.zeros((0, 2)), 1)[0]) == 0


def unequal_points(side: int) -> np.ndarray:
    """Points of very different heights, found in many rounds."""
    rng = np.random.default_rng(5)
    density = np.zeros((side, side), np.float32)
    for k in range(30):
        places = rng.uniform(0, side - 1, (3, 2)).astype(np.float32)
        density += np.float32(3 * 0.9**k) * stamp_density(places, (side, side), (2, 2))
    return density


def test_looking_only_where_something_changed_finds_what_looking_everywhere_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    density = unequal_points(200)
    quick = find_positions(density, 80, (2, 2))

    def everywhere(rest: Any, _: Any, __: Any, size: Any, noise: float) -> Any:
        return _summits(rest, size, noise)

    monkeypatch.setattr("microforge.tasks.counting.density._summits_after", everywhere)
    slow = find_positions(density, 80, (2, 2))
    assert len(quick.places) > 60
    np.testing.assert_array_equal(quick.places, slow.places)
    np.testing.assert_array_equal(quick.confidence, slow.confidence)


def test_rounds_cost_what_changed_and_not_the_whole_image(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = 0

    def counted(image: np.ndarray, size: Any) -> np.ndarray:
        nonlocal looked_at
        looked_at += image.size
        return np.asarray(ndimage.maximum_filter(image, size))

    monkeypatch.setattr("microforge.tasks.counting.density.maximum_filter", counted)
    density = unequal_points(600)
    assert len(find_positions(density, 80, (2, 2)).places) > 60
    assert looked_at < 3 * density.size
