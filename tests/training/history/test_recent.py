"""Models of earlier runs are found again, the newest first."""

import os
from pathlib import Path

import numpy as np

from microforge.config import TrainingConfig
from microforge.events import RunStarted
from microforge.io.model_file import TrainingSummary, read_card
from microforge.training.history.recent import recent_models
from microforge.training.loop import train
from microforge.training.mailbox import Live
from microforge.types import Sample
from support.discs import disc_sample
from support.model_cards import write_model

SCORES = {"F1@0.5": 0.9, "recall@0.5": 0.9, "precision@0.5": 0.9, "AP@0.5": 0.8}


def make_run(folder: Path, at: float, name: str = "model.safetensors", **card: object) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write_model(path, **card)
    os.utime(path, (at, at))
    return path


def test_the_newest_come_first_and_those_of_before_are_told_apart(tmp_path: Path) -> None:
    old = make_run(tmp_path / "a", 100)
    new = make_run(tmp_path / "b", 300)
    before = make_run(tmp_path / "b", 200, "models/001.safetensors")
    found = list(recent_models([tmp_path]))
    assert [(one.path, one.earlier) for one in found] == [(new, False), (before, True), (old, False)]
    assert {one.run for one in found} == {tmp_path / "a", tmp_path / "b"}


def test_a_model_says_what_it_was_learnt_from_and_how_good_it_is(tmp_path: Path) -> None:
    summary = TrainingSummary(annotated="62 objects in 3 images", images=3)
    make_run(tmp_path / "a", 1, training=summary, metrics=SCORES)
    make_run(tmp_path / "b", 2, training=TrainingSummary(images=1), metrics={})
    unknown, known = recent_models([tmp_path])
    assert known.in_words == "62 objects in 3 images · finds 9 of 10 objects"
    assert unknown.in_words == "1 image · quality unknown"


def test_what_is_broken_or_no_run_is_passed_over(tmp_path: Path) -> None:
    good = make_run(tmp_path / "good", 1)
    make_run(tmp_path / "unknown goal", 2, task="juggling")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "model.safetensors").write_bytes(b"half")
    (tmp_path / "empty").mkdir()
    (tmp_path / "checkpoint.safetensors").write_bytes(b"")
    os.symlink(tmp_path / "nowhere", tmp_path / "gone")
    assert [one.path for one in recent_models([tmp_path, tmp_path / "missing", tmp_path])] == [good]


def test_of_very_many_the_newest_are_read_only(tmp_path: Path) -> None:
    for number in range(60):
        make_run(tmp_path / f"run {number}", number)
    found = list(recent_models([tmp_path], most=5))
    assert [one.run.name for one in found] == [f"run {number}" for number in (59, 58, 57, 56, 55)]


def test_a_thumbnail_is_of_the_newest_model_of_a_run(tmp_path: Path) -> None:
    make_run(tmp_path / "a", 2)
    make_run(tmp_path / "a", 1, "models/001.safetensors")
    (tmp_path / "a" / "thumbnail.png").write_bytes(b"png")
    assert [one.thumbnail for one in recent_models([tmp_path])] == [tmp_path / "a" / "thumbnail.png", None]


def objects_in(*samples: Sample) -> int:
    return sum(int((np.unique(sample.annotation) > 0).sum()) for sample in samples)


def test_the_card_tells_what_was_annotated_by_the_end(tmp_path: Path) -> None:
    config = TrainingConfig(device="cpu", steps=3, width=8, patch_size=32, batch_size=2)
    first, second, painted_on = (disc_sample(f"field {k}", seed=k, count=n) for k, n in ((0, 12), (1, 3), (1, 12)))
    live = Live()
    for event in train(config, [first, second], (), tmp_path, live):
        if isinstance(event, RunStarted):
            live.replace(painted_on)
    told = f"{objects_in(first, painted_on)} objects in 2 images"
    assert read_card(tmp_path / "model.safetensors").training.annotated == told
