"""The command line with models that count, and with models that tell images apart."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from click.testing import Result
from scipy import ndimage
from typer.testing import CliRunner

from microforge.cli.app import app
from microforge.io.model_file import read_card, save_model
from support.discs import draw_discs
from support.random_models import classifying_model, counting_model
from support.runs import csv_rows

QUICK = ["--steps", "12", "--device", "cpu", "--set", "patch_size=64", "--set", "batch_size=4", "--set", "width=8"]


def call(*arguments: Any) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def words(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve images of discs with their middles, and a model that counts something."""
    folder = tmp_path_factory.mktemp("cells")
    for part in ("images", "points"):
        (folder / part).mkdir()
    for seed in range(12):
        image, labels = draw_discs(seed=seed, count=6 + seed)
        scale = {"imagej": True, "resolution": (2, 2), "metadata": {"unit": "um"}}
        tifffile.imwrite(folder / "images" / f"d{seed}.tif", image, **scale)
        middles = ndimage.center_of_mass(labels > 0, labels, np.unique(labels)[1:])
        rows = "".join(f"{y:.2f},{x:.2f}\n" for y, x in middles)
        (folder / "points" / f"d{seed}.csv").write_text(f"y,x\n{rows}")
    model = counting_model()
    save_model(folder / "random.safetensors", model.weights, model.card)
    return folder


