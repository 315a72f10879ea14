"""The simple method beside a running training: told while the model is worse, and kept in its card."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

from microforge.cli.app import app
from microforge.config import TrainingConfig
from microforge.events import RunFinished, Validated
from microforge.io.model_file import read_card
from microforge.training.loop import train
from microforge.training.mailbox import Live
from microforge.training.quality.baseline import BaselineMeasurement
from microforge.training.setup import make_setup
from microforge.types import Points, Sample
from support.discs import disc_sample
from support.runs import of_type

SMALL = TrainingConfig(device="cpu", steps=3, width=8, patch_size=32, batch_size=2)


def measured(config: TrainingConfig, training: list[Sample], validation: list[Sample]) -> BaselineMeasurement:
    beside = BaselineMeasurement(make_setup(config, training, validation))
    list(beside.measure(beside.setup.task, lambda: False))
    return beside


def fields(count: int = 3) -> list[Sample]:
    return [disc_sample(f"field {k}", seed=k) for k in range(count)]


def test_a_model_that_has_learnt_nothing_says_so_everywhere(tmp_path: Path) -> None:
    events = list(train(SMALL, fields(), [disc_sample("other", seed=9)], tmp_path))
    validated, finished = of_type(events, Validated)[-1], of_type(events, RunFinished)[0]
    assert validated.doubt is not None
    assert validated.doubt.brief == "not yet better than a threshold"
    assert finished.doubt is not None
    assert finished.doubt.brief == validated.doubt.brief
    assert "after 3 steps" in finished.doubt.text
    model = tmp_path / "model.safetensors"
    beside = read_card(model).baseline
    assert beside is not None
    assert beside.value is not None
    assert beside.value > 0.5
    assert "Otsu" in beside.name
    run = CliRunner()
    assert "not yet better than a threshold" in run.invoke(app, ["info", str(model)]).output.lower()
    tifffile.imwrite(tmp_path / "a.tif", fields(1)[0].image[0])
    told = run.invoke(app, ["predict", str(model), str(tmp_path / "a.tif"), "-o", str(tmp_path / "out"), "--json"])
    assert told.exit_code == 0
    assert "Warning: model.safetensors: Not yet better than a threshold" in told.output


def test_a_model_that_is_better_says_nothing(tmp_path: Path) -> None:
    config = TrainingConfig(device="cpu", steps=150, width=16, patch_size=64, batch_size=4)
    sloped = [replace(one, image=dim(one.image, k)) for k, one in enumerate(fields(5))]
    events = list(train(config, sloped[:4], sloped[4:], tmp_path))
    assert of_type(events, Validated)[-1].doubt is None
    assert of_type(events, RunFinished)[0].doubt is None
    assert read_card(tmp_path / "model.safetensors").baseline is not None


def dim(image: np.ndarray, seed: int) -> np.ndarray:
    """Give an image whose background rises from side to side, as a threshold cannot part it."""
    slope = np.linspace(0, 2000, image.shape[-1])
    return (image + slope + np.random.default_rng(seed).normal(0, 20, image.shape)).clip(0).astype(np.uint16)


def test_without_images_kept_aside_few_steps_are_said(tmp_path: Path) -> None:
    finished = of_type(list(train(SMALL, fields(), (), tmp_path)), RunFinished)[0]
    assert finished.doubt is not None
    assert "Quality was not measured, and 3 steps are few" in finished.doubt.text


def test_a_model_that_starts_from_another_is_not_said_to_have_few_steps(tmp_path: Path) -> None:
    list(train(SMALL, fields(), (), tmp_path / "first"))
    again = SMALL.model_copy(update={"start_from": tmp_path / "first" / "model.safetensors"})
    assert of_type(list(train(again, fields(), (), tmp_path / "second")), RunFinished)[0].doubt is None


def points(name: str, count: int, shape: tuple[int, int] = (64, 64), seed: int = 0) -> Sample:
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, shape[0] - 1, (count, 2)).astype(np.float32)
    image = rng.integers(0, 255, (1, *shape)).astype(np.uint8)
    return Sample(name, image, points=Points(places, np.zeros(count, np.int32)))


def test_a_mean_count_is_that_of_images_trained_on_and_not_of_those_it_is_measured_on() -> None:
    config = SMALL.model_copy(update={"task": "counting"})
    beside = measured(config, [points("a", 10), points("b", 20, seed=1)], [points("c", 25, seed=2)])
    assert beside.card.value == pytest.approx(25 - 15, abs=0.1)
    assert not beside.card.higher_is_better


def test_a_class_given_to_all_is_not_better_by_being_the_right_one() -> None:
    """Most images trained on are good, most kept aside are bad: always "bad" has learnt nothing."""

    def named(name: str, class_name: str) -> Sample:
        return replace(disc_sample(name), annotation=None, class_name=class_name)

    config = SMALL.model_copy(update={"task": "classification"})
    training = [named("a", "good"), named("b", "good"), named("c", "bad")]
    beside = measured(config, training, [named("d", "bad"), named("e", "bad"), named("f", "good")])
    assert beside.card.value == pytest.approx(2 / 3)


def test_a_mean_count_follows_the_area() -> None:
    config = SMALL.model_copy(update={"task": "counting"})
    beside = measured(config, [points("a", 40, (128, 128))], [points("c", 10, seed=2)])
    assert beside.card.value == pytest.approx(0, abs=0.1)


def test_it_is_measured_once(tmp_path: Path) -> None:
    beside = measured(SMALL, fields(), [disc_sample("other", seed=9)])
    assert list(beside.measure(beside.setup.task, lambda: False)) == []
    assert beside.card.images == 1


def test_images_of_which_nothing_is_known_do_not_end_the_training(tmp_path: Path) -> None:
    config = SMALL.model_copy(update={"task": "segmentation"})
    nothing = replace(disc_sample("nothing", seed=4), mask=np.zeros((96, 96), bool))
    assert len(of_type(list(train(config, fields(2), [nothing], tmp_path)), RunFinished)) == 1


def test_stop_is_heard_between_its_images_and_it_begins_anew() -> None:
    beside = BaselineMeasurement(make_setup(SMALL, fields(), [disc_sample("other", seed=9)]))
    task = beside.setup.task
    assert len(list(beside.measure(task, lambda: True))) == 0
    assert beside.card.value is None
    assert len(list(beside.measure(task, lambda: False))) == 4
    first = beside.card.value
    beside.forget(beside.setup)
    assert len(list(beside.measure(task, lambda: False))) == 4
    assert beside.card.value == first


def test_a_run_that_goes_on_still_knows_what_speaks_against_its_model(tmp_path: Path) -> None:
    other = [disc_sample("other", seed=9)]
    list(train(SMALL, fields(), other, tmp_path))
    live = Live()
    live.stop()
    (finished,) = of_type(list(train(SMALL, fields(), other, tmp_path, live, resume=True)), RunFinished)
    assert finished.doubt is not None
    assert finished.doubt.brief == "not yet better than a threshold"
