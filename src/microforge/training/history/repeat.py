"""The command line that does again what was done in the window or by a script; come here for *Copy as command*."""

import json
import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from microforge.config import PredictionConfig, Settings, TrainingConfig
from microforge.errors import MicroforgeError
from microforge.io.model_file import read_card
from microforge.training.history.run_folder import CONFIG_NAME, MODEL_NAME

#: What has an option of its own rather than `--set`.
_NAMED = ("task", "task_options", "time", "steps", "device", "seed", "start_from", "group_by")


@dataclass(frozen=True)
class TrainingFiles:
    """What to train on, as given on the command line.

    Attributes
    ----------
    targets
        Folders of annotations or of images wanted; a table of classes; none where the task learns from the images
        alone, or the images lie in folders named by their class.
    validation_split
        ``table.csv:name`` of the images to measure on; trained on are those of the split `train`, or all others
        where the table has none of that name.
    groups
        ``table.csv:column`` that says what the images belong to: all of a group is learnt from, or measured on.
    axes, target_axes
        What the dimensions mean, where the files do not tell.
    """

    images: Path
    targets: tuple[Path, ...] = ()
    validation_split: str | None = None
    axes: str | None = None
    target_axes: str | None = None
    groups: str | None = None


def command_to_train(config: TrainingConfig, inputs: TrainingFiles, model: Path) -> str:
    """Give the command that trains with these settings on these files.

    A config without time and steps is trained until somebody stops it: give it the steps that were made.
    """
    words = ["microforge", "train", config.task, _path(inputs.images), *map(_path, inputs.targets)]
    words += ["--model", _path(model), *_chosen(config)]
    words += [] if config.group_by is None else [f"--group-by={config.group_by}"]
    for option, value in (
        ("--validation-split", inputs.validation_split),
        ("--groups", inputs.groups),
        ("--axes", inputs.axes),
        ("--target-axes", inputs.target_axes),
    ):
        words += [] if value is None else [f"{option}={value}"]
    words += _pairs("--option", config.task_options.items())
    words += _pairs("--set", _changed(config))
    return command_line(words)


def command_to_train_project(config: TrainingConfig, project: Path) -> str:
    """Give the command that trains with these settings on what is annotated in a project."""
    words = ["microforge", "project", "train", _path(project), "--task", config.task, *_chosen(config)]
    words += _pairs("--option", config.task_options.items())
    words += [] if config.group_by is None else [*_pairs("--set", [("group_by", config.group_by)])]
    words += _pairs("--set", _changed(config))
    return command_line(words)


def command_of_run(folder: Path) -> str:
    """Give the command that repeats a run; empty where nobody can tell, as its images were in no file.

    A run that went on until somebody stopped it is repeated for as many steps.
    """
    try:
        settings = json.loads((folder / CONFIG_NAME).read_bytes())
        command, ends = str(settings.get("command", "")), (settings.get("time"), settings.get("steps"))
        unlimited = bool(command) and ends == (None, None)
        return f"{command} --steps {read_card(folder / MODEL_NAME).training.steps}" if unlimited else command
    except (OSError, ValueError, AttributeError, RecursionError, MicroforgeError):
        return ""


def command_to_predict(
    config: PredictionConfig,
    model: Path,
    inputs: Sequence[Path | str],
    output: Path,
    *,
    axes: str | None = None,
    overwrite: bool = False,
) -> str:
    """Give the command that applies a model to these files."""
    words = ["microforge", "predict", _path(model), *(_path(one) for one in inputs), "--output", _path(output)]
    words += [] if config.device == "auto" else ["--device", config.device]
    words += [] if axes is None else [f"--axes={axes}"]
    words += [] if config.tile_size is None else ["--tile-size", str(config.tile_size)]
    words += ["--flips"] if config.flips else []
    words += [] if config.image_type == "float32" else ["--type", config.image_type]
    words += [] if config.regions is None else ["--regions", _path(config.regions)]
    words += ["--overwrite"] if overwrite else []
    words += _pairs("--option", config.task_options.items())
    return command_line(words)


def _chosen(config: TrainingConfig) -> list[str]:
    """Give the options that the commands that train have in common."""
    words = [] if config.time is None else ["--time", _seconds(config.time)]
    words += [] if config.steps is None else ["--steps", str(config.steps)]
    words += [] if config.device == "auto" else ["--device", config.device]
    words += [] if config.seed == 0 else ["--seed", str(config.seed)]
    words += [] if config.start_from is None else ["--start-from", _path(config.start_from)]
    return words


def command_line(words: Sequence[str]) -> str:
    """Join words to one line that a shell of this system takes apart again as they are."""
    return subprocess.list2cmdline(words) if os.name == "nt" else " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    """Quote a word; bytes of a name that is not UTF-8 are written as bash and zsh read them."""
    if not any("\udc80" <= sign <= "\udcff" for sign in word):
        return shlex.quote(word)
    signs = (f"\\x{byte:02x}" if byte > 126 or byte < 32 or byte in b"\\'" else chr(byte) for byte in os.fsencode(word))
    return f"$'{''.join(signs)}'"


def _pairs(option: str, values: Any) -> Iterator[str]:
    for name, value in values:
        yield from (option, f"{name}={_text(value)}")


def _text(value: Any) -> str:
    """Write a value as the command line reads it: JSON, or else plain text."""
    if not isinstance(value, str):
        return json.dumps(value)
    try:
        json.loads(value)
    except ValueError:
        return value
    return json.dumps(value)


def _changed(config: TrainingConfig) -> Iterator[tuple[str, Any]]:
    """Give the settings that are not as usual, those within others by ``outer.inner``."""
    usual, now = (_plain(one) for one in (TrainingConfig(), config))
    for name, value in now.items():
        if name in _NAMED or value == usual[name]:
            continue
        if isinstance(value, Mapping) and isinstance(usual[name], Mapping):
            yield from ((f"{name}.{part}", one) for part, one in value.items() if one != usual[name][part])
        else:
            yield name, value


def _plain(settings: Settings) -> dict[str, Any]:
    return settings.model_dump(mode="json")


def _path(path: Path | str) -> str:
    """Give a path that means the same in any folder, and is never taken for an option."""
    return str(Path(path).absolute())


def _seconds(time: float) -> str:
    return f"{f'{time:.6f}'.rstrip('0').rstrip('.')}s"
