"""Hatching over what is kept aside: where the lines are, and on which dimensions."""

import numpy as np
import pytest
from napari.layers import Image

from microforge.events import AsidePart
from microforge.gui.layers.marks import is_result
from microforge.gui.train.aside.hatching import hatch_lines, hatching


def ends(lines: np.ndarray) -> np.ndarray:
    return np.concatenate([lines[:, 0], lines.sum(axis=1)])


@pytest.mark.parametrize("high", [(100, 240), (240, 100), (64, 64), (3, 900)])
def test_lines_fill_a_rectangle_and_stay_in_it(high: tuple[int, int]) -> None:
    low = [10, 20]
    lines = hatch_lines(low, [low[0] + high[0], low[1] + high[1]], 12)
    inside = ends(lines) - low
    assert inside.min() >= -0.5 - 1e-9
    assert (inside <= np.array(high) - 0.5 + 1e-9).all()
    slanted = lines[4:]
    assert np.allclose(slanted[:, 1, 0], slanted[:, 1, 1])
    assert (slanted[:, 1, 0] > 0).all()
    through = np.sort(slanted[:, 0, 1] - slanted[:, 0, 0])
    assert np.allclose(np.diff(through), 12), "the same distance everywhere"
    assert len(slanted) >= (sum(high) - 24) / 12


@pytest.mark.parametrize(
    ("shape", "axes", "part", "corner"),
    [
        ((64, 96), "YX", AsidePart("a", 1, 60), (0, 60)),
        ((64, 96), "YX", AsidePart("a", 0, 40), (40, 0)),
        ((64, 96, 3), "YXS", AsidePart("a", 1, 60), (0, 60)),
        ((5, 64, 96), "ZYX", AsidePart("a", 1, 40), (40, 0)),
        ((5, 64, 96), "TYX", AsidePart("a", 1, 60), (0, 60)),
        ((1, 64, 96), "ZYX", AsidePart("a", 1, 60), (0, 60)),
        ((5, 2, 64, 96), "ZCYX", AsidePart("a"), (0, 0)),
    ],
)
def test_the_part_kept_aside_is_covered_on_every_plane(
    shape: tuple[int, ...], axes: str, part: AsidePart, corner: tuple[int, int]
) -> None:
    image = Image(np.zeros(shape, np.uint8), name="field", rgb=axes.endswith("S"), scale=[2.0] * len(axes.strip("S")))
    layer = hatching(image, axes, part)
    assert (layer.name, layer.ndim, tuple(layer.scale)) == ("kept aside: field", 2, (2.0, 2.0))
    assert is_result(layer), "nobody's annotation"
    found = ends(layer.data[len(layer.data) // 2 :])
    assert np.allclose(found.min(axis=0), np.array(corner) - 0.5)
    assert np.allclose(found.max(axis=0), (63.5, 95.5))


def test_an_image_whose_last_dimensions_are_others_is_hatched_too() -> None:
    layer = hatching(Image(np.zeros((64, 96, 4), np.uint8), name="odd", rgb=False), "YXC", AsidePart("a", 1, 60))
    assert layer.ndim == 3
    assert np.allclose(layer.data[..., 2], 0)
