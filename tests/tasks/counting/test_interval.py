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
