import numpy as np
import pytest
import torch

from microforge.config import NetworkConfig
from microforge.device import computing_in
from microforge.networks.blocks import fold, unfold
from microforge.networks.unet import UNet, count_parameters, level_kernels, receptive_field

FLAT = NetworkConfig(dims=2, in_channels=3, out_channels=2, width=8)
CPU = torch.device("cpu")
SOLID = NetworkConfig(dims=3, out_channels=2, width=8, stem=(1, 2, 2), pools=((1, 2, 2), (2, 2, 2)))


@pytest.mark.parametrize("config", [FLAT, SOLID], ids=["2D", "3D"])
def test_output_is_on_the_input_grid(config: NetworkConfig) -> None:
    size = tuple(4 * s for s in config.stride)
    output = UNet(config)(torch.randn(2, config.in_channels, *size))
    assert output.shape == (2, 2, *size)


@pytest.mark.parametrize("factors", [(2, 2), (1, 2, 2), (2, 2, 2), (1, 1)])
def test_unfold_undoes_fold(factors: tuple[int, ...]) -> None:
    x = torch.randn(2, 3, *(4 * f for f in factors))
    folded = fold(x, factors)
    assert folded.shape[1] == 3 * int(np.prod(factors))
    assert torch.equal(unfold(folded, factors), x)


def test_fold_agrees_with_torch() -> None:
    x = torch.randn(1, 2, 8, 6)
    assert torch.equal(fold(x, (2, 2)), torch.nn.functional.pixel_unshuffle(x, 2))


@pytest.mark.parametrize("config", [FLAT, SOLID], ids=["2D", "3D"])
def test_receptive_field_bounds_what_influences_a_pixel(config: NetworkConfig) -> None:
    torch.manual_seed(0)
    config = config.model_copy(update={"width": 2})
    network = UNet(config).double()
    torch.nn.init.normal_(network.head.weight)
    field = receptive_field(config)
    size = tuple(-(-2 * f // s) * s for f, s in zip(field, config.stride, strict=True))
    x = torch.randn(1, config.in_channels, *size, dtype=torch.float64, requires_grad=True)
    middle = tuple(n // 2 for n in size)
    network(x)[(0, 0, *middle)].backward()
    touched = np.argwhere(x.grad[0].abs().sum(0).numpy() > 0)
    span = touched.max(0) - touched.min(0) + 1
    assert (span <= field).all()
    assert (np.abs(touched - middle).max(0) <= np.array(field) // 2 + 1).all()
    assert (span >= 0.5 * np.array(field)).all()


def test_untrained_signal_neither_vanishes_nor_explodes() -> None:
    torch.manual_seed(0)
    network = UNet(NetworkConfig(width=32, pools=((2, 2),) * 4))
    x = fold(torch.randn(1, 1, 64, 64), (2, 2))
    for block in network.down:
        x = block(x).detach()
        assert 0.2 < x.std().item() < 5


def test_coarse_planes_are_not_mixed_at_the_fine_levels() -> None:
    assert level_kernels(SOLID) == [[1, 3, 3], [3, 3, 3], [3, 3, 3]]


def test_default_network_is_small() -> None:
    assert 0.3e6 < count_parameters(UNet(NetworkConfig(out_channels=2))) < 0.6e6


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("residual", [False, True])
def test_answers_in_half_precision_keep_finely_graded_values(dtype: torch.dtype, residual: bool) -> None:
    torch.manual_seed(0)
    network = UNet(NetworkConfig(width=8, residual=residual)).eval()
    torch.nn.init.normal_(network.head.weight, std=0.05)
    torch.nn.init.constant_(network.head.bias, 0.75)
    ramp = torch.linspace(0, 0.5, 128 * 128).reshape(1, 1, 128, 128)
    with torch.inference_mode():
        exact = network(ramp)
        with computing_in(CPU, dtype):
            answer = network(ramp)
    assert answer.dtype == torch.float32
    assert len(np.unique(answer.numpy())) > 1000
    span = (exact.max() - exact.min()).item()
    assert 10 * np.log10(span**2 / (answer - exact).square().mean().item()) >= 50


def test_the_shape_of_answers_can_be_asked_for_without_computing_them() -> None:
    network = UNet(NetworkConfig(out_channels=3, upscale=2)).to("meta")
    assert network(torch.empty(1, 1, 64, 96, device="meta")).shape == (1, 3, 128, 192)


def test_answers_that_need_no_grading_are_computed_as_the_rest_is() -> None:
    network = UNet(NetworkConfig(width=8, graded=False)).eval()
    with torch.inference_mode(), computing_in(CPU, torch.bfloat16):
        assert network(torch.zeros(1, 1, 32, 32)).dtype == torch.bfloat16
