"""An update changes all of the weights and its own state, or nothing."""

import pytest
import torch

from microforge.config import NetworkConfig
from microforge.networks.unet import UNet
from microforge.training.step import optimiser as module
from microforge.training.step.optimiser import Optimiser

SMALL = NetworkConfig(out_channels=2, width=4)


def with_gradients(seed: int = 0) -> tuple[UNet, Optimiser]:
    """Give a network that has learnt twice, and gradients for a third time."""
    torch.manual_seed(seed)
    network, x = UNet(SMALL), torch.randn(2, 1, 32, 32)
    optimiser = Optimiser(network, None)
    for _ in range(2):
        (network(x) - 1).square().mean().backward()
        optimiser.step(0.5)
    (network(x) - 1).square().mean().backward()
    return network, optimiser


def state(network: UNet, optimiser: Optimiser) -> dict[str, torch.Tensor]:
    tensors = {**network.state_dict(), **optimiser.tensors()}
    return {name: tensor.clone() for name, tensor in tensors.items() if name != "steps"}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> list[str]:
    return [name for name in a if torch.equal(a[name], b[name])]


def test_an_error_within_an_update_leaves_weights_and_state_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    network, optimiser = with_gradients()
    before, calls, real = state(network, optimiser), iter(range(99)), module.orthogonalise

    def short_of_memory(matrix: torch.Tensor) -> torch.Tensor:
        if next(calls) == 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(matrix)

    monkeypatch.setattr(module, "orthogonalise", short_of_memory)
    with pytest.raises(torch.OutOfMemoryError):
        optimiser.step(0.5)
    assert same(before, state(network, optimiser)) == list(before)
    assert optimiser.steps == 2


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["down.0.0.weight", "head.bias"])
def test_one_gradient_that_is_not_finite_leaves_weights_and_state_as_they_were(name: str, value: float) -> None:
    network, optimiser = with_gradients()
    before = state(network, optimiser)
    network.get_parameter(name).grad.view(-1)[0] = value
    optimiser.step(0.5)
    assert same(before, state(network, optimiser)) == list(before)
    assert optimiser.skipped.item() == 1


def test_updates_left_out_are_counted_in_a_row() -> None:
    network, optimiser = with_gradients()
    network.head.bias.grad.fill_(float("nan"))
    counts = []
    for spoilt in (True, True, False, True):
        (network(torch.ones(1, 1, 32, 32)) - 1).square().mean().backward()
        if spoilt:
            network.head.bias.grad.fill_(float("nan"))
        optimiser.step(0.5)
        counts.append(optimiser.skipped.item())
    assert counts == [1, 2, 0, 1]
