"""`microforge schema`: all commands and settings as JSON, for workflow managers and forms that others build."""

import inspect
import json
import types
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import typer
from typer.models import ArgumentInfo, OptionInfo

import microforge
from microforge.config import PredictionConfig, TrainingConfig

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_TYPES = {int: "integer", float: "number", bool: "boolean", str: "string", Path: "string"}


def schema_command(
    context: typer.Context,
    command: Annotated[str | None, typer.Argument(help="Only this command; by default all, and all settings.")] = None,
) -> None:
    """Print commands and settings as JSON Schema: names, types, defaults, meanings.

    Of a command each property has the option that sets it as `x-option`, or none where it stands by itself, in order.
    """
    # Not from above: the commands together know this one.
    from microforge.cli.app import app

    commands = dict(_commands(app))
    if command is not None and command not in commands:
        raise typer.BadParameter(f"'{command}' is no command: {', '.join(commands)}.", param_hint="COMMAND")
    told = commands[command] if command is not None else _everything(commands)
    typer.echo(json.dumps({"$schema": _DRAFT, **told}, indent=2))


def _everything(commands: dict[str, dict[str, Any]]) -> dict[str, Any]:
    from microforge.tasks import available_tasks

    return {
        "version": microforge.__version__,
        "commands": commands,
        "settings": {"train": TrainingConfig.model_json_schema(), "predict": PredictionConfig.model_json_schema()},
        "task_options": {name: task.Options.model_json_schema() for name, task in available_tasks().items()},
    }


def _commands(app: typer.Typer, before: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Give all commands by name, those of a group after the name of the group."""
    for one in app.registered_commands:
        if one.callback is not None:
            name = before + (one.name or one.callback.__name__)
            yield name, _command(name, one.callback)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            yield from _commands(group.typer_instance, f"{group.name} ")


def _command(name: str, function: Callable[..., Any]) -> dict[str, Any]:
    hints, defaults = get_type_hints(function, include_extras=True), inspect.signature(function).parameters
    told = {
        parameter: _property(parameter, annotated, defaults[parameter].default)
        for parameter, annotated in hints.items()
        if parameter in defaults and get_origin(annotated) is Annotated
    }
    return {
        "title": name,
        "description": inspect.cleandoc(function.__doc__ or ""),
        "type": "object",
        "properties": told,
        "required": [parameter for parameter in told if defaults[parameter].default is inspect.Parameter.empty],
        "additionalProperties": False,
    }


def _property(name: str, annotated: Any, default: Any) -> dict[str, Any]:
    kind, *details = get_args(annotated)
    info = next(one for one in details if isinstance(one, ArgumentInfo | OptionInfo))
    told = {"description": info.help or "", **_type(kind)}
    if info.min is not None:
        told["minimum"] = info.min
    if isinstance(info, OptionInfo):
        names = [text for text in info.param_decls or () if text.startswith("--")]
        told["x-option"] = names[0] if names else f"--{name.replace('_', '-')}"
    if isinstance(default, str | int | float | bool):
        told["default"] = default.value if isinstance(default, Enum) else default
    return told


def _type(kind: Any) -> dict[str, Any]:
    """Give a type as JSON Schema has it; what may be left out is as what is given."""
    if get_origin(kind) in (Union, types.UnionType):
        kind = next(one for one in get_args(kind) if one is not type(None))
    if get_origin(kind) is list:
        return {"type": "array", "items": _type(get_args(kind)[0])}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"type": "string", "enum": [one.value for one in kind]}
    return {"type": _TYPES.get(kind, "string")}
