"""`microforge compare`: trainings or models on the same images."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from microforge.cli.options import AxesOption, DeviceOption, JsonOption, TaskOptionList, make_settings, read_pairs
from microforge.cli.progress import Progress
from microforge.config import PredictionConfig
from microforge.errors import printable
from microforge.training.history.run_folder import MODEL_NAME

_NAME_WIDTH, _MOST_SHOWN = 32, 40


def compare_command(
    models: Annotated[
        list[Path], typer.Argument(metavar="RUN_OR_MODEL...", help="Folders of trainings, or model files; two or more.")
    ],
    images: Annotated[Path, typer.Option("--images", "-i", help="Folder of images that none of them has learnt from.")],
    annotations: Annotated[
        list[Path] | None,
        typer.Option("--annotations", "-a", help="Folder of what is true, as `evaluate` takes it; may be repeated."),
    ] = None,
    split: Annotated[
        str | None, typer.Option(metavar="CSV:NAME", help="Only the images whose `split` column has this name.")
    ] = None,
    device: DeviceOption = "auto",
    axes: AxesOption = None,
    option: TaskOptionList = None,
    as_json: JsonOption = False,
) -> None:
    """Measure models on the same images: scores of each image, and whether a difference may be chance."""
    from microforge.evaluation.compared_models import compare_models

    config = make_settings(PredictionConfig, {"device": device, "task_options": read_pairs(option, "--option")})
    first, more = (annotations[0], annotations[1:]) if annotations else (None, [])
    files = [one / MODEL_NAME if one.is_dir() else one for one in models]
    with Progress(1.0) as progress:
        result = compare_models(
            files,
            images,
            first,
            more=more,
            config=config,
            split=split,
            axes=axes,
            progress=lambda done, total: progress.show(done / total, f"{done} of {total}"),
        )
    if as_json:
        typer.echo(json.dumps(result))
    else:
        _print(result, models)
    for told in result["models"]:
        if told["learnt"]:
            number = f"{len(told['learnt'])} of these images by their names"
            typer.echo(
                f"Warning: {printable(told['model'])} has learnt from {number}: it looks better on them.", err=True
            )
    failed = [one for model in result["models"] for one in model["failed"]]
    for one in failed:
        typer.echo(f"FAILED {printable(one['name'])}: {printable(one['reason'])}", err=True)
    if failed:
        raise typer.Exit(3)


def _print(result: dict[str, Any], models: list[Path]) -> None:
    """Print the scores of each image, the worst first, and of each model how it stands beside the first."""
    metric, rows = result["metric"], result["per_image"]
    letters = [chr(ord("A") + number % 26) for number in range(len(models))]
    typer.echo(f"{metric:<{_NAME_WIDTH}}{''.join(f'{letter:>9}' for letter in letters)}")
    for row in rows[:_MOST_SHOWN]:
        typer.echo(f"{printable(row['name'])[: _NAME_WIDTH - 1]:<{_NAME_WIDTH}}{_figures(row['scores'])}")
    if len(rows) > _MOST_SHOWN:
        typer.echo(f"... and {len(rows) - _MOST_SHOWN} more images; --json tells all.")
    typer.echo(f"{'all images':<{_NAME_WIDTH}}{_figures([one['metrics'].get(metric) for one in result['models']])}")
    for letter, path, told in zip(letters, models, result["models"], strict=True):
        typer.echo(f"{letter}: {printable(str(path))}{_beside(told)}")


def _figures(values: list[float | None]) -> str:
    return "".join(f"{'-' if value is None else f'{value:.3f}':>9}" for value in values)


def _beside(told: dict[str, Any]) -> str:
    """Say how a model stands beside the first, A; nothing of that itself."""
    if "text" not in told:
        return ""
    interval = "" if told["low"] is None else f", 95 % {told['low']:+.3f} to {told['high']:+.3f}"
    text = told["text"].replace("the first", "A")
    return f"\n   {text} Mean difference {told['mean']:+.3f}{interval}."
