"""A model that goes on is compared, on the same images, with the one it began with."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from microforge.config import TrainingConfig
from microforge.evaluation.comparison import image_scores
from microforge.events import ComparedWithStart, RunFinished, StepFinished, TrainingEvent, Validated
from microforge.inference.predictor import Predictor
from microforge.io.model_file import read_card
from microforge.training.checkpoint import load_checkpoint, save_checkpoint
from microforge.training.loop import train
from microforge.training.mailbox import Live
from microforge.types import Sample
from support.discs import disc_sample
from support.runs import of_type

LEARNT = [disc_sample(f"field {k}", seed=k) for k in range(2)]
ASIDE = [disc_sample(f"aside {k}", seed=10 + k) for k in range(5)]


def run(folder: Path, steps: int, aside: list[Sample] = ASIDE, **more: object) -> Iterator[TrainingEvent]:
    values = {"device": "cpu", "steps": steps, "width": 8, "patch_size": 32, "batch_size": 2}
    config = TrainingConfig(**(values | {"start_from": more.pop("start_from", None)}))
    return train(config, more.pop("learnt", LEARNT), aside, folder, more.pop("live", None), **more)  # type: ignore[arg-type]


def compared(events: Iterator[TrainingEvent]) -> list[ComparedWithStart]:
    return of_type(list(events), ComparedWithStart)


def test_a_run_from_nothing_is_compared_with_nothing(tmp_path: Path) -> None:
    assert not compared(run(tmp_path, 3))
    assert read_card(tmp_path / "model.safetensors").versus is None


def test_a_run_that_goes_on_is_compared_image_by_image(tmp_path: Path) -> None:
    list(run(tmp_path, 3))
    [said] = compared(run(tmp_path, 120, resume=True))
    assert said.start == tmp_path / "models" / "001.safetensors"
    task = Predictor(said.start).task
    first, second = (
        image_scores(task, {s.name: task.tally(Predictor(path).predict(s), s) for s in ASIDE})
        for path in (said.start, tmp_path / "model.safetensors")
    )
    differences = np.array([second[name] - first[name] for name in first])
    assert (said.better, said.worse, said.alike) == (
        (differences > 0).sum(), (differences < 0).sum(), (differences == 0).sum()
    )  # fmt: skip
    assert said.mean == pytest.approx(differences.mean())
    assert "than before on" in said.text
    card = read_card(tmp_path / "model.safetensors")
    assert card.versus is not None
    assert (card.versus.text, card.versus.metric) == (said.text, "AP@0.5")


def test_it_comes_before_the_end_also_after_stop(tmp_path: Path) -> None:
    list(run(tmp_path, 3))
    live, seen = Live(), []
    for event in run(tmp_path, 100, resume=True, live=live):
        seen.append(event)
        if isinstance(event, StepFinished) and event.step == 5:
            live.stop()
    assert [type(event) for event in seen[-2:]] == [ComparedWithStart, RunFinished]
    assert seen[-2].images == len(ASIDE)


def test_a_model_to_start_from_is_compared_with(tmp_path: Path) -> None:
    list(run(tmp_path / "first", 120))
    [said] = compared(run(tmp_path / "second", 1, start_from=tmp_path / "first" / "model.safetensors"))
    assert said.images == len(ASIDE)
    assert "the model it started from" in said.text
    assert not (tmp_path / "second" / "models").exists()


def test_a_worse_model_is_told_and_both_are_kept(tmp_path: Path) -> None:
    list(run(tmp_path / "first", 150))
    # What it learns from says that there is hardly anything: it forgets.
    nothing = [replace(s, annotation=s.annotation * (np.arange(96) > 90)) for s in LEARNT if s.annotation is not None]
    start = tmp_path / "first" / "model.safetensors"
    [said] = compared(run(tmp_path / "second", 100, learnt=nothing, start_from=start))
    assert said.is_worse
    assert said.text.startswith("Worse than the model it started from on ")
    assert said.start == start
    assert start.exists()
    assert (tmp_path / "second" / "model.safetensors").exists()


def test_nothing_kept_aside_is_said(tmp_path: Path) -> None:
    list(run(tmp_path, 3, aside=[]))
    [said] = compared(run(tmp_path, 5, aside=[], resume=True))
    assert said.images == 0
    assert said.text == "Whether it is better than before cannot be told: nothing is kept aside."
    assert read_card(tmp_path / "model.safetensors").versus is None


def test_a_start_that_cannot_be_measured_ends_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    list(run(tmp_path, 3))

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no such device any more")

    monkeypatch.setattr("microforge.inference.predictor.Predictor.__init__", fail)
    events = list(run(tmp_path, 5, resume=True))
    assert "cannot be told: no such device any more." in of_type(events, ComparedWithStart)[0].text
    assert isinstance(events[-1], RunFinished)


def test_a_model_of_another_goal_is_not_compared_with(tmp_path: Path) -> None:
    config = TrainingConfig(device="cpu", task="denoising", steps=2, width=8, patch_size=32, batch_size=2)
    list(train(config, LEARNT, (), tmp_path / "clean"))
    [said] = compared(run(tmp_path / "objects", 3, start_from=tmp_path / "clean" / "model.safetensors"))
    assert "it has learnt something else" in said.text


def test_images_changed_meanwhile_are_those_both_are_scored_on(tmp_path: Path) -> None:
    list(run(tmp_path, 3))
    live, seen = Live(), []
    for event in run(tmp_path, 60, resume=True, live=live):
        seen.append(event)
        if isinstance(event, StepFinished) and event.step == 5:
            live.replace(disc_sample("aside 0", seed=99))
    assert of_type(seen, ComparedWithStart)[0].images == len(ASIDE)


def test_checkpoints_of_before_go_on(tmp_path: Path) -> None:
    assert of_type(list(run(tmp_path, 3)), Validated)
    old = load_checkpoint(tmp_path)
    values = json.loads(json.dumps(old.values))
    del values["best"]["tallies"]
    parts = {name: old.part(name) for name in ("network", "average", "optimiser", "best")}
    save_checkpoint(tmp_path, parts, values)
    assert isinstance(list(run(tmp_path, 5, resume=True))[-1], RunFinished)
