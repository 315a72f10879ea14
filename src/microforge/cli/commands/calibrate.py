"""`microforge calibrate`: measure how far a model's answers can be trusted, and write it into the model."""

import json
from pathlib import Path
from typing import Annotated

import typer

from microforge.cli.options import AxesOption, DeviceOption, JsonOption, model_path
from microforge.cli.progress import Progress, metrics_text
from microforge.config import PredictionConfig


def calibrate_command(
    model: Annotated[Path, typer.Argument(help="Model file that finds objects, or counts (.safetensors).")],
    images: Annotated[Path, typer.Argument(help="Folder of images that the model has not learnt from.")],
    annotations: Annotated[Path, typer.Argument(help="Folder of their annotations: label images, or points.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Model file to write; default: MODEL_calibrated beside it.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file that is there; without --output the model itself.")
    ] = False,
    split: Annotated[
        str | None, typer.Option(metavar="CSV:NAME", help="Only the images whose `split` column has this name.")
    ] = None,
    device: DeviceOption = "auto",
    axes: AxesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure on images kept aside how far a model can be trusted.

    It then tells how likely each object or cell is right, and gives each count with its bounds.
    """
    from microforge.evaluation.calibrate import calibrate as measure
    from microforge.tasks.counting.interval import intervals_text

    with Progress(1.0) as progress:
        result = measure(
            model,
            images,
            annotations,
            None if output is None else model_path(output, "--output"),
            overwrite=overwrite,
            config=PredictionConfig(device=device),
            split=split,
            axes=axes,
            progress=lambda done, total: progress.show(done / total, f"{done} of {total} images"),
        )
    if as_json:
        typer.echo(json.dumps(result))
    else:
        typer.echo(f"{result['images']} images: {metrics_text(result['metrics'])}")
        typer.echo(f"Confidence: {result['confidence']}.")
        if result.get("intervals"):
            typer.echo(f"{intervals_text(result['intervals'])}.")
    typer.echo(f"Model: {result['model']}", err=True)
    for failed in result["failed"]:
        typer.echo(f"FAILED {failed['name']}: {failed['reason']}", err=True)
    if result["failed"]:
        raise typer.Exit(3)
