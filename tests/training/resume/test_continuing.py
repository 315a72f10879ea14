"""A run that goes on takes what it was; what it cannot take is refused in words, with nothing written."""

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from microforge.config import TrainingConfig
from microforge.errors import FolderInUseError, ModelFileError, ModelMismatchError
from microforge.events import RunAdvice, RunStarted, StepFinished, TrainingEvent
from microforge.io.model_file import load_model, read_card
from microforge.networks.unet import UNet
from microforge.training.checkpoint import load_checkpoint, save_checkpoint
from microforge.training.loop import train
from microforge.training.mailbox import Live
from microforge.types import Points, Sample
from support.discs import disc_sample
from support.runs import csv_rows, of_type

QUICK = TrainingConfig(device="cpu", steps=4, width=8, patch_size=32, batch_size=2)


def fields(count: int = 5) -> list[Sample]:
    return [disc_sample(f"field {k}", seed=k) for k in range(count)]


def run(folder: Path, samples: Sequence[Sample], config: TrainingConfig = QUICK, **how: Any) -> list[TrainingEvent]:
    return list(train(config, samples, how.pop("validation", None), folder, **how))


def longer(config: TrainingConfig = QUICK, steps: int = 8, **changes: Any) -> TrainingConfig:
    return config.model_copy(update={"steps": steps, **changes})


def started(events: Sequence[TrainingEvent]) -> RunStarted:
    event: RunStarted = of_type(events, RunStarted)[0]
    return event


