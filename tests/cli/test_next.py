"""`microforge next`: which images to annotate next."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from click.testing import Result
from typer.testing import CliRunner

from microforge.cli.app import app
from microforge.io.model_file import TrainingSummary, save_model
from support.discs import draw_discs
from support.random_models import random_model
from support.runs import csv_rows


def call(*arguments: Any) -> Result:
    return CliRunner().invoke(app, ["next", *(str(argument) for argument in arguments), "--device", "cpu"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five images of discs, and a model that learnt from one of them and was measured on another."""
    folder = tmp_path_factory.mktemp("next")
    (folder / "images").mkdir()
    for seed in range(5):
        tifffile.imwrite(folder / "images" / f"d{seed}.tif", draw_discs(seed=seed)[0])
    file = random_model("instances", out_channels=2, residual=False, graded=False)
    summary = TrainingSummary(names=("d0",), validation_names=("d1",))
    card = file.card.model_copy(update={"task_options": {}, "training": summary})
    save_model(folder / "m.safetensors", file.weights, card)
    return folder


def test_it_names_images_that_are_not_annotated_and_writes_a_table(folder: Path, tmp_path: Path) -> None:
    result = call(folder / "m.safetensors", folder / "images", "--output", tmp_path / "next.csv")
    assert result.exit_code == 0, result.output
    rows = csv_rows(tmp_path / "next.csv")
    assert sorted(row["image"] for row in rows) == ["d2.tif", "d3.tif", "d4.tif"]
    assert [row["rank"] for row in rows] == ["1", "2", "3"]
    assert all(row["reason"] for row in rows)
    assert [line.split()[1].rstrip(":") for line in result.stdout.splitlines()] == [row["image"] for row in rows]


@pytest.mark.parametrize("method", ["doubt", "spread", "random"])
def test_each_method_gives_the_same_again(folder: Path, method: str) -> None:
    found = [
        json.loads(call(folder / "m.safetensors", folder / "images", "--method", method, "--top", 2, "--json").stdout)
        for _ in range(2)
    ]
    assert found[0] == found[1]
    assert len(found[0]["next"]) == 2
    assert found[0]["annotated"] == 2


def test_a_damaged_image_is_told_of_and_the_others_are_ranked(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.tif").write_bytes(b"II*\0")
    tifffile.imwrite(tmp_path / "good.tif", draw_discs(seed=9)[0])
    result = call(folder / "m.safetensors", tmp_path, "--regions")
    assert result.exit_code == 3
    assert "FAILED bad.tif" in result.stderr
    assert "good.tif" in result.stdout


def test_nothing_that_can_be_looked_at_is_an_error_in_words(folder: Path, tmp_path: Path) -> None:
    colour = np.random.default_rng(0).integers(0, 255, (40, 40, 3), np.uint8)
    tifffile.imwrite(tmp_path / "colour.tif", colour, photometric="rgb")
    result = call(folder / "m.safetensors", tmp_path)
    assert result.exit_code == 1
    assert "None of the 1 images could be looked at" in result.stderr


def test_where_all_is_annotated_the_table_is_empty(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "next.csv"
    result = call(folder / "m.safetensors", folder / "images" / "d0.tif", "--output", output)
    assert result.exit_code == 0, result.output
    assert "All of these images are annotated." in result.stderr
    assert output.read_text().startswith("rank,image,path,")
    assert csv_rows(output) == []
