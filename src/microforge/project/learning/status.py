"""What there is in a project, image by image: come here for what `microforge project status` says."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from microforge.errors import MicroforgeError
from microforge.project.document import ImageEntry
from microforge.project.project import Project


@dataclass(frozen=True)
class ImageStatus:
    """What is known of an image.

    Attributes
    ----------
    drawn
        How many there are of each thing that is drawn on it: ``objects``, ``points``, ``areas``.
    problem
        What is wrong with its file or its annotation, in words.
    """

    entry: ImageEntry
    drawn: dict[str, int] = field(default_factory=dict)
    problem: str = ""

    @property
    def is_annotated(self) -> bool:
        """Whether anything is drawn or said of it."""
        return bool(self.drawn or self.entry.class_name or self.entry.no_cells or self.entry.targets)

    def values(self) -> dict[str, Any]:
        """Give it as values for JSON."""
        entry = self.entry
        said = {"class": entry.class_name, "role": entry.role, "use": entry.use, "reviewed": entry.reviewed}
        return {"name": entry.name, **self.drawn, **said, "problem": self.problem}


def image_status(project: Project, entry: ImageEntry) -> ImageStatus:
    """Look what there is of an image; what cannot be read is told, not raised."""
    problem, drawn = project.locate(entry).problem, {}
    try:
        drawn = _drawn(project, entry)
    except MicroforgeError as error:
        problem = f"{problem} {error.problem}".strip()
    return ImageStatus(entry, drawn, problem)


def _drawn(project: Project, entry: ImageEntry) -> dict[str, int]:
    counts: dict[str, int] = {}
    parts = project.parts(entry.id)
    if "labels" in parts:
        counts["objects"] = _objects(project, entry)
    points, outlines = project.points(entry.id), project.outlines(entry.id)
    if points is not None:
        counts["points"] = len(points)
    if outlines:
        counts["areas"] = len(outlines)
    return counts


def _objects(project: Project, entry: ImageEntry) -> int:
    """Count labels, plane by plane: a stack need not fit into memory."""
    labels: Any = project.labels(entry.id)
    found: set[int] = set()
    for rows in range(0, labels.shape[0], _rows(labels.shape)):
        part = np.asarray(labels[rows : rows + _rows(labels.shape)])
        found.update(np.unique(part[part > 0]).tolist())
    return len(found)


def _rows(shape: tuple[int, ...]) -> int:
    return max(1, (1 << 22) // max(1, int(np.prod(shape[1:]))))
