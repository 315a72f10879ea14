"""`microforge evaluate`: measure a model against annotations, or against clean images."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from microforge.cli.options import (
    AxesOption,
    Device,
    DeviceOption,
    FlipsOption,
    JsonOption,
    TaskOptions,
    make_settings,
    read_pairs,
)
from microforge.cli.progress import Progress
from microforge.config import PredictionConfig


def evaluate(
    model: Annotated[Path, typer.Argument(help="Model file (.safetensors).")],
    images: Annotated[Path, typer.Argument(help="Folder of images.")],
    annotations: Annotated[
        list[Path], typer.Argument(metavar="ANNOTATIONS...", help="Folder of annotations or target images; or several.")
    ],
    split: Annotated[
        str | None, typer.Option(metavar="CSV:NAME", help="Only the images whose `split` column has this name.")
    ] = None,
    device: DeviceOption = Device.auto,
    axes: AxesOption = None,
    target_axes: Annotated[str | None, typer.Option(help="Axes of target images, where the files do not tell.")] = None,
    flips: FlipsOption = False,
    option: TaskOptions = None,
    as_json: JsonOption = False,
) -> None:
    """Predict annotated images and say how well it fits, all images taken together."""
    from microforge.inference.evaluation import evaluate as measure

    config = make_settings(
        PredictionConfig, {"device": device.value, "flips": flips, "task_options": read_pairs(option, "--option")}
    )
    with Progress(1.0) as progress:
        result = measure(
            model,
            images,
            annotations[0],
            more=annotations[1:],
            config=config,
            split=split,
            axes=axes,
            target_axes=target_axes,
            progress=lambda done, total: progress.show(done / total, f"{done} of {total} images"),
        )
    if as_json:
        typer.echo(json.dumps(result))
    else:
        _print(result)
    for failed in result["failed"]:
        typer.echo(f"FAILED {failed['name']}: {failed['reason']}", err=True)
    if result["failed"]:
        raise typer.Exit(3 if result["images"] else 1)


def _print(result: dict[str, Any]) -> None:
    typer.echo(f"{result['images']} images")
    simple = result.get("baseline", {"metrics": {}})
    width = max(12, *(len(name) for name in result["metrics"]))
    if simple["metrics"]:
        typer.echo(f"{'':>{width}}  {'model':>8}  {simple['name']}")
    for name, value in result["metrics"].items():
        beside = f"  {simple['metrics'][name]:.4f}" if name in simple["metrics"] else ""
        typer.echo(f"{name:>{width}}  {value:8.4f}{beside}")
    alone = result["images_without_annotation"] + result["annotations_without_image"]
    if alone:
        few = ", ".join(alone[:5]) + (" ..." if len(alone) > 5 else "")
        typer.echo(f"Not paired, left out: {len(alone)} files ({few})", err=True)
