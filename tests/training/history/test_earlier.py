"""A model is never replaced without being kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from microforge.config import TrainingConfig
from microforge.errors import WriteError
from microforge.events import RunFinished, StepFinished, TrainingEvent
from microforge.io.model_file import load_model, read_card
from microforge.training.history import earlier
from microforge.training.history.earlier import earlier_models, go_back, keep_model
from microforge.training.loop import train
from microforge.training.mailbox import Live
from support.discs import disc_sample
from support.model_cards import write_model
from support.runs import of_type

FIELDS = [disc_sample(f"field {k}", seed=k) for k in range(2)]


def run(folder: Path, steps: int, *, resume: bool = False, live: Live | None = None) -> Iterator[TrainingEvent]:
    config = TrainingConfig(device="cpu", steps=steps, width=8, patch_size=32, batch_size=2)
    return train(config, FIELDS, (), folder, live, resume=resume)


def steps_of(path: Path) -> int:
    return read_card(path).training.steps


def test_a_run_that_goes_on_keeps_the_model_before(tmp_path: Path) -> None:
    for number, steps in enumerate((2, 4, 6)):
        list(run(tmp_path, steps, resume=number > 0))
    assert [steps_of(path) for path in earlier_models(tmp_path)] == [2, 4]
    assert steps_of(tmp_path / "model.safetensors") == 6
    load_model(earlier_models(tmp_path)[0])


def test_a_new_run_in_the_same_folder_keeps_the_model_before(tmp_path: Path) -> None:
    list(run(tmp_path, 2))
    list(run(tmp_path, 3))
    assert [steps_of(path) for path in earlier_models(tmp_path)] == [2]


def test_a_model_is_not_kept_twice(tmp_path: Path) -> None:
    list(run(tmp_path, 2))
    first = keep_model(tmp_path)
    assert keep_model(tmp_path) == first
    assert len(earlier_models(tmp_path)) == 1


def test_a_run_without_a_model_keeps_none(tmp_path: Path) -> None:
    assert keep_model(tmp_path) is None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("closed", [False, True])
def test_discarding_what_went_on_leaves_the_model_before(tmp_path: Path, closed: bool) -> None:
    list(run(tmp_path, 2))
    live = Live()
    events = run(tmp_path, 50, resume=True, live=live)
    for event in events:
        if isinstance(event, StepFinished) and event.step == 4:
            live.discard()
            if closed:
                events.close()  # type: ignore[attr-defined]
                break
    assert steps_of(tmp_path / "model.safetensors") == 2
    again = of_type(list(run(tmp_path, 5, resume=True)), StepFinished)
    assert again[0].step == 3


def test_going_back_takes_the_state_along_and_can_be_undone(tmp_path: Path) -> None:
    list(run(tmp_path, 2))
    list(run(tmp_path, 4, resume=True))
    [before] = earlier_models(tmp_path)
    after = go_back(tmp_path, before)
    assert (steps_of(tmp_path / "model.safetensors"), steps_of(after)) == (2, 4)
    assert of_type(list(run(tmp_path, 3, resume=True)), StepFinished)[0].step == 3
    assert [steps_of(path) for path in earlier_models(tmp_path)] == [2, 4]


def test_going_back_twice_is_as_if_nothing_was(tmp_path: Path) -> None:
    list(run(tmp_path, 2))
    list(run(tmp_path, 4, resume=True))
    weights = load_model(tmp_path / "model.safetensors").weights
    go_back(tmp_path, go_back(tmp_path, earlier_models(tmp_path)[0]))
    again = load_model(tmp_path / "model.safetensors").weights
    assert all(torch.equal(weights[name], again[name]) for name in weights)
    assert of_type(list(run(tmp_path, 5, resume=True)), StepFinished)[0].step == 5


def test_a_state_that_a_killed_program_left_is_not_taken(tmp_path: Path) -> None:
    for number, steps in enumerate((2, 4, 6)):
        list(run(tmp_path, steps, resume=number > 0))
    (tmp_path / "models" / "checkpoint-now.safetensors").write_bytes(b"of nobody")
    go_back(tmp_path, earlier_models(tmp_path)[0])
    assert of_type(list(run(tmp_path, 7, resume=True)), StepFinished)[0].step == 7


def test_the_last_ten_are_kept_and_the_best(tmp_path: Path) -> None:
    for number in range(15):
        score = 0.9 if number == 1 else 0.1 + number / 100
        write_model(tmp_path / "model.safetensors", metrics={"AP@0.5": score}, name=str(number))
        keep_model(tmp_path)
    assert [int(path.stem) for path in earlier_models(tmp_path)] == [2, *range(6, 16)]


def test_drives_without_links_get_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(earlier.os, "link", refuse)
    list(run(tmp_path, 2))
    list(run(tmp_path, 4, resume=True))
    go_back(tmp_path, earlier_models(tmp_path)[0])
    assert of_type(list(run(tmp_path, 3, resume=True)), StepFinished)[0].step == 3


def test_a_run_does_not_go_on_where_the_model_cannot_be_kept(tmp_path: Path) -> None:
    list(run(tmp_path, 2))
    (tmp_path / "models").write_text("in the way")
    with pytest.raises(WriteError, match="cannot be kept"):
        list(run(tmp_path, 4, resume=True))
    assert steps_of(tmp_path / "model.safetensors") == 2


def test_a_run_that_went_on_says_where_its_model_is(tmp_path: Path) -> None:
    list(run(tmp_path, 2))
    finished = of_type(list(run(tmp_path, 3, resume=True)), RunFinished)
    assert finished[0].model == tmp_path / "model.safetensors"
