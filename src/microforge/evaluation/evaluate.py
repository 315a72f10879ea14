"""Evaluate a model on annotated images: metrics, a baseline, errors per object; `microforge.evaluate`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from microforge.config import PredictionConfig
from microforge.data.loading import Problem, iter_samples
from microforge.errors import NotEnoughDataError
from microforge.evaluation.cases import Case, CaseFailed, measure_files
from microforge.inference.protocols import SamplePredictor
from microforge.io.pairing import Pair, Pairing
from microforge.tasks.abilities import baseline_of, calibrated
from microforge.tasks.base import Task
from microforge.tasks.baselines import Baseline
from microforge.tasks.instances.scores import ObjectTask
from microforge.types import Sample


def evaluate(
    model: Path | str,
    images: Path | str,
    annotations: Path | str | None = None,
    *,
    more: Sequence[Path | str] = (),
    config: PredictionConfig | None = None,
    split: str | None = None,
    axes: str | None = None,
    target_axes: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Predict annotated images and compare.

    Parameters
    ----------
    images, annotations
        Two folders, paired by name; for tasks whose answer is an image the second holds what it should be. For
        classes of images a table, or nothing where the images lie in folders named by class.
    more
        Folders of further targets of the same images.
    split
        ``table.csv:name``: only the images that the table gives this split.
    axes, target_axes
        Of the images and of target images, where the files do not tell.
    progress
        Called with the files done and their total.

    Returns
    -------
    dict
        ``metrics`` (over all images together), ``images`` (their number), ``per_image`` (name and metrics of each,
        with the true and the found count and its bounds, or class, and of objects ``errors``), ``failed`` (name and
        reason),
        ``images_without_annotation``, ``annotations_without_image``, ``baseline`` (name and metrics of a simple
        method), ``annotation`` (of which kind), and of classes ``confusion`` (names; rows are true, columns found).

        ``errors`` lists the objects with which something went wrong, the worst first, each a dict: ``kind`` (missed,
        extra, merged, split, or outline where the overlap is less than half), ``where`` (truth or prediction, the
        label image it is in), ``label`` there and ``partners``, the labels in the other one (which true objects were
        merged), ``centre`` (``(Z)YX`` in pixels), ``size`` in pixels and ``iou`` with its partner.

    Raises
    ------
    ModelFileError, PairingError, ImageReadError
        If the model cannot be used or there is nothing to pair.
    NotEnoughDataError
        If none of the images can be used; names the first reason.
    """
    from microforge.inference.predictor import Predictor

    predictor = Predictor(model, config or PredictionConfig())
    folders = () if annotations is None else (annotations, *more)
    pairing = predictor.task.answer.truth.pair_truth(images, folders, split=split)
    return evaluate_pairs(predictor, pairing, axes, progress, target_axes) | {"model": str(model)}


def evaluate_pairs(
    predictor: SamplePredictor,
    pairing: Pairing,
    axes: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    target_axes: str | None = None,
) -> dict[str, Any]:
    """Evaluate on pairs of files; the dict is that of `evaluate` without the model."""
    task, simple = predictor.task, baseline_of(predictor.task)
    look = None if simple is None else simple.look
    measured: list[Case] = []
    good: list[Pair] = []
    failed: list[dict[str, str]] = []
    files = measure_files(predictor, pairing, axes=axes, target_axes=target_axes, look=look, progress=progress)
    for pair, outcomes in files:
        failed += [{"name": one.name, "reason": one.reason} for one in outcomes if isinstance(one, CaseFailed)]
        measured += [one for one in outcomes if isinstance(one, Case)]
        good += [pair] if any(isinstance(one, Case) for one in outcomes) else []
    if not measured:
        raise _nothing(failed)
    again = iter_samples(good, task, axes=axes, target_axes=target_axes, kind=task.answer.truth)
    return {
        "task": task.name,
        "annotation": task.answer.truth.name,
        "images": len(measured),
        "metrics": _plain(task.summarise_all(case.tally for case in measured)),
        **({} if simple is None else {"baseline": _measured(simple, task, again)}),
        **task.answer.overall([case.answer for case in measured]),
        "per_image": [_told(task, case) for case in measured],
        "failed": failed,
        "images_without_annotation": [path.name for path in pairing.images_alone],
        "annotations_without_image": [path.name for path in pairing.annotations_alone],
    }


def _told(task: Task, case: Case) -> dict[str, Any]:
    """Give what is known of one image as plain values."""
    errors = {"errors": [error.as_dict() for error in case.errors]} if isinstance(task, ObjectTask) else {}
    return {"name": case.name, **case.answer, **_plain(task.summarise(case.tally)), **errors}


def _measured(simple: Baseline, task: Task, samples: Iterator[Sample | Problem]) -> dict[str, Any]:
    """Measure a simple method on the images that the model was measured on."""
    # How far the model's counts may be off says nothing of other counts.
    task = calibrated(task)
    tallies = (task.tally(simple.predict(sample), sample) for sample in samples if isinstance(sample, Sample))
    return {"name": simple.name, "metrics": _plain(task.summarise_all(tallies))}


def _plain(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in metrics.items()}


def _nothing(failed: Sequence[Mapping[str, str]]) -> NotEnoughDataError:
    first = f"{failed[0]['name']}: {failed[0]['reason']}" if failed else "There are no pairs."
    return NotEnoughDataError(
        f"None of the {len(failed)} images could be measured.", remedy=f"The first reason: {first}"
    )
