"""All commands and settings as JSON."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from microforge.cli.app import app
from microforge.config import TrainingConfig
from microforge.tasks import available_tasks


def schema(*arguments: str) -> Any:
    result = CliRunner().invoke(app, ["schema", *arguments])
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_every_command_and_task_is_told() -> None:
    told = schema()
    for name in ("train", "predict", "merge", "evaluate", "project status", "schema"):
        assert told["commands"][name]["type"] == "object"
    assert told["task_options"].keys() == available_tasks().keys()
    assert told["settings"]["train"]["properties"].keys() == TrainingConfig.model_fields.keys()


def test_parameters_have_their_types_options_and_defaults() -> None:
    told = schema("predict")
    assert told["required"] == ["model", "inputs", "output"]
    properties = told["properties"]
    assert properties["inputs"]["type"] == "array"
    assert "x-option" not in properties["inputs"]
    assert properties["output"]["x-option"] == "--output"
    assert properties["image_type"]["enum"] == ["float32", "source"]
    assert properties["image_type"]["default"] == "float32"
    assert properties["overwrite"] == {
        "description": "Do again what is done already.",
        "type": "boolean",
        "x-option": "--overwrite",
        "default": False,
    }
    assert properties["option"]["type"] == "array"
    assert schema("train")["properties"]["steps"] == {
        "description": "Stop after this many training steps.",
        "type": "integer",
        "minimum": 1,
        "x-option": "--steps",
    }


def test_what_is_told_of_every_parameter_is_an_object_with_a_meaning() -> None:
    for name, command in schema()["commands"].items():
        for parameter, told in command["properties"].items():
            assert told["type"] in ("string", "integer", "number", "boolean", "array"), (name, parameter)
            assert told["description"], (name, parameter)


@pytest.mark.parametrize("name", ["nothing", "project"])
def test_what_is_no_command_is_refused_with_those_there_are(name: str) -> None:
    result = CliRunner().invoke(app, ["schema", name])
    assert result.exit_code == 2
    assert "is no command: train, predict" in " ".join(result.stderr.replace("│", " ").split())
