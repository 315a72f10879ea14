"""`microforge info` and `microforge tasks`: what a model is, and what can be learnt. Neither imports torch."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from microforge.cli.options import JsonOption
from microforge.cli.progress import metrics_text
from microforge.config import is_fitted
from microforge.errors import printable
from microforge.io.model_file import ModelCard, read_card
from microforge.training.quality.doubt import doubt_of

if TYPE_CHECKING:
    from microforge.tasks import Task


def info(
    model: Annotated[Path, typer.Argument(help="Model file (.safetensors).")],
    as_json: JsonOption = False,
) -> None:
    """Say what a model is: task, network, training data, quality."""
    card = read_card(model)
    if as_json:
        typer.echo(card.model_dump_json(indent=2))
        return
    for name, value in _lines(card, model).items():
        if value:
            typer.echo(f"{name:>16}: {printable(value)}")


def tasks(as_json: JsonOption = False) -> None:
    """List what can be learnt, with the settings of each task."""
    from microforge.tasks import available_tasks

    found = available_tasks()
    if as_json:
        typer.echo(json.dumps({name: _task_values(task) for name, task in found.items()}, indent=2))
        return
    for name, task in found.items():
        typer.echo(f"{name}: {task.title}. {task.description}")
        for option, field in task.Options.model_fields.items():
            if is_fitted(field):
                continue
            default = field.get_default(call_default_factory=True)
            typer.echo(f"    --option {option}={default}: {field.description or field.title or ''}")


def _task_values(task: Any) -> dict[str, Any]:
    return {
        "title": task.title,
        "description": task.description,
        "annotation": task.annotation.name,
        "metric": task.monitor[0],
        "options": task.Options.model_json_schema().get("properties", {}),
    }


def _settings(task: "Task") -> str:
    """Give the settings that a person can choose; what was found in the data is told in words."""
    fitted = {name for name, field in task.Options.model_fields.items() if is_fitted(field)}
    values = task.options.model_dump(mode="json", exclude=fitted, exclude_none=True)
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _lines(card: ModelCard, path: Path) -> dict[str, str]:
    from microforge.tasks import get_task

    network, training, doubt = card.network, card.training, doubt_of(card)
    task = get_task(card.task).from_options(card.task_options)
    sizes = " x ".join(f"{size:.4g}" for size in card.pixel_size or ())
    return {
        "model": f"{card.name or path.name} ({path.stat().st_size / 2**20:.1f} MB)",
        "task": card.task,
        "settings": _settings(task),
        "images": f"{card.axes}, {network.in_channels} channel{'s' * (network.in_channels != 1)}"
        + (f" ({', '.join(card.channel_names)})" if card.channel_names else ""),
        "pixel size": f"{sizes} µm" if sizes else "",
        "result": task.answer.described(task.result, network, task.output_names),
        **task.learnt(),
        "normalisation": card.normalisation.mode,
        "network": f"U-Net {network.dims}D, width {network.width}, {card.parameters / 1e6:.2f} million parameters, "
        f"sees {' x '.join(str(n) for n in card.receptive_field)} pixels",
        "trained on": f"{training.images} images ({training.annotated_megapixels:.2f} megapixels), quality measured on "
        f"{training.validation_images}",
        "training": f"{training.steps} steps, {training.seconds:.0f} s on {training.device}",
        "quality": metrics_text(card.metrics),
        "but": "" if doubt is None else doubt.text,
        "made": card.created,
        "versions": ", ".join(f"{name} {version}" for name, version in card.versions.items()),
        "cite": card.how_to_cite,
    }
