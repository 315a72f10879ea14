"""`microforge project`: what is in a project, whether it is whole, and training and predicting without a window."""

import json
import time as clock
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from microforge.cli.commands.predict import exit_code, show_folder
from microforge.cli.options import DeviceOption, JsonOption, TaskOptionList, make_settings, read_pairs, training_seconds
from microforge.cli.progress import Progress, TrainingDisplay
from microforge.cli.signals import STOPPED, first_interrupt
from microforge.config import PredictionConfig, TrainingConfig
from microforge.errors import ProjectError, printable
from microforge.events import RunFinished
from microforge.training.history.repeat import command_to_train_project

if TYPE_CHECKING:
    from microforge.project import Project
    from microforge.project.learning.samples import ProjectSamples
    from microforge.project.learning.status import ImageStatus

ProjectFolder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the project.")]

project_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="What is in a project, whether it is whole, and training and predicting without a window.",
)

_ROLES = {"": "", "training": "always learnt from", "validation": "kept aside", "test": "for the test"}
#: Exit code where some files are not as they should be.
_SOME_WRONG = 3


@project_app.command()
def status(project: ProjectFolder, as_json: JsonOption = False) -> None:
    """List the images: what is annotated, who trains and who measures, missing files; and the models."""
    from microforge.project.learning.models import models_of
    from microforge.project.learning.status import image_status

    with _reading(project) as opened:
        images = [image_status(opened, entry) for entry in opened.document.images]
        models = models_of(opened)
        document, holder = opened.document, opened.holder
        said = opened.recovered
    if as_json:
        values = {"name": document.name, "folder": str(opened.folder), "goal": document.goal.model_dump(mode="json")}
        listed = {"images": [one.values() for one in images], "models": [one.model_dump() for one in models]}
        typer.echo(json.dumps({**values, "holder": holder, **listed, "remarks": list(said)}))
        return
    annotated = sum(one.is_annotated for one in images)
    goal = document.goal.task or "not chosen"
    typer.echo(f"{printable(document.name)}: {annotated} of {len(images)} images annotated; goal: {goal}")
    for one in images:
        typer.echo(printable(_line(one)))
    for model in models:
        chosen = " (chosen)" if model.path == document.model else ""
        typer.echo(printable(f"model {model.path}: {model.task}, {model.images} images, {model.created}{chosen}"))
    if holder:
        typer.echo(f"It is open: {holder}", err=True)


@project_app.command()
def verify(project: ProjectFolder, as_json: JsonOption = False) -> None:
    """Read all files of a project and say which are not as they were written; exit code 3 if there are any."""
    with _reading(project) as opened:
        damage = opened.verify()
    if as_json:
        found = [{"path": str(one.path), "problem": one.problem} for one in damage]
        typer.echo(json.dumps({"folder": str(opened.folder), "damaged": found}))
    for one in damage:
        typer.echo(printable(f"{one.path}: {one.problem}"), err=True)
    if damage:
        raise typer.Exit(_SOME_WRONG)
    typer.echo("All files are as they were written.", err=True)


