"""The interval of counts holds on images that were not used to find it."""

import numpy as np
import pytest

from microforge.tasks.counting.interval import FEWEST, expected_error, fit_interval


@pytest.mark.parametrize("kept_aside", [9, 18, 50])
@pytest.mark.parametrize("errors", ["random", "proportional", "skewed"])
def test_coverage_on_new_images(kept_aside: int, errors: str) -> None:
    rng = np.random.default_rng(1)
    truth = rng.uniform(40, 300, (400, kept_aside + 50))
    noise = {
        "random": rng.normal(0, 1, truth.shape) * np.sqrt(truth),
        "proportional": rng.normal(-0.03, 0.05, truth.shape) * truth,
        "skewed": rng.exponential(4, truth.shape),
    }[errors]
    found = truth + noise
    inside = []
    for f, t in zip(found, truth, strict=True):
        interval = fit_interval(f[:kept_aside], t[:kept_aside])
        assert interval is not None
        bounds = np.array([interval.around(value) for value in f[kept_aside:]])
        inside.append((bounds[:, 0] <= t[kept_aside:]) & (t[kept_aside:] <= bounds[:, 1]))
    assert 0.88 < np.mean(inside) < 0.93


def test_too_few_images_give_none() -> None:
    assert fit_interval([1.0] * (FEWEST - 1), [1.0] * (FEWEST - 1)) is None


def test_bounds_widen_with_the_count_and_end_at_zero() -> None:
    interval = fit_interval(np.full(20, 100.0), np.full(20, 100.0) + np.arange(20) - 10)
    assert interval is not None
    widths = [np.subtract(*interval.around(count)[::-1]) for count in (10, 100, 1000)]
    assert widths == sorted(widths)
    assert interval.around(0.5)[0] == 0
    assert expected_error(400, 100) == pytest.approx(2 * 20)


def test_time_points_of_one_series_resemble_each_other_and_count_once() -> None:
    """Each series has an error of its own, shared by its ten frames: of new series the interval must hold, too."""
    rng = np.random.default_rng(2)
    kept_aside, frames = 12, 10
    inside, alone = [], []
    for _ in range(300):
        truth = rng.uniform(80, 120, (kept_aside + 20, frames))
        found = truth + (rng.normal(0, 8, kept_aside + 20)[:, None] + rng.normal(0, 2, truth.shape))
        names = [f"film {k}" for k in range(kept_aside) for _ in range(frames)]
        interval = fit_interval(found[:kept_aside].ravel(), truth[:kept_aside].ravel(), names)
        assert interval is not None
        assert interval.images == kept_aside
        bounds = np.array([[interval.around(value) for value in row] for row in found[kept_aside:]])
        held = (bounds[..., 0] <= truth[kept_aside:]) & (truth[kept_aside:] <= bounds[..., 1])
        inside.append(held.all(axis=1).mean())
        alone.append(held.mean())
    assert 0.88 < np.mean(inside) < 0.93
    assert np.mean(alone) > 0.9


def test_many_frames_of_few_films_give_no_interval() -> None:
    counts = np.full(20, 100.0)
    assert fit_interval(counts, counts, ["a"] * 10 + ["b"] * 10) is None
    assert fit_interval(counts, counts) is not None
