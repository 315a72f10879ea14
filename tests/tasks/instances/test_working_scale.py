"""At which scale a network sees objects."""

import numpy as np
import pytest
from scipy import ndimage

from microforge.tasks.instances.task import Instances
from microforge.tasks.instances.working_scale import diameters, sizes_in
from microforge.types import Array, Sample


def discs(diameter: float, count: int = 9) -> Array:
    """Give discs on a square grid."""
    side = int(1.5 * diameter) + 3
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    one = (np.hypot(y, x) <= diameter / 2).astype(np.int32)
    across = int(np.ceil(np.sqrt(count)))
    return ndimage.label(np.tile(one, (across, across)))[0].astype(np.int32)


def sample(*diameter: float, name: str = "discs") -> Sample:
    parts = [discs(one) for one in diameter]
    side = max(part.shape[0] for part in parts)
    padded = [np.pad(part, ((0, side - part.shape[0]), (0, 0))) for part in parts]
    shifted, most = [], 0
    for part in padded:
        shifted.append(np.where(part > 0, part + most, 0))
        most = int(shifted[-1].max())
    labels = np.concatenate(shifted, axis=1).astype(np.int32)
    return Sample(name, labels[None].astype(np.float32), labels)


@pytest.mark.parametrize("diameter", [6, 12, 30, 80, 150])
def test_a_disc_has_its_diameter(diameter: float) -> None:
    np.testing.assert_allclose(diameters(discs(diameter)), diameter, rtol=0.12)


def test_objects_of_a_stack_are_as_wide_as_their_planes_on_average() -> None:
    column = np.repeat(discs(20)[None], 7, axis=0)
    np.testing.assert_allclose(diameters(column), 20, rtol=0.06)


@pytest.mark.parametrize(
    ("diameter", "scale"),
    [(4, 2.5), (12, 27 / 12), (18, 27 / 18), (22, 1.0), (26, 1.0), (40, 1.0), (85, 1.0), (150, 0.4), (400, 0.25)],
)
def test_small_objects_are_enlarged_and_large_ones_shrunk(diameter: float, scale: float) -> None:
    assert sizes_in([sample(diameter)]).working_scale == pytest.approx(scale, rel=0.06)


def test_no_one_scale_fits_images_whose_objects_differ_in_size() -> None:
    assert sizes_in([sample(10), sample(30, name="other")]).working_scale == 1.0


def test_small_things_beside_large_objects_do_not_enlarge_these_beyond_what_is_seen() -> None:
    sizes = sizes_in([sample(8, 50)])
    assert sizes.working_scale * 50 <= 62


def test_large_objects_do_not_shrink_small_ones_to_nothing() -> None:
    assert sizes_in([sample(20, 150, 150)]).working_scale * 20 >= 13


def test_without_objects_nothing_is_scaled() -> None:
    assert sizes_in([Sample("none", np.zeros((1, 9, 9)), np.zeros((9, 9), np.int32))]) == (0.0, 1.0)
    assert sizes_in([]) == (0.0, 1.0)


def test_the_task_takes_the_scale_from_the_objects_unless_it_is_said() -> None:
    fitted = Instances().fit([sample(12)])
    assert fitted.working_scale == pytest.approx(2.25, rel=0.06)
    assert fitted.options.diameter == pytest.approx(12, rel=0.06)
    assert fitted.learnt()["working scale"].startswith("images are seen at 2.")
    assert Instances.from_options({"working_scale": 1.0}).fit([sample(12)]).working_scale == 1.0


def test_the_network_is_asked_to_see_half_as_far_again_as_an_object() -> None:
    assert Instances().fit([sample(80)]).hints.min_receptive_field == pytest.approx(120, rel=0.06)
    assert Instances().fit([sample(150)]).hints.min_receptive_field == pytest.approx(90, rel=0.06)


def test_stacks_are_seen_as_they_are() -> None:
    stack = np.repeat(discs(12)[None], 5, axis=0)
    sizes = sizes_in([Sample("stack", stack[None], stack)])
    assert sizes.working_scale == 1.0
    assert sizes.typical == pytest.approx(12, rel=0.12)
