"""A model whose network sees images enlarged: results are those of the images as they are."""

from pathlib import Path

import numpy as np
import pytest

from microforge.config import PredictionConfig, TrainingConfig
from microforge.events import RunStarted
from microforge.inference.predictor import Predictor
from microforge.inference.redecode import KeptOutputs
from microforge.io.model_file import read_card
from microforge.training.loop import train
from microforge.types import Labels, Sample
from support.discs import disc_sample

CPU = PredictionConfig(device="cpu")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    config = TrainingConfig(device="cpu", steps=80, width=8, patch_size=64, batch_size=4, validation_fraction=0)
    events = list(train(config, [disc_sample(f"{k}", seed=k) for k in range(3)], (), folder))
    [started] = [event for event in events if isinstance(event, RunStarted)]
    assert "times their size" in started.settings["working scale"]
    return folder / "model.safetensors"


def labels_of(predictor: Predictor, sample: Sample) -> Labels:
    labels = predictor.predict(sample).labels
    assert labels is not None
    return labels


def test_small_objects_are_found_where_they_are(model: Path) -> None:
    assert read_card(model).task_options["working_scale"] > 1.5
    sample = disc_sample("other", seed=9)
    assert sample.annotation is not None
    found = labels_of(Predictor(model, CPU), sample)
    assert found.shape == sample.annotation.shape
    inside, truth = found > 0, sample.annotation > 0
    overlap = (inside & truth).sum() / (inside | truth).sum()
    shifted = np.roll(inside, 2, axis=0)
    assert overlap > 0.6
    assert overlap > (shifted & truth).sum() / (shifted | truth).sum()


def test_tiles_give_what_the_whole_image_gives(model: Path) -> None:
    sample = disc_sample("large", seed=5, shape=(200, 170), count=40)
    whole = labels_of(Predictor(model, PredictionConfig(device="cpu", tile_size=1024)), sample)
    tiled = labels_of(Predictor(model, PredictionConfig(device="cpu", tile_size=128)), sample)
    assert ((whole > 0) == (tiled > 0)).mean() > 0.999


def test_images_together_give_what_each_gives_alone(model: Path) -> None:
    predictor = Predictor(model, CPU)
    samples = [disc_sample(f"{k}", seed=20 + k) for k in range(3)]
    assert all(predictor.fits_one_tile(sample) for sample in samples)
    outputs = predictor.forward_many(samples)
    for output, sample in zip(outputs, samples, strict=True):
        together = predictor.finish(output, sample).labels
        assert together is not None
        assert ((together > 0) == (labels_of(predictor, sample) > 0)).mean() > 0.999


def test_other_decoding_options_act_as_a_new_prediction_would(model: Path) -> None:
    sample = disc_sample("other", seed=9)
    predictor = Predictor(model, CPU)
    predictor.keeps = KeptOutputs()
    predictor.predict(sample)
    changed = {"smallest": 90, "probability": 0.5}
    again = predictor.keeps.decode(predictor.task.with_options(**changed), series=False).labels
    new = Predictor(model, PredictionConfig(device="cpu", task_options=changed)).predict(sample).labels
    np.testing.assert_array_equal(again, new)


def test_an_image_of_another_scale_can_be_said_to_be_so(model: Path) -> None:
    sample = disc_sample("other", seed=9)
    scale = read_card(model).task_options["working_scale"]
    coarse = Sample("coarse", np.repeat(np.repeat(np.asarray(sample.image), 2, 1), 2, 2))
    predictor = Predictor(model, PredictionConfig(device="cpu", task_options={"working_scale": scale / 2}))
    found = labels_of(predictor, coarse)
    usual = labels_of(Predictor(model, CPU), sample)
    assert found.shape == (2 * usual.shape[0], 2 * usual.shape[1])
    assert abs(int(found.max()) - int(usual.max())) <= 3
