"""Runs that learn from their own answers: when, of which images, and the same when they go on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from microforge import train
from microforge.config import TrainingConfig
from microforge.events import TrainingEvent
from microforge.tasks.instances.task import Instances
from microforge.training.mailbox import Live
from microforge.training.step import own_answers
from microforge.training.step.own_answers import TOLD, OwnAnswers
from microforge.types import Sample
from support.discs import draw_discs

STEPS, ASKED = 100, 80


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_answers, "ASKED_AT", ASKED)


def partly(painted: int = 10) -> Sample:
    image, truth = draw_discs((128, 128), 24)
    labels = np.where(truth <= painted, truth, 0)
    return Sample("few", image[None], labels, mask=labels > 0, partly_painted=True)


def run(folder: Path, sample: Sample, *, stop: int = STEPS, resume: bool = False) -> list[TrainingEvent]:
    config = TrainingConfig(device="cpu", steps=STEPS, width=8, patch_size=64, batch_size=4)
    live, events = Live(), []
    for event in train(config, [sample], (), folder, live, resume=resume):
        events.append(event)
        if getattr(event, "step", 0) >= stop:
            live.stop()
    return events


def test_objects_nobody_painted_are_learnt_from_once_the_network_finds_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Sample] = []
    complete = Instances.completed

    def noted(task: Instances, sample: Sample, answer: Sample) -> Sample:
        given.append(complete(task, sample, answer))
        return given[-1]

    monkeypatch.setattr(Instances, "completed", noted)
    events = run(tmp_path, partly())
    assert events.count(TOLD) == 1
    (sample,) = given
    assert len(np.unique(sample.annotation)) - 1 >= 10 + 4, "of 14 that nobody painted"


def test_an_image_with_a_region_is_learnt_from_as_it_is(tmp_path: Path) -> None:
    sample = replace(partly(), mask=np.indices((128, 128))[0] < 64, partly_painted=False)
    assert TOLD not in run(tmp_path, sample)


def test_a_run_that_goes_on_learns_the_same_as_one_that_was_not_stopped(tmp_path: Path) -> None:
    run(tmp_path / "whole", partly())
    run(tmp_path / "parts", partly(), stop=ASKED + 10)
    run(tmp_path / "parts", partly(), resume=True)
    whole, parts = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "parts"))
    for name, weights in whole.items():
        np.testing.assert_array_equal(weights, parts[name])


def test_images_are_looked_at_once_until_they_change(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Sample] = []

    def is_open(_task: Instances, sample: Sample) -> bool:
        looks.append(sample)
        return sample.inferred

    monkeypatch.setattr(Instances, "is_open", is_open)
    own, complete = OwnAnswers(Instances(), torch.device("cpu")), (replace(partly(), partly_painted=False),)
    assert not own.due(ASKED - 1, complete)
    assert looks == []
    assert not any(own.due(ASKED + step, complete) for step in range(5))
    assert len(looks) == 1
    assert own.due(ASKED + 5, (replace(complete[0], inferred=True),))
