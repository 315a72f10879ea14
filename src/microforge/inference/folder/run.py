"""Predict a folder of files: `predict_folder`, the way into a folder run."""

import os
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from microforge.config import PredictionConfig
from microforge.errors import ImageReadError, SettingsError
from microforge.events import FolderEvent, FolderFinished, FolderStarted, ImageFailed, ImageFinished, ImageSkipped
from microforge.inference.folder.jobs import Job, Origin
from microforge.inference.folder.ledger import Ledger
from microforge.inference.folder.naming import check_output, hash_settings, plan_jobs, prepare_output
from microforge.inference.folder.opening import open_ledger
from microforge.inference.folder.parts.part import FolderPart, PartNote, hash_of_names
from microforge.inference.folder.pipeline import Pipeline
from microforge.inference.protocols import FolderPredictor
from microforge.inference.stamps import hash_file
from microforge.io.files import find_images
from microforge.io.locking import folder_lock
from microforge.tasks.abilities import counter_of
from microforge.tasks.base import Task

#: What others are told who try the same.
_TASK = "a folder run"


def predict_folder(
    model: Path,
    inputs: Sequence[Path | str],
    output: Path,
    *,
    config: PredictionConfig | None = None,
    axes: str | None = None,
    overwrite: bool = False,
    part: FolderPart | None = None,
) -> Iterator[FolderEvent]:
    """Check the arguments now; return a generator that predicts file by file, yielding what happens.

    In `output` it leaves a label image ``STEM.tif`` (uint32, ``(T)(Z)YX``) per file, `objects.csv`, `images.csv` and
    the ledger; of tasks whose answer is an image that image (``(T)(Z)(C)YX``), and no `objects.csv`. Where cells are
    counted, each file gets points as ``STEM.csv`` and ``STEM.zip`` (ImageJ ROIs), and `counts.csv` has the counts by
    image and region; classes of images stand in `images.csv`, those of time points in `classes.csv`. What the ledger
    knows as done is skipped, so that a run that was stopped or killed goes on where it was. Close the generator to
    stop.

    Parameters
    ----------
    model
        A model file.
    inputs
        Files, folders and patterns with wildcards.
    axes
        The axes of the files, such as ``TYX``, where the files do not tell.
    overwrite
        Do again what is done, and replace files of the same name that are not results.
    part
        Do only this part of the files, in a folder of its own inside `output`; `merge_parts` brings all together.

    Raises
    ------
    ModelFileError
        If the model cannot be used.
    ImageReadError
        If there is no image.
    SettingsError
        If `output` is one of the input folders or lies inside one, the settings do not fit the model, or the regions
        cannot be read or used.
    WriteError
        If `output` cannot be written, or holds other files with the names of results.
    FolderInUseError
        If another run works in `output`.
    """
    from microforge.inference.predictor import Predictor

    config = config or PredictionConfig()
    model, output = Path(model), Path(output)
    paths = [Path(os.path.abspath(path)) for path in find_images(inputs)]
    if not paths:
        raise ImageReadError(
            "There is no image to predict.",
            where=", ".join(str(path) for path in inputs),
            remedy="Give image files, or folders that hold TIFF, PNG, JPEG or BMP images.",
        )
    check_output(output, inputs, paths)
    predictor = Predictor(model, config)
    origin = replace(_origin(predictor.task, model, output, config, axes), overwrite=overwrite)
    return run_folder(predictor, paths, origin if part is None else of_part(origin, part, paths))


def of_part(origin: Origin, part: FolderPart, paths: Sequence[Path]) -> Origin:
    """Give the origin of the results of a part, and note in its folder what it is."""
    folder = part.folder(origin.output)
    prepare_output(folder)
    PartNote(
        part.number,
        part.of,
        len(paths),
        hash_of_names(paths),
        origin.model,
        origin.model_hash,
        origin.settings_hash,
        origin.results_version,
        origin.tables,
        origin.answer.numbered,
    ).write(folder)
    return replace(origin, output=folder, part=part)


def _origin(task: Task, model: Path, output: Path, config: PredictionConfig, axes: str | None) -> Origin:
    if config.regions is not None:
        _check_regions(task, config.regions)
    return Origin(
        output,
        model.name,
        hash_file(model),
        hash_settings(config, axes),
        axes,
        answer=task.answer,
        count=counter_of(task),
        regions=config.regions,
        image_type=config.image_type,
    )


def _check_regions(task: Task, regions: Path) -> None:
    if not task.answer.counted:
        raise SettingsError(
            "This model counts nothing, so that regions have no effect.",
            where=str(regions),
            remedy="Leave the regions out, or choose a model that counts cells or segments objects.",
        )


def run_folder(network: FolderPredictor, paths: Sequence[Path], origin: Origin) -> Iterator[FolderEvent]:
    """Plan the names of the results and give the generator of the run.

    The folder is held while the names are planned and again while the generator runs: one that is never asked for an
    event holds nothing.

    Raises
    ------
    WriteError
        If the folder cannot be written, or holds other files with the names of results.
    FolderInUseError
        If another run works in the folder; also from the generator, if one has begun in the meantime.
    """
    prepare_output(origin.output)
    with folder_lock(origin.output, _TASK):
        ledger, note = open_ledger(origin.output)
        with ledger:
            jobs = plan_jobs(paths, ledger, origin)
    return _events(network, jobs, origin, note)


def _events(network: FolderPredictor, jobs: Sequence[Job], origin: Origin, note: str) -> Iterator[FolderEvent]:
    counts: Counter[type] = Counter()
    with folder_lock(origin.output, _TASK), Ledger(origin.output) as ledger:
        run = Pipeline(network, deque(jobs), origin, ledger)
        try:
            paths = tuple(job.path for job in jobs)
            yield FolderStarted(paths, origin.output, str(network.device), origin.answer.counted, note)
            for event in run.events():
                counts[type(event)] += 1
                yield event
        finally:
            # Also when the consumer closes the generator: what is finished is noted, the tables are complete.
            run.close()
    yield FolderFinished(counts[ImageFinished], counts[ImageSkipped], counts[ImageFailed], origin.output)
