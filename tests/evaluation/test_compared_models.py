"""Models are compared on the same images, in numbers that add up and words that claim no more."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from microforge.cli.app import app
from microforge.config import TrainingConfig
from microforge.errors import ModelMismatchError
from microforge.evaluation.compared_models import compare_models
from microforge.evaluation.evaluate import evaluate
from microforge.io.writing import write_image, write_labels
from microforge.training.loop import train
from support.discs import disc_sample
from support.model_cards import write_model


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with two trainings, a short and a longer one, and images none has learnt from."""
    folder = tmp_path_factory.mktemp("compared")
    for name, steps in (("short", 3), ("long", 150)):
        config = TrainingConfig(device="cpu", steps=steps, width=8, patch_size=32, batch_size=4)
        list(train(config, [disc_sample(f"field {k}", seed=k) for k in range(2)], (), folder / name))
    for part in ("images", "labels"):
        (folder / part).mkdir()
    for number in range(5):
        sample = disc_sample("x", seed=20 + number)
        write_image(folder / "images" / f"i{number}.tif", np.asarray(sample.image)[0], "YX", None)
        write_labels(folder / "labels" / f"i{number}.tif", np.asarray(sample.annotation), "YX", None)
    return folder


def compared(place: Path, *names: str) -> dict[str, object]:
    files = [place / name / "model.safetensors" for name in names]
    return compare_models(files, place / "images", place / "labels")


def test_scores_are_those_of_evaluate_and_differences_are_paired(place: Path) -> None:
    result = compared(place, "short", "long")
    single = evaluate(place / "long" / "model.safetensors", place / "images", place / "labels")
    assert result["models"][1]["metrics"] == single["metrics"]  # type: ignore[index]
    wanted = {one["name"]: one["AP@0.5"] for one in single["per_image"]}
    assert {row["name"]: row["scores"][1] for row in result["per_image"]} == wanted  # type: ignore[attr-defined]
    told = result["models"][1]  # type: ignore[index]
    differences = [row["scores"][1] - row["scores"][0] for row in result["per_image"]]  # type: ignore[attr-defined]
    assert told["mean"] == pytest.approx(np.mean(differences))
    assert told["low"] < told["mean"] < told["high"]
    assert (told["better"], told["worse"]) == (5, 0)
    assert told["text"] == "Better than the first on all 5 images."
    assert "better" not in result["models"][0]  # type: ignore[index]


def test_the_worst_image_stands_first(place: Path) -> None:
    rows = compared(place, "long", "short")["per_image"]
    scores = [row["scores"][0] for row in rows]  # type: ignore[attr-defined]
    assert scores == sorted(scores)


def test_a_model_beside_itself_is_as_good(place: Path) -> None:
    told = compared(place, "long", "long")["models"][1]  # type: ignore[index]
    assert (told["alike"], told["mean"], told["chance"]) == (5, 0, 1)
    assert told["text"] == "As good as the first on all 5 images."


def test_models_with_different_goals_are_refused(place: Path, tmp_path: Path) -> None:
    other = write_model(tmp_path / "count.safetensors", task="counting")
    with pytest.raises(ModelMismatchError, match="different things"):
        compare_models([place / "long" / "model.safetensors", other], place / "images", place / "labels")
    with pytest.raises(ModelMismatchError, match="compared with nothing"):
        compared(place, "long")


def test_the_command_takes_trainings_and_models(place: Path) -> None:
    models = [str(place / "short"), str(place / "long" / "model.safetensors")]
    where = ["--images", str(place / "images"), "--annotations", str(place / "labels")]
    result = CliRunner().invoke(app, ["compare", *models, *where])
    assert result.exit_code == 0, result.output
    assert "Better than A on all 5 images. Mean difference +" in result.output
    assert "i3.tif" in result.output or "i3" in result.output
    values = CliRunner().invoke(app, ["compare", *models, *where, "--json"])
    assert json.loads(values.output.splitlines()[-1])["metric"] == "AP@0.5"


def test_images_that_were_learnt_from_are_told(place: Path, tmp_path: Path) -> None:
    for part in ("images", "labels"):
        (tmp_path / part).mkdir()
        for number, name in enumerate(("field 1", "new")):
            (tmp_path / part / f"{name}.tif").write_bytes((place / part / f"i{number}.tif").read_bytes())
    result = compare_models([place / "short" / "model.safetensors"] * 2, tmp_path / "images", tmp_path / "labels")
    assert [one["learnt"] for one in result["models"]] == [["field 1"], ["field 1"]]
    where = ["-i", str(tmp_path / "images"), "-a", str(tmp_path / "labels")]
    said = CliRunner().invoke(app, ["compare", str(place / "short"), str(place / "long"), *where]).output
    assert "has learnt from 1 of these images by their names" in said


def test_images_that_cannot_be_measured_are_told(place: Path, tmp_path: Path) -> None:
    for part in ("images", "labels"):
        (tmp_path / part).mkdir()
        for file in (place / part).iterdir():
            (tmp_path / part / file.name).write_bytes(file.read_bytes())
    (tmp_path / "images" / "i0.tif").write_bytes(b"half")
    where = ["-i", str(tmp_path / "images"), "-a", str(tmp_path / "labels")]
    result = CliRunner().invoke(app, ["compare", str(place / "short"), str(place / "long"), *where])
    assert result.exit_code == 3
    assert "FAILED i0.tif" in result.output
    assert "all 4 images" in result.output
