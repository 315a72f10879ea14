"""Writing what is drawn into a project, in a thread: come here when a project lacks something."""

import time
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Layer

from microforge.errors import MicroforgeError, ProjectError, WriteError, readable
from microforge.events import RunFailed
from microforge.gui.session.background import failure_of
from microforge.gui.session.saving.changed_tiles import ChangedTiles
from microforge.gui.session.saving.due import Said, ToKeep
from microforge.gui.session.saving.places import begin_project
from microforge.gui.session.saving.recent import RecentProject, remember_project
from microforge.gui.session.saving.said import with_said
from microforge.gui.session.saving.sources import source_of
from microforge.io.writing import Layout
from microforge.project import ImageEntry, Project, begin_anew, copy_or_new, copy_project
from microforge.types import ArrayLike, Image, Points

#: Seconds that making plain files may take when a project is left; of layers of more pixels none is begun then.
_TIDYING, _LARGE = 2.0, 1 << 23

_PartKey = tuple[str, str]


@dataclass(frozen=True, eq=False)
class ProjectBegun:
    """There is a project now in which everything is kept."""

    project: Project


@dataclass(frozen=True, eq=False)
class Unfit:
    """An image that cannot be kept as it is, and why; others are."""

    image: Layer
    failure: RunFailed


@dataclass(frozen=True, eq=False)
class OnDisk:
    """These images are on disk as they were at these versions, and so is what was said."""

    versions: Mapping[Layer, Hashable]
    said: Said


WriterEvent = ProjectBegun | Unfit | OnDisk


