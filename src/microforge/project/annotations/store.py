"""What is drawn on the images of a project: written to the journal at once, read from it and from plain files.

Come here for which state of an annotation counts: after a crash, where a file is damaged, or where Fiji has changed it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from microforge.axes.areas import Outline
from microforge.axes.lazy_view import LazyView
from microforge.errors import MicroforgeError, ProjectError
from microforge.io.writing import Layout
from microforge.memory import available_memory
from microforge.project.annotations.changes import Changes, PartKey
from microforge.project.annotations.generations import FoundPart, find_part
from microforge.project.annotations.layers import ComposedLabels, tile_payload
from microforge.project.annotations.part_files import (
    outlines_bytes,
    outlines_from,
    points_bytes,
    points_from,
    read_edited_layer,
    read_layer,
    read_points_file,
    read_region_file,
)
from microforge.project.document import AnnotationPart, Generation, ImageEntry
from microforge.project.journal.files import Journal
from microforge.project.references import stored_file
from microforge.types import Array, ArrayLike, Points

ANNOTATIONS_FOLDER = "annotations"
#: Of the free memory, so much may be one layer; a larger one is read window by window.
_PART_OF_MEMORY = 4

#: Takes an image's id, a part, and what the document is to say of it from now on.
Adopt = Callable[[str, str, AnnotationPart], None]
Reader = Callable[[Path], Any]


class Base(NamedTuple):
    """What a file holds (None: there is none), and the number of the last commit in it."""

    content: Any = None
    sequence: int = 0


class AnnotationStore:
    """The annotations of a project; its owner calls one method at a time.

    Parameters
    ----------
    changes
        What the journal holds of them.
    say
        Is told in words what was recovered or lost.
    adopt
        Is told of an annotation that another program changed; None where nothing may be written.
    """

    def __init__(
        self, folder: Path, journal: Journal, changes: Changes, say: Callable[[str], None], adopt: Adopt | None
    ) -> None:
        self.folder, self.journal = folder / ANNOTATIONS_FOLDER, journal
        self.changes = changes
        self.say, self._adopt = say, adopt

    def write_tiles(
        self, entry: ImageEntry, part: str, layout: Layout, tiles: Iterable[tuple[Sequence[int], Array]]
    ) -> None:
        """Append tiles of a layer as one commit."""

        def records() -> Iterator[tuple[Mapping[str, Any], bytes]]:
            common = {"kind": "tile", "image": entry.id, "part": part, "axes": layout.axes, "of": list(layout.shape)}
            for start, pixels in tiles:
                place = {"start": [int(n) for n in start], "shape": list(pixels.shape)}
                yield common | place, tile_payload(pixels)

        for record in self.journal.commit(records()):
            self.changes.take(record)

    def write_points(self, entry: ImageEntry, points: Points) -> None:
        """Append all points of an image as one commit."""
        self._write_value(entry, "points", points_bytes(points))

    def write_outlines(self, entry: ImageEntry, outlines: Sequence[Outline]) -> None:
        """Append all outlines of an image as one commit."""
        self._write_value(entry, "region", outlines_bytes(outlines))

    def layer(self, entry: ImageEntry, part: str) -> tuple[ComposedLabels, str] | None:
        """Give a layer as it is now, read window by window, and its axes; None where nothing was ever drawn."""
        changed, stored = self.changes.layers.get((entry.id, part)), entry.parts.get(part)
        if changed is None and stored is None:
            return None
        known = changed or stored
        assert known is not None
        axes, shape = known.axes, tuple(known.shape)
        same = stored is not None and (stored.axes, tuple(stored.shape)) == (axes, shape)
        base = Base()
        if same and (changed is None or changed.begun <= _newest(stored)):
            base = self._base(
                entry, part, lambda path: read_layer(path, shape), lambda path: read_edited_layer(path, shape)
            )
        tiles = changed.since(base.sequence) if changed else []
        return ComposedLabels(shape, base.content, tiles), axes

    def labels(self, entry: ImageEntry, part: str) -> ArrayLike | None:
        """Give a layer as an array where it fits into memory, else as one that is read window by window."""
        found = self.layer(entry, part)
        if found is None:
            return None
        layer, _ = found
        size = 4 * prod(layer.shape)
        if size <= available_memory() // _PART_OF_MEMORY:
            return layer[tuple(slice(0, n) for n in layer.shape)]
        return LazyView(layer, range(layer.ndim), {})

    def points(self, entry: ImageEntry) -> Points | None:
        """Give the points of an image; None where none were ever set."""
        kinds = entry.parts["points"].kinds if "points" in entry.parts else ()
        found = self._value(entry, "points", points_from, lambda path: read_points_file(path, kinds))
        return found if isinstance(found, Points) else None

    def outlines(self, entry: ImageEntry) -> tuple[Outline, ...] | None:
        """Give the outlines of an image; None where none were ever drawn."""
        found = self._value(entry, "region", outlines_from, read_region_file)
        return None if found is None else tuple(found)

    def outdated(self, entries: Mapping[str, ImageEntry]) -> list[PartKey]:
        """Give the parts of which the journal holds more than their files do."""
        return [
            key
            for key in self.changes.parts()
            if key[0] in entries and self.changes.last(key) > _newest(entries[key[0]].parts.get(key[1]))
        ]

    def parts(self, entry: ImageEntry) -> dict[str, AnnotationPart]:
        """Give what was drawn on an image, by name, as it is in the journal and in files."""
        found = dict(entry.parts)
        for part in self.changes.parts_of(entry.id):
            layer, known = self.changes.layers.get((entry.id, part)), found.get(part, AnnotationPart())
            found[part] = (
                known if layer is None else known.model_copy(update={"axes": layer.axes, "shape": layer.shape})
            )
        return found

    def _write_value(self, entry: ImageEntry, part: str, raw: bytes) -> None:
        for record in self.journal.commit([({"kind": part, "image": entry.id, "part": part}, raw)]):
            self.changes.take(record)

    def _value(self, entry: ImageEntry, part: str, from_bytes: Callable[[bytes], Any], read: Reader) -> Any:
        value = self.changes.values.get((entry.id, part))
        newest = _newest(entry.parts.get(part))
        if value is not None and value.sequence > newest:
            return from_bytes(value.place.read())
        try:
            return self._base(entry, part, read, read).content
        except MicroforgeError:
            if value is None:
                raise
            return from_bytes(value.place.read())

    def _base(self, entry: ImageEntry, part: str, read: Reader, read_edited: Reader) -> Base:
        """Give what the newest file that counts holds.

        Raises
        ------
        ProjectError
            If there were files, and none can be read.
        """
        stored = entry.parts.get(part)
        if stored is None or not stored.generations:
            return Base()
        found = find_part(self.folder / entry.folder, stored)
        if found.edited is not None:
            taken = self._edited(entry, part, found, read_edited)
            if taken is not None:
                return taken
        if found.generation is None or found.path is None:
            raise _lost(entry, part, self.folder / entry.folder)
        if found.damaged:
            self.say(self._older(entry, stored, found.generation))
        return Base(read(found.path), found.generation.sequence)

    def _edited(self, entry: ImageEntry, part: str, found: FoundPart, read: Reader) -> Base | None:
        """Give what another program wrote into the place of an annotation; None where it does not count."""
        path, stored = found.edited, entry.parts[part]
        assert path is not None
        newest = stored.generations[0]
        try:
            content = read(path)
        except MicroforgeError as error:
            self.say(f"{entry.name}: {path.name} was changed by another program and cannot be used. {error.problem}")
            return None
        drawn = self.changes.last((entry.id, part)) > newest.sequence
        if drawn and found.generation is not None and self.is_complete(found.generation.sequence):
            return None
        self.say(f"{entry.name}: {path.name} was changed by another program, and is taken as it is now.")
        if not drawn and self._adopt is not None:
            files = (stored_file(path), *newest.files[1:])
            now = Generation(sequence=newest.sequence, files=files, count=_count(content))
            older = () if found.generation is None else (found.generation,)
            self._adopt(entry.id, part, stored.model_copy(update={"generations": (now, *older)}))
        return Base(content, newest.sequence)

    def is_complete(self, sequence: int) -> bool:
        """Tell whether the journal still holds all that was committed after a commit."""
        return self.journal.first <= sequence + 1 and not self.journal.is_damaged

    def _older(self, entry: ImageEntry, stored: AnnotationPart, used: Generation) -> str:
        name = stored.generations[0].files[0].name
        whole = self.is_complete(used.sequence)
        rest = (
            "with what was drawn since from the journal: nothing is lost."
            if whole
            else "what was drawn between the two may be missing. Please look at this image again."
        )
        return f"{entry.name}: the file {name} is damaged or gone. The one before it is used, {rest}"


def _count(content: Any) -> int:
    """Count the labels of a layer, or points, or outlines."""
    return len(np.unique(content[content > 0])) if isinstance(content, np.ndarray) else len(content)


def _newest(part: AnnotationPart | None) -> int:
    """Give the number of the last commit that the files of a part hold."""
    return part.generations[0].sequence if part is not None and part.generations else 0


def _lost(entry: ImageEntry, part: str, folder: Path) -> ProjectError:
    return ProjectError(
        f"The annotation of {entry.name} ({part}) is damaged, and so is the one before it.",
        where=str(folder),
        kept="Nothing was changed.",
        remedy="Take the files of this folder from a backup.",
    )
