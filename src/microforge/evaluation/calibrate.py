"""Calibrate on annotated images kept aside: how sure to be, and how far counts may be off; the command `calibrate`."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from microforge.config import PredictionConfig
from microforge.errors import NotEnoughDataError, SettingsError, WriteError
from microforge.evaluation.cases import Case, CaseFailed, measure_files
from microforge.inference.protocols import KeepsOutputs, SamplePredictor
from microforge.inference.redecode import KeptOutputs
from microforge.io.files import image_stem
from microforge.io.model_file import ModelFile, load_model, save_model
from microforge.io.pairing import Pairing
from microforge.tasks import get_task
from microforge.tasks.abilities import CalibratesConfidence, CalibratesCounts, calibrated, judged_by, trusting
from microforge.tasks.base import Task
from microforge.tasks.confidence import FEWEST_JUDGED, Judged
from microforge.tasks.counting.interval import FEWEST
from microforge.types import Prediction, Sample

#: Bytes of a network's answer to one image.
_ALL = 1 << 40


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
    """Write a copy of a model that tells how sure it is of each object, and how far counts may be off.

    The weights stay as they are.

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
        ``model`` (the file written), ``images`` (files measured), ``metrics``, ``confidence`` (in words, on how many
        objects it was calibrated), ``failed`` (name and reason), and where cells are counted ``intervals`` (by kind, as
        `tasks.counting.interval.Interval` holds them).

    Raises
    ------
    SettingsError
        If the model finds nothing of which it could be sure, or has learnt from one of the images.
    NotEnoughDataError
        If fewer images, or objects, than are needed can be measured; nothing is written.
    WriteError
        If the output is there already and may not be replaced, or cannot be written.
    """
    from microforge.inference.predictor import Predictor

    file = load_model(model)
    counts = _counts(file, Path(model))
    output = _output(Path(model), output, overwrite)
    pairing = get_task(file.card.task).answer.truth.pair_truth(images, (annotations,), split=split)
    fewest = FEWEST if counts else 1
    if len(pairing.pairs) < fewest:
        raise _too_few(len(pairing.pairs), (), fewest)
    _check_unseen(pairing, file)
    predictor = _Judge(Predictor(file, config or PredictionConfig()))
    measured, failed = _measure(predictor, pairing, axes, progress)
    if len(measured) < fewest:
        raise _too_few(len(measured), failed, fewest)
    tallies = [one.tally for ones in measured for one in ones]
    series = [str(number) for number, ones in enumerate(measured) for _ in ones]
    task = trusting(calibrated(predictor.task, tallies, series), predictor.judged)
    _check_certain(task, len(measured), counts=counts)
    options = task.options.model_dump(mode="json")
    save_model(output, file.weights, file.card.model_copy(update={"task_options": options}))
    return {
        "model": str(output),
        "images": len(measured),
        "metrics": {name: float(value) for name, value in task.summarise_all(tallies).items()},
        "confidence": task.learnt().get("confidence", ""),
        **({"intervals": options["intervals"]} if counts else {}),
        "failed": failed,
    }


class _Judge:
    """A predictor that notes which of the things it found are right."""

    def __init__(self, predictor: SamplePredictor) -> None:
        self._predictor = predictor
        self.judged: list[Mapping[str, Judged]] = []

    @property
    def task(self) -> Task:
        """Which question it answers."""
        return self._predictor.task

    def predict(self, image: Sample) -> Prediction:
        """Predict a sample of which the truth is known."""
        kept = KeptOutputs(_ALL)
        if isinstance(self._predictor, KeepsOutputs):
            self._predictor.keeps = kept
        prediction = self._predictor.predict(image)
        self.judged += [judged_by(self.task, output, prediction, image) for output in kept.outputs]
        return prediction


def _counts(file: ModelFile, model: Path) -> bool:
    """Tell whether a model counts; refuses one that finds nothing of which it could be sure."""
    task = get_task(file.card.task)
    if not issubclass(task, CalibratesCounts | CalibratesConfidence):
        raise SettingsError(
            f"This model finds no objects or cells of which it could be sure: it is one for '{task.title.lower()}'.",
            where=str(model),
            kept="Nothing was written.",
            remedy="Choose a model that was trained to find objects, or to count cells.",
        )
    return issubclass(task, CalibratesCounts)


def _check_certain(task: Task, images: int, *, counts: bool) -> None:
    """Say where too few objects were found to tell how sure to be; counts have their bounds anyway."""
    if not counts and isinstance(task, CalibratesConfidence) and task.certainty() is None:
        raise NotEnoughDataError(
            f"Fewer than {FEWEST_JUDGED} objects were found in {images} image{'s' * (images != 1)}: too few to say "
            "how sure the model may be of one.",
            kept="Nothing was written.",
            remedy="Annotate more images that the model has not learnt from.",
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


def _check_unseen(pairing: Pairing, file: ModelFile) -> None:
    learnt = {name.split(" t=")[0] for name in file.card.training.names}
    seen = [pair.image.name for pair in pairing.pairs if image_stem(pair.image) in learnt]
    if seen:
        few = ", ".join(seen[:5]) + (f" and {len(seen) - 5} more" if len(seen) > 5 else "")
        raise SettingsError(
            f"The model has learnt from {len(seen)} of these images ({few}). On them it errs less than on new ones, so "
            "that it would trust itself too much.",
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


def _too_few(number: int, failed: Sequence[Mapping[str, str]], fewest: int) -> NotEnoughDataError:
    first = f" {len(failed)} could not be used; the first, {failed[0]['name']}: {failed[0]['reason']}" if failed else ""
    what = "how far counts may be off" if fewest > 1 else "how sure the model may be"
    return NotEnoughDataError(
        f"{number} image{'s' * (number != 1)} {'are' if number != 1 else 'is'} too few to say {what}: {fewest} "
        f"{'are' if fewest > 1 else 'is'} needed.{first}",
        kept="Nothing was written.",
        remedy="Annotate more images that the model has not learnt from.",
    )
