"""Room for tasks of other kinds: each is a toy that lives in this file alone, and goes all the way to files."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from scipy import ndimage

from microforge.annotations import LABELS
from microforge.answers import OBJECTS, PIXEL_CLASSES
from microforge.config import NetworkConfig, PredictionConfig, TrainingConfig
from microforge.data.sampler import Sampler
from microforge.errors import ModelFileError
from microforge.events import RunFinished
from microforge.inference.folder.run import predict_folder
from microforge.inference.predictor import Predictor
from microforge.io.model_file import load_model, save_model
from microforge.io.writing import write_image
from microforge.tasks import available_tasks
from microforge.tasks.base import Direction, Task
from microforge.training import setup as run_setup
from microforge.training.loop import train
from microforge.training.setup import make_sampler, make_setup
from microforge.types import Batch, Prediction, Sample, Target
from support.runs import csv_rows

SETTINGS = {"steps": 60, "device": "cpu", "patch_size": 32, "width": 8, "depth": 1, "batch_size": 4}

#: A task is known by its name: these have theirs while this file is tested.
NAMES = {"SortedObjects": "toy sorted objects", "Borders": "toy borders", "Thresholding": "toy threshold"}


@pytest.fixture(autouse=True, scope="module")
def _toys_are_known_here_only() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for toy in (SortedObjects, Borders, Thresholding):
            patch.setattr(toy, "name", NAMES[toy.__name__], raising=False)
        available_tasks.cache_clear()
        yield
    available_tasks.cache_clear()


def two_kinds(seed: int = 0, side: int = 64) -> tuple[np.ndarray, np.ndarray, dict[int, int]]:
    """Squares that are bright (class 1) or dim (class 0): image, labels and the class of each."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((side, side), np.int32)
    for number, (y, x) in enumerate([(8, 8), (8, 40), (40, 8), (40, 40)], start=1):
        labels[y : y + 12, x : x + 12] = number
    classes = {number: int(number % 2) for number in range(1, 5)}
    brightness = np.array([100, *(250 if classes[n] else 170 for n in range(1, 5))], float)
    image = brightness[labels] + rng.normal(0, 4, labels.shape)
    return image.astype(np.float32), labels, classes


def sample(seed: int = 0) -> Sample:
    image, labels, classes = two_kinds(seed)
    known = {"label": np.array(list(classes)), "class": np.array(list(classes.values()))}
    return Sample(f"field {seed}", image[None], labels, objects=known)


def run(task: str, tmp_path: Path, **settings: Any) -> Path:
    config = TrainingConfig(task=task, **(SETTINGS | settings))
    *_, last = train(config, [sample(n) for n in range(3)], [sample(9)], tmp_path / "run")
    assert isinstance(last, RunFinished)
    assert last.model is not None
    return last.model


# Several outputs per object ---------------------------------------------------------------------------------------


class SortedObjects(Task):
    """Finds squares and gives each a class, learnt from `Sample.objects`."""

    title: ClassVar[str] = "Toy: sort objects"
    description: ClassVar[str] = "Finds objects, and what each is."
    annotation = LABELS
    answer = OBJECTS
    monitor: ClassVar[tuple[str, Direction]] = ("right", "max")

    out_channels = 2

    def encode(self, sample: Sample) -> Target:
        known = dict(zip(sample.objects["label"].tolist(), sample.objects["class"].tolist(), strict=True))
        kind = np.vectorize(lambda label: known.get(label, 0))(sample.annotation)
        return Target(np.stack([sample.annotation > 0, kind]).astype(np.float32), np.ones((1, *kind.shape), np.float32))

    def loss(self, output: torch.Tensor, batch: Batch) -> torch.Tensor:
        return torch.nn.functional.binary_cross_entropy_with_logits(output, batch.target)

    def decode(self, output: np.ndarray) -> Prediction:
        labels = ndimage.label(output[0] > 0)[0].astype(np.int32)
        numbers = np.arange(1, labels.max() + 1)
        bright = np.asarray(ndimage.mean(output[1], labels, numbers)) > 0
        said = {"label": numbers, "class": np.where(bright, "bright", "dim").astype(object)}
        return Prediction(labels=labels, measurements=said)

    def tally(self, prediction: Prediction, sample: Sample) -> dict[str, float]:
        return {"right": float(((prediction.labels > 0) == (sample.annotation > 0)).mean()), "images": 1.0}

    def summarise(self, tally: Mapping[str, float]) -> dict[str, float]:
        return {"right": tally["right"] / tally["images"]}


