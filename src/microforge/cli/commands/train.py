"""`microforge train`: from two folders to a model file."""

import json
import shutil
import time as clock
from pathlib import Path
from typing import Annotated, Any

import typer

from microforge.cli.inputs import wrong_use
from microforge.cli.options import (
    AxesOption,
    DeviceOption,
    JsonOption,
    TaskOptionList,
    make_settings,
    model_path,
    read_pairs,
    training_seconds,
)
from microforge.cli.progress import Progress, TrainingDisplay
from microforge.cli.signals import STOPPED, first_interrupt
from microforge.config import TrainingConfig
from microforge.events import RunFinished
from microforge.io.atomic import atomic_path
from microforge.training.history.repeat import TrainingFiles, command_to_train
from microforge.training.mailbox import Live


def train_command(
    task: Annotated[str, typer.Argument(help="What to learn; `microforge tasks` lists them.")],
    images: Annotated[Path, typer.Argument(help="Folder of images.")],
    model: Annotated[Path, typer.Option("--model", "-m", help="Model file to write (.safetensors).")],
    targets: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Folder of annotations (label images, or points), or of the images wanted, paired by name; of images "
            "wanted perhaps several folders, one for each channel. For classes of images a table (name, class), or "
            "nothing if IMAGES has a folder for each. None where a task learns from the images alone (denoising).",
        ),
    ] = None,
    time: Annotated[
        str | None, typer.Option(help="Stop after this time, such as 300s, 5m or 1h; reading included. Default: 10m.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Stop after this many training steps.")] = None,
    device: DeviceOption = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Same seed, data and machine: same training.")] = 0,
    validation_split: Annotated[
        str | None,
        typer.Option(
            metavar="CSV:NAME",
            help="Measure quality on the images whose `split` column in this table is NAME; train on those called "
            "'train', or on all others but those called 'test' where none is.",
        ),
    ] = None,
    group_by: Annotated[
        str | None,
        typer.Option(
            metavar="PATTERN",
            help="Keep images together in whose names this regular expression finds the same, such as slide or well: "
            "they are all learnt from, or all kept aside.",
        ),
    ] = None,
    groups: Annotated[
        str | None,
        typer.Option(
            metavar="CSV:COLUMN",
            help="Keep images together that have the same in this column of a table, such as slide or well; its column "
            "`name` names them.",
        ),
    ] = None,
    start_from: Annotated[Path | None, typer.Option(help="Model file whose weights are the starting point.")] = None,
    axes: AxesOption = None,
    target_axes: Annotated[
        str | None, typer.Option(help="Axes of the images wanted, where they differ from those of the images.")
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on with a run that was interrupted, with the same images, annotations and seed."
        ),
    ] = False,
    option: TaskOptionList = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Training setting, such as patch_size=128; may be repeated."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Train a model on images and their annotations, or on images and what they should become.

    Ctrl-C ends the training and keeps the model, which is good at any moment.
    """
    seconds = training_seconds(time, steps)
    named = {"task": task, "steps": steps, "device": device, "seed": seed, "start_from": start_from}
    named |= {"group_by": group_by} if group_by is not None else {}
    values = read_pairs(setting, "--set") | named | {"task_options": read_pairs(option, "--option")}
    config = make_settings(TrainingConfig, values)
    files = TrainingFiles(images, tuple(targets or ()), validation_split, axes, target_axes, groups)
    problem = wrong_use(config.task, files)
    if problem:
        raise typer.BadParameter(problem, param_hint="TARGETS")
    written = model_path(model, "--model")
    finished = train_model(config, files, written, seconds, resume=resume)
    typer.echo(f"Model: {written}", err=True)
    if as_json:
        typer.echo(json.dumps(_summary(finished, written)))
    if finished.reason == "stopped":
        raise typer.Exit(STOPPED)


def train_model(
    config: TrainingConfig,
    files: TrainingFiles,
    model: Path,
    seconds: float | None,
    *,
    resume: bool = False,
) -> RunFinished:
    """Read, train with a display, and put the model where it is wanted.

    Parameters
    ----------
    seconds
        For reading, encoding and training together; None = as `config` says.

    Raises
    ------
    MicroforgeError
        If there is nothing to train on, or the training fails; says what was kept.
    """
    from microforge.cli.loading import load_training_data
    from microforge.training.loop import train as start

    started = clock.monotonic()
    live = Live()
    with first_interrupt(live.stop), Progress(1.0) as progress:
        data = load_training_data(config, files, say=progress.say)
        if live.stopping:
            typer.echo("Stopped before training began. Nothing was written.", err=True)
            raise typer.Exit(STOPPED)
        if seconds is not None:
            # Reading counts; a little is always left for training.
            config = config.model_copy(update={"time": max(1.0, seconds - (clock.monotonic() - started))})
        events = start(
            config,
            data.training,
            data.validation,
            new_run_folder(model),
            live,
            resume=resume,
            same_images=resume,
            command=command_to_train(config.model_copy(update={"time": seconds}), files, model),
        )
        finished = TrainingDisplay(progress).follow(events)
    assert finished.model is not None
    with atomic_path(model) as path:
        shutil.copyfile(finished.model, path)
    return finished


def new_run_folder(model: Path) -> Path:
    """Give the folder of a model's training run: beside it, ``nuclei.run`` for ``nuclei.safetensors``."""
    return model.with_suffix(".run")


def _summary(finished: RunFinished, model: Path) -> dict[str, Any]:
    return {
        "model": str(model),
        "steps": finished.step,
        "seconds": round(finished.seconds, 3),
        "reason": finished.reason,
        "metrics": dict(finished.metrics),
        **({} if finished.doubt is None else {"remarks": [finished.doubt.text]}),
    }
