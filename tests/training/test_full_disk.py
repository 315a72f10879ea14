"""Disks that take no more while a training runs: it goes on, keeps what it can, and says what it cannot."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from microforge.config import TrainingConfig
from microforge.errors import WriteError
from microforge.events import CheckpointSaved, RunAdvice, RunFinished, StepFinished, TrainingEvent
from microforge.io.model_file import load_model
from microforge.training import schedule
from microforge.training.loop import train
from support.discs import disc_sample
from support.full_disk import set_largest_file
from support.runs import of_type

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files")

STEPS = 6


@pytest.fixture
def largest_file() -> Iterator["type[LargestFile]"]:
    yield LargestFile
    LargestFile.set(None)


class LargestFile:
    """How large files may become in this process, as on a disk that is nearly full."""

    @staticmethod
    def set(size: int | None) -> None:
        set_largest_file(size)


def events_of(folder: Path, limits: dict[int, int | None], disk: type[LargestFile]) -> list[TrainingEvent]:
    """Train, and set the limit after these steps."""
    config = TrainingConfig(task="instances", device="cpu", steps=STEPS, width=4, depth=1, patch_size=32, batch_size=1)
    events = []
    try:
        for event in train(config, [disc_sample("a", seed=1)], (), folder):
            if isinstance(event, StepFinished) and event.step in limits:
                disk.set(limits[event.step])
            events.append(event)
    finally:
        disk.set(None)  # what reports about this test writes files too
    return events


@pytest.fixture(autouse=True)
def checkpoint_after_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "CHECKPOINT_EVERY", 0.0)
    monkeypatch.setattr(schedule, "CHECKPOINT_SHARE", 1e9)


def unwritten(events: list[TrainingEvent]) -> list[RunAdvice]:
    return [advice for advice in of_type(events, RunAdvice) if advice.code == "unwritten"]


def test_a_training_outlives_a_disk_that_is_full_for_a_while_and_says_so_once(
    tmp_path: Path, largest_file: type[LargestFile]
) -> None:
    events = events_of(tmp_path, {2: 1000, 4: None}, largest_file)
    [advice] = unwritten(events)
    assert advice.severity == "warning"
    assert "could not be written" in advice.text
    assert [saved.step for saved in of_type(events, CheckpointSaved)] == [1, 4, 5, 6]
    assert isinstance(events[-1], RunFinished)
    assert load_model(tmp_path / "model.safetensors").card.training.steps == STEPS


def test_a_model_is_kept_where_only_its_checkpoint_finds_no_room(
    tmp_path: Path, largest_file: type[LargestFile]
) -> None:
    events = events_of(tmp_path, {}, largest_file)
    model, checkpoint = (tmp_path / f"{name}.safetensors" for name in ("model", "checkpoint"))
    between = (model.stat().st_size + checkpoint.stat().st_size) // 2
    events = events_of(tmp_path / "b", {1: between}, largest_file)
    assert "this training cannot be continued" in unwritten(events)[-1].text
    assert isinstance(events[-1], RunFinished)
    assert load_model(tmp_path / "b" / "model.safetensors").card.training.steps == STEPS


def test_a_model_that_finds_no_room_is_said_and_the_one_before_is_whole(
    tmp_path: Path, largest_file: type[LargestFile]
) -> None:
    with pytest.raises(WriteError, match=r"model\.safetensors.*could not be written"):
        events_of(tmp_path, {3: 1000}, largest_file)
    assert load_model(tmp_path / "model.safetensors").card.training.steps == 2
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]
