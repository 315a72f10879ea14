"""What is kept aside is told truly, in the card and the settings of a run, and so is that nothing is."""

import json
from pathlib import Path

import numpy as np

from microforge.config import TrainingConfig
from microforge.events import KeptAside, RunAdvice
from microforge.io.model_file import read_card
from microforge.training.loop import train
from microforge.types import Sample
from support.discs import disc_sample

QUICK = TrainingConfig(device="cpu", steps=2, width=8, patch_size=32, batch_size=2)


def striped(name: str, seed: int) -> Sample:
    labels = np.kron(np.random.default_rng(seed).integers(0, 3, (12, 12)), np.ones((8, 8))).astype(np.int32)
    return Sample(name, (labels[None] * 80 + 10).astype(np.uint8), labels)


def test_of_several_files_with_classes_some_measure_without_naming_the_classes(tmp_path: Path) -> None:
    config = QUICK.model_copy(update={"task": "segmentation"})
    events = list(train(config, [striped(f"file {k}", k) for k in range(6)], None, tmp_path))
    (told,) = (event for event in events if isinstance(event, KeptAside))
    (part,) = told.parts
    assert read_card(tmp_path / "model.safetensors").training.validation_names == (part.image,)
    roles = json.loads((tmp_path / "config.json").read_text())["split"]["roles"]
    assert [name for name, role in roles.items() if role == "validation"] == [part.image]


def test_with_few_objects_all_is_learnt_from_and_why_quality_is_unknown_is_said(tmp_path: Path) -> None:
    events = list(train(QUICK, [disc_sample(f"field {k}", seed=k) for k in range(3)], None, tmp_path))
    (said,) = (event for event in events if isinstance(event, RunAdvice) and event.code == "no-validation")
    assert said.text == (
        "Quality is unknown: fewer than 40 objects are annotated, so that all is learnt from. Annotate more, or keep "
        "an image aside yourself."
    )
    training = read_card(tmp_path / "model.safetensors").training
    assert (len(training.names), training.validation_names) == (3, ())