@pytest.mark.slow
@pytest.mark.parametrize("axes", ["YX", "TYX"])
def test_a_class_per_object_reaches_the_table_of_objects(tmp_path: Path, axes: str) -> None:
    model = run(NAMES["SortedObjects"], tmp_path, steps=250)
    image, _, _ = two_kinds(5)
    write_image(tmp_path / "a.tif", image if axes == "YX" else np.stack([image, image]), axes, None)
    list(predict_folder(model, [tmp_path / "a.tif"], tmp_path / "out"))
    found = csv_rows(tmp_path / "out" / "objects.csv")
    assert len(found) == (4 if axes == "YX" else 8)
    assert list(found[0])[:3] == ["image", "label", "class" if axes == "YX" else "frame"]
    for row in found:
        left = float(row["centroid_x"]) < 32
        # Odd numbers are bright: those on the left.
        assert row["class"] == ("bright" if left else "dim")


# Targets made after augmentation, from labels warped by nearest neighbour -----------------------------------------


class Borders(Task):
    """Learns where two labels meet: after warping, as interpolated borders would be none."""

    title: ClassVar[str] = "Toy: borders"
    description: ClassVar[str] = "Finds borders of objects."
    annotation = LABELS
    answer = PIXEL_CLASSES
    monitor: ClassVar[tuple[str, Direction]] = ("right", "max")
    seen: ClassVar[list[Batch]] = []

    def encode(self, sample: Sample) -> Target:
        nothing = np.zeros((0, *sample.annotation.shape), np.float32)
        return Target(nothing, np.ones((1, *sample.annotation.shape), np.float32), sample.annotation[None])

    def corrupt(self, batch: Batch, rng: np.random.Generator) -> Batch:
        labels = batch.labels
        border = torch.zeros_like(labels, dtype=torch.float32)
        border[..., :, 1:] += labels[..., :, 1:] != labels[..., :, :-1]
        border[..., 1:, :] += labels[..., 1:, :] != labels[..., :-1, :]
        made = Batch(batch.image, border.clamp(0, 1), batch.weight, batch.names, batch.area, labels)
        self.seen.append(made)
        return made

    def loss(self, output: torch.Tensor, batch: Batch) -> torch.Tensor:
        return torch.nn.functional.binary_cross_entropy_with_logits(output, batch.target)

    def decode(self, output: np.ndarray) -> Prediction:
        return Prediction(labels=(output[0] > 0).astype(np.int32))

    def tally(self, prediction: Prediction, sample: Sample) -> dict[str, float]:
        return {"right": 1.0}

    def summarise(self, tally: Mapping[str, float]) -> dict[str, float]:
        return dict(tally)


def test_labels_reach_batches_unmixed_and_where_their_pixels_are(tmp_path: Path) -> None:
    Borders.seen.clear()
    run(NAMES["Borders"], tmp_path, steps=20)
    assert len(Borders.seen) == 20
    for batch in Borders.seen:
        assert set(torch.unique(batch.labels).tolist()) <= {0, 1, 2, 3, 4}
        assert batch.labels.shape == batch.weight.shape
        # The squares are bright: what is labelled is brighter than what is not, in every patch that shows both.
        inside = (batch.labels > 0) & (batch.weight > 0.99)
        outside = (batch.labels == 0) & (batch.weight > 0.99)
        for k in range(len(batch.labels)):
            if inside[k].sum() > 20 and outside[k].sum() > 20:
                assert batch.image[k][inside[k]].mean() > batch.image[k][outside[k]].mean() + 0.2


