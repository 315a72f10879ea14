"""Previews are shown from when on they are worth looking at."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from microforge.answers.words import first_look_text
from microforge.config import TrainingConfig
from microforge.events import PreviewAwaited, PreviewReady, TileFinished
from microforge.training.loop import train
from microforge.training.mailbox import Live
from microforge.training.quality.first_look import LAST, FirstLook
from microforge.training.setup import Setup, make_setup
from microforge.types import Prediction, Sample
from support.discs import disc_sample

CONFIG = TrainingConfig(device="cpu", patch_size=32, width=8, batch_size=4)


def setup_of(*samples: Sample) -> Setup:
    return make_setup(CONFIG, samples, ())


def answering(labels: Callable[[Sample], np.ndarray]) -> Callable[[Sample], Iterator[TileFinished | Prediction]]:
    def predict(sample: Sample) -> Iterator[TileFinished | Prediction]:
        yield TileFinished(1, 1)
        yield Prediction(labels=labels(sample).astype(np.int32))

    return predict


def everything(sample: Sample) -> np.ndarray:
    return np.ones(sample.image.shape[1:])


def truth(sample: Sample) -> np.ndarray:
    assert sample.annotation is not None
    return sample.annotation


def test_what_calls_everything_an_object_is_not_shown_until_the_last_step() -> None:
    setup = setup_of(disc_sample())
    first = FirstLook(setup)
    for step in (2, 40, LAST - 1):
        list(first.try_it(setup.task, step, answering(everything)))
        assert not first.reached
        assert first.steps_left(step) == LAST - step
    list(first.try_it(setup.task, LAST, answering(everything)))
    assert first.reached


def test_what_finds_the_objects_is_shown_at_once_and_stays_shown() -> None:
    setup = setup_of(disc_sample())
    first = FirstLook(setup)
    list(first.try_it(setup.task, 3, answering(truth)))
    assert first.reached
    list(first.try_it(setup.task, 4, answering(everything)))
    assert first.reached


def test_of_a_large_image_a_part_with_objects_is_looked_at() -> None:
    rng = np.random.default_rng(0)
    image = rng.normal(20, 1, (1, 900, 900)).astype(np.float32)
    labels = np.zeros((900, 900), np.int32)
    for number, (y, x) in enumerate([(800, 700), (820, 730), (790, 760)], start=1):
        labels[y : y + 12, x : x + 12] = number
    image[0][labels > 0] += 80
    setup = setup_of(Sample("large", image, labels))
    looked_at: list[Sample] = []

    def predict(sample: Sample) -> Iterator[TileFinished | Prediction]:
        looked_at.append(sample)
        yield Prediction(labels=truth(sample))

    list(FirstLook(setup).try_it(setup.task, 3, predict))
    (part,) = looked_at
    assert part.image.shape == (1, 256, 256)
    assert len(np.unique(truth(part))) == 4
    assert part.whole is setup.training[0].image


def test_a_model_that_goes_on_shows_its_answer_at_once(tmp_path: Path) -> None:
    sample = disc_sample()
    list(train(CONFIG.model_copy(update={"steps": 3}), [sample], (), tmp_path))
    config = CONFIG.model_copy(update={"start_from": tmp_path / "model.safetensors"})
    assert FirstLook(make_setup(config, [sample], ())).reached


def test_a_run_says_when_the_first_look_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("microforge.training.schedule.Repeated.due", lambda _: True)
    live, sample = Live(), disc_sample()
    live.set_preview("view", replace(sample, annotation=None))
    seen = list(train(CONFIG.model_copy(update={"steps": 8}), [sample], (), tmp_path, live))
    awaited = [event for event in seen if isinstance(event, PreviewAwaited)]
    assert awaited
    assert awaited[0].token == "view"
    assert all(event.seconds > 0 for event in awaited)
    assert not any(isinstance(event, PreviewReady) for event in seen[: seen.index(awaited[-1])])


@pytest.mark.parametrize(("seconds", "words"), [(1, "5 s"), (18, "20 s"), (60, "60 s"), (100, "2 minutes")])
def test_waiting_is_said_roughly(seconds: float, words: str) -> None:
    assert first_look_text(seconds) == f"First look in about {words}."
