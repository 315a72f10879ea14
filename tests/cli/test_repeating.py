"""The command copied from a run is read back as the settings it was made of."""

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from microforge.cli.app import app
from microforge.config import AugmentationConfig, PredictionConfig, TrainingConfig
from microforge.errors import NotEnoughDataError
from microforge.events import FolderFinished, RunFinished
from microforge.io.model_file import TrainingSummary
from microforge.project import Project
from microforge.training.history.repeat import (
    TrainingFiles,
    command_line,
    command_of_run,
    command_to_predict,
    command_to_train,
    command_to_train_project,
)
from support.model_cards import write_model

CONFIGS = {
    "usual": TrainingConfig(steps=500),
    "by time": TrainingConfig(time=90.5, device="cpu", seed=7),
    "both ends": TrainingConfig(time=3600, steps=12),
    "advanced": TrainingConfig(
        steps=3, patch_size=96, width=16, normalisation="dataset", learning_rate=0.00025, validation_fraction=0.0
    ),
    "varied": TrainingConfig(steps=3, augmentation=AugmentationConfig(flip=False, elastic=2.5)),
    "grouped": TrainingConfig(steps=3, group_by=r"^([A-H]\d+) 'x' \"y\" $HOME"),
    "task options": TrainingConfig(
        task="segmentation", steps=3, task_options={"classes": {"1": "it's a cell", "2": "12"}, "threshold": 0.25}
    ),
    "options as text": TrainingConfig(steps=3, task_options={"unpainted": "background", "odd": "true", "no": None}),
}
PLACES = ["plain", "with space", "it's", 'double "quoted"', "$HOME `x` *.tif", "ünï", "-dash"]


def run_line(line: str) -> None:
    result = CliRunner().invoke(app, shlex.split(line)[1:], catch_exceptions=False)
    assert result.exit_code == 0, result.output


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[Any, ...]]:
    """Keep what a training would be started with."""
    calls: list[tuple[Any, ...]] = []

    def keep(config: Any, files: Any, model: Path, seconds: float | None, **_: Any) -> RunFinished:
        calls.append((config, files, model, seconds))
        return RunFinished(1, 1.0, model, {}, "steps")

    monkeypatch.setattr("microforge.cli.commands.train.train_model", keep)
    return calls


@pytest.mark.parametrize("name", CONFIGS)
def test_a_training_is_repeated_with_the_same_settings(
    trained: list[tuple[Any, ...]], tmp_path: Path, name: str
) -> None:
    config = CONFIGS[name]
    targets = (tmp_path / "labels",)
    run_line(command_to_train(config, TrainingFiles(tmp_path / "images", targets), tmp_path / "m.safetensors"))
    [(read, files, model, seconds)] = trained
    assert seconds == config.time
    assert read.model_copy(update={"time": seconds}).model_dump(mode="json") == config.model_dump(mode="json")
    assert (files.images, files.targets, model) == (tmp_path / "images", targets, tmp_path / "m.safetensors")


@pytest.mark.parametrize("place", PLACES)
def test_odd_names_of_folders_come_back(trained: list[tuple[Any, ...]], tmp_path: Path, place: str) -> None:
    start = tmp_path / place / "start.safetensors"
    config = TrainingConfig(steps=3, start_from=start)
    inputs = TrainingFiles(
        tmp_path / place, (tmp_path / f"{place} labels",), f"{place}.csv:val", "ZYX", None, "t.csv:w"
    )
    run_line(command_to_train(config, inputs, tmp_path / f"{place}.safetensors"))
    [(read, files, _, _)] = trained
    assert read.start_from == start
    assert (files.images, files.targets) == (inputs.images, inputs.targets)
    assert (files.validation_split, files.axes, files.groups) == (f"{place}.csv:val", "ZYX", "t.csv:w")


@pytest.mark.parametrize(
    "config",
    [
        PredictionConfig(),
        PredictionConfig(device="cpu", tile_size=256, flips=True, image_type="source", task_options={"threshold": 0.4}),
    ],
)
def test_an_application_is_repeated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, config: PredictionConfig) -> None:
    calls: list[tuple[Any, ...]] = []

    def keep(*args: Any, **more: Any) -> Any:
        calls.append((args, more))
        yield FolderFinished(1, 0, 0, tmp_path)

    monkeypatch.setattr("microforge.inference.folder.run.predict_folder", keep)
    monkeypatch.setattr("microforge.cli.commands.predict.read_card", lambda _: None)
    monkeypatch.setattr("microforge.cli.commands.predict.doubt_of", lambda _: None)
    regions = tmp_path / "my regions"
    wanted = config.model_copy(update={"regions": regions})
    line = command_to_predict(
        wanted, tmp_path / "m.safetensors", [tmp_path / "a b"], tmp_path / "out", axes="TYX", overwrite=True
    )
    run_line(line)
    [((model, inputs, output), more)] = calls
    assert (model, [Path(one) for one in inputs], output) == (
        tmp_path / "m.safetensors",
        [tmp_path / "a b"],
        tmp_path / "out",
    )
    assert more["config"] == wanted
    assert (more["axes"], more["overwrite"]) == ("TYX", True)


@pytest.mark.skipif(sys.platform == "win32", reason="names are text there")
def test_a_name_that_is_not_utf8_reaches_the_program(tmp_path: Path) -> None:
    import subprocess

    name = b"caf\xe9 'x' \\ $y".decode("utf-8", "surrogateescape")
    line = command_line([sys.executable, "-c", "import os, sys; print(os.fsencode(sys.argv[1]).hex())", name])
    shown = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True).stdout
    assert bytes.fromhex(shown.strip()) == b"caf\xe9 'x' \\ $y"


@pytest.mark.parametrize("name", ["advanced", "varied", "grouped", "options as text"])
def test_a_training_of_a_project_is_repeated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    Project.create(tmp_path / "my project").close()
    read: list[TrainingConfig] = []

    def keep(_: Any, config: TrainingConfig) -> Any:
        read.append(config)
        raise NotEnoughDataError("as far as this test goes")

    monkeypatch.setattr("microforge.cli.commands.project._read", keep)
    line = command_to_train_project(CONFIGS[name], tmp_path / "my project")
    result = CliRunner().invoke(app, shlex.split(line)[1:])
    assert "as far as this test goes" in result.output
    assert read[0].model_dump(mode="json") == CONFIGS[name].model_dump(mode="json")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"command": "microforge train x", "time": None, "steps": None}, "microforge train x --steps 123"),
        ({"command": "microforge train x --time 5s", "time": 5, "steps": None}, "microforge train x --time 5s"),
        ({"time": 5}, ""),
        ([], ""),
    ],
)
def test_a_run_without_a_limit_is_repeated_for_as_many_steps(tmp_path: Path, settings: Any, expected: str) -> None:
    write_model(tmp_path / "model.safetensors", training=TrainingSummary(steps=123))
    (tmp_path / "config.json").write_text(json.dumps(settings))
    assert command_of_run(tmp_path) == expected
