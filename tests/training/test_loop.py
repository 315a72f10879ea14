from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import torch

from microforge.config import TrainingConfig
from microforge.errors import (
    ModelFileError,
    ModelMismatchError,
    NotEnoughDataError,
    SettingsError,
)
from microforge.events import PreviewReady, RunAdvice, RunFinished, RunStarted, StepFinished, TrainingEvent, Validated
from microforge.inference.predictor import Predictor
from microforge.io.model_file import load_model, read_card
from microforge.tasks.abilities import CalibratesConfidence
from microforge.training import schedule as clock
from microforge.training import validation as validator
from microforge.training.advice import Watcher
from microforge.training.loop import train
from microforge.training.mailbox import Live
from microforge.types import Points, Sample
from support.discs import disc_sample
from support.runs import of_type

QUICK = TrainingConfig(device="cpu", steps=6, width=8, patch_size=32, batch_size=2)


def fields(count: int = 3) -> list[Sample]:
    return [disc_sample(f"field {k}", seed=k) for k in range(count)]


def run(folder: Path, config: TrainingConfig = QUICK, samples: list[Sample] | None = None) -> list[TrainingEvent]:
    return list(train(config, samples or fields(), (), folder))


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[TrainingEvent]]:
    """A model that has learnt discs, four images kept aside."""
    folder = tmp_path_factory.mktemp("learnt")
    config = TrainingConfig(device="cpu", steps=150, width=16, patch_size=64, batch_size=4)
    aside = [disc_sample(f"other {k}", seed=9 + k) for k in range(4)]
    return folder / "model.safetensors", list(train(config, fields(4), aside, folder))


def test_it_learns_discs(learnt: tuple[Path, list[TrainingEvent]]) -> None:
    model, events = learnt
    assert of_type(events, RunFinished)[0].metrics["AP@0.5"] > 0.7
    prediction = Predictor(model).predict(disc_sample("new", seed=20))
    truth = len(np.unique(disc_sample("new", seed=20).annotation)) - 1
    assert abs(len(np.unique(prediction.labels)) - 1 - truth) <= 3


def test_it_learns_how_sure_to_be_from_images_kept_aside(learnt: tuple[Path, list[TrainingEvent]]) -> None:
    predictor = Predictor(learnt[0])
    task = predictor.task
    assert isinstance(task, CalibratesConfidence)
    calibration = task.certainty()
    assert calibration is not None
    found = [predictor.predict(disc_sample(f"other {k}", seed=9 + k)) for k in range(4)]
    assert calibration.objects == sum(len(one.measurements["label"]) for one in found)
    said = np.concatenate([one.measurements["confidence"] for one in found])
    assert abs(said.mean() - calibration.right / calibration.objects) < 0.05
    new = predictor.predict(disc_sample("new", seed=20))
    assert np.allclose(new.measurements["confidence"], calibration.confidence(new.evidence))


def test_events_come_in_order(tmp_path: Path) -> None:
    events = run(tmp_path)
    steps = [event.step for event in of_type(events, StepFinished)]
    assert steps == [1, 2, 3, 4, 5, 6]
    started = events.index(of_type(events, RunStarted)[0])
    assert started < events.index(of_type(events, StepFinished)[0])
    last = events[-1]
    assert isinstance(last, RunFinished)
    assert (last.reason, last.model) == ("steps", tmp_path / "model.safetensors")


def test_resumed_run_equals_the_uninterrupted_one(tmp_path: Path) -> None:
    run(tmp_path / "whole", QUICK.model_copy(update={"steps": 8}))
    events = train(QUICK.model_copy(update={"steps": 8}), fields(), (), tmp_path / "parts")
    for event in events:
        if isinstance(event, StepFinished) and event.step == 4:
            events.close()
            break
    rest = list(train(QUICK.model_copy(update={"steps": 8}), fields(), (), tmp_path / "parts", resume=True))
    assert of_type(rest, StepFinished)[0].step == 5
    whole, parts = (load_model(tmp_path / name / "model.safetensors").weights for name in ("whole", "parts"))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path: Path) -> None:
    run(tmp_path)
    list(train(QUICK.model_copy(update={"steps": 9}), fields(), (), tmp_path, resume=True))
    (tmp_path / "checkpoint.safetensors").write_bytes(b"cut")
    rest = list(train(QUICK.model_copy(update={"steps": 12}), fields(), (), tmp_path, resume=True))
    assert of_type(rest, StepFinished)[0].step == 7


