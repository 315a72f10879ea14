"""Model files that would find nothing, or anything, without a word are refused."""

import json
import struct
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from microforge.cli.app import app
from microforge.config import TrainingConfig
from microforge.errors import ModelFileError
from microforge.inference.predictor import Predictor
from microforge.io.model_file import NormalisationCard, load_model, read_card, save_model
from microforge.training.setup import make_setup
from support.discs import disc_sample
from support.model_cards import write_model
from support.random_models import counting_model, random_model


def with_weight(path: Path, value: float) -> Path:
    """Write a model one of whose weights is a value."""
    model = random_model()
    weights = {name: tensor.clone() for name, tensor in model.weights.items()}
    next(iter(weights.values())).view(-1)[3] = value
    save_model(path, weights, model.card)
    return path


def with_card_text(path: Path, old: str, new: str) -> Path:
    """Write a card with a word changed, as a program other than ours might."""
    write_model(path, task="counting", normalisation=NormalisationCard(mode="dataset", low=(0.5,), high=(9.0,)))
    text = path.read_bytes()[8:].decode().replace(old, new)
    path.write_bytes(struct.pack("<Q", len(text)) + text.encode())
    return path


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused_wherever_a_model_is_loaded(tmp_path: Path, value: float) -> None:
    path = with_weight(tmp_path / "m.safetensors", value)
    with pytest.raises(ModelFileError, match=r"weights .* are NaN or infinite"):
        load_model(path)
    with pytest.raises(ModelFileError, match="NaN or infinite"):
        Predictor(path)
    with pytest.raises(ModelFileError, match="NaN or infinite"):
        make_setup(TrainingConfig(device="cpu", start_from=path), [disc_sample()], ())
    done = CliRunner().invoke(app, ["predict", str(path), str(tmp_path), "-o", str(tmp_path / "out")])
    assert done.exit_code != 0


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("place", ["9.0", "0.5"])
def test_ranges_of_intensities_that_are_no_numbers_are_refused(tmp_path: Path, number: str, place: str) -> None:
    path = with_card_text(tmp_path / "m.safetensors", place, number)
    with pytest.raises(ModelFileError, match="ranges of intensities are NaN or infinite"):
        read_card(path)


def test_options_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    model = counting_model()
    card = model.card.model_copy(update={"task_options": {**model.card.task_options, "gains": [1e999]}})
    header = {"__metadata__": {"microforge": json.dumps(card.model_dump(mode="python"), default=list)}}
    text = json.dumps(header).encode()
    (tmp_path / "m.safetensors").write_bytes(struct.pack("<Q", len(text)) + text)
    with pytest.raises(ModelFileError, match="options are NaN or infinite"):
        read_card(tmp_path / "m.safetensors")


def test_a_metric_without_bound_does_not_make_a_model_unreadable(tmp_path: Path) -> None:
    model = random_model()
    metrics = {"PSNR": float("inf"), "SSIM": 1.0}
    save_model(tmp_path / "m.safetensors", model.weights, model.card.model_copy(update={"metrics": metrics}))
    loaded = load_model(tmp_path / "m.safetensors")
    assert loaded.card.metrics == {"SSIM": 1.0}
    assert all(torch.equal(loaded.weights[name], tensor) for name, tensor in model.weights.items())
