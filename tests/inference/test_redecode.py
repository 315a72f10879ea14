"""Answers that are kept and decoded again, compared with new predictions."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from microforge.config import PredictionConfig
from microforge.errors import ModelMismatchError, SettingsError
from microforge.inference.open_images import OpenImage, OpenImagePredicted, decode_again, predict_open_images
from microforge.inference.predictor import Predictor
from microforge.inference.redecode import KeptOutputs, decoding_options, keep_options, left_out_text
from microforge.io.model_file import ModelFile, save_model
from microforge.tasks import get_task
from microforge.types import Image, Prediction
from support.random_models import counting_model, random_model

SHAPES = {"YX": (70, 90), "TYX": (3, 48, 40), "ZYX": (6, 40, 44)}
BASE = {"smallest": 3, "probability": 0.52, "merging": 0.05}
CHANGES: list[dict[str, Any]] = [{"smallest": 40}, {"probability": 0.55, "merging": 0.6}, {"confidence": 0.58}]


def objects_model(axes: str) -> ModelFile:
    model = random_model("instances", 3 if "Z" in axes else 2, out_channels=2, residual=False)
    # Sure of what it says, so that there are objects and background.
    weights = {name: 60 * value if name == "head.weight" else value for name, value in model.weights.items()}
    return ModelFile(model.card.model_copy(update={"task_options": BASE}), weights)


def predicted(model: ModelFile, axes: str, most: int = 1 << 28, **options: Any) -> OpenImagePredicted:
    image = Image("field", np.random.default_rng(1).gamma(2, 50, SHAPES[axes]).astype(np.float32), axes)

    def make(_: Path, config: PredictionConfig) -> Predictor:
        return Predictor(model, config)

    config = PredictionConfig(device="cpu", task_options=options)
    *_, event = predict_open_images(Path(), [OpenImage(image, "here")], config, make, most)
    assert isinstance(event, OpenImagePredicted)
    return event


def assert_same(one: Prediction, other: Prediction) -> None:
    assert one.left_out == other.left_out
    for made, expected in ((one.labels, other.labels), (one.image, other.image)):
        assert (made is None) == (expected is None)
        assert made is None or (np.array_equal(made, expected) and made.dtype == expected.dtype)
    assert list(one.measurements) == list(other.measurements)
    for name, column in other.measurements.items():
        assert np.array_equal(one.measurements[name], column), name


@pytest.mark.parametrize("axes", SHAPES)
@pytest.mark.parametrize("options", CHANGES, ids=lambda one: " ".join(one))
def test_objects_decoded_again_are_those_of_a_new_prediction(axes: str, options: dict[str, Any]) -> None:
    model = objects_model(axes)
    first = predicted(model, axes)
    again, new = decode_again(first, options), predicted(model, axes, **options)
    assert_same(again.prediction, new.prediction)
    assert len(again.prediction.measurements["label"]) != len(first.prediction.measurements["label"])
    assert again.task.options == new.task.options
    assert again.place == "here"
    assert_same(decode_again(again, decoding_options(first.task.options)).prediction, first.prediction)


def test_points_decoded_again_are_those_of_a_new_prediction() -> None:
    model = counting_model()
    first = predicted(model, "TYX")
    assert first.prediction.points is not None
    middle = float(np.median(first.prediction.measurements["confidence"]))
    again, new = (decode_again(first, {"confidence": middle}), predicted(model, "TYX", confidence=middle))
    assert_same(again.prediction, new.prediction)
    assert again.prediction.points is not None
    assert len(again.prediction.points) + again.prediction.left_out["confidence"] == len(first.prediction.points)
    assert again.prediction.statistics == first.prediction.statistics


def test_what_is_left_out_is_counted() -> None:
    model = objects_model("TYX")
    everything = predicted(model, "TYX", smallest=1, confidence=0.0).prediction
    assert everything.left_out == {"smallest": 0, "confidence": 0}
    # The gaps that are closed depend on this size too: those of one pixel stay.
    fewer = predicted(model, "TYX", smallest=1, confidence=0.6).prediction
    assert fewer.left_out["confidence"] == len(everything.measurements["label"]) - len(fewer.measurements["label"]) > 0
    assert fewer.measurements["confidence"].min() >= 0.6
    assert everything.measurements["confidence"].min() < 0.6


def test_left_out_is_said_in_words_at_none_too() -> None:
    options = get_task("instances").from_options({"smallest": 1347}).options
    said = left_out_text(options, {"smallest": 12, "confidence": 0})
    assert said == "12 smaller than 1,347 px, 0 less clear than 0.30 left out"
    assert left_out_text(options, {}) == ""
    assert left_out_text(get_task("denoising")().options, {}) == ""


def test_only_what_decides_about_decoding_is_offered() -> None:
    assert list(decoding_options(get_task("instances")().options)) == [
        "probability",
        "merging",
        "confidence",
        "smallest",
    ]
    assert list(decoding_options(get_task("counting")().options)) == ["confidence"]
    for name in ("segmentation", "denoising", "classification"):
        assert decoding_options(get_task(name)().options) == {}


def test_of_what_is_too_large_nothing_is_kept() -> None:
    frame = 2 * 4 * 48 * 40
    event = predicted(objects_model("TYX"), "TYX", 3 * frame)
    assert event.kept is not None
    assert (event.kept.bytes, event.kept.too_large) == (3 * frame, False)
    event = predicted(objects_model("TYX"), "TYX", 3 * frame - 1)
    assert event.kept is not None
    assert (event.kept.bytes, event.kept.too_large) == (0, True)
    with pytest.raises(ModelMismatchError):
        KeptOutputs().decode(event.task, series=False)
    with pytest.raises(SettingsError):
        decode_again(predicted(objects_model("YX"), "YX"), {"smallest": 0})


def test_all_images_share_the_room() -> None:
    model = objects_model("YX")
    image = Image("field", np.random.default_rng(1).random(SHAPES["YX"], np.float32), "YX")
    one = 2 * 4 * 70 * 90
    images, config = [OpenImage(image, k) for k in range(3)], PredictionConfig(device="cpu")
    events = predict_open_images(Path(), images, config, lambda _, config: Predictor(model, config), 2 * one)
    kept = [event.kept for event in events if isinstance(event, OpenImagePredicted)]
    assert [one.too_large for one in kept if one] == [False, False, True]


def test_options_are_kept_in_the_model_file(tmp_path: Path) -> None:
    model, path = objects_model("YX"), tmp_path / "model.safetensors"
    save_model(path, model.weights, model.card)
    keep_options(path, {"smallest": 40})
    made = Predictor(path, PredictionConfig(device="cpu"))
    assert made.task.options.model_dump() == {**made.task.options.model_dump(), **BASE, "smallest": 40}
    before = path.read_bytes()
    with pytest.raises(SettingsError, match="cannot change: kinds"):
        keep_options(path, {"kinds": ("a",)})
    with pytest.raises(SettingsError):
        keep_options(path, {"smallest": 0})
    assert path.read_bytes() == before


@pytest.mark.parametrize("axes", ["YX", "TYX"])
def test_where_objects_were_nearly_found_is_told_with_results_that_are_looked_at(axes: str) -> None:
    first = predicted(objects_model(axes), axes, probability=0.6)
    near = first.prediction.near_misses
    assert near
    assert [one.confidence for one in near] == sorted((one.confidence for one in near), reverse=True)
    labels = first.prediction.labels
    assert labels is not None
    for one in near:
        times, start = one.start[: labels.ndim - 2], one.start[labels.ndim - 2 :]
        window = tuple(slice(a, a + n) for a, n in zip(start, one.mask.shape, strict=True))
        assert not labels[times][window][one.mask].any()
    assert {one.start[0] for one in near} == {0, 1, 2} or axes == "YX"
    again = decode_again(first, {"probability": 0.35})
    assert len(again.prediction.near_misses) != len(near)
