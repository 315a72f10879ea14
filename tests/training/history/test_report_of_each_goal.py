"""Whatever a model learns, its training ends with a page, pictures and a comparison with the model of before."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from microforge.config import TrainingConfig
from microforge.events import ComparedWithStart, RunAdvice, RunFinished
from microforge.measurements.objects import centroids
from microforge.tasks import available_tasks
from microforge.training.loop import train
from microforge.types import Points, Sample
from support.discs import disc_sample
from support.runs import of_type


def discs(number: int) -> Sample:
    return disc_sample(f"field {number}", seed=number, shape=(64, 64))


def stack(number: int) -> Sample:
    return disc_sample(f"field {number}", seed=number, shape=(10, 48, 48))


def classes_of_pixels(number: int) -> Sample:
    sample = discs(number)
    return replace(sample, annotation=(np.asarray(sample.annotation) > 0).astype(np.int32) + 1)


def points(number: int) -> Sample:
    sample = discs(number)
    places = centroids(np.asarray(sample.annotation)).astype(np.float32)
    return replace(sample, annotation=None, points=Points(places, np.zeros(len(places), np.int32)))


def classes(number: int) -> Sample:
    sample = discs(number)
    image = np.asarray(sample.image) // (1 + 4 * (number % 2))
    return replace(sample, annotation=None, class_name="dim" if number % 2 else "bright", image=image)


def images(number: int, finer: int = 1) -> Sample:
    clean = np.asarray(discs(number).image, np.float32)
    noisy = clean + np.random.default_rng(number).normal(0, 80, clean.shape).astype(np.float32)
    return Sample(f"field {number}", noisy, np.kron(clean, np.ones((1, finer, finer), np.float32)))


def noisy(number: int) -> Sample:
    return replace(images(number), annotation=None)


GOALS: dict[tuple[str, str], Callable[[int], Sample]] = {
    ("instances", ""): discs,
    ("instances", "3D"): stack,
    ("segmentation", ""): classes_of_pixels,
    ("counting", ""): points,
    ("classification", ""): classes,
    ("denoising", ""): noisy,
    ("restoration", ""): images,
    ("label-free", ""): images,
    ("super-resolution", ""): lambda number: images(number, 2),
}


@pytest.mark.parametrize(("goal", "dimensions"), GOALS)
def test_its_page_is_written_and_it_is_compared_with_the_one_before(tmp_path: Path, goal: str, dimensions: str) -> None:
    make = GOALS[goal, dimensions]
    learnt, aside = [make(k) for k in range(3)], [make(10 + k) for k in range(3)]
    for steps in (2, 3):
        config = TrainingConfig(task=goal, device="cpu", steps=steps, width=8, batch_size=2)
        events = list(train(config, learnt, aside, tmp_path, resume=steps > 2))
        assert not [advice for advice in of_type(events, RunAdvice) if advice.code == "report"]
        last = events[-1]
        assert isinstance(last, RunFinished)
        assert last.report is not None
        assert last.report.read_text(encoding="utf-8").count("data:image/png;base64,iVBOR") >= 2
    [compared] = of_type(events, ComparedWithStart)
    assert compared.images == 3


def test_no_goal_is_left_out() -> None:
    assert {goal for goal, _ in GOALS} == set(available_tasks())