def test_nothing_to_resume_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="no checkpoint"):
        train(QUICK, fields(), (), tmp_path, resume=True)


def test_stop_keeps_the_model(tmp_path: Path) -> None:
    live, config = Live(), QUICK.model_copy(update={"steps": None})
    seen = []
    for event in train(config, fields(), (), tmp_path, live):
        seen.append(event)
        if isinstance(event, StepFinished) and event.step == 3:
            live.stop()
    assert of_type(seen, StepFinished)[-1].step == 3
    assert seen[-1].reason == "stopped"
    assert read_card(tmp_path / "model.safetensors").training.steps == 3


def test_discard_keeps_nothing(tmp_path: Path) -> None:
    live = Live()
    for event in train(QUICK.model_copy(update={"steps": None}), fields(), (), tmp_path / "run", live):
        if isinstance(event, StepFinished):
            live.discard()
    assert event.model is None
    assert not (tmp_path / "run").exists()


def test_closing_the_generator_saves(tmp_path: Path) -> None:
    events = train(QUICK.model_copy(update={"steps": None}), fields(), (), tmp_path)
    next(event for event in events if isinstance(event, StepFinished))
    events.close()
    assert {"model.safetensors", "checkpoint.safetensors"} <= {path.name for path in tmp_path.iterdir()}


def test_time_limit_holds_and_pauses_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = count()
    monkeypatch.setattr(clock.time, "perf_counter", lambda: next(now) / 100)
    pauses = 0
    for event in train(QUICK.model_copy(update={"steps": None, "time": 3.0}), fields(), (), tmp_path):
        if isinstance(event, StepFinished):
            for _ in range(500):
                next(now)
            pauses += 5
    assert isinstance(event, RunFinished)
    assert event.reason == "time"
    assert pauses > 10
    assert 2.0 < event.seconds < 3.2


def test_preview_comes_and_carries_the_token(tmp_path: Path) -> None:
    live = Live()
    live.set_preview("view 7", fields()[0])
    for event in train(QUICK.model_copy(update={"steps": None}), fields(), (), tmp_path, live):
        if isinstance(event, PreviewReady):
            live.stop()
            assert event.token == "view 7"
            assert event.prediction.labels.shape == (96, 96)
            break
    else:
        pytest.fail("no preview came")


def test_preview_of_a_part_is_normalised_as_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    used = []
    real = validator.normaliser_for
    monkeypatch.setattr(validator, "normaliser_for", lambda image, card: used.append(image) or real(image, card))
    live, sample = Live(), fields()[0]
    live.set_preview("part", replace(sample, image=sample.image[:, :32, :32]), sample.image)
    for event in train(QUICK.model_copy(update={"steps": None}), fields(), (), tmp_path, live):
        if isinstance(event, PreviewReady):
            live.stop()
            assert event.prediction.labels.shape == (32, 32)
    assert used[-1] is sample.image


def test_changed_annotation_is_used(tmp_path: Path) -> None:
    live, sample = Live(), fields(1)[0]
    events = train(QUICK.model_copy(update={"steps": 4}), [sample], (), tmp_path, live)
    live.replace(replace(sample, annotation=np.zeros_like(sample.annotation)))
    live.replace(replace(sample, name="another", annotation=np.full((5, 5), 1)))
    seen = list(events)
    assert any("another" in advice.text for advice in of_type(seen, RunAdvice))
    assert isinstance(seen[-1], RunFinished)


