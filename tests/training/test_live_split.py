"""Changes during a run keep to its split: nothing that is measured on is ever learnt from."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from microforge.config import TrainingConfig
from microforge.data.normalise import normaliser_for
from microforge.events import AsidePart, KeptAside, StepFinished, TrainingEvent
from microforge.io.model_file import read_card
from microforge.training import loop
from microforge.training.loop import train
from microforge.training.mailbox import Live
from microforge.training.run import Run
from microforge.types import Sample
from support.discs import disc_sample

QUICK = TrainingConfig(device="cpu", steps=4, width=8, patch_size=32, batch_size=2)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """Give the runs that are made."""
    made: list[Run] = []

    class Noted(Run):
        def __init__(self, *given: object) -> None:
            super().__init__(*given)  # type: ignore[arg-type]
            made.append(self)

    monkeypatch.setattr(loop, "Run", Noted)
    return made


def edited(events: Iterator[TrainingEvent], live: Live, *changes: Sample, aside: bool = False) -> None:
    """Go through a run; hand changes over after the second step."""
    for event in events:
        if isinstance(event, StepFinished) and event.step == 2:
            for change in changes:
                live.replace(change, aside=aside)


def changed(sample: Sample) -> Sample:
    annotation = np.array(sample.annotation)
    annotation[:12, :12] = annotation.max() + 1
    return replace(sample, annotation=annotation)


def drawn_and_measured(run: Run) -> tuple[set[str], set[str]]:
    return {source.name for source in run.sampler.sources}, {sample.name for sample in run.setup.validation}


def test_an_edit_of_each_of_several_images_keeps_both_sides_apart(tmp_path: Path, runs: list[Run]) -> None:
    samples, live = [disc_sample(f"field {k}", seed=k) for k in range(5)], Live()
    edits = [changed(sample) for sample in samples]
    edited(train(QUICK, samples, None, tmp_path, live), live, *edits)
    (run,) = runs
    drawn, measured = drawn_and_measured(run)
    assert drawn | measured == {sample.name for sample in samples}
    assert not drawn & measured
    by_name = {sample.name: sample for sample in edits}
    assert measured
    assert all(np.array_equal(one.annotation, by_name[one.name].annotation) for one in run.setup.validation)


def test_an_edit_of_the_only_image_is_learnt_outside_the_block_and_measured_in_it(
    tmp_path: Path, runs: list[Run]
) -> None:
    sample, live = disc_sample("only", shape=(128, 400), count=60), Live()
    annotation = np.array(sample.annotation)
    annotation[60:70, 385:395] = 900
    edited(train(QUICK, [sample], None, tmp_path, live), live, replace(sample, annotation=annotation))
    (run,) = runs
    assert drawn_and_measured(run) == ({"only"}, {"only (block)"})
    cut = run.setup.split.cuts["only"]
    # Patches are cut from the image as the network sees it.
    assert run.sampler.sources[0].extent[1].stop <= cut.stop * run.setup.task.working_scale + 1
    assert (run.setup.validation[0].annotation == 900).sum() == 100


def test_an_image_annotated_first_while_training_is_learnt_from(tmp_path: Path, runs: list[Run]) -> None:
    samples, live = [disc_sample(f"field {k}", seed=k) for k in range(5)], Live()
    late = [disc_sample(f"late {k}", seed=20 + k) for k in range(12)]
    config = QUICK.model_copy(update={"validation_fraction": 0.5})
    edited(train(config, samples, None, tmp_path, live), live, *late)
    (run,) = runs
    drawn, measured = drawn_and_measured(run)
    assert {sample.name for sample in late} < drawn
    assert measured == {"field 2", "field 3"}


def test_an_image_that_a_person_keeps_aside_while_training_is_measured_only(tmp_path: Path, runs: list[Run]) -> None:
    live = Live()
    edited(train(QUICK, [disc_sample("a")], (), tmp_path, live), live, disc_sample("b", seed=1), aside=True)
    assert drawn_and_measured(runs[0]) == ({"a"}, {"b"})


@pytest.mark.parametrize("change", [changed, lambda s: replace(s, mask=np.zeros(s.image.shape[1:], bool))])
def test_what_was_measured_before_an_image_kept_aside_changed_is_forgotten(
    tmp_path: Path, runs: list[Run], monkeypatch: pytest.MonkeyPatch, change: Callable[[Sample], Sample]
) -> None:
    monkeypatch.setattr("microforge.training.schedule.FIRST_VALIDATION", 0.0)
    kept, live, config = disc_sample("kept", seed=7), Live(), QUICK.model_copy(update={"steps": None})
    for event in train(config, [disc_sample("a")], [kept], tmp_path, live):
        if isinstance(event, StepFinished) and event.step == 2:
            assert runs[0].best is not None
            live.replace(change(kept))
        if isinstance(event, StepFinished) and event.step == 3:
            assert (runs[0].best, runs[0].metrics, runs[0].baseline.card.value) == (None, {}, None)
            live.stop()


def test_a_block_kept_aside_is_normalised_as_its_whole_image(tmp_path: Path, runs: list[Run]) -> None:
    sample = disc_sample("only", shape=(128, 400), count=60)
    image = np.array(sample.image)
    image[..., 200:] *= 3
    list(train(QUICK, [replace(sample, image=image)], None, tmp_path))
    (run,) = runs
    (block,) = run.setup.validation
    whole = normaliser_for(image, run.setup.normalisation)(image)[..., -block.image.shape[-1] :]
    used = run.validator._normaliser(block)(block.image)
    assert np.allclose(used, whole)
    own = normaliser_for(block.image, run.setup.normalisation)(block.image)
    assert np.abs(own - whole).max() > 0.05


def one_pixel_each(labels: np.ndarray) -> np.ndarray:
    """Keep the first pixel of each object."""
    values, first = np.unique(labels, return_index=True)
    kept = np.zeros_like(labels)
    kept.flat[first] = values
    return kept


def test_options_are_taken_from_images_learnt_from_only(tmp_path: Path, runs: list[Run]) -> None:
    small = [disc_sample(f"small {k}", seed=k, count=20) for k in range(3)]
    names = [f"x{k}" for k in range(4)]
    list(train(QUICK, [replace(s, name=n) for s, n in zip([*small, small[0]], names, strict=True)], None, tmp_path))
    aside = runs[0].setup.validation[0].name
    given = [
        replace(s, name=n, annotation=one_pixel_each(s.annotation) if n == aside else s.annotation)
        for s, n in zip([*small, small[0]], names, strict=True)
    ]
    list(train(QUICK, given, None, tmp_path / "again"))
    assert runs[1].setup.validation[0].name == aside
    learnt = [s for s in given if s.name != aside]
    assert runs[1].setup.task.options == runs[1].setup.task.from_options({}).fit(learnt).options


def test_the_card_names_the_images_measured_on(tmp_path: Path) -> None:
    samples = [disc_sample(f"field {k}", seed=k) for k in range(4)]
    list(train(QUICK, samples, None, tmp_path))
    training = read_card(tmp_path / "model.safetensors").training
    assert len(training.validation_names) == 1
    assert set(training.names) | set(training.validation_names) == {sample.name for sample in samples}


def test_a_change_reads_no_image_but_its_own(tmp_path: Path, runs: list[Run]) -> None:
    class Counted(np.ndarray):  # type: ignore[type-arg]
        reads = 0

        def __getitem__(self, key: object) -> object:
            Counted.reads += 1
            return np.asarray(self)[key]  # type: ignore[index]

    samples = [disc_sample(f"field {k}", seed=k) for k in range(3)]
    given = [replace(samples[0], image=samples[0].image.view(Counted)), *samples[1:]]
    live, reads = Live(), []
    for event in train(QUICK, given, (), tmp_path, live):
        if isinstance(event, StepFinished) and event.step in (2, 3):
            reads.append(Counted.reads)
            live.replace(changed(samples[1]))
    before = runs[0].summary.data_hash
    assert reads[0] == reads[1] > 0
    assert len(before) == 32


def told(events: Iterator[TrainingEvent]) -> list[KeptAside]:
    return [event for event in events if isinstance(event, KeptAside)]


def test_what_is_kept_aside_is_told_at_the_start_and_when_a_person_keeps_more(tmp_path: Path, runs: list[Run]) -> None:
    samples = [disc_sample(f"field {k}", seed=k) for k in range(5)]
    (drawn,) = told(train(QUICK, samples, None, tmp_path))
    assert drawn.parts == (AsidePart(runs[0].setup.validation[0].name),)
    live, seen = Live(), []
    for event in train(QUICK, samples[:1], (), tmp_path / "more", live):
        seen += told(iter([event]))
        if isinstance(event, StepFinished) and event.step == 2:
            live.replace(samples[1], aside=True)
    assert [[part.by_hand for part in one.parts] for one in seen] == [[], [True]]


def test_of_a_single_image_the_block_is_told(tmp_path: Path, runs: list[Run]) -> None:
    (drawn,) = told(train(QUICK, [disc_sample("only", shape=(128, 400), count=60)], None, tmp_path))
    cut = runs[0].setup.split.cuts["only"]
    assert drawn.parts == (AsidePart("only", cut.axis, cut.start),)


def test_an_image_that_is_to_be_learnt_from_is_not_drawn(tmp_path: Path, runs: list[Run]) -> None:
    samples = [disc_sample(f"field {k}", seed=k) for k in range(5)]
    names: list[str] = []
    for _ in samples:
        (drawn,) = told(train(QUICK, samples, None, tmp_path / str(len(names)), always_learnt=names))
        assert not set(names) & {part.image for part in drawn.parts}
        names += [part.image for part in drawn.parts]
    assert len(names) == 4, "the one with most is never drawn"


def test_an_image_left_for_a_test_has_no_part_in_a_run_that_begins_changes_or_goes_on(
    tmp_path: Path, runs: list[Run]
) -> None:
    samples, live = [disc_sample(f"field {k}", seed=k) for k in range(5)], Live()
    edited(train(QUICK, samples, None, tmp_path, live, tests=["field 2"]), live, changed(samples[2]))
    longer = QUICK.model_copy(update={"steps": 6})
    list(train(longer, samples, None, tmp_path, resume=True, tests=["field 2", "field 3"]))
    for run, tests in zip(runs, ({"field 2"}, {"field 2", "field 3"}), strict=True):
        drawn, measured = drawn_and_measured(run)
        assert drawn | measured == {sample.name for sample in samples} - tests
        assert {name for name, role in run.setup.split.by_hand.items() if role == "test"} == tests
    list(train(longer.model_copy(update={"steps": 8}), samples, None, tmp_path, resume=True))
    drawn, measured = drawn_and_measured(runs[-1])
    assert drawn | measured == {sample.name for sample in samples}
