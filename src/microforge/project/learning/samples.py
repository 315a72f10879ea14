"""Samples from the annotations of a project: who learns, who measures, and what cannot be used.

Come here where a training without a window sees something else than the window does.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from microforge.data.drawn import DrawnImage
from microforge.errors import AxesError, MicroforgeError, NotEnoughDataError
from microforge.io.images import read_image
from microforge.project.document import ImageEntry
from microforge.project.project import Project
from microforge.tasks import Task
from microforge.types import Image, Sample


@dataclass(frozen=True, eq=False)
class ProjectSamples:
    """What there is to learn from.

    Attributes
    ----------
    training, validation
        Validation is what a person keeps aside by hand; None: it is drawn from `training`.
    always_learnt
        Names of images that are never kept aside.
    problems
        Why other images are not used, in words.
    """

    training: tuple[Sample, ...]
    validation: tuple[Sample, ...] | None
    always_learnt: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def read_samples(project: Project, task: Task) -> ProjectSamples:
    """Read the images of a project that a task can learn from; images for the test are left alone.

    Raises
    ------
    NotEnoughDataError
        If there is nothing to learn from; names the first reasons.
    """
    problems: list[str] = []
    by_role: dict[str, list[Sample]] = {}
    learnt: list[str] = []
    for entry, name in _wanted(project):
        try:
            samples = [task.check(sample) for sample in _samples(project, entry, name, task)]
        except MicroforgeError as error:
            problems.append(f"{entry.name}: {error}")
            continue
        by_role.setdefault(entry.role, []).extend(samples)
        learnt += [samples[0].series] if samples and entry.role == "training" else []
    training = (*by_role.get("training", ()), *by_role.get("", ()))
    if not training:
        reasons = " ".join(problems[:3])
        raise NotEnoughDataError(
            f"There is nothing to learn from in the project. {reasons}".strip(),
            where=str(project.folder),
            remedy="Annotate an image for this goal that is neither kept aside nor for the test.",
        )
    return ProjectSamples(training, tuple(by_role.get("validation", ())) or None, tuple(learnt), tuple(problems))


def located_image(project: Project, entry: ImageEntry) -> Path:
    """Give the file of an image.

    Raises
    ------
    ProjectError
        If it is gone, or not what was annotated.
    """
    found = project.locate(entry)
    if found.path is None or found.problem:
        raise MicroforgeError(found.problem, remedy="Bring the file back, or leave the image out.")
    return found.path


def _wanted(project: Project) -> Iterator[tuple[ImageEntry, str]]:
    """Give the images to learn from or to measure on, each with a name of its own."""
    taken: dict[str, int] = {}
    for entry in project.document.images:
        if entry.use and entry.role != "test":
            taken[entry.name] = number = taken.get(entry.name, 0) + 1
            yield entry, entry.name if number == 1 else f"{entry.name} ({number})"


def _samples(project: Project, entry: ImageEntry, name: str, task: Task) -> list[Sample]:
    """Give the samples of an image; none where nothing is drawn that the task learns from."""
    field = task.annotation.drawn
    drawn: Mapping[str, Any] = {}
    if field:
        found = _readers(project, entry)[field]()
        if found is None or (isinstance(found, str | tuple) and not found):
            return []
        drawn = {field: found}
    image = _image(project, entry, name)
    axes = "".join(letter for letter in "TZYX" if letter in image.axes)
    ground = project.labels(entry.id, "background") if "labels" in drawn else None
    return DrawnImage(
        image,
        axes,
        ground=None if ground is None else np.asarray(ground),
        outlines=project.outlines(entry.id) or None,
        unpainted=entry.unpainted,
        no_cells=entry.no_cells,
        **drawn,
    ).samples()


def _readers(project: Project, entry: ImageEntry) -> Mapping[str, Any]:
    """Give what reads each field of what is drawn."""
    return {
        "labels": partial(_labels, project, entry),
        "points": partial(project.points, entry.id),
        "class_name": lambda: entry.class_name,
        "targets": lambda: tuple(_image(project, target, target.name) for target in map(project.entry, entry.targets)),
    }


def _labels(project: Project, entry: ImageEntry) -> Any:
    labels = project.labels(entry.id)
    return None if labels is None else np.asarray(labels).astype(np.int32, copy=False)


def _image(project: Project, entry: ImageEntry, name: str) -> Image:
    """Read an image with what a person said of it."""
    path = located_image(project, entry)
    try:
        image = read_image(path, entry.axes or None)
    except AxesError:
        # Said of a layer with other dimensions than the file has.
        image = read_image(path)
    return replace(image, name=name, pixel_size=entry.pixel_size or image.pixel_size)