@project_app.command()
def export(
    project: ProjectFolder,
    output: Annotated[Path, typer.Option("--output", "-o", help="New folder to write.")],
    annotations_only: Annotated[
        bool, typer.Option("--annotations-only", help="Leave the images where they are.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write plain folders (images, annotations, points, regions) that `microforge train` and Fiji take."""
    from microforge.project.learning.export import export_project

    with _reading(project) as opened:
        exported = export_project(opened, output, with_images=not annotations_only)
    for remark in exported.remarks:
        typer.echo(printable(remark), err=True)
    if as_json:
        written = {"images": exported.images, "files": exported.files, "remarks": exported.remarks}
        typer.echo(json.dumps({"output": str(output), **written}))
    files = ", ".join(f"{count} in {part}" for part, count in exported.files.items()) or "nothing"
    typer.echo(f"{exported.images} images: {files}. Written to {output}", err=True)


@project_app.command("train")
def train_project(
    project: ProjectFolder,
    task: Annotated[
        str | None, typer.Option(help="What to learn, where it is not what was chosen in the project.")
    ] = None,
    time: Annotated[
        str | None, typer.Option(help="Stop after this time, such as 300s, 5m or 1h; reading included. Default: 10m.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Stop after this many training steps.")] = None,
    device: DeviceOption = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Same seed, data and machine: same training.")] = 0,
    start_from: Annotated[Path | None, typer.Option(help="Model file whose weights are the starting point.")] = None,
    option: TaskOptionList = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Training setting, such as patch_size=128; may be repeated."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Train on what is annotated, with the goal, options and roles of the project; the model is noted in it.

    Images for the test are never learnt from. Ctrl-C ends the training and keeps the model.
    """
    seconds = training_seconds(time, steps)
    named = {"task": task, "steps": steps, "device": device, "seed": seed, "start_from": start_from}
    started = clock.monotonic()
    with _reading(project) as opened:
        config = _config(opened, read_pairs(setting, "--set") | named, read_pairs(option, "--option"))
        data, folder = _read(opened, config)
    if seconds is not None:
        # Reading counts; a little is always left for training.
        config = config.model_copy(update={"time": max(1.0, seconds - (clock.monotonic() - started))})
    command = command_to_train_project(config.model_copy(update={"time": seconds}), project)
    finished, model = _train(config, data, folder, command)
    _note(project, model)
    typer.echo(f"Model: {model}", err=True)
    if as_json:
        told = {"model": str(model), "steps": finished.step, "reason": finished.reason}
        typer.echo(json.dumps({**told, "metrics": dict(finished.metrics)}))
    if finished.reason == "stopped":
        raise typer.Exit(STOPPED)


@project_app.command()
def apply(
    project: ProjectFolder,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[INPUT]...", help="Files, folders or patterns; none: the images of the project."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for results and tables. Default: results in DIR.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option("--model", "-m", help="Model file, where it is not the one chosen, or the newest.")
    ] = None,
    device: DeviceOption = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Do again what is done already.")] = False,
    option: TaskOptionList = None,
    as_json: JsonOption = False,
) -> None:
    """Predict the images of a project, or others, with its model; results and tables are those of `predict`."""
    from microforge.inference.folder.run import predict_folder
    from microforge.project.learning.models import newest_model

    config = make_settings(PredictionConfig, {"device": device, "task_options": read_pairs(option, "--option")})
    missing: list[str] = []
    with _reading(project) as opened:
        chosen = model or newest_model(opened)
        wanted: list[Path | str] = [*(inputs or _files(opened, missing))]
        place = output or opened.folder / "results"
    typer.echo(f"Model: {chosen}", err=True)
    summary = show_folder(predict_folder(chosen, wanted, place, config=config, overwrite=overwrite))
    summary["failed"] += [{"path": "", "reason": problem, "remedy": ""} for problem in missing]
    if as_json:
        typer.echo(json.dumps(summary))
    code = exit_code(summary)
    if code:
        raise typer.Exit(code)


@contextmanager
def _reading(folder: Path) -> Iterator["Project"]:
    """Give a project as it is now, also while a window has it open; what was recovered or lost is told."""
    from microforge.project import Project

    opened = Project.open(folder, read_only=True)
    try:
        yield opened
    finally:
        for text in opened.recovered:
            typer.echo(printable(text), err=True)
        opened.close()


def _line(status: "ImageStatus") -> str:
    """Give the line of an image."""
    entry = status.entry
    drawn = [f"{count} {thing}" for thing, count in status.drawn.items()]
    drawn += [f"class {entry.class_name}"] if entry.class_name else []
    drawn += [f"{len(entry.targets)} targets"] if entry.targets else []
    said = [_ROLES[entry.role] if entry.use else "not used"]
    said += ["reviewed"] if entry.reviewed else []
    parts = [", ".join(drawn) or "nothing annotated", *said, status.problem]
    return f"  {entry.name}: " + "; ".join(part for part in parts if part)


def _config(project: "Project", values: dict[str, Any], options: dict[str, Any]) -> TrainingConfig:
    """Give the settings of a training: the goal of the project, and what was said otherwise."""
    goal = project.document.goal
    name = values["task"] or goal.task
    if not name:
        raise ProjectError(
            "No goal was chosen in the project.", where=str(project.folder), remedy="Say it with --task instances."
        )
    chosen = goal.options if name == goal.task else {}
    return make_settings(TrainingConfig, values | {"task": name, "task_options": chosen | options})


def _read(project: "Project", config: TrainingConfig) -> tuple["ProjectSamples", Path]:
    """Read what there is to learn from, and choose the folder of the run."""
    from microforge.project.learning.models import run_folder_for
    from microforge.project.learning.samples import read_samples
    from microforge.tasks import get_task

    task = get_task(config.task).from_options(config.task_options)
    data = read_samples(project, task)
    for problem in data.problems:
        typer.echo(printable(f"LEFT OUT {problem}"), err=True)
    return data, run_folder_for(project, task.result)


def _train(config: TrainingConfig, data: "ProjectSamples", folder: Path, command: str) -> tuple[RunFinished, Path]:
    from microforge.training.loop import train
    from microforge.training.mailbox import Live

    live = Live()
    with first_interrupt(live.stop), Progress(1.0) as progress:
        learnt = data.always_learnt
        events = train(config, data.training, data.validation, folder, live, always_learnt=learnt, command=command)
        finished = TrainingDisplay(progress).follow(events)
    assert finished.model is not None
    return finished, finished.model


def _note(folder: Path, model: Path) -> None:
    """Note a model in the project, unless somebody else has it open: it is found among the runs then."""
    from microforge.project import Project
    from microforge.project.learning.models import note_model

    opened = Project.open(folder)
    try:
        if opened.read_only:
            typer.echo("The project is open elsewhere: the model is in its runs, but not chosen in it.", err=True)
        else:
            note_model(opened, model)
    finally:
        opened.close()


def _files(project: "Project", missing: list[str]) -> list[Path]:
    """Give the files of the images; says which are not found."""
    found = [(entry, project.locate(entry)) for entry in project.document.images]
    missing += [located.problem for _, located in found if located.path is None]
    for problem in missing:
        typer.echo(printable(problem), err=True)
    paths = list(dict.fromkeys(located.path for _, located in found if located.path is not None))
    if not paths:
        raise ProjectError("No image of the project is found.", where=str(project.folder))
    return paths
