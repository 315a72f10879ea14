"""Training on images of one bit, and with marks for "not measured" far beyond any intensity, whatever the task."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from microforge.config import TrainingConfig
from microforge.events import RunAdvice, RunFinished
from microforge.inference.predictor import Predictor
from microforge.training.loop import train
from microforge.types import Points, Sample
from support.discs import disc_sample
from support.runs import of_type

TASKS = ["instances", "segmentation", "denoising", "label-free", "super-resolution", "counting", "classification"]


def sample(task: str, image: np.ndarray, disc: Sample, number: int) -> Sample:
    """Give an image with what is annotated for a task."""
    assert disc.annotation is not None
    bright = np.asarray(disc.image, np.float32)
    if task == "denoising":
        return Sample(disc.name, image)
    if task == "label-free":
        return Sample(disc.name, image, bright)
    if task == "super-resolution":
        return Sample(disc.name, image, np.kron(bright, np.ones((1, 2, 2), np.float32)))
    if task == "counting":
        places = np.argwhere(disc.annotation > 0)[::40].astype(np.float32)
        return Sample(disc.name, image, points=Points(places, np.zeros(len(places), np.int32)))
    if task == "classification":
        return Sample(disc.name, image, class_name="ab"[number % 2])
    return replace(disc, image=image, annotation=np.minimum(disc.annotation, 1 if task == "segmentation" else 99))


@pytest.mark.parametrize("task", TASKS)
def test_odd_images_are_learnt_from_and_predicted_without_a_warning_of_numpy(tmp_path: Path, task: str) -> None:
    discs = [disc_sample(f"field {k}", seed=k) for k in range(3)]
    one_bit = discs[0].annotation[None] > 0
    marked = [
        np.where(np.eye(96) > 0, mark, disc.image) for disc, mark in zip(discs[1:], (3.4e38, np.inf), strict=True)
    ]
    images = [one_bit, marked[0], marked[1].astype(np.float32)]
    samples = [sample(task, image, disc, k) for k, (image, disc) in enumerate(zip(images, discs, strict=True))]
    config = TrainingConfig(task=task, device="cpu", steps=2, width=8, patch_size=32, batch_size=2)
    events = list(train(config, samples, samples, tmp_path))
    said = [advice.text for advice in of_type(events, RunAdvice)]
    assert any("field 1" in text and "beyond 1e15" in text for text in said)
    assert isinstance(events[-1], RunFinished)
    notes = [Predictor(tmp_path / "model.safetensors").predict(image[0]).notes for image in images]
    assert not any("NaN" in note for note in notes[0])
    assert all(any("beyond 1e15" in note for note in of_one) for of_one in notes[1:])
