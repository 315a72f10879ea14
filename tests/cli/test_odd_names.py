"""Names that are not UTF-8, as on drives mounted with another encoding: a training keeps its model and tells them."""

import io
import os
from pathlib import Path

import pytest
import tifffile
from typer.testing import CliRunner

from microforge.cli.app import app
from microforge.cli.streams import LastingStream
from microforge.io.model_file import read_card
from support.discs import draw_discs

pytestmark = pytest.mark.skipif(os.name != "posix" or os.uname().sysname == "Darwin", reason="names are Unicode there")

SETTINGS = ["width=4", "depth=1", "patch_size=32", "batch_size=2", "validation_fraction=0"]


def train(task: str, *folders: Path, model: Path, more: tuple[str, ...] = ()) -> None:
    settings = [part for setting in SETTINGS for part in ("--set", setting)]
    told = [*map(str, folders), "--model", str(model), "--steps", "3", "--device", "cpu", *settings, *more]
    result = CliRunner().invoke(app, ["train", task, *told])
    assert result.exit_code == 0, result.stderr


def odd(folder: Path, name: bytes) -> Path:
    return Path(os.fsdecode(os.fsencode(folder) + b"/" + name))


def test_images_with_such_names_are_learnt_and_told_in_the_model_card(tmp_path: Path) -> None:
    for part in ("images", "labels"):
        (tmp_path / part).mkdir()
    for seed, name in enumerate((b"x_\xff.tif", b"x_\xfe.tif")):
        image, labels = draw_discs(seed=seed)
        tifffile.imwrite(odd(tmp_path / "images", name), image)
        tifffile.imwrite(odd(tmp_path / "labels", name), labels)
    model = odd(tmp_path, b"m_\xff.safetensors")
    train("instances", tmp_path / "images", tmp_path / "labels", model=model)
    assert sorted(read_card(model).training.names) == [r"x_\xfe", r"x_\xff"]
    train("instances", tmp_path / "images", tmp_path / "labels", model=model, more=("--resume", "--steps", "5"))
    assert read_card(model).training.steps == 5


def test_classes_from_folders_with_such_names_are_learnt(tmp_path: Path) -> None:
    for number, name in enumerate((b"wild", b"mut_\xff")):
        folder = odd(tmp_path, name)
        folder.mkdir()
        for seed in range(2):
            tifffile.imwrite(folder / f"{seed}.tif", draw_discs(seed=seed)[0] + 50 * number)
    model = tmp_path / "m.safetensors"
    train("classification", tmp_path, model=model)
    assert read_card(model).task_options["names"] == [r"mut_\xff", "wild"]


def test_a_model_with_such_a_name_can_be_started_from(tmp_path: Path) -> None:
    for part in ("images", "labels"):
        (tmp_path / part).mkdir()
        tifffile.imwrite(tmp_path / part / "a.tif", draw_discs(seed=1)[part == "labels"])
    first = odd(tmp_path, b"m_\xff.safetensors")
    train("instances", tmp_path / "images", tmp_path / "labels", model=first)
    train(
        "instances",
        tmp_path / "images",
        tmp_path / "labels",
        model=tmp_path / "n.safetensors",
        more=("--start-from", str(first)),
    )
    assert read_card(tmp_path / "n.safetensors").training.settings["start_from"].endswith(r"m_\xff.safetensors")


def test_such_names_are_shown() -> None:
    told = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    stream = LastingStream(told)
    stream.write(os.fsdecode(b"x_\xff.tif: damaged\n"))
    stream.flush()
    assert told.buffer.getvalue() == b"x_\\xff.tif: damaged\n"  # type: ignore[attr-defined]