@pytest.mark.parametrize("lazy", [False, True])
def test_labels_wait_on_the_device_or_beside_a_file(
    tmp_path: Path, lazy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if lazy:
        monkeypatch.setattr(run_setup, "RESIDENT_SHARE", 0.0)
    setup = make_setup(TrainingConfig(task=NAMES["Borders"], **SETTINGS), [sample(1)], ())
    made: list[Sampler] = []

    def collect() -> Iterator[object]:
        made.append((yield from make_sampler(setup)))

    list(collect())
    batch = made[0].draw()
    assert batch.labels is not None
    assert batch.labels.dtype == torch.int32


# A model that is no network ---------------------------------------------------------------------------------------


class Threshold:
    """Learns the brightness half way between inside and outside."""

    def __init__(self) -> None:
        self.sums = np.zeros(4)

    def fit(self, image: np.ndarray, target: np.ndarray, weight: np.ndarray) -> float:
        inside, known = target > 0.5, weight > 0
        for place, chosen in enumerate((known & inside, known & ~inside)):
            self.sums[2 * place : 2 * place + 2] += image[chosen].sum(), chosen.sum()
        return float(((self.predict(image) > 0) != inside).mean())

    def predict(self, image: np.ndarray) -> np.ndarray:
        means = self.sums[::2] / np.maximum(self.sums[1::2], 1)
        return (image - means.mean()).astype(np.float32)

    def arrays(self) -> Mapping[str, np.ndarray]:
        return {"sums": self.sums}

    def load(self, arrays: Mapping[str, np.ndarray]) -> None:
        if arrays["sums"].shape != (4,):
            raise ValueError("other arrays")
        self.sums = np.array(arrays["sums"])


class Thresholding(Task):
    """Finds what is bright, without a network."""

    title: ClassVar[str] = "Toy: threshold"
    description: ClassVar[str] = "Finds what is bright."
    annotation = LABELS
    answer = OBJECTS
    monitor: ClassVar[tuple[str, Direction]] = ("right", "max")

    def model(self, config: NetworkConfig) -> Threshold:
        return Threshold()

    def encode(self, sample: Sample) -> Target:
        inside = (sample.annotation > 0).astype(np.float32)[None]
        return Target(inside, np.ones_like(inside))

    def loss(self, output: torch.Tensor, batch: Batch) -> torch.Tensor:
        raise AssertionError("a fitted model has a loss of its own")

    def decode(self, output: np.ndarray) -> Prediction:
        return Prediction(labels=ndimage.label(output[0] > 0)[0].astype(np.int32))

    def tally(self, prediction: Prediction, sample: Sample) -> dict[str, float]:
        return {"right": float(((prediction.labels > 0) == (sample.annotation > 0)).mean()), "images": 1.0}

    def summarise(self, tally: Mapping[str, float]) -> dict[str, float]:
        return {"right": tally["right"] / tally["images"]}


def test_a_model_without_a_network_is_fitted_saved_and_applied(tmp_path: Path) -> None:
    model = run(NAMES["Thresholding"], tmp_path, steps=10)
    assert set(load_model(model).weights) == {"sums"}
    image, labels, _ = two_kinds(7)
    predicted = Predictor(model).predict(image)
    assert predicted.labels.max() == 4
    assert ((predicted.labels > 0) == (labels > 0)).mean() > 0.99


def test_tiles_of_a_model_without_a_network_give_the_whole(tmp_path: Path) -> None:
    model = run(NAMES["Thresholding"], tmp_path, steps=5)
    image = np.tile(two_kinds(7)[0], (3, 2))
    whole, tiled = (Predictor(model, PredictionConfig(tile_size=size)).predict(image) for size in (None, 64))
    assert np.array_equal(whole.labels, tiled.labels)


def test_a_fitted_model_goes_on_where_it_stopped(tmp_path: Path) -> None:
    config = TrainingConfig(task=NAMES["Thresholding"], **(SETTINGS | {"steps": 6}))
    list(train(config, [sample(1)], (), tmp_path / "whole"))
    list(train(config.model_copy(update={"steps": 3}), [sample(1)], (), tmp_path / "parts"))
    list(train(config, [sample(1)], (), tmp_path / "parts", resume=True))
    whole, parts = (load_model(tmp_path / name / "model.safetensors").weights["sums"] for name in ("whole", "parts"))
    assert torch.equal(whole, parts)


def test_arrays_of_another_model_are_refused_in_words(tmp_path: Path) -> None:
    file = load_model(run(NAMES["Thresholding"], tmp_path, steps=2))
    save_model(tmp_path / "wrong.safetensors", {"sums": torch.zeros(3)}, file.card)
    with pytest.raises(ModelFileError, match="do not fit"):
        Predictor(tmp_path / "wrong.safetensors")


def test_toys_override_few_members() -> None:
    def own(task: type[Task], words: Sequence[str]) -> set[str]:
        return {name for name in vars(task) if not name.startswith("_") and name not in words}

    words = ("name", "title", "description", "annotation", "answer", "monitor", "seen")
    for toy in (SortedObjects, Borders, Thresholding):
        assert len(own(toy, words)) <= 8
