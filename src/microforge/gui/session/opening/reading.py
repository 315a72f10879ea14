"""Reading an image and its annotation from a project, in a thread: come here when one is not shown, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from microforge.errors import MicroforgeError
from microforge.gui.session.opening.restoring import KeptDrawing
from microforge.gui.session.saving.changed_tiles import ChangedTiles
from microforge.io.images import read_image
from microforge.project import ImageEntry, Project, is_replaced
from microforge.types import Array, ArrayLike, Image

#: So many images are opened at once; of more only the one worked on last.
_MOST = 8


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


def opened_first(project: Project) -> list[ImageEntry]:
    """Give the entries that are opened with a project: the one worked on last comes last."""
    document = project.document
    wanted = [entry for entry in document.images if is_annotated(project, entry)]
    current = next((entry for entry in wanted if entry.id == document.current), None) or (
        wanted[-1] if wanted else None
    )
    if len(wanted) > _MOST:
        wanted = []
    wanted = [entry for entry in wanted if current is None or entry.id != current.id]
    wanted += [] if current is None else [current]
    return _with_targets(project, wanted)


def is_annotated(project: Project, entry: ImageEntry) -> bool:
    """Whether anything is drawn on an image or said of it, and no other annotation has replaced that."""
    return not is_replaced(entry) and bool(project.parts(entry.id) or entry.class_name or entry.targets or entry.alone)


def read_kept(project: Project, entry: ImageEntry) -> KeptImage:
    """Read an image with all that is drawn on it; what is wrong with the image is told, not raised.

    Raises
    ------
    MicroforgeError
        If its annotation cannot be read.
    """
    image, problem = _image_of(project, entry)
    labels, background = (_integers(project.labels(entry.id, part)) for part in ("labels", "background"))
    drawing = KeptDrawing(
        labels,
        background,
        project.points(entry.id),
        project.outlines(entry.id),
        {name: getattr(entry, name) for name in ("use", "unpainted", "class_name", "no_cells", "alone")}
        | {"validation": entry.role == "validation", "always_learnt": entry.role == "training"},
    )
    painted = {"labels": labels, "background": background}
    return KeptImage(entry, image, drawing, problem, {part: _sums(a) for part, a in painted.items() if a is not None})


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


def _integers(labels: ArrayLike | None) -> Array | None:
    """Give labels as Labels layers hold them, in memory: int32, or wider where a number needs it."""
    if labels is None:
        return None
    whole = np.asarray(labels)
    small = whole.max(initial=0) <= np.iinfo(np.int32).max
    return whole.astype(np.int32 if small else np.int64, copy=not whole.flags.writeable)


def _sums(painted: Array) -> ChangedTiles:
    tiles = ChangedTiles()
    for _ in tiles.of(painted):
        pass
    tiles.keep()
    return tiles