@pytest.fixture(scope="module")
def sorted_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images in a folder for each class, the same in one folder with a table, and a model."""
    folder = tmp_path_factory.mktemp("sorted")
    (folder / "all").mkdir()
    rows = ["name,class"]
    for name in ("bad", "good"):
        (folder / "by class" / name).mkdir(parents=True)
        for seed in range(4):
            image, _ = draw_discs(seed=seed)
            if name == "bad":
                image = ndimage.gaussian_filter(image, 6)
            for path in (folder / "by class" / name / f"{name}{seed}.tif", folder / "all" / f"{name}{seed}.tif"):
                tifffile.imwrite(path, image)
            rows.append(f"{name}{seed},{name}")
    (folder / "classes.csv").write_text("\n".join(rows))
    model = classifying_model()
    save_model(folder / "random.safetensors", model.weights, model.card)
    return folder


def test_train_counting_from_a_folder_of_points(cells: Path, tmp_path: Path) -> None:
    model = tmp_path / "count.safetensors"
    result = call("train", "counting", cells / "images", cells / "points", "--model", model, *QUICK, "--json")
    assert result.exit_code == 0, result.stderr
    assert "MAE" in json.loads(result.stdout)["metrics"]
    assert "12 images with points file" in words(result.stderr)
    assert read_card(model).task == "counting"
    told = call("info", model).stdout
    assert re.search(r"result: cells\n", told)
    assert "interval: not known: `microforge calibrate` measures" in told
    assert "spacing" not in told


def test_train_counting_needs_points(cells: Path, tmp_path: Path) -> None:
    result = call("train", "counting", cells / "images", "--model", tmp_path / "m.safetensors", *QUICK)
    assert result.exit_code == 2
    assert "needs a folder of points" in words(result.stderr)


def test_predict_speaks_of_cells(cells: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    regions = np.zeros((96, 96), np.uint8)
    regions[:40] = 1
    tifffile.imwrite(tmp_path / "upper.tif", regions)
    command = ("predict", cells / "random.safetensors", cells / "images", "-o", out, "--device", "cpu", "--json")
    result = call(*command, "--regions", tmp_path / "upper.tif")
    assert result.exit_code == 0, result.stderr
    summary = json.loads(result.stdout)
    assert (summary["done"], "objects" in summary) == (12, False)
    assert f"{summary['cells']:,} cells in 12 images. Results:" in result.stderr
    rows = csv_rows(out / "counts.csv")
    assert len(rows) == 24
    assert float(rows[1]["area_um2"]) == pytest.approx(40 * 96 / 4)
    counts = {row["name"]: float(row["count"]) for row in csv_rows(out / "images.csv")}
    assert [counts[row["name"]] for row in rows[::2]] == pytest.approx(
        [float(row["count"]) for row in rows[::2]], abs=0.01
    )
    assert "12 were done before" in call(*command, "--regions", tmp_path / "upper.tif").stderr
    assert "12 were done before" not in call(*command).stderr


def test_regions_that_are_not_there_are_told(cells: Path, tmp_path: Path) -> None:
    result = call(
        "predict", cells / "random.safetensors", cells / "images", "-o", tmp_path / "out", "--regions", "no.tif"
    )
    assert result.exit_code == 1
    assert "regions cannot be read" in result.stderr
    assert not (tmp_path / "out").exists()


def test_evaluate_tells_errors_of_counts_beside_the_mean(cells: Path) -> None:
    command = ("evaluate", cells / "random.safetensors", cells / "images", cells / "points", "--device", "cpu")
    result = json.loads(call(*command, "--json").stdout)
    assert {"MAE", "RMSE", "MAPE", "bias", "F1"} <= set(result["metrics"])
    truth = [one["truth"] for one in result["per_image"]]
    assert truth == [len(csv_rows(cells / "points" / f"{one['name']}.csv")) for one in result["per_image"]]
    errors = [abs(one["count"] - one["truth"]) for one in result["per_image"]]
    assert np.mean(errors) == pytest.approx(result["metrics"]["MAE"])
    assert (result["per_image"][0]["low"], result["per_image"][0]["high"]) == (None, None)
    assert result["baseline"]["metrics"]["MAE"] == pytest.approx(np.mean(np.abs(truth - np.mean(truth))), abs=1e-3)
    shown = call(*command)
    assert "always the mean count of these images" in shown.stdout
    assert "have no bounds" in shown.stderr


def test_evaluate_says_where_the_mean_count_does_as_well(cells: Path) -> None:
    told = call("evaluate", cells / "random.safetensors", cells / "images", cells / "points", "--device", "cpu").stderr
    assert "On these images the model is no better than a simple method: always the mean count" in told


def test_evaluate_of_counts_needs_points(cells: Path) -> None:
    result = call("evaluate", cells / "random.safetensors", cells / "images")
    assert result.exit_code == 1
    assert "nothing to compare the results with" in words(result.stderr)


def test_the_radius_decides_what_is_found(cells: Path) -> None:
    command = ("evaluate", cells / "random.safetensors", cells / "images", cells / "points", "--device", "cpu")
    near, far = (json.loads(call(*command, "--radius", r, "--json").stdout)["metrics"]["F1"] for r in (1, 60))
    assert near < far


def test_calibrate_writes_the_interval_into_a_copy(cells: Path, tmp_path: Path) -> None:
    model = tmp_path / "m.safetensors"
    model.write_bytes((cells / "random.safetensors").read_bytes())
    result = call("calibrate", model, cells / "images", cells / "points", "--device", "cpu")
    assert result.exit_code == 0, result.stderr
    assert re.search(r"90 % of counts of about \d+ lie between \d+ and \d+ \(measured on 12 images\)", result.stdout)
    written = tmp_path / "m_calibrated.safetensors"
    assert str(written) in words(result.stderr).replace(" ", "") or written.is_file()
    assert read_card(model).task_options.get("intervals", {}) == {}
    assert "measured on 12 images" in call("info", written).stdout
    answer = json.loads(
        call("evaluate", written, cells / "images", cells / "points", "--device", "cpu", "--json").stdout
    )
    assert answer["metrics"]["coverage"] >= 0.9
    assert answer["per_image"][0]["low"] <= answer["per_image"][0]["count"] <= answer["per_image"][0]["high"]
    assert "coverage" not in answer["baseline"]["metrics"]
    again = call("calibrate", model, cells / "images", cells / "points", "--device", "cpu")
    assert again.exit_code == 1
    assert "such a file already" in again.stderr


def test_classes_are_learnt_from_folders_and_from_a_table(sorted_images: Path, tmp_path: Path) -> None:
    for name, files in (
        ("folders", [sorted_images / "by class"]),
        ("table", [sorted_images / "all", sorted_images / "classes.csv"]),
    ):
        model = tmp_path / f"{name}.safetensors"
        result = call("train", "classification", *files, "--model", model, *QUICK, "--json")
        assert result.exit_code == 0, result.stderr
        assert "accuracy" in json.loads(result.stdout)["metrics"]
        assert re.search(r"classes: bad, good\n", call("info", model).stdout)


def test_evaluate_shows_which_class_was_taken_for_which(sorted_images: Path) -> None:
    command = ("evaluate", sorted_images / "random.safetensors", sorted_images / "by class", "--device", "cpu")
    result = json.loads(call(*command, "--json").stdout)
    assert result["confusion"]["classes"] == ["bad", "good"]
    assert [sum(row) for row in result["confusion"]["table"]] == [4, 4]
    assert result["baseline"]["metrics"]["accuracy"] == 0.5
    assert {"name", "truth", "class", "accuracy"} <= set(result["per_image"][0])
    shown = call(*command)
    assert re.search(r"true \\ found +bad +good\n +bad +\d+ +\d+\n +good +\d+ +\d+", shown.stdout)
    by_table = call(
        "evaluate", sorted_images / "random.safetensors", sorted_images / "all", sorted_images / "classes.csv",
        "--device", "cpu", "--json",
    )  # fmt: skip
    assert json.loads(by_table.stdout)["confusion"] == result["confusion"]


def test_predict_says_nothing_of_objects_where_there_are_classes(sorted_images: Path, tmp_path: Path) -> None:
    command = ("predict", sorted_images / "random.safetensors", sorted_images / "all", "-o", tmp_path / "out")
    result = call(*command, "--device", "cpu", "--json")
    assert result.exit_code == 0, result.stderr
    assert "8 images done." in result.stderr
    assert "objects" not in json.loads(result.stdout)
    assert {row["class"] for row in csv_rows(tmp_path / "out" / "images.csv")} <= {"bad", "good"}
