"""Reading an image and its annotation from a project, in a thread: come here when one is not shown, and why."""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from microforge.errors import MicroforgeError
from microforge.gui.session.image_list.listed_image import WantedRole
from microforge.gui.session.opening.restoring import KeptDrawing
from microforge.gui.session.saving.changed_tiles import ChangedTiles
from microforge.gui.session.saving.said import LISTED
from microforge.io.images import read_image
from microforge.project import ImageEntry, Project, is_replaced, path_from, path_text
from microforge.types import Array, ArrayLike, Image

#: So many images, and pixels, are opened at once; of more only the one worked on last.
_MOST, _MOST_PIXELS = 40, 1 << 28


@dataclass(frozen=True, eq=False)
class KeptImage:
    """An image of a project as it was read.

    Attributes
    ----------
    image
        None where its file is not found or cannot be read.
    problem
        What is wrong with it, in words; empty where nothing is.
    tiles
        Checksums of what is on disk, by part.
    """

    entry: ImageEntry
    image: Image | None
    drawing: KeptDrawing
    problem: str = ""
    tiles: Mapping[str, ChangedTiles] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Listed:
    """The images of a project whose files are there, with what each is for, and whether it was reviewed."""

    images: Mapping[Path, tuple[WantedRole, bool]]


def listed_in(project: Project) -> Listed:
    """Find the files of the images of a project, those copied into it left out: they have no other name."""
    document, found = project.document, {}
    for way, role, reviewed in document.window.get(LISTED, ()):
        path = Path(os.path.normpath(project.folder / path_from(way)))
        if path.is_file():
            found[path] = (role, bool(reviewed))
    for entry in document.images:
        located = None if is_replaced(entry) else project.locate(entry).path
        if located is not None and not located.is_relative_to(project.folder):
            found.setdefault(located, (entry.role, entry.reviewed))
    return Listed(found)


def opened_first(project: Project) -> list[ImageEntry]:
    """Give the entries that are opened with a project: the one worked on last comes last."""
    document = project.document
    wanted = [entry for entry in document.images if is_annotated(project, entry)]
    # Where it is not known which was worked on last, it is the one taken in last.
    wanted.sort(key=lambda entry: entry.id == document.current)
    # The others are in the list of images, and come when a person goes there.
    wanted = [entry for entry in wanted[:-1] if not can_wait(entry)] + wanted[-1:]
    many = len(wanted) > _MOST or sum(prod(entry.shape) for entry in wanted) > _MOST_PIXELS
    return _with_targets(project, wanted[-1:] if many else wanted)


def can_wait(entry: ImageEntry) -> bool:
    """Whether layers can be made for an image that is not read; along a channel slider labels are shared."""
    known = entry.file is not None and bool(entry.shape) and bool(entry.axes)
    return known and not entry.targets and "C" not in entry.axes[1:]


def left_closed(project: Project, brought: Collection[str]) -> str:
    """Say in words how many annotated images were not brought (their ids are not given); nothing where all were."""
    count = sum(is_annotated(project, entry) for entry in project.document.images if entry.id not in brought)
    if not count:
        return ""
    return f"{count} more annotated images are in the project. Open one, and its annotation comes with it."


def entry_with_file(project: Project, path: Path) -> ImageEntry | None:
    """Give the annotated image of a project whose file this is; None where there is none."""
    place = path_text(path.absolute())
    for entry in reversed(project.document.images):
        if entry.file is None or not is_annotated(project, entry):
            continue
        # The project may have moved with its images.
        near = os.path.normpath(project.folder / path_from(entry.file.relative))
        if entry.file.absolute == place or Path(near) == path.absolute():
            return entry
    return None


def is_annotated(project: Project, entry: ImageEntry) -> bool:
    """Whether anything is drawn on an image or said of it, and no other annotation has replaced that."""
    told = entry.class_name or entry.targets or entry.alone
    return not is_replaced(entry) and bool(told or project.parts(entry.id))


def read_kept(project: Project, entry: ImageEntry) -> KeptImage:
    """Read an image with all that is drawn on it; what is wrong with the image is told, not raised.

    Raises
    ------
    MicroforgeError
        If its annotation cannot be read.
    """
    image, problem = _image_of(project, entry)
    labels, background = (integers(project.labels(entry.id, part)) for part in ("labels", "background"))
    drawing = KeptDrawing(
        labels,
        background,
        project.points(entry.id),
        project.outlines(entry.id),
        settings_in(entry),
        entry.role,
    )
    painted = {"labels": labels, "background": background}
    tiles = {part: tiles_of(array) for part, array in painted.items() if array is not None}
    return KeptImage(entry, image, drawing, problem, tiles)


def _with_targets(project: Project, wanted: Sequence[ImageEntry]) -> list[ImageEntry]:
    """Give entries, and before them those that they should become."""
    ids = {entry.id for entry in wanted}
    targets = [target for entry in wanted for target in entry.targets if target not in ids]
    found = (project.document.image(target) for target in dict.fromkeys(targets))
    return [*(entry for entry in found if entry is not None), *wanted]


def _image_of(project: Project, entry: ImageEntry) -> tuple[Image | None, str]:
    located = project.locate(entry)
    if located.path is None:
        return None, f"{located.problem} Its annotation is kept."
    try:
        image = read_image(located.path)
    except MicroforgeError as error:
        return None, f"{error} Its annotation is kept."
    if entry.shape and tuple(entry.shape) != tuple(image.data.shape):
        size, now = (" × ".join(map(str, shape)) for shape in (entry.shape, image.data.shape))
        words = located.problem or f"{entry.name} has {now} pixels now; it was annotated with {size}."
        return None, f"{words} Its annotation is kept."
    return image, located.problem


def settings_in(entry: ImageEntry) -> dict[str, Any]:
    """Give what a project knows of an image, as fields of `Annotated` that are no layers."""
    return {name: getattr(entry, name) for name in ("use", "unpainted", "class_name", "no_cells", "alone")}


def integers(labels: ArrayLike | None) -> Array | None:
    """Give labels as Labels layers hold them, in memory: int32, or wider where a number needs it."""
    if labels is None:
        return None
    whole = np.asarray(labels)
    small = whole.max(initial=0) <= np.iinfo(np.int32).max
    return whole.astype(np.int32 if small else np.int64, copy=not whole.flags.writeable)


def tiles_of(painted: Array) -> ChangedTiles:
    """Give the checksums of what is on disk."""
    tiles = ChangedTiles()
    for _ in tiles.of(painted):
        pass
    tiles.keep()
    return tiles
