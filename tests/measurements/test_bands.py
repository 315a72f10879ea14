"""Measuring in bands gives what measuring at once gives."""

from dataclasses import replace

import numpy as np
import pytest

from microforge.measurements.bands import measure_sample
from microforge.types import Sample
from support.discs import draw_discs


@pytest.mark.parametrize(("shape", "pixel_size"), [((96, 80), (0.5, 0.4)), ((20, 32, 30), (2.0, 0.5, 0.5))])
@pytest.mark.parametrize("band_pixels", [1, 2000, 5000])
def test_bands_change_nothing(shape: tuple[int, ...], pixel_size: tuple[float, ...], band_pixels: int) -> None:
    image, labels = draw_discs(shape, count=9, seed=4)
    # Labels out of order, with gaps, one of them in two far pieces.
    labels = np.array([0, 7, 3, 12, 4, 1, 9, 30, 2, 5])[labels]
    labels[-2:, -2:] = labels.max()
    sample = Sample("s", np.stack([image, image[::-1]]), pixel_size=pixel_size, channel_names=("a", "b"))
    whole, bands = measure_sample(labels, sample), measure_sample(labels, sample, band_pixels)
    assert list(whole) == list(bands)
    for name in whole:
        np.testing.assert_allclose(bands[name], whole[name], err_msg=name)


def test_no_objects_and_no_pixel_size() -> None:
    sample = Sample("s", np.zeros((1, 40, 40), np.uint8))
    table = measure_sample(np.zeros((40, 40), np.int32), sample, 100)
    assert {len(column) for column in table.values()} == {0}
    assert "area_um2" not in table
    assert "area_um2" in measure_sample(np.ones((40, 40), np.int32), replace(sample, pixel_size=(1, 1)), 100)