class ProjectWriter:
    """Writes what has changed; one thread at a time may use it.

    Parameters
    ----------
    runs_folder
        Gives where trainings go; next to it are projects that cannot lie beside their images.
    """

    def __init__(self, runs_folder: Callable[[], Path]) -> None:
        self.project: Project | None = None
        self._runs_folder = runs_folder
        self._ids: dict[Layer, str] = {}
        self._tiles: dict[_PartKey, ChangedTiles] = {}
        self._wholes: dict[_PartKey, bytes] = {}
        self._layers: dict[str, frozenset[Layer]] = {}
        self._remembered: str | None = None

    def write(self, jobs: Sequence[ToKeep], said: Said, there: Collection[Layer] = ()) -> Iterator[WriterEvent]:
        """Write images, and what was chosen.

        Parameters
        ----------
        there
            The image layers that are open: others are forgotten when they are written.

        Raises
        ------
        MicroforgeError
            If the project cannot be written; what was written before is safe, the rest is tried again.
        """
        wanted = [job for job in jobs if job.image in self._ids or job.says_something]
        if self.project is None and wanted:
            self.project = self._begin(wanted)
            yield ProjectBegun(self.project)
        if self.project is not None:
            for job in wanted:
                try:
                    self._write_image(self.project, job)
                except (WriteError, ProjectError, OSError):
                    raise
                except Exception as error:  # noqa: BLE001  # whatever is wrong with one image, others are kept
                    yield Unfit(job.image, failure_of(error))
            self._write_said(self.project, said, wanted)
            self.project.sync()
            self._remember(self.project, said.words)
        for image in [image for image in self._ids if image not in there]:
            self._forget(image)
        yield OnDisk({job.image: job.version for job in jobs}, said)

    def move(self, folder: Path, jobs: Sequence[ToKeep], said: Said) -> Iterator[WriterEvent]:
        """Write everything into a new folder, with what the project holds already, where that can be read.

        Raises
        ------
        MicroforgeError
            If it cannot be written there; the project stays as it was.
        """
        before, self.project = self.project, copy_or_new(self.project, folder)
        if before is not None:
            with suppress(MicroforgeError, OSError):
                before.close()
        self._tiles.clear()
        self._wholes.clear()
        there = {entry.id for entry in self.project.document.images}
        self._ids = {image: entry for image, entry in self._ids.items() if entry in there}
        yield ProjectBegun(self.project)
        yield from self.write(jobs, said, [job.image for job in jobs])

    def leave(self, jobs: Sequence[ToKeep], said: Said) -> Iterator[WriterEvent]:
        """Write everything, then let go of the project; plain files are brought up to date where that is quick."""
        yield from self.write(jobs, said, [*self._ids, *(job.image for job in jobs)])
        if self.project is not None:
            large = any(prod(tiles.shape) > _LARGE for tiles in self._tiles.values())
            # Everything is on the disk by now; plain files are made another time.
            with suppress(MicroforgeError, OSError):
                self.project.close(0.0 if large else _TIDYING)
        self.take_up(None)

    def take_up(self, project: Project | None) -> None:
        """Write into this project from now on; None: into one that is made when it is needed."""
        self.project, self._remembered = project, None
        for known in (self._ids, self._tiles, self._wholes, self._layers):
            known.clear()

    def adopt(self, image: Layer, layers: frozenset[Layer], entry: str, tiles: Mapping[str, ChangedTiles]) -> None:
        """Take layers for what the project holds of an image (its id): they were made from it."""
        self._ids[image], self._layers[entry] = entry, layers
        self._tiles |= {(entry, part): own for part, own in tiles.items()}

    def copy(self, folder: Path) -> Iterator[str]:
        """Copy the project with its images; says in words what is missing.

        Raises
        ------
        MicroforgeError
            If it cannot be copied.
        """
        if self.project is not None:
            yield from copy_project(self.project, folder, with_images=True)
            yield f"The copy is in {readable(str(folder))}."

    def tidy(self, seconds: float) -> Iterator[WriterEvent]:
        """Bring what was written into plain files that other programs open."""
        if self.project is not None:
            self.project.compact(seconds)
        yield from ()

    def _remember(self, project: Project, words: str) -> None:
        """Note that the project was worked on, for *Go on with ...*."""
        entry = RecentProject(str(project.folder), project.document.name, words, time.time())
        if entry.words != self._remembered:
            remember_project(self._runs_folder(), entry)
            self._remembered = entry.words

    def _forget(self, image: Layer) -> None:
        entry = self._ids.pop(image)
        self._layers.pop(entry, None)
        self._tiles = {key: own for key, own in self._tiles.items() if key[0] != entry}
        self._wholes = {key: own for key, own in self._wholes.items() if key[0] != entry}

    def _begin(self, jobs: Sequence[ToKeep]) -> Project:
        first = next((job for job in jobs if job.in_front), jobs[0])
        file = Path(first.drawn.image.source) if first.drawn.image.source else None
        beside = [job for job in jobs if file is not None and Path(job.drawn.image.source).parent == file.parent]
        name = first.settings["name"]
        return begin_project(file, name, self._runs_folder(), several=len(beside) > 1)

    def _write_image(self, project: Project, job: ToKeep) -> None:
        entry, drawn = self._entry_for(project, job), job.drawn
        for part, pixels in (("labels", drawn.labels), ("background", drawn.background)):
            if pixels is not None:
                self._write_tiles(project, (entry, part), drawn.axes, pixels)
        if drawn.points is not None:
            self._write_whole((entry, "points"), _bytes_of(drawn.points), project.write_points, drawn.points)
        if drawn.outlines is not None:
            corners = b"|".join(outline.corners.tobytes() for outline in drawn.outlines)
            self._write_whole((entry, "region"), corners, project.write_outlines, drawn.outlines)
        self._layers[entry] = job.layers

    def _write_tiles(self, project: Project, key: _PartKey, axes: str, pixels: ArrayLike) -> None:
        layout = Layout(axes, tuple(pixels.shape), np.dtype(pixels.dtype))
        known = self._tiles.get(key)
        if known is None or known.shape not in ((), layout.shape):
            # Of another shape: nothing of what was written before can be compared.
            known = self._tiles[key] = ChangedTiles()
        changed = known.of(pixels)
        first = next(changed, None)
        if first is not None:
            project.write_tiles(*key, layout, chain([first], changed))
            known.keep()

    def _write_whole(self, key: _PartKey, raw: bytes, write: Callable[[str, Any], None], value: Any) -> None:
        if self._wholes.get(key) != raw:
            write(key[0], value)
            self._wholes[key] = raw

    def _entry_for(self, project: Project, job: ToKeep) -> str:
        """Give the id of an image in the project, with what was said of it noted there."""
        known = self._ids.get(job.image) or self._new_entry(project, job.image, job.drawn.image)
        if not self._layers.get(known, frozenset()) <= job.layers or self._is_of_others(project, known):
            # A layer that was written is gone: what was on it stays, and what is drawn now is kept beside it.
            known = self._ids[job.image] = begin_anew(project, known)
        targets = tuple(self._target(project, *target) for target in job.targets.items())
        entry = project.entry(known)
        wanted = _with_settings(entry, job, targets)
        if wanted != entry:
            project.update(lambda document: document.with_image(wanted))
        return known

    def _is_of_others(self, project: Project, entry: str) -> bool:
        """Whether the project has an annotation of an image that none of its layers here was made from."""
        return entry not in self._layers and bool(project.parts(entry))

    def _target(self, project: Project, layer: Layer, image: Image) -> str:
        return self._ids.get(layer) or self._new_entry(project, layer, image)

    def _new_entry(self, project: Project, layer: Layer, image: Image) -> str:
        entry = self._ids[layer] = project.add_image(source_of(image)).id
        return entry

    def _write_said(self, project: Project, said: Said, jobs: Sequence[ToKeep]) -> None:
        current = next((self._ids[job.image] for job in jobs if job.in_front), "")
        wanted = with_said(project.document, said, project.folder, current)
        if wanted != project.document:
            project.update(lambda document: with_said(document, said, project.folder, current))


def _bytes_of(points: Points) -> bytes:
    return repr((points.kinds, points.axes)).encode() + points.coordinates.tobytes() + points.kind.tobytes()


def _with_settings(entry: ImageEntry, job: ToKeep, targets: tuple[str, ...]) -> ImageEntry:
    window = entry.window | job.settings["window"]
    return entry.model_copy(update={**job.settings, "window": window, "targets": targets})