def live_run(folder: Path, config: TrainingConfig, samples: list[Sample], *changes: Sample) -> list[RunAdvice]:
    """Train, hand over changes after the second step, and give what was said."""
    live, said = Live(), []
    for event in train(config, samples, (), folder, live):
        if isinstance(event, StepFinished) and event.step == 2:
            for change in changes:
                live.replace(change)
        said += [event] if isinstance(event, RunAdvice) else []
    return said


def painted(name: str, *values: int) -> Sample:
    """Stripes of one class beside each other, each as bright as its value."""
    labels = np.repeat(np.array(values, np.int32), 16)[None].repeat(48, axis=0)
    return Sample(name, (labels[None] * 50 + 20).astype(np.uint8), labels)


def test_a_class_painted_first_while_training_is_told_and_other_edits_are_learnt(tmp_path: Path) -> None:
    config = QUICK.model_copy(update={"task": "segmentation"})
    samples = [painted("a", 1, 2, 1), painted("b", 2, 1, 2)]
    said = live_run(tmp_path, config, samples, painted("a", 1, 2, 3), painted("b", 1, 1, 2))
    texts = [advice.text for advice in said if "new class" in advice.text or "not used" in advice.text]
    assert texts == ["a: class 3 is a new class, which is not learnt yet. Press Stop, then Continue, to learn it."]
    assert read_card(tmp_path / "model.safetensors").task_options["classes"] == {"1": "class 1", "2": "class 2"}


def test_a_kind_clicked_first_while_training_is_told_and_its_image_stays_usable(tmp_path: Path) -> None:
    def points(*kinds: str) -> Sample:
        places = np.array([[12, 12], [12, 36], [36, 12]], np.float32)
        names = tuple(dict.fromkeys(kinds))
        kind = np.array([names.index(name) for name in kinds], np.int32)
        return replace(painted("a", 1, 2, 1), annotation=None, points=Points(places, kind, names))

    config = QUICK.model_copy(update={"task": "counting"})
    said = live_run(tmp_path, config, [points("live", "dead", "live")], points("live", "dead", "dividing"))
    texts = [advice.text for advice in said if "kind" in advice.text or "not used" in advice.text]
    assert texts == [
        "a: dividing is a new kind of cells, which is not learnt yet. Press Stop, then Continue, to learn it."
    ]


def test_an_image_of_a_new_class_is_told_and_its_older_class_stays(tmp_path: Path) -> None:
    config = QUICK.model_copy(update={"task": "classification"})
    samples = [replace(painted(name, 1, 2, 1), annotation=None, class_name=name) for name in ("good", "bad")]
    said = live_run(tmp_path, config, samples, replace(samples[0], class_name="blurred"))
    (text,) = [advice.text for advice in said if "blurred" in advice.text]
    assert "good: the change was not used (" in text
    assert "Press Stop, then Continue, to learn it." in text


def test_a_changed_source_list_is_a_snapshot(tmp_path: Path) -> None:
    samples = fields(2)
    events = train(QUICK, samples, (), tmp_path)
    samples.clear()
    assert isinstance(list(events)[-1], RunFinished)


def test_a_loss_that_does_not_fall_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Watcher, "loss", lambda *_: RunAdvice("not-falling", "The loss does not fall."))
    assert any(advice.code == "not-falling" for advice in of_type(run(tmp_path), RunAdvice))


def test_starting_from_a_model(tmp_path: Path) -> None:
    run(tmp_path / "first", QUICK.model_copy(update={"width": 12}))
    path = tmp_path / "first" / "model.safetensors"
    again = QUICK.model_copy(update={"start_from": path, "steps": 1, "learning_rate": 1e-9})
    run(tmp_path / "second", again)
    old, new = load_model(path), load_model(tmp_path / "second" / "model.safetensors")
    assert new.card.network.width == 12
    assert torch.allclose(old.weights["down.0.0.weight"], new.weights["down.0.0.weight"], atol=1e-6)
    two_channels = [replace(s, image=np.concatenate([s.image, s.image])) for s in fields()]
    with pytest.raises(ModelMismatchError, match="with 2"):
        train(again, two_channels, (), tmp_path / "third")


