"""What only a GPU can show: it is found and used, and gives what the processor gives."""

from pathlib import Path

import numpy as np
import pytest

from microforge.config import PredictionConfig, TrainingConfig
from microforge.device import describe_device
from microforge.events import RunFinished, RunStarted, StepFinished
from microforge.inference.predictor import Predictor
from microforge.simulate import simulate_nuclei
from microforge.training.loop import train
from microforge.types import Sample

pytestmark = pytest.mark.gpu


def field(seed: int) -> Sample:
    made = simulate_nuclei((128, 128), seed=seed)
    return Sample(f"field {seed}", np.asarray(made.image)[None], made.labels)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[object]]:
    folder = tmp_path_factory.mktemp("run")
    config = TrainingConfig(device=describe_device().device, steps=60, width=16, patch_size=64, batch_size=4)
    return folder / "model.safetensors", list(train(config, [field(seed) for seed in range(4)], (), folder))


def test_a_training_computes_on_the_gpu(run: tuple[Path, list[object]]) -> None:
    model, events = run
    [started] = [event for event in events if isinstance(event, RunStarted)]
    assert started.device == describe_device().title
    assert model.is_file()
    assert isinstance(events[-1], RunFinished)


def test_the_loss_falls(run: tuple[Path, list[object]]) -> None:
    losses = [event.loss for event in run[1] if isinstance(event, StepFinished)]
    assert np.mean(losses[-10:]) < np.mean(losses[:10])


def test_the_memory_used_is_told(run: tuple[Path, list[object]]) -> None:
    if describe_device().device != "cuda":
        pytest.skip("Only CUDA tells how much memory it uses.")
    steps = [event for event in run[1] if isinstance(event, StepFinished)]
    assert steps[-1].gpu_memory


def test_both_devices_find_the_same(run: tuple[Path, list[object]]) -> None:
    """Precision differs, so a pixel on the edge of an object may."""
    image = field(9).image[0]
    found = [
        Predictor(run[0], PredictionConfig(device=device)).predict(image, axes="YX").labels
        for device in ("cpu", describe_device().device)
    ]
    assert np.mean((found[0] > 0) == (found[1] > 0)) > 0.98
