"""Classes of whole images: learnt, pooled over all places, the same in tiles, started from another model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from microforge.config import NetworkConfig, PredictionConfig, TrainingConfig
from microforge.errors import AnnotationError
from microforge.events import RunFinished
from microforge.inference.predictor import Predictor
from microforge.networks.unet import UNet, receptive_field
from microforge.tasks.classification import Classification, ClassificationOptions
from microforge.training.loop import train
from microforge.types import Image, Prediction, Sample


def focus_image(seed: int, *, sharp: bool, size: int = 96) -> Sample:
    """Points, sharp or blurred; both with the same noise, so that only their edges tell."""
    rng = np.random.default_rng(seed)
    points = np.zeros((size, size))
    points[tuple(rng.integers(0, size, (2, size // 3)))] = 300
    image = ndimage.gaussian_filter(points, 1.5 if sharp else 4.0) * (1 if sharp else 7) + rng.normal(
        20, 1, points.shape
    )
    return Sample(f"field {seed}", image[None].astype(np.float32), class_name="good" if sharp else "bad")


FIELDS = [focus_image(seed, sharp=seed % 2 == 0) for seed in range(8)]


def run(folder: Path, samples: list[Sample], **settings: object) -> Path:
    config = TrainingConfig(task="classification", device="cpu", patch_size=64, batch_size=4, width=8, **settings)
    *_, last = train(config, samples, (), folder)
    assert isinstance(last, RunFinished)
    assert last.model is not None
    return last.model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("run"), FIELDS, steps=120)


def test_it_learns_to_tell_focus(model: Path) -> None:
    predictor = Predictor(model, PredictionConfig(device="cpu"))
    new = [focus_image(100 + seed, sharp=seed % 2 == 0, size=80 + 24 * seed) for seed in range(6)]
    results = [predictor.predict(one) for one in new]
    assert [result.class_name for result in results] == [one.class_name for one in new]
    assert all(sum(result.statistics.values()) == pytest.approx(1) for result in results)
    assert results[0].statistics["P(good)"] > 0.55


def test_tiles_give_the_answer_of_the_whole(model: Path) -> None:
    large = focus_image(7, sharp=True, size=208)
    whole, tiled = (Predictor(model, PredictionConfig(device="cpu", tile_size=size)) for size in (512, 96))
    assert tiled.predict(large).statistics["P(good)"] == pytest.approx(
        whole.predict(large).statistics["P(good)"], abs=0.02
    )


def test_series_tells_each_class(model: Path) -> None:
    predictor = Predictor(model, PredictionConfig(device="cpu"))
    frames = np.concatenate([FIELDS[0].image, FIELDS[1].image, FIELDS[3].image])
    assert predictor.predict(Image("series", frames, "TYX")).class_name == "bad (2), good (1)"


def test_starts_from_the_encoder_of_another_model(model: Path, tmp_path: Path) -> None:
    labels = np.zeros((96, 96), np.int32)
    labels[20:40, 20:40] = 1
    painted = [replace(one, annotation=labels, class_name="") for one in FIELDS[:2]]
    config = TrainingConfig(task="instances", device="cpu", steps=2, patch_size=64, batch_size=2, start_from=model)
    *_, last = train(config, painted, (), tmp_path / "objects")
    assert isinstance(last, RunFinished)
    assert last.model is not None
    objects = Predictor(last.model).card.network
    assert (objects.head, objects.width) == ("pixels", 8)
    back = run(tmp_path / "back", FIELDS, steps=2, start_from=last.model)
    assert Predictor(back).card.network.head == "image"


def test_network_has_the_names_of_the_encoder_and_a_block_per_answer() -> None:
    config = NetworkConfig(width=4, out_channels=3)
    pixels, image = UNet(config), UNet(config.model_copy(update={"head": "image"}))
    own, whole = image.state_dict(), pixels.state_dict()
    assert all(own[name].shape == whole[name].shape for name in own if name.startswith("down"))
    assert not any(name.startswith("up") for name in own)
    import torch

    torch.nn.init.normal_(image.head.weight)
    answer = image(torch.randn(1, 1, 32, 48))
    assert answer.shape == (1, 3, 32, 48)
    assert (answer[:, :, :8, :8] == answer[:, :, :1, :1]).all()
    assert receptive_field(image.config)[0] < receptive_field(pixels.config)[0]


def test_rare_classes_weigh_more() -> None:
    task = Classification().fit([replace(FIELDS[0], class_name=name) for name in ("a", "a", "a", "b")])
    assert task.options.names == ("a", "b")
    assert task.options.weights == pytest.approx((4 / 6, 2))


@pytest.mark.parametrize(("name", "words"), [("", "no class"), ("odd", "'odd' is not one of bad, good")])
def test_classes_that_cannot_be_used(name: str, words: str) -> None:
    task = Classification(ClassificationOptions(names=("bad", "good")))
    with pytest.raises(AnnotationError, match=words):
        task.check(replace(FIELDS[0], class_name=name))


def test_one_class_is_not_enough() -> None:
    assert Classification().describe(FIELDS[:1]).missing
    assert Classification().describe(FIELDS).text == "4 bad, 4 good"


def test_scores_say_what_was_found() -> None:
    task = Classification(ClassificationOptions(names=("bad", "good")))
    found = ["bad", "good", "good", "good"]
    truth = ["bad", "bad", "good", "good"]
    total: dict[str, float] = {}
    for f, t in zip(found, truth, strict=True):
        for name, count in task.tally(Prediction(class_name=f), replace(FIELDS[0], class_name=t)).items():
            total[name] = total.get(name, 0) + count
    scores = task.summarise(total)
    assert scores["accuracy"] == 0.75
    assert scores["balanced accuracy"] == pytest.approx(0.75)
    assert scores["found bad"] == 0.5
