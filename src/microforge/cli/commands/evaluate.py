"""`microforge evaluate`: measure a model against annotations, or against clean images."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from microforge.answers.words import confusion_text
from microforge.cli.options import (
    AxesOption,
    DeviceOption,
    FlipsOption,
    JsonOption,
    TaskOptionList,
    make_settings,
    read_pairs,
)
from microforge.cli.progress import Progress
from microforge.config import PredictionConfig
from microforge.tasks import get_task
from microforge.training.quality.doubt import is_of_use

#: With fewer images nothing is said of how a model stands beside a simple method.
FEWEST_COMPARED = 3


def evaluate_command(
    model: Annotated[Path, typer.Argument(help="Model file (.safetensors).")],
    images: Annotated[Path, typer.Argument(help="Folder of images.")],
    annotations: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="ANNOTATIONS...",
            help="Folder of annotations, points or target images, or several. For classes of images a table, or "
            "nothing if IMAGES has a folder for each class.",
        ),
    ] = None,
    split: Annotated[
        str | None, typer.Option(metavar="CSV:NAME", help="Only the images whose `split` column has this name.")
    ] = None,
    radius: Annotated[
        float | None,
        typer.Option(metavar="PIXELS", help="Of counts: a point counts as found within this distance of the true one."),
    ] = None,
    device: DeviceOption = "auto",
    axes: AxesOption = None,
    target_axes: Annotated[str | None, typer.Option(help="Axes of target images, where the files do not tell.")] = None,
    flips: FlipsOption = False,
    option: TaskOptionList = None,
    as_json: JsonOption = False,
) -> None:
    """Predict annotated images and say how well it fits, all images taken together."""
    from microforge.evaluation.evaluate import evaluate as measure

    options = read_pairs(option, "--option") | ({} if radius is None else {"radius": radius})
    config = make_settings(PredictionConfig, {"device": device, "flips": flips, "task_options": options})
    first, more = (annotations[0], annotations[1:]) if annotations else (None, [])
    with Progress(1.0) as progress:
        result = measure(
            model,
            images,
            first,
            more=more,
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
    _print_more(result)
    if _no_better(result):
        typer.echo(f"On these images the model is no better than a simple method: {simple['name']}.", err=True)
    alone = result["images_without_annotation"] + result["annotations_without_image"]
    if alone:
        few = ", ".join(alone[:5]) + (" ..." if len(alone) > 5 else "")
        typer.echo(f"Not paired, left out: {len(alone)} files ({few})", err=True)


def _no_better(result: dict[str, Any]) -> bool:
    """Tell whether a simple method does as well; of one or two images it knows too much, being fitted on them."""
    metric, direction = get_task(result["task"]).monitor
    simple = result.get("baseline", {"metrics": {}})["metrics"]
    if metric not in simple or metric not in result["metrics"] or result["images"] < FEWEST_COMPARED:
        return False
    return not is_of_use(result["metrics"][metric], simple[metric], higher_is_better=direction == "max")


def _print_more(result: dict[str, Any]) -> None:
    """Print what there is besides metrics: which class was taken for which, and that counts have no bounds."""
    if "confusion" in result:
        typer.echo(confusion_text(result["confusion"]["classes"], result["confusion"]["table"]))
    for remark in result.get("remarks", ()):
        typer.echo(remark, err=True)
