"""`Project`: images, what is drawn on them, goal and models in one folder; come here for what can be asked of one.

Every change is in the journal when the call returns, and survives a crash; `sync` makes it survive a power cut.
`compact` brings it into plain files. Nothing here knows a window: it, the command line and scripts see the same.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from threading import RLock

from microforge.axes.areas import Outline
from microforge.errors import ProjectError
from microforge.io.writing import Layout
from microforge.project.annotations.store import AnnotationStore
from microforge.project.document import (
    AnnotationPart,
    ImageEntry,
    ProjectDocument,
    changes_between,
)
from microforge.project.document_file import write_document
from microforge.project.image_files import ImageSource, entry_for, locate_image, same_source
from microforge.project.opening import OpenedProject, create_project, open_project
from microforge.project.references import Located
from microforge.project.verify import Damage, find_damage
from microforge.types import Array, ArrayLike, Points

#: Seconds that closing may take to bring the journal into plain files; what is left stays safe in it.
CLOSING = 5.0

DocumentChange = Callable[[ProjectDocument], ProjectDocument]


class Project:
    """A project on the disk; every method may be called in any thread.

    Made by `create` and `open`.

    Attributes
    ----------
    folder
        Where it is.
    holder
        Who has it open, in words; empty where nobody else has.
    """

    def __init__(self, opened: OpenedProject) -> None:
        self.folder: Path = opened.folder
        self.holder: str = opened.holder
        self._lock, self._compacting = RLock(), RLock()
        self._held, self._journal, self._document = opened.held, opened.journal, opened.document
        self._said = list(opened.recovered)
        self._closed = False
        adopt = None if self.read_only else self._adopt
        self._store = AnnotationStore(self.folder, self._journal, self._said.append, adopt)
        self._store.changes = opened.changes
        self._written = opened.written
        if not self.read_only:
            for entry in (entry for entry in self._document.images if entry.id in opened.unsettled):
                self._store.settle(entry)

    @classmethod
    def create(cls, folder: Path | str, *, name: str = "") -> "Project":
        """Make a project in a folder, which is made where it is missing, and open it.

        Raises
        ------
        ProjectError
            If there is one.
        WriteError
            If the folder cannot be written.
        """
        return cls(create_project(Path(folder), name))

    @classmethod
    def open(cls, folder: Path | str, *, read_only: bool = False) -> "Project":
        """Open a project; read-only where somebody else has it open, or the folder cannot be written.

        Raises
        ------
        ProjectError
            If there is none, it is damaged beyond what its older generation holds, or a newer version made it.
        """
        return cls(open_project(Path(folder), read_only=read_only))

    @property
    def read_only(self) -> bool:
        """Whether nothing can be changed: it was opened so, somebody else has it open, or the disk takes nothing."""
        return self._held is None

    @property
    def recovered(self) -> tuple[str, ...]:
        """What was recovered or lost, in words; more is said when annotations are read."""
        return tuple(dict.fromkeys(self._said))

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    @property
    def document(self) -> ProjectDocument:
        """What it says of itself now."""
        return self._document

    def update(self, change: DocumentChange) -> ProjectDocument:
        """Change the document: kept in the journal at once; `project.json` follows with `compact`.

        Raises
        ------
        ProjectError
            If the project is read-only or closed.
        WriteError
            If it could not be kept; the document is as it was.
        """
        with self._lock:
            self._check_writable()
            new = change(self._document)
            values = changes_between(self._document, new)
            if any(values.values()):
                [record] = self._journal.commit([({"kind": "document"} | values, b"")])
                self._document = new.model_copy(update={"sequence": record.sequence})
            return self._document

    def add_image(self, source: ImageSource) -> ImageEntry:
        """Take an image into the project: its file is noted, pixels without a file are copied in.

        Returns
        -------
        ImageEntry
            That of the image which is there already, if it is the same.

        Raises
        ------
        MicroforgeError
            If its file cannot be read, or its pixels cannot be written.
        """
        return self.add_images([source])[0]

    def add_images(self, sources: Iterable[ImageSource]) -> list[ImageEntry]:
        """Take images into the project as one change; see `add_image`."""
        self._check_writable()
        there = {same_source(entry): entry for entry in self._document.images if entry.file is not None}
        entries = [there.get(source.key) or entry_for(source, self.folder) for source in sources]
        known = {entry.id for entry in there.values()}
        new = [entry for entry in entries if entry.id not in known]
        if new:
            self.update(lambda document: document.with_images(new))
        return entries

    def entry(self, image_id: str) -> ImageEntry:
        """Give the entry of an image.

        Raises
        ------
        ProjectError
            If there is no such image.
        """
        entry = self._document.image(image_id)
        if entry is None:
            raise ProjectError("There is no such image in the project.", where=image_id)
        return entry

    def locate(self, entry: ImageEntry) -> Located:
        """Find the file of an image: says in words where it is missing, changed or of another shape."""
        return locate_image(entry, self.folder)

    def write_tiles(
        self, image_id: str, part: str, layout: Layout, tiles: Iterable[tuple[Sequence[int], Array]]
    ) -> None:
        """Keep tiles of a layer, all or none of them.

        Parameters
        ----------
        part
            ``labels`` or ``background``.
        layout
            Of the whole layer, ``(T)(Z)YX``. Where it differs from what there is, the layer begins anew.
        tiles
            First pixel along each axis, and the labels there; asked for one after the other.

        Raises
        ------
        AnnotationError
            If a number is no label.
        ProjectError, WriteError
            If they could not be kept; nothing of them was.
        """
        with self._lock:
            self._check_writable()
            self._store.write_tiles(self.entry(image_id), part, layout, tiles)

    def write_points(self, image_id: str, points: Points) -> None:
        """Keep the points of an image, all of them.

        Raises
        ------
        ProjectError, WriteError
            If they could not be kept.
        """
        with self._lock:
            self._check_writable()
            self._store.write_points(self.entry(image_id), points)

    def write_outlines(self, image_id: str, outlines: Sequence[Outline]) -> None:
        """Keep the outlines of the region of an image, all of them.

        Raises
        ------
        ProjectError, WriteError
            If they could not be kept.
        """
        with self._lock:
            self._check_writable()
            self._store.write_outlines(self.entry(image_id), outlines)

    def parts(self, image_id: str) -> dict[str, AnnotationPart]:
        """Give what was drawn on an image, by name, with its axes and shape as they are now."""
        with self._lock:
            return self._store.parts(self.entry(image_id))

    def labels(self, image_id: str, part: str = "labels") -> ArrayLike | None:
        """Give a layer ``(T)(Z)YX`` as uint32: an array where it fits into memory, else read window by window.

        Returns
        -------
        ArrayLike or None
            None where nothing was ever drawn.

        Raises
        ------
        ProjectError
            If neither its file nor the one before can be read; never empty instead.
        """
        with self._lock:
            return self._store.labels(self.entry(image_id), part)

    def points(self, image_id: str) -> Points | None:
        """Give the points of an image; None where none were ever set. Raises as `labels`."""
        with self._lock:
            return self._store.points(self.entry(image_id))

    def outlines(self, image_id: str) -> tuple[Outline, ...] | None:
        """Give the outlines of the region of an image; None where none were ever drawn. Raises as `labels`."""
        with self._lock:
            return self._store.outlines(self.entry(image_id))

    def sync(self) -> None:
        """Wait until the disk has all that was written.

        Raises
        ------
        WriteError
            If it has not.
        """
        with self._lock:
            if not self.read_only:
                self._check_writable()
                self._journal.sync()

    def compact(self, seconds: float = float("inf")) -> bool:
        """Bring the journal into plain files that other programs open, and begin it anew.

        Parameters
        ----------
        seconds
            No further file is begun after these.

        Returns
        -------
        bool
            Whether everything is in plain files now.

        Raises
        ------
        MicroforgeError
            If a file cannot be written or read; everything is still in the journal.
        """
        end = time.monotonic() + seconds
        with self._compacting:
            with self._lock:
                self._check_writable()
                outdated = self._outdated()
                if not outdated and self._written == self._document.sequence:
                    return True
                kept = self._journal.path
                self._journal.begin()
            for image_id, part in outdated:
                if time.monotonic() > end:
                    return False
                self._compact_part(image_id, part)
            with self._lock:
                self._begin_anew(kept)
        return True

    def verify(self) -> tuple[Damage, ...]:
        """Read all files of the project, and give those that are not as they were written."""
        with self._compacting, self._lock:
            return tuple(find_damage(self.folder, self._document))

    def close(self, seconds: float = CLOSING) -> None:
        """Bring the journal into plain files as far as time allows, and let go of the folder.

        Raises
        ------
        MicroforgeError
            If something could not be written. The folder is let go of all the same.
        """
        with self._compacting, self._lock:
            if self._closed:
                return
            try:
                if not self.read_only:
                    self.sync()
                    try:
                        self.compact(seconds)
                    finally:
                        # What is in the journal only is as safe as what is in plain files.
                        self._journal.commit([({"kind": "closed"}, b"")])
            finally:
                self._closed = True
                if self._held is not None:
                    self._held.close()

    def _outdated(self) -> list[tuple[str, str]]:
        return self._store.outdated({entry.id: entry for entry in self._document.images})

    def _compact_part(self, image_id: str, part: str) -> None:
        with self._lock:
            entry, sequence = self.entry(image_id), self._journal.sequence
            writing = self._store.writing(entry, part)
        now = writing(sequence)
        with self._lock:
            before = self.entry(image_id).parts.get(part)
            self._adopt(image_id, part, now)
            self._journal.sync()
            self._store.put_in_place(self.entry(image_id), part, before)

    def _adopt(self, image_id: str, part: str, now: AnnotationPart) -> None:
        entry = self.entry(image_id)
        changed = entry.model_copy(update={"parts": entry.parts | {part: now}})
        self.update(lambda document: document.with_image(changed))

    def _begin_anew(self, kept: Path) -> None:
        """Write the document, and remove the journals before the last one that is all in plain files."""
        document = self._document.model_copy(update={"sequence": self._journal.sequence})
        write_document(self.folder, document)
        self._document, self._written = document, document.sequence
        for path in self._journal.paths():
            if path.name < kept.name:
                self._journal.remove(path)
                self._store.changes.forget(path)

    def _check_writable(self) -> None:
        if self._closed:
            raise ProjectError("The project was closed.", where=str(self.folder), remedy="Open it again.")
        if self._held is None:
            raise ProjectError(
                f"The project can only be read{': ' + self.holder if self.holder else ''}.",
                where=str(self.folder),
                kept="Nothing was changed.",
                remedy="Close it there first, or make a copy of the folder and open that.",
            )
        if not self.folder.is_dir():
            raise ProjectError(
                "The folder of the project is gone: it was moved or deleted, or its drive is not connected.",
                where=str(self.folder),
                kept="What is in the window is not lost.",
                remedy="Bring the folder back, or save everything elsewhere.",
            )
        if not self._held.is_held():
            raise ProjectError(
                "Somebody else has opened the project meanwhile, as this computer did not answer for minutes.",
                where=str(self.folder),
                kept="What is in the window is not lost; what was kept before is in the project.",
                remedy="Save it elsewhere, or close the project there and open it here again.",
            )
