"""`microforge predict`: run a model over files and folders."""

import json
from collections.abc import Iterator
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from threading import Event
from typing import Annotated, Any

import typer

from microforge.cli.options import (
    AxesOption,
    DeviceOption,
    FlipsOption,
    JsonOption,
    TaskOptionList,
    make_settings,
    read_pairs,
)
from microforge.cli.progress import FolderDisplay, Progress
from microforge.cli.signals import STOPPED, first_interrupt
from microforge.config import PredictionConfig
from microforge.events import FolderEvent
from microforge.inference.folder.parts.part import FolderPart
from microforge.io.model_file import read_card
from microforge.training.quality.doubt import doubt_of


class ImageTypeChoice(StrEnum):
    """Type of the pixels of predicted images."""

    float32 = "float32"
    source = "source"


def predict(
    model: Annotated[Path, typer.Argument(help="Model file (.safetensors).")],
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT...", help="Files, folders or patterns.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for results and tables; made if missing.")],
    device: DeviceOption = "auto",
    axes: AxesOption = None,
    tile_size: Annotated[int | None, typer.Option(help="Side of the tiles; default: from the free memory.")] = None,
    flips: FlipsOption = False,
    image_type: Annotated[
        ImageTypeChoice,
        typer.Option(
            "--type", help="Pixels of predicted images: float32, or as the source has them (rounded, clipped, counted)."
        ),
    ] = ImageTypeChoice.float32,
    regions: Annotated[
        Path | None,
        typer.Option(
            help="Count in these regions too (label image or ImageJ ROIs): a file for all images, or a folder with one "
            "for each, of the image's name."
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Do again what is done already.")] = False,
    part: Annotated[
        str | None,
        typer.Option(
            metavar="K/N",
            help="Do only the K-th of N parts of the files, each on a machine of its own; all write below the same "
            "--output, and `microforge merge` brings them together.",
        ),
    ] = None,
    option: TaskOptionList = None,
    as_json: JsonOption = False,
) -> None:
    """Predict images: a label image or an image STEM.tif each, and images.csv (and objects.csv) for all.

    Counted cells give points STEM.csv and STEM.zip (ImageJ ROIs), and counts.csv for all; classes are in images.csv.
    Files that are done already are left out, so that the same command goes on after an interruption.
    """
    from microforge.inference.folder.run import predict_folder

    values = {
        "device": device,
        "tile_size": tile_size,
        "flips": flips,
        "image_type": image_type.value,
        "regions": regions,
        "task_options": read_pairs(option, "--option"),
    }
    config = make_settings(PredictionConfig, values)
    own = None if part is None else FolderPart.from_text(part)
    events = predict_folder(model, inputs, output, config=config, axes=axes, overwrite=overwrite, part=own)
    doubt = doubt_of(read_card(model))
    if doubt is not None:
        typer.echo(f"Warning: {model.name}: {doubt.text}", err=True)
    summary = show_folder(events) | ({} if doubt is None else {"remarks": [doubt.text]})
    if as_json:
        typer.echo(json.dumps(summary))
    code = exit_code(summary)
    if code:
        raise typer.Exit(code)


def show_folder(events: Iterator[FolderEvent]) -> dict[str, Any]:
    """Follow a folder run on the terminal; Ctrl-C stops it well.

    Returns
    -------
    dict
        The counts `done`, `skipped` and, by its name, of what was counted (`objects`, `cells`; not of images, which
        have none), the list `failed`, the folder `output`, whether it was `stopped`.
    """
    stop = Event()
    with closing(events), first_interrupt(stop.set), Progress(1.0) as progress:  # type: ignore[type-var]
        display = FolderDisplay(progress)
        for event in events:
            display.show(event)
            if stop.is_set():
                break
    summary = display.summary() | {"stopped": stop.is_set()}
    _say_summary(summary, display.started.things)
    return summary


def exit_code(summary: dict[str, Any]) -> int:
    """Give 0 for all done, 1 for nothing done, 3 for some failed, 130 for stopped."""
    if summary["stopped"]:
        return STOPPED
    if not summary["failed"]:
        return 0
    return 3 if summary["done"] + summary["skipped"] else 1


def _say_summary(summary: dict[str, Any], things: str) -> None:
    done = f"{summary['done']} image{'s' * (summary['done'] != 1)}"
    parts = [f"{summary[things]:,} {things} in {done}" if summary["done"] and things in summary else f"{done} done"]
    if summary["skipped"]:
        parts.append(f"{summary['skipped']} were done before")
    if summary["failed"]:
        parts.append(f"{len(summary['failed'])} failed")
    typer.echo(f"{', '.join(parts)}. Results: {summary['output']}", err=True)
    if summary["stopped"]:
        typer.echo("Stopped; the same command goes on from here.", err=True)
