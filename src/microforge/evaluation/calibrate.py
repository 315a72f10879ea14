"""Calibrate count intervals on annotated images kept aside: the command `calibrate`."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from microforge.config import PredictionConfig
from microforge.errors import NotEnoughDataError, SettingsError, WriteError
from microforge.evaluation.cases import Case, CaseFailed, measure_files
from microforge.inference.protocols import SamplePredictor
from microforge.io.files import image_stem
from microforge.io.model_file import ModelFile, load_model, save_model
from microforge.io.pairing import Pairing
from microforge.tasks import get_task
from microforge.tasks.abilities import CalibratesCounts, calibrated
from microforge.tasks.counting.interval import FEWEST


def calibrate(
    model: Path | str,
    images: Path | str,
    annotations: Path | str,
    output: Path | None = None,
    *,
    overwrite: bool = False,
    config: PredictionConfig | None = None,
    split: str | None = None,
    axes: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Write a copy of a model that tells with each count how far it may be off; the weights stay as they are.

    Parameters
    ----------
    images, annotations
        Two folders, paired by name; none of the images may have been learnt from.
    output
        The model file to write; by default ``NAME_calibrated.safetensors`` beside the model, or with `overwrite` the
        model itself.
    split
        ``table.csv:name``: only the images that the table gives this split.

    Returns
    -------
    dict
        ``model`` (the file written), ``images`` (files measured), ``metrics``, ``intervals`` (by kind, as
        `tasks.interval.Interval` holds them) and ``failed`` (name and reason).

    Raises
    ------
    SettingsError
        If the model counts nothing, or has learnt from one of the images.
    NotEnoughDataError
        If fewer images than are needed can be measured; nothing is written.
    WriteError
        If the output is there already and may not be replaced, or cannot be written.
    """
    from microforge.inference.predictor import Predictor

    file = load_model(model)
    _check_counts(file, Path(model))
    output = _output(Path(model), output, overwrite)
    pairing = get_task(file.card.task).answer.truth.pair_truth(images, (annotations,), split=split)
    _check_size(pairing)
    _check_unseen(pairing, file)
    predictor = Predictor(file, config or PredictionConfig())
    measured, failed = _measure(predictor, pairing, axes, progress)
    if len(measured) < FEWEST:
        raise _too_few(len(measured), failed)
    tallies = [one.tally for ones in measured for one in ones]
    series = [str(number) for number, ones in enumerate(measured) for _ in ones]
    task = calibrated(predictor.task, tallies, series)
    options = task.options.model_dump(mode="json")
    save_model(output, file.weights, file.card.model_copy(update={"task_options": options}))
    return {
        "model": str(output),
        "images": len(measured),
        "metrics": {name: float(value) for name, value in task.summarise_all(tallies).items()},
        "intervals": options["intervals"],
        "failed": failed,
    }


def _check_counts(file: ModelFile, model: Path) -> None:
    task = get_task(file.card.task)
    if not issubclass(task, CalibratesCounts):
        raise SettingsError(
            f"This model does not count: it is one for '{task.title.lower()}'.",
            where=str(model),
            kept="Nothing was written.",
            remedy="Choose a model that was trained to count cells.",
        )


def _output(model: Path, output: Path | None, overwrite: bool) -> Path:
    if output is None:
        output = model if overwrite else model.with_name(f"{model.stem}_calibrated{model.suffix}")
    if output.exists() and not overwrite:
        raise WriteError(
            "There is such a file already.",
            where=str(output),
            kept="Nothing was written.",
            remedy="Give another name (--output), or replace it (--overwrite).",
        )
    return output


def _check_size(pairing: Pairing) -> None:
    """Say before anything is predicted that there is too little."""
    if len(pairing.pairs) < FEWEST:
        raise _too_few(len(pairing.pairs), ())


def _check_unseen(pairing: Pairing, file: ModelFile) -> None:
    learnt = {name.split(" t=")[0] for name in file.card.training.names}
    seen = [pair.image.name for pair in pairing.pairs if image_stem(pair.image) in learnt]
    if seen:
        few = ", ".join(seen[:5]) + (f" and {len(seen) - 5} more" if len(seen) > 5 else "")
        raise SettingsError(
            f"The model has learnt from {len(seen)} of these images ({few}). On them it errs less than on new ones, so "
            "that the interval would be too narrow.",
            where=str(pairing.pairs[0].image.parent),
            kept="Nothing was written.",
            remedy="Give images kept aside, or only those of a table (--split). If these are other images of the same "
            "names, rename them.",
        )


def _measure(
    predictor: SamplePredictor, pairing: Pairing, axes: str | None, progress: Callable[[int, int], None] | None
) -> tuple[list[list[Case]], list[dict[str, str]]]:
    """Give what was measured of each file, and the files that could not be used."""
    measured: list[list[Case]] = []
    failed: list[dict[str, str]] = []
    for _, outcomes in measure_files(predictor, pairing, axes=axes, progress=progress):
        failed += [{"name": one.name, "reason": one.reason} for one in outcomes if isinstance(one, CaseFailed)]
        good = [one for one in outcomes if isinstance(one, Case)]
        # The time points of a series resemble each other: they count as one image.
        measured += [good] if good else []
    return measured, failed


def _too_few(number: int, failed: Sequence[Mapping[str, str]]) -> NotEnoughDataError:
    first = f" {len(failed)} could not be used; the first, {failed[0]['name']}: {failed[0]['reason']}" if failed else ""
    return NotEnoughDataError(
        f"{number} image{'s' * (number != 1)} {'are' if number != 1 else 'is'} too few to say how far counts may be "
        f"off: {FEWEST} are needed.{first}",
        kept="Nothing was written.",
        remedy="Annotate more images that the model has not learnt from.",
    )
