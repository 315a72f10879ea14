"""Before a training it is told which images show the same, and they are kept on one side."""

from dataclasses import replace
from pathlib import Path

from microforge.config import TrainingConfig
from microforge.events import RunAdvice, RunStarted
from microforge.training.loop import train
from microforge.types import Sample
from support.discs import disc_sample
from support.runs import of_type

QUICK = TrainingConfig(device="cpu", steps=1, width=8, patch_size=32, batch_size=2, validation_fraction=0.4)


def told(folder: Path, samples: list[Sample], aside: list[Sample] | None, *, resume: bool = False) -> list[RunAdvice]:
    config = QUICK.model_copy(update={"steps": 3 if resume else 1})
    events = list(train(config, samples, aside, folder, resume=resume))
    return [event for event in of_type(events, RunAdvice) if event.code.startswith("duplicates")]


def fields(count: int) -> list[Sample]:
    return [disc_sample(f"field {k}", seed=k) for k in range(count)]


def copy_of(sample: Sample, name: str) -> Sample:
    return replace(sample, name=name)


def test_a_copy_kept_aside_by_hand_is_a_warning(tmp_path: Path) -> None:
    samples = fields(3)
    [advice] = told(tmp_path, samples, [copy_of(samples[1], "again")])
    assert advice.severity == "warning"
    assert advice.text.startswith("field 1 and again are the same picture, of which one is learnt from and one is kept")


def test_copies_are_drawn_together_and_that_is_told(tmp_path: Path) -> None:
    samples = fields(8)
    copies = [copy_of(samples[k], f"copy {k}") for k in range(8)]
    events = list(train(QUICK, [*samples, *copies], None, tmp_path))
    [started] = of_type(events, RunStarted)
    aside = set(started.validation)
    assert aside
    assert all((f"field {k}" in aside) == (f"copy {k}" in aside) for k in range(8))
    [advice] = [event for event in of_type(events, RunAdvice) if event.code == "duplicates"]
    assert "field 0 and copy 0" in advice.text
    assert "and 6 more pairs" in advice.text


def test_a_run_that_goes_on_keeps_new_copies_where_the_first_is(tmp_path: Path) -> None:
    samples = fields(8)
    told(tmp_path, samples, None)
    copies = [copy_of(samples[k], f"copy {k}") for k in range(8)]
    config = QUICK.model_copy(update={"steps": 3})
    [started] = of_type(list(train(config, [*samples, *copies], None, tmp_path, resume=True)), RunStarted)
    assert all((f"field {k}" in started.validation) == (f"copy {k}" in started.validation) for k in range(8))


def test_nothing_is_told_of_images_that_differ(tmp_path: Path) -> None:
    assert not told(tmp_path, fields(6), None)
