"""`microforge next`: which images, and where in them, to annotate next."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from microforge.cli.options import AxesOption, DeviceOption, JsonOption
from microforge.cli.progress import Progress
from microforge.config import PredictionConfig
from microforge.errors import printable_lines


class Method(StrEnum):
    """How the order is made; see `microforge.evaluation.label_next.ORDERS`."""

    spread = "spread"
    doubt = "doubt"
    random = "random"


def next_command(
    model: Annotated[Path, typer.Argument(help="Model file (.safetensors).")],
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT...", help="Files, folders or patterns.")],
    top: Annotated[int, typer.Option(min=1, help="How many to name.")] = 10,
    method: Annotated[
        Method,
        typer.Option(
            help="spread: so that each image looks like one that is annotated; doubt: where the model is least sure, "
            "which are crowded ones; random: drawn, which is hard to beat."
        ),
    ] = Method.spread,
    regions: Annotated[bool, typer.Option("--regions", help="Name regions anywhere, rather than each image once.")] = (
        False
    ),
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Table to write (.csv).")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides where chance does.")] = 0,
    device: DeviceOption = "auto",
    axes: AxesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say which images to annotate next, where to begin in each, and why.

    Images that have the names of those which the model was trained on count as annotated.
    """
    from microforge.evaluation.label_next.files import next_images

    with Progress(1.0) as progress:
        found = next_images(
            model,
            inputs,
            order=method.value,
            most=top,
            whole=not regions,
            seed=seed,
            axes=axes,
            config=PredictionConfig(device=device),
            progress=lambda event: progress.show(event.done / event.total, f"{event.done} of {event.total} images"),
        )
    if output is not None:
        found.write(output)
    rows = found.rows()
    if as_json:
        failed = [{"name": name, "reason": reason} for name, reason in found.failed]
        typer.echo(json.dumps({"next": rows, "annotated": found.annotated, "failed": failed}))
    else:
        for row in rows:
            place = f"{row['width']} x {row['height']} pixels at x {row['x']}, y {row['y']}"
            typer.echo(printable_lines(f"{row['rank']:>3}  {row['image']}: {place} ({row['reason']})"))
    if not rows:
        typer.echo("All of these images are annotated.", err=True)
    for name, reason in found.failed:
        typer.echo(printable_lines(f"FAILED {name}: {reason}"), err=True)
    if found.failed:
        raise typer.Exit(3)
