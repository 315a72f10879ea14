"""Command line options that several commands share, and parsing of their values."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError

from microforge.config import PredictionConfig, Settings
from microforge.errors import SettingsError, WriteError

_S = TypeVar("_S", bound=Settings)

_DEFAULT_SECONDS = 600.0
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def read_device(text: str) -> str:
    """Check the name of a device."""
    try:
        return PredictionConfig(device=text).device
    except ValidationError as error:
        raise typer.BadParameter(str(error.errors()[0]["ctx"]["error"]) + ".", param_hint="--device") from error


DeviceOption = Annotated[
    str,
    typer.Option(
        metavar="auto|cpu|cuda|cuda:N|mps",
        parser=read_device,
        help="Where to compute; auto takes the GPU with most free memory, if one works; cuda:1 the second GPU.",
    ),
]
AxesOption = Annotated[
    str | None, typer.Option(help="Axes of the images, such as ZYX or TCYX, where the files do not tell.")
]
FlipsOption = Annotated[
    bool, typer.Option("--flips", help="Average over mirrored and turned copies: a little better, 4 to 8 times slower.")
]
TaskOptionList = Annotated[
    list[str] | None,
    typer.Option("--option", metavar="NAME=VALUE", help="Setting of the task (`microforge tasks`); may be repeated."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]


def read_seconds(text: str) -> float:
    """Turn ``300``, ``300s``, ``5m`` or ``1.5h`` into seconds."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|m|min|h|)\s*", text.lower())
    if not match or float(match[1]) <= 0:
        raise typer.BadParameter(f"'{text}' is not a time: write 300s, 5m or 1h.", param_hint="--time")
    return float(match[1]) * _UNITS[match[2]]


def training_seconds(time: str | None, steps: int | None) -> float | None:
    """Give how long to train: as said, without an end where steps are said, or else for ten minutes, which is told."""
    if time:
        return read_seconds(time)
    if steps is not None:
        return None
    typer.echo("Neither --time nor --steps is given: training for 10 minutes. Ctrl-C ends it earlier.", err=True)
    return _DEFAULT_SECONDS


def read_pairs(pairs: Sequence[str] | None, option: str) -> dict[str, Any]:
    """Turn ``name=value`` texts into values; ``a.b=1`` goes one level deeper; values are read as JSON if possible."""
    values: dict[str, Any] = {}
    for pair in pairs or ():
        name, equals, text = pair.partition("=")
        if not equals or not name.strip():
            raise typer.BadParameter(f"'{pair}' is not of the form NAME=VALUE.", param_hint=option)
        *above, last = name.strip().split(".")
        place = values
        for part in above:
            place = place.setdefault(part, {})
        place[last] = _value(text)
    return values


def make_settings(kind: type[_S], values: dict[str, Any]) -> _S:
    """Build settings; a wrong name or value is wrong use, told with the names there are."""
    try:
        return kind(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        known = ", ".join(kind.model_fields)
        raise typer.BadParameter(f"'{name}': {first['msg']}. Settings: {known}.", param_hint="--set") from error


def make_folder(folder: Path) -> None:
    """Make a folder for results.

    Raises
    ------
    WriteError
        If it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(
            f"The folder cannot be made ({error.strerror or error}).",
            where=str(folder),
            kept="Nothing was written.",
            remedy="Choose another place.",
        ) from error


def model_path(model: Path, option: str) -> Path:
    """Give the path of a model file to write, with its suffix, in a folder that is there."""
    if model.is_dir():
        raise SettingsError(
            "This is a folder.", where=str(model), remedy="Name a model file, such as cells.safetensors."
        )
    if model.suffix == "":
        model = model.with_suffix(".safetensors")
    if model.suffix != ".safetensors":
        raise typer.BadParameter(f"'{model.name}' must end in .safetensors.", param_hint=option)
    make_folder(model.parent)
    return model


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
