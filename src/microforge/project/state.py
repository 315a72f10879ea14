"""The state of a project that is open: document, journal, annotations, and the locks around them.

Come here for the order in which a change is kept, and in which the journal is brought into plain files.
"""

import time
from collections.abc import Callable
from pathlib import Path
from threading import RLock

from microforge.errors import MicroforgeError, ProjectError, WriteError
from microforge.project.annotations.into_files import give_names, settle, writing_of
from microforge.project.annotations.store import AnnotationStore
from microforge.project.document import AnnotationPart, ImageEntry, ProjectDocument, changes_between
from microforge.project.document_file import write_document
from microforge.project.opening import OpenedProject

DocumentChange = Callable[[ProjectDocument], ProjectDocument]


class ProjectState:
    """What a `Project` holds; see there for what its methods raise.

    Attributes
    ----------
    lock
        Held for moments: by all that reads or changes.
    compacting
        Held while files are written; always taken before `lock`.
    said
        What was recovered or lost, in words.
    """

    def __init__(self, opened: OpenedProject) -> None:
        self.folder, self.holder = opened.folder, opened.holder
        self.lock, self.compacting = RLock(), RLock()
        self.held, self.journal, self.document = opened.held, opened.journal, opened.document
        self.said = list(opened.recovered)
        self.closed = False
        self._by_id: tuple[tuple[ImageEntry, ...], dict[str, ImageEntry]] = ((), {})
        adopt = None if self.held is None else self._adopt
        self.store = AnnotationStore(self.folder, self.journal, opened.changes, self.said.append, adopt)
        self._written = opened.written
        if self.held is not None:
            for entry in (entry for entry in self.document.images if entry.id in opened.unsettled):
                settle(self.store, entry)

    def entry(self, image_id: str) -> ImageEntry:
        """Give the entry of an image."""
        images, by_id = self._by_id
        if images is not self.document.images:
            images = self.document.images
            by_id = {entry.id: entry for entry in images}
            self._by_id = images, by_id
        entry = by_id.get(image_id)
        if entry is None:
            raise ProjectError("There is no such image in the project.", where=image_id)
        return entry

    def update(self, change: DocumentChange) -> ProjectDocument:
        """Keep a change of the document in the journal."""
        if removed := _removed(self.document, change(self.document)):
            self._keep_files_of(removed)
        with self.lock:
            self.check_writable()
            new = change(self.document)
            values = changes_between(self.document, new)
            if any(values.values()):
                [record] = self.journal.commit([({"kind": "document"} | values, b"")])
                self.document = new.model_copy(update={"sequence": record.sequence})
            return self.document

    def compact(self, seconds: float) -> bool:
        """Bring the journal into plain files, and begin it anew."""
        end = time.monotonic() + seconds
        with self.compacting:
            with self.lock:
                self.check_writable()
                outdated = self._outdated()
                if not outdated and self._written == self.document.sequence:
                    return True
                kept = self.journal.path
                self.journal.begin()
            whole = True
            for image_id, part in outdated:
                if time.monotonic() > end:
                    return False
                whole &= self._compact_part(image_id, part)
            if whole:
                with self.lock:
                    self._begin_anew(kept)
        return whole

    def close(self, seconds: float) -> None:
        """Bring the journal into plain files as far as time allows, and let go of the folder."""
        with self.compacting, self.lock:
            if self.closed:
                return
            try:
                if self.held is not None:
                    self.check_writable()
                    self.journal.sync()
                    try:
                        self.compact(seconds)
                    finally:
                        # What is in the journal only is as safe as what is in plain files.
                        self.journal.commit([({"kind": "closed"}, b"")])
                        self.journal.sync()
            finally:
                self.closed = True
                if self.held is not None:
                    self.held.close()

    def check_writable(self) -> None:
        """Refuse what cannot be kept, in words."""
        if self.closed:
            raise ProjectError("The project was closed.", where=str(self.folder), remedy="Open it again.")
        if self.held is None:
            raise ProjectError(
                f"The project can only be read{': ' + self.holder if self.holder else ''}.",
                where=str(self.folder),
                kept="Nothing was changed.",
                remedy="Close it there first, or make a copy of the folder and open that.",
            )
        self.held.check()

    def _outdated(self) -> list[tuple[str, str]]:
        return self.store.outdated({entry.id: entry for entry in self.document.images})

    def _compact_part(self, image_id: str, part: str) -> bool:
        """Bring an annotation into plain files; False where what the strokes lie on cannot be read."""
        try:
            with self.lock:
                sequence = self.journal.sequence
                write = writing_of(self.store, self.entry(image_id), part)
            now = write(sequence)
        except WriteError:
            raise
        except MicroforgeError as error:
            self.said.append(str(error))
            return False
        with self.lock:
            before = self.entry(image_id).parts.get(part)
            self._adopt(image_id, part, now)
            self.journal.sync()
            give_names(self.store, self.entry(image_id), part, before)
        return True

    def _keep_files_of(self, removed: set[str]) -> None:
        """Bring what is drawn on images that are to be taken out of the project into files, which stay."""
        with self.compacting:
            for image_id, part in self._outdated():
                if image_id in removed:
                    self._compact_part(image_id, part)

    def _adopt(self, image_id: str, part: str, now: AnnotationPart) -> None:
        entry = self.entry(image_id)
        changed = entry.model_copy(update={"parts": entry.parts | {part: now}})
        self.update(lambda document: document.with_image(changed))

    def _begin_anew(self, kept: Path) -> None:
        """Write the document, and remove the journals before the last one that is all in plain files."""
        document = self.document.model_copy(update={"sequence": self.journal.sequence})
        write_document(self.folder, document)
        self.document, self._written = document, document.sequence
        for path in self.journal.paths():
            if path.name < kept.name:
                self.journal.remove(path)
                self.store.changes.forget(path)


def _removed(old: ProjectDocument, new: ProjectDocument) -> set[str]:
    """Give the ids of the images that are taken out."""
    if new.images is old.images:
        return set()
    return {entry.id for entry in old.images} - {entry.id for entry in new.images}
