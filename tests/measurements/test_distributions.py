import numpy as np
import pytest

from microforge.measurements.distributions import (
    histogram,
    number_text,
    numbers_of,
    outliers,
    summary_of,
    summary_text,
)
from microforge.measurements.headings import heading_of, shown_headings


def test_summary_leaves_missing_values_out() -> None:
    found = summary_of(np.array([1.0, np.nan, 2.0, 6.0]))
    assert (found.count, found.mean, found.median, found.total, found.outliers) == (3, 3.0, 2.0, 9.0, 0)
    nothing = summary_of(np.array([np.nan]))
    assert nothing.count == 0
    assert np.isnan(nothing.mean)


def test_what_is_far_from_the_others_is_found_on_both_sides() -> None:
    values = np.concatenate([np.random.default_rng(0).normal(100, 5, 200), [20, 190, np.nan]])
    far = outliers(values)
    assert far[-3:].tolist() == [True, True, False]
    assert far[:-3].sum() <= 2


@pytest.mark.parametrize("seed", range(5))
def test_skewed_and_even_values_have_few_outliers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert outliers(rng.lognormal(6, 0.4, 2000)).mean() < 0.02
    assert outliers(rng.uniform(0, 1, 2000)).sum() == 0
    assert outliers(rng.gamma(4, 50, 2000)).mean() < 0.02


def test_of_few_or_equal_values_none_is_far_off() -> None:
    assert not outliers(np.array([1, 1, 1, 1, 1, 1, 900])).any()
    assert not outliers(np.array([5.0] * 30 + [900.0])).any()
    assert outliers(np.array([])).shape == (0,)


def test_histogram_holds_every_value_once() -> None:
    values = np.append(np.random.default_rng(1).gamma(3, 40, 500), np.nan)
    found = histogram(values)
    assert found.counts.sum() == 500
    assert len(found.edges) == len(found.counts) + 1
    assert 5 <= len(found.counts) <= 40
    bars = found.bar_of(values)
    assert bars[-1] == -1
    assert np.array_equal(np.bincount(bars[:-1], minlength=len(found.counts)), found.counts)
    assert found.bar_of(np.array([found.edges[-1], found.edges[0] - 1])).tolist() == [len(found.counts) - 1, -1]


def test_histograms_of_odd_values() -> None:
    assert histogram(np.array([3, 3, 5])).counts.tolist() == [2, 0, 1]
    one = histogram(np.array([31645.9, 31645.9]))
    assert one.counts.tolist() == [2]
    assert one.edges[0] < 31645 < 31647 < one.edges[1]
    assert one.bar_of(np.array([31645.9])).tolist() == [0]
    assert len(histogram(np.zeros(0)).counts) == 0
    # One value far away must not make a million bars.
    assert len(histogram(np.append(np.random.default_rng(0).normal(size=100), 1e9)).counts) <= 40


def test_columns_of_words_are_no_numbers() -> None:
    assert numbers_of(np.array(["a", "b"], object)) is None
    found = numbers_of(np.array([1, None, 2.5], object))
    assert found is not None
    assert np.array_equal(found, [1, np.nan, 2.5], equal_nan=True)


def test_headings_have_units_and_pixels_give_way_to_micrometres() -> None:
    names = ["label", "area", "centroid_y", "centroid_x", "mean_intensity_DAPI", "area_um2", "centroid_y_um", "d_um"]
    columns = {name: np.ones(2) for name in names}
    texts = [heading.text for heading in shown_headings(columns)]
    assert texts == ["label", "area (µm²)", "mean intensity DAPI", "d (µm)", "x (px)", "y (µm)"]
    some = {"area": np.ones(2), "volume": np.ones(2), "odd name": np.ones(2), "area_um2": np.array([1, np.nan])}
    texts = [heading.text for heading in shown_headings(some)]
    assert texts == ["area (px²)", "volume (voxels)", "area (µm²)", "odd name"]
    assert [heading_of(name).measured for name in ("label", "frame", "centroid_z", "y", "area")] == [False] * 4 + [True]


def test_summary_in_words() -> None:
    sizes = np.array([400.0, 402, 398, 404, 396, 401, 399, 403, 397, 5000])
    said = summary_text(sizes, heading_of("area_um2"))
    assert said == "area: n = 10, mean 860 µm², total 8,600 µm², 1 far from the others"
    assert summary_text(sizes[:3] / 1000, heading_of("solidity")) == "solidity: n = 3, mean 0.4"
    assert summary_text(np.zeros(0), heading_of("area")) == "area: n = 0"


def test_numbers_are_short() -> None:
    assert [number_text(v) for v in (0.123456, 12345.6, 3.0, np.nan, 99.987)] == ["0.1235", "12,346", "3", "", "99.99"]
