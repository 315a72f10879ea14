import numpy as np
import pytest
import torch

from microforge.tasks.images.blind_spots import STRIPE, Stripes, draw_positions, hide, hide_array


@pytest.mark.parametrize("shape", [(2, 1, 32, 40), (1, 3, 5, 16, 24)])
def test_the_share_asked_for_is_hidden_and_everything_else_is_seen(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    images = torch.from_numpy(rng.normal(size=shape).astype(np.float32))
    seen, mask = hide(images, draw_positions(shape, 0.1, "none", rng))
    # Some places are drawn twice.
    assert 0.08 < float(mask.mean()) <= 0.1
    assert torch.equal(seen[mask == 0], images[mask == 0])
    assert (seen[mask == 1] != images[mask == 1]).float().mean() > 0.99


def test_new_values_come_from_near_in_the_same_plane() -> None:
    shape = (1, 1, 4, 20, 30)
    z, y, x = np.meshgrid(*(np.arange(n) for n in shape[2:]), indexing="ij")
    codes = torch.from_numpy((z * 10000 + y * 100 + x)[None, None].astype(np.float32))
    seen, mask = hide(codes, draw_positions(shape, 0.2, "none", np.random.default_rng(1)))
    old, new = (values[mask == 1].numpy() for values in (codes, seen))
    assert (old // 10000 == new // 10000).all()
    assert np.abs(old % 10000 // 100 - new % 10000 // 100).max() <= 2
    assert np.abs(old % 100 - new % 100).max() <= 2
    assert (old != new).all()


@pytest.mark.parametrize("stripes", ["horizontal", "vertical"])
def test_stripes_hide_the_pixels_to_either_side_and_read_from_other_lines(stripes: Stripes) -> None:
    y, x = np.meshgrid(np.arange(40), np.arange(40), indexing="ij")
    line = y if stripes == "horizontal" else x
    image = torch.from_numpy(line[None, None].astype(np.float32))
    seen, mask = hide(image, draw_positions((1, 1, 40, 40), 0.002, stripes, np.random.default_rng(0)))
    changed = (seen != image)[0, 0].numpy()
    for row, column in np.argwhere(mask[0, 0].numpy() == 1):
        around = changed[row, max(0, column - STRIPE) : column + STRIPE + 1]
        if stripes == "vertical":
            around = changed[max(0, row - STRIPE) : row + STRIPE + 1, column]
        assert around.all()
    assert changed.sum() > mask.sum() * STRIPE


def test_arrays_and_tensors_are_hidden_alike() -> None:
    image = np.random.default_rng(0).normal(size=(2, 16, 16)).astype(np.float32)
    positions = draw_positions((1, 2, 16, 16), 0.1, "none", np.random.default_rng(3))
    seen, mask = hide_array(image, positions)
    tensor_seen, tensor_mask = hide(torch.from_numpy(image)[None], positions)
    np.testing.assert_array_equal(seen, tensor_seen[0].numpy())
    np.testing.assert_array_equal(mask, tensor_mask[0].numpy() == 1)


def test_an_image_of_one_row_still_hides_something() -> None:
    positions = draw_positions((1, 1, 1, 16), 0.1, "none", np.random.default_rng(0))
    assert positions.source.min() >= 0
    assert positions.source.max() < 16
