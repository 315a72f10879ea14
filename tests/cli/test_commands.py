"""The command line: the exact commands, exit codes, and what people are told."""

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
from microforge.io.model_file import read_card
from microforge.simulate import noisy_pair, noisy_series
from support.discs import draw_discs

QUICK = ["--steps", "12", "--device", "cpu", "--set", "patch_size=64", "--set", "batch_size=4", "--set", "width=8"]


def call(*arguments: Any) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def words(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pairs")
    for part in ("images", "labels"):
        (folder / part).mkdir()
    for seed in range(6):
        image, labels = draw_discs(seed=seed)
        scale = {"imagej": True, "resolution": (4, 4), "metadata": {"unit": "um"}}
        tifffile.imwrite(folder / "images" / f"d{seed}.tif", image, **scale)
        tifffile.imwrite(folder / "labels" / f"d{seed}.tif", labels.astype(np.uint16))
    rows = ["name,split", *(f"d{n},{'val' if n < 2 else 'train'}" for n in range(5)), "d5,other"]
    (folder / "split.csv").write_text("\n".join(rows))
    return folder


@pytest.fixture(scope="module")
def trained(pairs: Path) -> tuple[Path, Result]:
    model = pairs / "model" / "discs.safetensors"
    result = call(
        "train", "instances", pairs / "images", pairs / "labels", "--model", model, *QUICK, "--seed", "3",
        "--validation-split", f"{pairs / 'split.csv'}:val", "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    return model, result


def test_train_leaves_a_model_and_its_run(trained: tuple[Path, Result]) -> None:
    model, result = trained
    summary = json.loads(result.stdout)
    assert summary["model"] == str(model)
    assert summary["steps"] == 12
    card = read_card(model)
    assert (card.task, card.training.steps) == ("instances", 12)
    assert card.pixel_size == (0.25, 0.25)
    assert (model.parent / "discs.run" / "log.csv").is_file()


def test_train_tells_what_was_found(trained: tuple[Path, Result]) -> None:
    told = words(trained[1].stderr)
    assert "6 images with annotation" in told
    assert "3 to learn from, 2 to measure quality" in told
    assert "3 images to learn from, 2 to measure quality" in told


def test_predict_writes_labels_and_tables(trained: tuple[Path, Result], pairs: Path, tmp_path: Path) -> None:
    result = call("predict", trained[0], pairs / "images", "--output", tmp_path / "out", "--device", "cpu", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["done"] == 6
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {*(f"d{n}.tif" for n in range(6)), "objects.csv", "images.csv", "microforge.sqlite"}
    with tifffile.TiffFile(tmp_path / "out" / "d0.tif") as file:
        assert file.pages[0].dtype == np.uint32
        assert file.pages[0].shape == (96, 96)
        assert file.pages[0].compression != 1
        assert file.pages[0].tags["XResolution"].value[0] / file.pages[0].tags["XResolution"].value[1] == 4


def test_predict_takes_patterns_and_files_and_goes_on(
    trained: tuple[Path, Result], pairs: Path, tmp_path: Path
) -> None:
    first = call("predict", trained[0], pairs / "images" / "d[01].tif", "-o", tmp_path / "out", "--json")
    assert json.loads(first.stdout)["done"] == 2
    second = call(
        "predict",
        trained[0],
        pairs / "images" / "d0.tif",
        pairs / "images" / "d5.tif",
        "-o",
        tmp_path / "out",
        "--json",
    )
    assert {k: json.loads(second.stdout)[k] for k in ("done", "skipped")} == {"done": 1, "skipped": 1}
    again = call("predict", trained[0], pairs / "images", "-o", tmp_path / "out", "--overwrite", "--json")
    assert json.loads(again.stdout)["done"] == 6


def test_some_failures_give_exit_code_3(trained: tuple[Path, Result], tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for seed in range(7):
        tifffile.imwrite(folder / f"ok{seed}.tif", draw_discs(seed=seed)[0])
    (folder / "zero.tif").write_bytes(b"")
    (folder / "cut.tif").write_bytes((folder / "ok0.tif").read_bytes()[:400])
    tifffile.imwrite(folder / "stack.tif", np.zeros((5, 64, 64), np.uint8) + np.arange(64, dtype=np.uint8), imagej=True)
    result = call("predict", trained[0], folder, "--output", tmp_path / "out")
    assert result.exit_code == 3
    told = words(result.stderr)
    assert re.search(r"\d+ objects in 7 images, 3 failed", told)
    assert "0 bytes" in told


def test_only_failures_give_exit_code_1(trained: tuple[Path, Result], tmp_path: Path) -> None:
    (tmp_path / "zero.tif").write_bytes(b"")
    result = call("predict", trained[0], tmp_path / "zero.tif", "-o", tmp_path / "out")
    assert result.exit_code == 1


def test_evaluate_prints_metrics(trained: tuple[Path, Result], pairs: Path) -> None:
    split = f"{pairs / 'split.csv'}:val"
    result = call("evaluate", trained[0], pairs / "images", pairs / "labels", "--split", split, "--json")
    assert result.exit_code == 0, result.stderr
    answer = json.loads(result.stdout)
    assert answer["images"] == 2
    assert 0 <= answer["metrics"]["AP@0.5"] <= 1
    assert [one["name"] for one in answer["per_image"]] == ["d0", "d1"]
    assert "AP@0.5" in call("evaluate", trained[0], pairs / "images", pairs / "labels").stdout


def test_info_shows_the_card(trained: tuple[Path, Result]) -> None:
    assert json.loads(call("info", trained[0], "--json").stdout)["task"] == "instances"
    shown = call("info", trained[0])
    assert shown.exit_code == 0
    assert "trained on: 3 images" in shown.stdout


def test_start_from_a_model_and_resume(trained: tuple[Path, Result], pairs: Path, tmp_path: Path) -> None:
    where = ("train", "instances", pairs / "images", pairs / "labels", "--model", tmp_path / "next")
    first = call(*where, *QUICK, "--start-from", trained[0])
    assert first.exit_code == 0, first.stderr
    assert (tmp_path / "next.safetensors").is_file()
    longer = [part if part != "12" else "16" for part in QUICK]
    second = call(*where, *longer, "--start-from", trained[0], "--resume", "--json")
    assert second.exit_code == 0, second.stderr
    assert json.loads(second.stdout)["steps"] == 16
    assert "going on at step" in words(second.stderr)


def test_classes_of_pixels_go_the_whole_way(pairs: Path, tmp_path: Path) -> None:
    classes, model = tmp_path / "classes", tmp_path / "m.safetensors"
    classes.mkdir()
    for path in (pairs / "labels").iterdir():
        tifffile.imwrite(classes / path.name, (tifffile.imread(path) > 0).astype(np.uint8))
    trained = call("train", "segmentation", pairs / "images", classes, "--model", model, *QUICK)
    assert trained.exit_code == 0, trained.stderr
    assert call("predict", model, pairs / "images", "-o", tmp_path / "out").exit_code == 0
    assert set(np.unique(tifffile.imread(tmp_path / "out" / "d0.tif"))) <= {0, 1}
    answer = json.loads(call("evaluate", model, pairs / "images", classes, "--json").stdout)
    assert 0 <= answer["metrics"]["Dice"] <= 1


# Tasks whose answer is an image ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def exposures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give folders noisy, clean, blue and fine (twice as fine) of four fields."""
    folder = tmp_path_factory.mktemp("exposures")
    for seed in range(4):
        noisy, clean = noisy_pair(seed, (64, 64))
        parts = {"noisy": noisy, "clean": clean, "blue": clean // 2, "fine": np.kron(clean, np.ones((2, 2), np.uint16))}
        for part, data in parts.items():
            (folder / part).mkdir(exist_ok=True)
            tifffile.imwrite(folder / part / f"f{seed}.tif", data)
    return folder


SMALL = ["--steps", "4", "--device", "cpu", "--set", "patch_size=32", "--set", "batch_size=2", "--set", "width=4"]


@pytest.mark.parametrize(
    ("task", "targets", "told"),
    [
        ("denoising", [], "4 images."),
        ("restoration", ["clean"], "4 images with target."),
        ("label-free", ["clean", "blue"], "4 images with 2 targets."),
        ("super-resolution", ["fine"], "4 images with target."),
    ],
)
def test_image_tasks_are_trained_from_folders(
    exposures: Path, tmp_path: Path, task: str, targets: list[str], told: str
) -> None:
    model = tmp_path / "m.safetensors"
    folders = [exposures / name for name in targets]
    result = call("train", task, exposures / "noisy", *folders, "-m", model, *SMALL)
    assert result.exit_code == 0, result.stderr
    assert told in words(result.stderr)
    card = read_card(model)
    assert card.task == task
    assert card.network.out_channels == max(1, len(targets))
    assert card.network.upscale == (2 if targets == ["fine"] else 1)


def test_denoising_keeps_images_of_a_table_aside(exposures: Path, tmp_path: Path) -> None:
    table = tmp_path / "split.csv"
    table.write_text("name,split\nf0,val\nf1,train\nf2,train\nf3,other\n")
    model = tmp_path / "m.safetensors"
    split = ("--validation-split", f"{table}:val")
    result = call("train", "denoising", exposures / "noisy", "-m", model, *SMALL, *split)
    assert result.exit_code == 0, result.stderr
    assert "By the table: 2 to learn from, 1 to measure quality." in words(result.stderr)


WRONG_FOLDERS = [
    ("denoising", ["clean"], "learns from the images alone: the folder .*clean is not used"),
    ("restoration", [], "'restoration' needs a folder of the images wanted"),
    ("instances", [], "'instances' needs a folder of label images"),
    ("instances", ["clean", "blue"], "takes one folder of annotations, not 2: leave out .*blue"),
]


@pytest.mark.parametrize(("task", "folders", "told"), WRONG_FOLDERS)
def test_folders_that_a_task_cannot_use(
    exposures: Path, tmp_path: Path, task: str, folders: list[str], told: str
) -> None:
    given = [exposures / name for name in folders]
    result = call("train", task, exposures / "noisy", *given, "-m", tmp_path / "m.safetensors", *SMALL)
    assert result.exit_code == 2
    assert re.search(told, words(result.stderr))
    assert not list(tmp_path.iterdir())


def test_a_series_is_asked_for_and_read_as_said(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    tifffile.imwrite(tmp_path / "in" / "a.tif", noisy_series(1, 6, (48, 48))[0])
    call_it = ("train", "denoising", tmp_path / "in", "-m", tmp_path / "m.safetensors", *SMALL)
    asked = call(*call_it)
    assert asked.exit_code == 1
    assert "shape 6x48x48" in words(asked.stderr)
    assert "--axes: TYX for a time series" in words(asked.stderr)
    said = call(*call_it, "--axes", "TYX")
    assert said.exit_code == 0, said.stderr
    assert read_card(tmp_path / "m.safetensors").network.dims == 2


def test_targets_of_another_size_are_refused_by_name(exposures: Path, tmp_path: Path) -> None:
    (tmp_path / "clean").mkdir()
    for path in (exposures / "clean").iterdir():
        tifffile.imwrite(tmp_path / "clean" / path.name, tifffile.imread(path)[:50])
    folders = (exposures / "noisy", tmp_path / "clean")
    result = call("train", "restoration", *folders, "-m", tmp_path / "m.safetensors", *SMALL)
    assert result.exit_code == 1
    assert "f0.tif: The target is 50x64, the image is 64x64." in words(result.stderr)


def test_tasks_lists_settings() -> None:
    assert "instances" in call("tasks").stdout
    answer = json.loads(call("tasks", "--json").stdout)
    assert answer["instances"]["metric"] == "AP@0.5"
    assert answer["instances"]["options"]


def test_version_and_no_arguments() -> None:
    assert call("--version").stdout.startswith("microforge ")
    assert "Commands" in call().output


WRONG_USE = [
    (["--time", "soon"], "is not a time"),
    (["--time", "0s"], "is not a time"),
    (["--device", "tpu"], "tpu"),
    (["--device", "cuda:x"], "cuda:1 (the second GPU)"),
    (["--set", "patch_size"], "NAME=VALUE"),
    (["--set", "patch=64"], "Settings:"),
    (["--set", "batch_size=0"], "batch_size"),
    (["--model", "model.pt"], ".safetensors"),
    (["--steps", "0"], "steps"),
]


@pytest.mark.parametrize(("options", "told"), WRONG_USE, ids=lambda value: str(value)[:30])
def test_wrong_use_is_told_with_exit_code_2(pairs: Path, tmp_path: Path, options: list[str], told: str) -> None:
    model = [] if "--model" in options else ["--model", str(tmp_path / "m.safetensors")]
    result = call("train", "instances", pairs / "images", pairs / "labels", *model, *options)
    assert result.exit_code == 2
    assert told in words(result.stderr)


def broken_folder(tmp_path: Path, label: np.ndarray | None, **options: Any) -> tuple[Path, Path]:
    images, labels = tmp_path / "images", tmp_path / "labels"
    images.mkdir()
    labels.mkdir()
    tifffile.imwrite(images / "a.tif", draw_discs(seed=1)[0])
    if label is not None:
        tifffile.imwrite(labels / "a.tif", label, **options)
    return images, labels


BAD_LABELS = [
    (None, "no image"),
    (np.zeros((96, 96), np.uint16), ""),
    (np.zeros((50, 50), np.uint16), "96"),
    (np.full((96, 96), 0.5, np.float32), "fractions"),
    (np.arange(96 * 96 * 3, dtype=np.uint8).reshape(96, 96, 3), "colour"),
]


@pytest.mark.parametrize(("label", "told"), BAD_LABELS, ids=["missing", "empty", "shape", "float", "colour"])
def test_bad_annotations_are_told_with_exit_code_1(tmp_path: Path, label: np.ndarray | None, told: str) -> None:
    images, labels = broken_folder(tmp_path, label)
    result = call("train", "instances", images, labels, "--model", tmp_path / "m.safetensors", *QUICK)
    assert result.exit_code == 1, result.output
    assert words(result.stderr).count("Error:") == 1
    assert told in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "m.safetensors").exists()


def test_an_unknown_task_lists_the_tasks(pairs: Path, tmp_path: Path) -> None:
    result = call("train", "instanzes", pairs / "images", pairs / "labels", "--model", tmp_path / "m")
    assert result.exit_code == 1
    assert "instances" in result.stderr


@pytest.mark.parametrize("content", [None, b"", b"not a model at all", b"\x10\x00\x00\x00\x00\x00\x00\x00{}{}{}"])
def test_a_bad_model_is_told(tmp_path: Path, pairs: Path, content: bytes | None) -> None:
    model = tmp_path / "m.safetensors"
    if content is not None:
        model.write_bytes(content)
    for command in (["info", model], ["predict", model, pairs / "images", "-o", tmp_path / "out"]):
        result = call(*command)
        assert result.exit_code == 1
        assert result.stderr.startswith("Error: ")
        assert str(model) in result.stderr


def test_output_inside_the_input_is_refused(trained: tuple[Path, Result], pairs: Path) -> None:
    result = call("predict", trained[0], pairs / "images", "--output", pairs / "images" / "out")
    assert result.exit_code == 1
    assert "inside the input folder" in result.stderr
    assert not (pairs / "images" / "out").exists()


def test_surprises_are_told_in_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def surprise(_: Path) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("microforge.cli.commands.info.read_card", surprise)
    result = call("info", tmp_path)
    assert result.exit_code == 1
    assert "ZeroDivisionError: oh" in result.stderr
    assert isinstance(call("--debug", "info", tmp_path).exception, ZeroDivisionError)


def test_parts_are_predicted_apart_and_merged(trained: tuple[Path, Result], pairs: Path, tmp_path: Path) -> None:
    command = ["predict", trained[0], pairs / "images", "--output", tmp_path / "out", "--device", "cpu", "--json"]
    done = [json.loads(call(*command, "--part", f"{number}/2").stdout)["done"] for number in (1, 2)]
    assert done == [3, 3]
    assert not (tmp_path / "out" / "images.csv").exists()
    merged = call("merge", tmp_path / "out", "--json")
    assert merged.exit_code == 0, merged.stderr
    assert json.loads(merged.stdout) == {
        "parts": 2,
        "done": 6,
        "failed": 0,
        "left": [],
        "output": str(tmp_path / "out"),
    }
    again = json.loads(call(*command).stdout)
    assert (again["done"], again["skipped"]) == (0, 6)


def test_what_is_no_part_is_told_in_words(trained: tuple[Path, Result], pairs: Path, tmp_path: Path) -> None:
    result = call("predict", trained[0], pairs / "images", "--output", tmp_path / "out", "--part", "3/2")
    assert result.exit_code == 1
    assert "'3/2' is no part. Write 3/20 for the third of twenty" in words(result.stderr)
