from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import zoom

from microforge.config import NetworkConfig, TrainingConfig
from microforge.data.normalise import Normaliser
from microforge.data.patch_source import store
from microforge.errors import AnnotationError, NotEnoughDataError
from microforge.events import RunAdvice
from microforge.inference.predictor import Predictor
from microforge.inference.tiling import TiledNetwork
from microforge.metrics import images as image_metrics
from microforge.networks.blocks import enlarge, unfold
from microforge.networks.unet import UNet
from microforge.tasks import get_task
from microforge.training.loop import train
from microforge.types import Sample, Target
from support.noisy import clean_field, coarse_sample

LEARN = TrainingConfig(task="super-resolution", device="cpu", steps=250, width=16, patch_size=48, batch_size=4)


@pytest.mark.parametrize("factor", [2, 3])
def test_it_beats_interpolation_on_a_finer_grid(factor: int, tmp_path: Path) -> None:
    events = list(train(LEARN, [coarse_sample(k, factor, 64) for k in range(8)], None, tmp_path))
    assert f"Targets are {factor} times finer" in " ".join(e.text for e in events if isinstance(e, RunAdvice))
    new = replace(coarse_sample(70, factor, 64), pixel_size=(0.6, 0.6))
    prediction = Predictor(tmp_path / "model.safetensors").predict(new)
    assert prediction.image is not None
    assert prediction.image.shape == (1, 64 * factor, 64 * factor)
    assert prediction.pixel_size == (0.6 / factor, 0.6 / factor)
    fine = clean_field(70, 64 * factor, width=2.5, peak=800.0)
    noisy = new.image[0].astype(float)
    plain = zoom(noisy, factor, order=3, grid_mode=True, mode="nearest")
    ours, theirs = (
        image_metrics.psnr(fine, image_metrics.fit_linear(one, fine)) for one in (prediction.image[0], plain)
    )
    assert ours > theirs + 0.3


def test_the_result_lies_exactly_on_the_input() -> None:
    ramp = torch.arange(12.0).expand(1, 1, 12, 12)
    finer = enlarge(ramp, 2)
    # The centres of fine pixels lie a quarter of a coarse pixel beside those of the coarse ones.
    assert finer[0, 0, 12, 8:12].tolist() == pytest.approx([3.75, 4.25, 4.75, 5.25], abs=0.05)


def test_an_untrained_network_interpolates() -> None:
    network = UNet(NetworkConfig(width=8, residual=True, upscale=3)).eval()
    image = torch.rand(1, 1, 32, 40)
    with torch.inference_mode():
        assert torch.allclose(network(image), enlarge(image, 3), atol=1e-6)


@pytest.mark.parametrize("upscale", [1, 2])
def test_tiles_of_an_image_network_equal_the_whole(upscale: int) -> None:
    torch.manual_seed(0)
    network = UNet(NetworkConfig(width=8, residual=True, upscale=upscale)).eval()
    torch.nn.init.normal_(network.head.weight, std=0.1)
    image = np.random.default_rng(0).random((1, 200, 150)).astype(np.float32)
    same = Normaliser(np.zeros(1, np.float32), np.ones(1, np.float32))
    task = get_task("denoising").from_options({})
    whole, tiled = (
        list(_in_float32(TiledNetwork(network, task, torch.device("cpu"), size)).run(image, same))[-1]
        for size in (512, 96)
    )
    assert whole.shape == (1, 200 * upscale, 150 * upscale)
    np.testing.assert_allclose(whole, tiled, atol=1e-4)


def _in_float32(network: TiledNetwork) -> TiledNetwork:
    network.dtype = torch.float32
    return network


def test_a_finer_target_is_cut_with_its_image() -> None:
    image = np.zeros((1, 8, 10), np.float32)
    value = np.arange(16 * 20, dtype=np.float32).reshape(1, 16, 20) / 10
    target = Target(value, np.ones((1, 16, 20), np.float32))
    same = Normaliser(np.zeros(1, np.float32), np.ones(1, np.float32))
    kept = store(Sample("a", image), target, same, torch.device("cpu"), 1 << 30)
    cut = kept.cut((slice(2, 5), slice(3, 7)))[None, 1:].float()
    answer = unfold(cut, (2, 2))
    np.testing.assert_allclose(answer[0, 0], value[0, 4:10, 6:14], rtol=1e-3)
    assert (answer[0, 1] == 1).all()


@pytest.mark.parametrize("shape", [(1, 64, 64), (1, 64, 96), (1, 160, 160), (1, 70, 70), (1, 320, 320)])
def test_sizes_that_do_not_fit_are_refused_by_name(shape: tuple[int, ...]) -> None:
    target = np.random.default_rng(0).random(shape)
    image = np.random.default_rng(0).random((1, 64, 64))
    with pytest.raises(AnnotationError, match="64 x 64") as refused:
        get_task("super-resolution").from_options({}).check(Sample("odd", image, target))
    assert refused.value.where == "odd"


def test_different_factors_are_refused_by_name(tmp_path: Path) -> None:
    samples = [coarse_sample(0, 2, 64), coarse_sample(1, 3, 64)]
    with pytest.raises(NotEnoughDataError, match="field 1 is 3 times finer, that of field 0 2 times"):
        train(LEARN, samples, (), tmp_path)


def test_one_pair_is_split_in_space_on_both_grids(tmp_path: Path) -> None:
    config = LEARN.model_copy(update={"steps": 2})
    events = list(train(config, [coarse_sample(0, 2, 256)], None, tmp_path))
    started = next(e for e in events if type(e).__name__ == "RunStarted")
    assert started.validation == ("field 0 (block)",)  # type: ignore[union-attr]