def kept(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("more", range(6, 10))
def test_images_that_come_later_move_no_other_to_the_other_side(tmp_path: Path, more: int) -> None:
    first = started(run(tmp_path, fields(5)))
    second = started(run(tmp_path, fields(more), longer(), resume=True))
    assert set(first.training) <= set(second.training)
    assert set(first.validation) <= set(second.validation)


def test_the_cut_of_an_image_stays_where_more_of_it_is_annotated(tmp_path: Path) -> None:
    sample = disc_sample("only", shape=(128, 400), count=120)
    part = np.zeros((128, 400), bool)
    part[:, :240] = True
    run(tmp_path, [replace(sample, mask=part)])
    cut = load_checkpoint(tmp_path).values["run"]["split"]["cuts"]["only"]
    run(tmp_path, [sample], longer(), resume=True)
    assert load_checkpoint(tmp_path).values["run"]["split"]["cuts"]["only"] == cut


def painted(name: str, *values: int) -> Sample:
    """Stripes of classes beside each other, each as bright as its value."""
    labels = np.repeat(np.array(values, np.int32), 16)[None].repeat(48, axis=0)
    return Sample(name, (labels[None] * 50 + 20).astype(np.uint8), labels)


def with_points(name: str, *kinds: str) -> Sample:
    places = np.array([[12, 12], [12, 36], [36, 12], [36, 36]], np.float32)[: len(kinds)]
    names = tuple(dict.fromkeys(kinds))
    kind = np.array([names.index(one) for one in kinds], np.int32)
    return replace(painted(name, 1, 2, 1), annotation=None, points=Points(places, kind, names))


def of_class(name: str, class_name: str) -> Sample:
    return replace(painted(name, 1, 2, 1), annotation=None, class_name=class_name)


@pytest.mark.parametrize(
    ("task", "before", "after", "learnt"),
    [
        ("segmentation", [painted("a", 1, 3, 1)], [painted("a", 1, 3, 2)], {"classes": {"1", "2", "3"}}),
        ("counting", [with_points("a", "x", "y", "x")], [with_points("a", "x", "y", "z")], {"kinds": {"x", "y", "z"}}),
        (
            "classification",
            [of_class("a", "p"), of_class("b", "q")],
            [of_class("a", "p"), of_class("b", "q"), of_class("c", "r")],
            {"names": {"p", "q", "r"}},
        ),
    ],
)
def test_a_third_class_or_kind_is_learnt_in_addition(
    tmp_path: Path, task: str, before: list[Sample], after: list[Sample], learnt: dict[str, set[str]]
) -> None:
    config = longer(steps=4, task=task)
    run(tmp_path, before, config, validation=())
    first = load_model(tmp_path / "model.safetensors")
    events = run(tmp_path, after, longer(config, learning_rate=1e-9), validation=(), resume=True)
    second = load_model(tmp_path / "model.safetensors")
    assert started(events).resumed_at == 4
    assert {name: set(second.card.task_options[name]) for name in learnt} == learnt
    shared = [n for n, w in first.weights.items() if n.startswith("down") and w.shape == second.weights[n].shape]
    assert len(shared) > 3
    assert second.card.network.out_channels == first.card.network.out_channels + 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"width": 16}, "Train anew: the width was changed from 8 to 16"),
        ({"depth": 3}, "Train anew: the depth was changed from 2 to 3"),
        ({"seed": 7}, "Train anew: the seed was changed from 0 to 7"),
        ({"task": "segmentation"}, "Train anew: the task was changed from instances to segmentation"),
        ({"normalisation": "dataset"}, "Train anew: the normalisation was changed from image to dataset"),
    ],
)
def test_what_a_run_cannot_change_is_refused_and_nothing_is_written(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    run(tmp_path, fields())
    before = kept(tmp_path)
    with pytest.raises(ModelMismatchError, match=words):
        train(longer(**changes), fields(), None, tmp_path, resume=True)
    assert kept(tmp_path) == before


def test_images_of_another_kind_are_refused(tmp_path: Path) -> None:
    run(tmp_path, fields())
    two = [replace(sample, image=np.concatenate([sample.image] * 2)) for sample in fields()]
    with pytest.raises(ModelMismatchError, match="number of channels was changed from 1 to 2"):
        train(longer(), two, None, tmp_path, resume=True)


def test_other_images_or_annotations_are_refused_where_the_same_are_asked_for(tmp_path: Path) -> None:
    run(tmp_path, fields())
    other = [replace(fields()[0], annotation=fields()[1].annotation), *fields()[2:], disc_sample("new", seed=9)]
    with pytest.raises(ModelMismatchError, match=r"1 changed \(field 0\), 1 new \(new\), 1 missing \(field 1\)"):
        train(longer(), other, None, tmp_path, resume=True, same_images=True)
    assert started(run(tmp_path, fields(), longer(), resume=True, same_images=True)).resumed_at == 4


def test_resuming_with_other_groups_is_refused(tmp_path: Path) -> None:
    grouped = [replace(sample, group="slide 1") for sample in fields()]
    run(tmp_path, grouped)
    with pytest.raises(ModelMismatchError, match=r"annotations or groups are not those .* changed \(field 0"):
        train(longer(), fields(), None, tmp_path, resume=True, same_images=True)
    assert started(run(tmp_path, grouped, longer(), resume=True, same_images=True)).resumed_at == 4


def test_a_new_run_in_a_folder_leaves_nothing_of_the_old_to_resume(tmp_path: Path) -> None:
    run(tmp_path, fields())
    old = kept(tmp_path)
    events = train(QUICK.model_copy(update={"seed": 5}), fields(), None, tmp_path)
    next(event for event in events if isinstance(event, RunStarted))
    with pytest.raises(ModelFileError, match="no checkpoint"):
        train(QUICK.model_copy(update={"seed": 5}), fields(), None, tmp_path, resume=True)
    assert kept(tmp_path / "replaced") == old
    del events


def test_two_runs_at_once_in_a_folder_are_refused(tmp_path: Path) -> None:
    events = train(longer(steps=50), fields(2), (), tmp_path)
    next(event for event in events if isinstance(event, StepFinished))
    with pytest.raises(FolderInUseError, match="a training"):
        run(tmp_path, fields(2), validation=())
    events.close()  # type: ignore[attr-defined]
    assert started(run(tmp_path, fields(2), longer(steps=50), validation=(), resume=True)).resumed_at == 1


def test_what_a_killed_run_left_half_written_is_removed_and_other_files_are_not(tmp_path: Path) -> None:
    for name in (".0a1b2c3d-checkpoint.safetensors", ".0a1b2c3d-model.safetensors", ".mine", "notes.txt"):
        (tmp_path / name).write_text("half")
        os.utime(tmp_path / name, (1, 1))
    run(tmp_path, fields())
    assert {".mine", "notes.txt"} <= set(kept(tmp_path))
    assert not list(tmp_path.glob(".0a1b2c3d-*"))


def test_the_log_has_each_step_once_after_a_resume(tmp_path: Path) -> None:
    config = longer(steps=40)
    for event in train(config, fields(), (), tmp_path):
        if isinstance(event, StepFinished) and event.step == 25:
            early = kept(tmp_path)
            break
    assert "checkpoint.safetensors" not in early
    events = train(config, fields(), (), tmp_path)
    for event in events:
        if isinstance(event, StepFinished) and event.step == 15:
            events.close()  # type: ignore[attr-defined]
            break
    with (tmp_path / "log.csv").open("a", encoding="utf-8", newline="") as file:
        file.write("20,1.0,0.5,3.0,,\r\n30,1.2,0.")
    run(tmp_path, fields(), config, validation=(), resume=True)
    assert [int(row["step"]) for row in csv_rows(tmp_path / "log.csv")] == [10, 20, 30, 40]


def test_a_log_that_cannot_be_written_is_said_once_and_the_model_is_trained(tmp_path: Path) -> None:
    events = []
    for event in train(longer(steps=40), fields(2), (), tmp_path):
        if isinstance(event, StepFinished) and event.step == 5:
            (tmp_path / "log.csv").unlink()
            (tmp_path / "log.csv").mkdir()
        events.append(event)
    assert len([advice for advice in of_type(events, RunAdvice) if "log.csv cannot be written" in advice.text]) == 1
    assert read_card(tmp_path / "model.safetensors").training.steps == 40


def test_a_resume_after_short_memory_and_edits_gives_the_weights_of_the_uninterrupted_run(tmp_path: Path) -> None:
    edit = replace(fields()[1], annotation=fields()[2].annotation)
    late = disc_sample("late", seed=30)

    def go(folder: Path, stop: int | None, resume: bool) -> None:
        live, samples = Live(), fields(3)
        if resume:
            samples = [late, samples[2], edit, samples[0]]
        events = train(longer(steps=10), samples, (), folder, live, resume=resume)
        handle = nn.modules.module.register_module_forward_hook(short_once(3) if not resume else lambda *_: None)
        try:
            for event in events:
                if isinstance(event, StepFinished) and event.step == 2 and not resume:
                    live.replace(edit)
                    live.replace(late)
                if isinstance(event, StepFinished) and event.step == stop:
                    events.close()  # type: ignore[attr-defined]
                    return
        finally:
            handle.remove()

    go(tmp_path / "whole", None, False)
    go(tmp_path / "parts", 6, False)
    go(tmp_path / "parts", None, True)
    whole, parts = (load_checkpoint(tmp_path / name) for name in ("whole", "parts"))
    assert whole.values["run"]["batch_size"] == parts.values["run"]["batch_size"] == 1
    assert whole.tensors.keys() == parts.tensors.keys()
    assert all(torch.equal(tensor, parts.tensors[name]) for name, tensor in whole.tensors.items())


def short_once(at: int) -> Any:
    """Give a hook that lets memory be short at one of the steps (from 1)."""
    steps = iter(range(1, 10_000))

    def hook(module: nn.Module, _: object, output: object) -> None:
        if isinstance(module, UNet) and module.training and next(steps) == at:
            raise torch.OutOfMemoryError("CUDA out of memory")

    return hook


def test_a_run_continued_says_which_roles_it_cannot_change(tmp_path: Path) -> None:
    run(tmp_path, fields(3), validation=[disc_sample("aside", seed=9)])
    events = run(tmp_path, [*fields(2), disc_sample("aside", seed=9)], longer(), validation=[fields()[2]], resume=True)
    texts = " ".join(advice.text for advice in of_type(events, RunAdvice))
    assert "field 2 was learnt from" in texts
    assert "aside stays kept aside" in texts
    assert set(started(events).validation) == {"aside"}
    assert set(started(events).training) == {"field 0", "field 1", "field 2"}


@pytest.mark.parametrize("spoil", ["other program", "no values", "older", "wrong kinds"])
def test_checkpoints_that_make_no_sense_are_refused_in_words(tmp_path: Path, spoil: str) -> None:
    run(tmp_path, fields(2), validation=())
    (tmp_path / "checkpoint-previous.safetensors").unlink(missing_ok=True)
    checkpoint = load_checkpoint(tmp_path)
    values: dict[str, Any] = dict(checkpoint.values)
    values = {
        "other program": {"step": 3},
        "no values": {},
        "older": {name: value for name, value in values.items() if name != "run"},
        "wrong kinds": {**values, "run": {**values["run"], "split": [3]}},
    }[spoil]
    save_checkpoint(tmp_path, {"network": checkpoint.part("network")}, values)
    (tmp_path / "checkpoint-previous.safetensors").unlink()
    with pytest.raises(ModelFileError, match="Start a new run"):
        run(tmp_path, fields(2), longer(), validation=(), resume=True)


def test_bits_that_flipped_in_the_newest_checkpoint_are_noticed_and_the_older_one_survives(tmp_path: Path) -> None:
    for step in (1, 2):
        save_checkpoint(tmp_path, {"network": {"w": torch.full((64,), float(step))}}, {"step": step})
    path = tmp_path / "checkpoint.safetensors"
    content = bytearray(path.read_bytes())
    content[-17] ^= 1
    path.write_bytes(content)
    assert load_checkpoint(tmp_path).values["step"] == 1
    save_checkpoint(tmp_path, {"network": {"w": torch.full((64,), 3.0)}}, {"step": 3})
    path.unlink()
    assert load_checkpoint(tmp_path).values["step"] == 1


def test_checkpoints_can_be_read_by_whom_other_files_can(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, {"network": {"w": torch.ones(2)}}, {})
    (tmp_path / "other").write_text("")
    assert path.stat().st_mode == (tmp_path / "other").stat().st_mode


def test_the_settings_on_disk_tell_who_measures(tmp_path: Path) -> None:
    aside = started(run(tmp_path, fields())).validation
    roles = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))["split"]["roles"]
    assert tuple(name for name, role in roles.items() if role == "validation") == aside
