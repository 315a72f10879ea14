from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import laplace

from microforge.config import TrainingConfig
from microforge.errors import AnnotationError
from microforge.inference.predictor import Predictor
from microforge.metrics import images as image_metrics
from microforge.tasks import get_task
from microforge.training.loop import train
from microforge.types import Sample
from support.noisy import clean_field

LEARN = TrainingConfig(task="label-free", device="cpu", steps=200, width=16, patch_size=64, batch_size=4)


def phase_sample(seed: int, offset: float = 0.0) -> Sample:
    """Two planes in which a stain shows as edges only, and two stains; `offset` shifts the dark level of the second."""
    stain = clean_field(seed, width=5)
    edges = laplace(stain) * 40
    rng = np.random.default_rng(seed)
    planes = np.stack([2000 + sign * edges + rng.normal(0, 5, edges.shape) for sign in (1, -0.5)])
    targets = np.stack([stain * 200 + 12000, 500 - stain + offset])
    return Sample(f"field {seed}", planes.astype(np.uint16), targets.astype(np.float32), target_names=("DAPI", "MAP2"))


def test_stains_are_predicted_in_their_own_units(tmp_path: Path) -> None:
    events = list(train(LEARN, [phase_sample(k) for k in range(10)], None, tmp_path))
    new = phase_sample(80)
    prediction = Predictor(tmp_path / "model.safetensors").predict(new)
    assert prediction.image is not None
    assert prediction.channel_names == ("DAPI", "MAP2")
    assert new.annotation is not None
    for channel, truth in zip(prediction.image, new.annotation, strict=True):
        assert image_metrics.pearson(truth, channel) > 0.7
        assert abs(float(np.median(channel - truth))) < 0.25 * float(np.ptp(truth))
    assert events[-1].metrics["Pearson r"] > 0.6  # type: ignore[union-attr]


def test_a_target_without_signal_stays_dark() -> None:
    bright, empty = phase_sample(1), Sample("empty", phase_sample(2).image, np.full((2, 96, 96), 12000.0))
    assert empty.annotation is not None
    empty.annotation[:, 0, 0] = 12001
    task = get_task("label-free").from_options({}).fit([bright, empty])
    assert float(np.ptp(task.encode(empty).value[0])) < 0.01
    assert 0.5 < float(np.ptp(task.encode(bright).value[0])) < 3


def test_sizes_that_differ_are_refused_by_name() -> None:
    sample = phase_sample(0)
    with pytest.raises(AnnotationError, match="96 x 96 pixels, its target 48 x 96"):
        get_task("label-free").from_options({}).check(Sample("a", sample.image, np.random.rand(1, 48, 96)))  # noqa: NPY002
