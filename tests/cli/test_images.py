"""The command line with models whose answer is an image."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from click.testing import Result
from typer.testing import CliRunner

from microforge.cli.app import app
from microforge.io.model_file import save_model
from support.noisy import clean_field, noisy_field
from support.random_models import random_model


def call(*arguments: Any) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    for part in ("noisy", "clean"):
        (folder / part).mkdir()
    for seed in range(3):
        clean = clean_field(seed)
        tifffile.imwrite(folder / "clean" / f"f{seed}.tif", clean)
        tifffile.imwrite(folder / "noisy" / f"f{seed}.tif", noisy_field(clean, seed))
    for name, task, upscale in (("denoise", "denoising", 1), ("finer", "super-resolution", 2)):
        file = random_model(task, upscale=upscale)
        save_model(folder / f"{name}.safetensors", file.weights, file.card)
    return folder


@pytest.mark.parametrize(("options", "dtype"), [((), np.float32), (("--type", "source", "--flips"), np.uint16)])
def test_predict_writes_images_and_speaks_of_images(
    folder: Path, tmp_path: Path, options: tuple[str, ...], dtype: type
) -> None:
    model = folder / "denoise.safetensors"
    result = call("predict", model, folder / "noisy", "-o", tmp_path / "out", "--device", "cpu", "--json", *options)
    assert result.exit_code == 0, result.stderr
    summary = json.loads(result.stdout)
    assert (summary["done"], "objects" in summary) == (3, False)
    assert "3 images done." in result.stderr
    assert "object" not in result.stderr
    assert not (tmp_path / "out" / "objects.csv").exists()
    assert tifffile.imread(tmp_path / "out" / "f0.tif").dtype == dtype


def test_an_unknown_type_is_wrong_use(folder: Path, tmp_path: Path) -> None:
    wrong = call("predict", folder / "denoise.safetensors", folder / "noisy", "-o", tmp_path / "out", "--type", "int8")
    assert wrong.exit_code == 2
    assert "float32" in wrong.stderr


def test_evaluate_prints_the_baseline_beside(folder: Path) -> None:
    command = ("evaluate", folder / "denoise.safetensors", folder / "noisy", folder / "clean", "--device", "cpu")
    answer = json.loads(call(*command, "--json").stdout)
    assert answer["baseline"]["metrics"].keys() == answer["metrics"].keys()
    shown = call(*command)
    assert shown.exit_code == 0, shown.stderr
    heading, *rows = shown.stdout.splitlines()[1:]
    assert re.search(r"model +best Gaussian \(sigma", heading)
    assert len(rows) == len(answer["metrics"])
    assert f"{answer['baseline']['metrics']['PSNR']:.4f}" in shown.stdout


def test_targets_of_another_size_are_refused_by_name(folder: Path) -> None:
    result = call("evaluate", folder / "finer.safetensors", folder / "noisy", folder / "clean", "--device", "cpu")
    assert result.exit_code == 1
    assert "f0.tif" in result.stderr


def test_info_says_what_the_result_is(folder: Path) -> None:
    assert "upscaled image, 1 channel, 2 times finer" in call("info", folder / "finer.safetensors").stdout
    assert "denoised image, 1 channel\n" in call("info", folder / "denoise.safetensors").stdout
