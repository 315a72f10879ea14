"""`Project`: images, what is drawn on them, goal and models in one folder; come here for what can be asked of one.

Every change is in the journal when the call returns, and survives a crash; `sync` makes it survive a power cut.
`compact` brings it into plain files. Nothing here knows a window: it, the command line and scripts see the same.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from microforge.axes.areas import Outline
from microforge.io.writing import Layout
from microforge.project.document import AnnotationPart, ImageEntry, ProjectDocument
from microforge.project.image_files import ImageSource, entry_for, locate_image, same_source
from microforge.project.opening import OpenedProject, create_project, open_project
from microforge.project.references import Located
from microforge.project.state import DocumentChange, ProjectState
from microforge.project.verify import Damage, find_damage
from microforge.types import Array, ArrayLike, Points

#: Seconds that closing may take to bring the journal into plain files; what is left stays safe in it.
CLOSING = 5.0


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
        self._state = ProjectState(opened)
        self.folder: Path = opened.folder
        self.holder: str = opened.holder

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
        return self._state.held is None

    @property
    def recovered(self) -> tuple[str, ...]:
        """What was recovered or lost, in words; more is said when annotations are read."""
        return tuple(dict.fromkeys(self._state.said))

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._state.closed

    @property
    def document(self) -> ProjectDocument:
        """What it says of itself now."""
        return self._state.document

    def update(self, change: DocumentChange) -> ProjectDocument:
        """Change the document: kept in the journal at once; `project.json` follows with `compact`.

        What is drawn on images that are taken out stays in the folder, as files. `change` may be called twice.

        Raises
        ------
        ProjectError
            If the project is read-only or closed.
        WriteError
            If it could not be kept; the document is as it was.
        """
        return self._state.update(change)

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
        self._state.check_writable()
        there = {same_source(entry): entry for entry in self.document.images if entry.file is not None}
        entries, new = [], []
        for source in sources:
            entry = there.get(source.key)
            if entry is None:
                entry = entry_for(source, self.folder)
                new.append(entry)
                if source.key is not None:
                    there[source.key] = entry
            entries.append(entry)
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
        return self._state.entry(image_id)

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
        with self._state.lock:
            self._state.check_writable()
            self._state.store.write_tiles(self.entry(image_id), part, layout, tiles)

    def write_points(self, image_id: str, points: Points) -> None:
        """Keep the points of an image, all of them.

        Raises
        ------
        ProjectError, WriteError
            If they could not be kept.
        """
        with self._state.lock:
            self._state.check_writable()
            self._state.store.write_points(self.entry(image_id), points)

    def write_outlines(self, image_id: str, outlines: Sequence[Outline]) -> None:
        """Keep the outlines of the region of an image, all of them.

        Raises
        ------
        ProjectError, WriteError
            If they could not be kept.
        """
        with self._state.lock:
            self._state.check_writable()
            self._state.store.write_outlines(self.entry(image_id), outlines)

    def parts(self, image_id: str) -> dict[str, AnnotationPart]:
        """Give what was drawn on an image, by name, with its axes and shape as they are now."""
        with self._state.lock:
            return self._state.store.parts(self.entry(image_id))

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
        with self._state.lock:
            return self._state.store.labels(self.entry(image_id), part)

    def points(self, image_id: str) -> Points | None:
        """Give the points of an image; None where none were ever set. Raises as `labels`."""
        with self._state.lock:
            return self._state.store.points(self.entry(image_id))

    def outlines(self, image_id: str) -> tuple[Outline, ...] | None:
        """Give the outlines of the region of an image; None where none were ever drawn. Raises as `labels`."""
        with self._state.lock:
            return self._state.store.outlines(self.entry(image_id))

    def sync(self) -> None:
        """Wait until the disk has all that was written.

        Raises
        ------
        WriteError
            If it has not.
        """
        with self._state.lock:
            if not self.read_only:
                self._state.check_writable()
                self._state.journal.sync()

    def compact(self, seconds: float = float("inf")) -> bool:
        """Bring the journal into plain files that other programs open, and begin it anew.

        Parameters
        ----------
        seconds
            No further file is begun after these.

        Returns
        -------
        bool
            Whether everything is in plain files now; what cannot be read stays in the journal, and is said.

        Raises
        ------
        ProjectError, WriteError
            If a file cannot be written; everything is still in the journal.
        """
        return self._state.compact(seconds)

    def verify(self) -> tuple[Damage, ...]:
        """Read all files of the project, and give those that are not as they were written."""
        with self._state.compacting, self._state.lock:
            return tuple(find_damage(self.folder, self._state.document))

    def close(self, seconds: float = CLOSING) -> None:
        """Bring the journal into plain files as far as time allows, and let go of the folder.

        Raises
        ------
        MicroforgeError
            If something could not be written. The folder is let go of all the same.
        """
        self._state.close(seconds)
