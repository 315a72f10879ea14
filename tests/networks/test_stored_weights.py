"""A network is built around weights that are there, never from what a card asks for."""

from typing import Any

import pytest
import torch
from pydantic import ValidationError

from microforge.config import NetworkConfig
from microforge.networks.unet import UNet, network_with

CONFIG = NetworkConfig(width=4, max_width=8)


def weights() -> dict[str, torch.Tensor]:
    return dict(UNet(CONFIG).state_dict())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_any_floating_type_give_a_network_in_float32(dtype: torch.dtype) -> None:
    stored = {name: torch.full_like(tensor, 0.5, dtype=dtype) for name, tensor in weights().items()}
    network = network_with(CONFIG, stored)
    assert {tensor.dtype for tensor in network.state_dict().values()} == {torch.float32}
    assert all(bool((tensor == 0.5).all()) for tensor in network.state_dict().values())


def test_a_card_that_asks_for_a_huge_network_takes_no_memory() -> None:
    """Its deepest level alone would have 150 million weights per convolution, in all some gigabytes."""
    huge = NetworkConfig(width=1024, max_width=4096, pools=((2, 2),) * 8)
    with pytest.raises(ValueError, match="not those of this network"):
        network_with(huge, weights())


def test_weights_that_lack_one_or_have_one_too_many_or_another_shape_are_refused() -> None:
    name = next(iter(weights()))
    lacking = {key: tensor for key, tensor in weights().items() if key != name}
    turned = {**weights(), name: weights()[name].flatten()}
    for stored in (lacking, {**weights(), "more": torch.zeros(3)}, turned):
        with pytest.raises(ValueError, match="not those of this network"):
            network_with(CONFIG, stored)
    with pytest.raises(ValueError, match="not floating point"):
        network_with(CONFIG, {key: tensor.to(torch.int8) for key, tensor in weights().items()})


@pytest.mark.parametrize(
    "shape",
    [
        {"width": 20_000},
        {"max_width": 10**9},
        {"in_channels": 10**9},
        {"out_channels": 10**9},
        {"stem": (10**6, 10**6)},
        {"stem": (0, 0)},
        {"stem": (-2, -2)},
        {"stem": ()},
        {"stem": (2, 2, 2)},
        {"pools": ((2, 2),) * 40},
        {"pools": ((0, 0),)},
        {"pools": ((2,), (2, 2, 2))},
    ],
    ids=str,
)
def test_shapes_that_no_network_of_ours_has_are_refused(shape: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NetworkConfig(**shape)
