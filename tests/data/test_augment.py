"""How patches are varied: handedness, and the area a pixel stands for."""

import numpy as np
import pytest
import torch

from microforge.config import AugmentationConfig
from microforge.data.augment import Augmentation

SIDE = 48


def handed(shape: tuple[int, int]) -> torch.Tensor:
    """Give a patch of three channels, each with one spot; together they turn clockwise."""
    y, x = np.mgrid[: shape[0], : shape[1]] - (np.array(shape) / 2)[:, None, None]
    places = [(-6, -4), (-6, 6), (7, -4)]
    return torch.from_numpy(np.stack([np.exp(-((y - a) ** 2 + (x - b) ** 2) / 8) for a, b in places])[None]).float()


def handedness(patch: torch.Tensor) -> float:
    """Give the sign of the turn from the first spot over the second to the third."""
    y, x = np.mgrid[: patch.shape[-2], : patch.shape[-1]]
    values = patch[0, :3].numpy()
    first, second, third = [np.array([(v * y).sum(), (v * x).sum()]) / v.sum() for v in values]
    (a, b), (c, d) = second - first, third - first
    return float(np.sign(a * d - b * c))


def seen(config: AugmentationConfig, shape: tuple[int, int], *, warp: bool) -> set[float]:
    augmentation, rng = Augmentation(config, shape), np.random.default_rng(0)
    found = set()
    for _ in range(40):
        if warp:
            windows = torch.cat([handed(augmentation.window(True)), torch.ones(1, 1, *augmentation.window(True))], 1)
            found.add(handedness(augmentation.warp(windows, rng)[0]))
        else:
            found.add(handedness(augmentation.turn([handed(shape)], rng)[0]))
    return found


@pytest.mark.parametrize("warp", [False, True])
@pytest.mark.parametrize("shape", [(SIDE, SIDE), (SIDE, 64)])
def test_without_flip_no_patch_is_mirrored(shape: tuple[int, int], warp: bool) -> None:
    assert seen(AugmentationConfig(flip=False, scale=1.1), shape, warp=warp) == {handedness(handed(shape))}


@pytest.mark.parametrize("warp", [False, True])
def test_with_flip_patches_are_mirrored_too(warp: bool) -> None:
    assert seen(AugmentationConfig(scale=1.1), (SIDE, SIDE), warp=warp) == {-1.0, 1.0}


@pytest.mark.parametrize(("rotate", "count"), [(True, 4), (False, 1)])
def test_without_flip_patches_are_turned_by_all_right_angles_if_at_all(rotate: bool, count: int) -> None:
    augmentation = Augmentation(AugmentationConfig(flip=False, rotate=rotate), (SIDE, SIDE))
    rng, patch = np.random.default_rng(0), torch.rand(1, 1, SIDE, SIDE)
    assert len({augmentation.turn([patch], rng)[0].numpy().tobytes() for _ in range(40)}) == count


def test_image_target_and_labels_are_turned_alike() -> None:
    augmentation, rng = Augmentation(AugmentationConfig(flip=False), (SIDE, SIDE)), np.random.default_rng(0)
    patch = torch.rand(2, 1, SIDE, SIDE)
    for _ in range(10):
        image, nothing, labels = augmentation.turn([patch, None, patch.clone()], rng)
        assert nothing is None
        assert torch.equal(image, labels)


def test_the_area_of_a_pixel_follows_the_scale_of_its_patch() -> None:
    augmentation, rng = Augmentation(AugmentationConfig(scale=1.5), (SIDE, SIDE)), np.random.default_rng(0)
    windows = torch.zeros(64, 2, *augmentation.window(True))
    y, x = np.mgrid[: windows.shape[-2], : windows.shape[-1]] - windows.shape[-1] / 2 + 0.5
    windows[:, 0] = torch.from_numpy(np.exp(-(y**2 + x**2) / 32)).float()
    patches, area, _ = augmentation.warp(windows, rng)
    mass = windows[:, 0].sum((1, 2)) / patches[:, 0].sum((1, 2))
    assert torch.allclose(mass, area, rtol=0.03)
    assert area.max() / area.min() > 2
