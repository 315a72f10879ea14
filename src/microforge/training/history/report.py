"""Write the page of a run: at its end, or later from what lies in its folder; come here for `microforge report`."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from microforge.answers.quality import Severity
from microforge.errors import MicroforgeError, readable
from microforge.evaluation.comparison import image_scores
from microforge.evaluation.report.contents import Contents, Example, ImageScore, Measured
from microforge.evaluation.report.page import page_of
from microforge.evaluation.report.pictures import picture_of, png
from microforge.events import Preparing, RunAdvice
from microforge.io.atomic import atomic_write_bytes, atomic_write_text
from microforge.io.model_file import ModelCard, read_card
from microforge.tasks import get_task
from microforge.tasks.base import Task
from microforge.training.history.repeat import command_of_run
from microforge.training.history.run_folder import (
    CONFIG_NAME,
    MEASURED_NAME,
    MODEL_NAME,
    REPORT_NAME,
    THUMBNAIL_NAME,
)
from microforge.training.log import read_curves
from microforge.training.quality.doubt import doubt_of
from microforge.types import Prediction, Sample

if TYPE_CHECKING:
    from microforge.training.setup import Setup

#: So many of the worst images are shown, and of the best.
WORST_SHOWN, BEST_SHOWN = 4, 2
#: Of larger images a part of this side is predicted for a picture, and the thumbnail is this long.
PART_SIDE, THUMBNAIL_SIDE = 512, 72

NamedTallies = Mapping[str, Mapping[str, float]]
PredictSample = Callable[[Sample], Prediction]


def report_run(
    folder: Path, setup: "Setup", tallies: NamedTallies, predict: PredictSample
) -> Iterator[Preparing | RunAdvice]:
    """Draw what a page shows, and write it beside the model in the folder; where that fails, it is said.

    Parameters
    ----------
    tallies
        Of the images kept aside, by name.
    predict
        Gives what the model finds.
    """
    yield Preparing("Writing the report")
    # A page is worth less than the training: whatever goes wrong with it ends nothing.
    try:
        measured = measured_of(folder, setup, tallies, predict)
        atomic_write_text(folder / MEASURED_NAME, measured.model_dump_json())
        write_report(folder)
    except Exception as error:  # noqa: BLE001
        why = error.problem if isinstance(error, MicroforgeError) else str(error) or type(error).__name__
        text = f"The report of this training could not be written ({why}). The model is whole."
        yield RunAdvice("report", text, "warning")


def write_report(folder: Path, output: Path | None = None) -> Path:
    """Write the page of a run from what lies in its folder.

    Parameters
    ----------
    output
        Where to; ``report.html`` in the folder by default.

    Raises
    ------
    ModelFileError
        If the folder has no model that can be read.
    WriteError
        If the page cannot be written.
    """
    target = folder / REPORT_NAME if output is None else output
    atomic_write_text(target, page_of(contents_of(folder)))
    return target


def contents_of(folder: Path) -> Contents:
    """Read what the folder of a run tells of it; what is missing, or damaged, is left out.

    Raises
    ------
    ModelFileError
        If it has no model that can be read.
    """
    card = read_card(folder / MODEL_NAME)
    task, settings = get_task(card.task), _json(folder / CONFIG_NAME)
    settings.pop("command", "")
    verdict, severity = _verdict(card, task)
    loss, scores = read_curves(folder)
    measured = _measured(folder / MEASURED_NAME, task)
    command = command_of_run(folder)
    return Contents(folder, card, task.title, verdict, severity, measured, loss, scores, settings, command)


def measured_of(folder: Path, setup: "Setup", tallies: NamedTallies, predict: PredictSample) -> Measured:
    """Give what was measured image by image, with pictures of the worst and the best; writes the thumbnail, too."""
    task, (metric, direction) = setup.task, setup.task.monitor
    parts = [(title, _part(sample)) for title, sample in _shown(setup, tallies)]
    shown = [(title, part, picture_of(task, predict(part), part)) for title, part in parts]
    atomic_write_bytes(folder / THUMBNAIL_NAME, png(shown[-1][2], THUMBNAIL_SIDE))
    return Measured(
        metric=metric,
        higher_is_better=direction == "max",
        images=tuple(
            ImageScore(name=readable(name), metrics=_finite(task.summarise(tallies[name]))) for name in tallies
        ),
        examples=tuple(
            Example(name=readable(sample.name), title=title, png=base64.b64encode(png(pixels)).decode())
            for title, sample, pixels in shown
        ),
        hashes=dict(setup.images),
    )


def _shown(setup: "Setup", tallies: NamedTallies) -> Iterator[tuple[str, Sample]]:
    """Give the images to show and what each is an example of, the best one last."""
    (metric, direction), scores = setup.task.monitor, image_scores(setup.task, tallies)
    first = {sample.series: sample for sample in reversed(setup.validation)}
    order = sorted(
        (name for name in scores if name in first), key=lambda name: scores[name], reverse=direction != "max"
    )
    best = order[max(len(order) - BEST_SHOWN, min(WORST_SHOWN, len(order) // 2)) :]
    worst = order[: min(WORST_SHOWN, len(order) - len(best))]
    for title, names in (("One of the worst", worst), ("One of the best", best)):
        yield from ((f"{title}: {metric} {scores[name]:.3f}", first[name]) for name in names)
    if not order:
        yield "Learnt from, so that it is no measure of quality", setup.training[0]


def _part(sample: Sample) -> Sample:
    """Give the middle of a large image: a picture is small, and predicting all of it takes its time."""
    shape = tuple(sample.image.shape[1:])
    if max(shape) <= PART_SIDE:
        return sample
    starts = [max(0, (n - PART_SIDE) // 2) for n in shape]
    window = tuple(slice(start, min(start + PART_SIDE, n)) for start, n in zip(starts, shape, strict=True))
    return replace(sample.part(window), whole=sample.image if sample.whole is None else sample.whole)


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in metrics.items() if isfinite(value)}


def _verdict(card: ModelCard, task: type[Task]) -> tuple[str, Severity]:
    """Say how good a model is, and whether that needs a look."""
    if (doubt := doubt_of(card)) is not None:
        return doubt.text, "warning"
    quality = task.in_words(card.metrics)
    return ("How good it is was not measured.", "ok") if quality is None else (quality.text, quality.severity)


def _measured(path: Path, task: type[Task]) -> Measured:
    """Read what was measured; runs of older versions have no such file."""
    metric, direction = task.monitor
    try:
        return Measured.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return Measured(metric=metric, higher_is_better=direction == "max")


def _json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}
