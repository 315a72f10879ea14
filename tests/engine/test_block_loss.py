"""The loss on sums over blocks sees what errors have in common."""

import pytest
import torch

from microforge import losses


def test_white_noise_counts_as_the_squared_error_and_a_common_error_more() -> None:
    noise = torch.randn(4, 1, 128, 128, generator=torch.Generator().manual_seed(0))
    target, weight = torch.zeros_like(noise), torch.ones_like(noise)
    pixelwise = losses.squared_error(noise, target, weight)
    assert losses.squared_sums(noise, target, weight, (8, 8)).item() == pytest.approx(pixelwise.item(), rel=0.1)
    common = torch.full_like(noise, 0.1)
    assert losses.squared_sums(common, target, weight, (8, 8)).item() == pytest.approx(0.01 * 64, rel=1e-4)


def test_what_is_not_known_does_not_count() -> None:
    wrong, weight = torch.ones(1, 1, 16, 16), torch.zeros(1, 1, 16, 16)
    assert losses.squared_sums(wrong, 0 * wrong, weight, (4, 4)).item() == 0


def test_blocks_of_a_stack_may_be_flat() -> None:
    wrong = torch.ones(1, 1, 4, 16, 16)
    assert losses.squared_sums(wrong, 0 * wrong, torch.ones_like(wrong), (1, 4, 4)).item() == pytest.approx(16)