def test_validation_runs_and_best_has_a_direction(tmp_path: Path) -> None:
    seen = list(train(QUICK, fields(), [disc_sample("held out", seed=8)], tmp_path))
    validated = of_type(seen, Validated)
    assert validated
    assert set(validated[-1].metrics) >= {"AP@0.5", "AP@0.7", "F1@0.5", "PQ"}
    assert {place.name for place in validated[-1].worst} <= {"held out"}


def bad_inputs() -> Iterator[tuple[str, list[Sample], type[Exception], str]]:
    one = fields(1)[0]
    yield "nothing", [], NotEnoughDataError, "no annotated image"
    yield "empty labels", [replace(one, annotation=np.zeros((96, 96), int))], NotEnoughDataError, "at least one"
    yield "constant", [replace(one, image=np.ones((1, 96, 96)))], NotEnoughDataError, "equal"
    yield "same names", [one, one], SettingsError, "called field 0"
    wide = replace(disc_sample("rgb"), image=np.concatenate([one.image] * 3))
    yield "channels differ", [one, wide], NotEnoughDataError, "1 channels; 2D with 3"
    yield "2D and 3D", [one, disc_sample("stack", shape=(12, 32, 32))], NotEnoughDataError, "3D"


@pytest.mark.parametrize(("case", "samples", "error", "words"), list(bad_inputs()), ids=str)
def test_bad_input_is_refused_at_once(
    tmp_path: Path, case: str, samples: list[Sample], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        train(QUICK, samples, None, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_one_constant_image_is_left_out_and_said(tmp_path: Path) -> None:
    blank = replace(disc_sample("blank"), image=np.full((1, 96, 96), 5, np.uint8))
    seen = run(tmp_path, samples=[*fields(2), blank])
    assert any("blank" in advice.text for advice in of_type(seen, RunAdvice))
    assert "blank" not in of_type(seen, RunStarted)[0].training


def test_a_mask_is_split_and_said(tmp_path: Path) -> None:
    mask = [replace(s, annotation=(s.annotation > 0).astype(np.uint8)) for s in fields(2)]
    assert any("a mask with one value" in advice.text for advice in of_type(run(tmp_path, samples=mask), RunAdvice))


def test_mixed_sizes_and_dtypes_train_together(tmp_path: Path) -> None:
    other = disc_sample("other", shape=(70, 130))
    mixed = [*fields(2), replace(other, image=(other.image / 1000).astype(np.float32))]
    seen = run(tmp_path, samples=mixed)
    assert any(advice.code == "dtypes" for advice in of_type(seen, RunAdvice))


def test_3d_anisotropic(tmp_path: Path) -> None:
    stack = replace(disc_sample("stack", shape=(16, 48, 48), count=10), pixel_size=(2.0, 0.5, 0.5))
    config = QUICK.model_copy(update={"patch_depth": 8})
    assert isinstance(run(tmp_path, config, [stack])[-1], RunFinished)
    card = read_card(tmp_path / "model.safetensors")
    assert card.axes == "ZYX"
    assert card.network.stem == (1, 2, 2)
    labels = Predictor(tmp_path / "model.safetensors").predict(stack).labels
    assert labels.shape == (16, 48, 48)


def test_card_tells_what_a_paper_needs(tmp_path: Path) -> None:
    run(tmp_path)
    card = read_card(tmp_path / "model.safetensors")
    assert card.task == "instances"
    assert card.training.images == 3
    assert card.training.settings["seed"] == 0
    assert card.parameters > 1000
    assert len(card.receptive_field) == 2
    assert "torch" in card.versions
    assert len(card.training.data_hash) == 32


def test_training_leaves_the_random_numbers_of_other_programs_alone(tmp_path: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    run(tmp_path)
    assert torch.equal(torch.rand(3), expected)
