"""Whether each file of a project is as it was written: come here for what `microforge project verify` finds.

Everything in a project has a checksum: records of the journal, `project.json`, annotations, images copied in, and the
models noted. What other programs write into the folder has none.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from microforge.errors import ProjectError
from microforge.project.annotations.generations import find_stored, holds, previous_path
from microforge.project.annotations.store import ANNOTATIONS_FOLDER
from microforge.project.document import AnnotationPart, ImageEntry, ProjectDocument
from microforge.project.document_file import NAME, PREVIOUS, document_of
from microforge.project.image_files import IMAGES_FOLDER
from microforge.project.journal.files import Journal
from microforge.project.journal.record import read_journal
from microforge.project.references import content_hash, is_same_content, path_from


class Damage(NamedTuple):
    """A file that is not as it was written: where it is, and what that means, in words."""

    path: Path
    problem: str


def find_damage(folder: Path, document: ProjectDocument) -> Iterator[Damage]:
    """Read all files of a project, and yield those that are not as they were written."""
    yield from _documents(folder)
    yield from _journals(Journal(folder / "journal"))
    for entry in document.images:
        yield from _annotations(folder / ANNOTATIONS_FOLDER / entry.folder, entry)
        yield from _copied_image(folder, entry)
    yield from _models(folder, document)


def _documents(folder: Path) -> Iterator[Damage]:
    for path in (folder / NAME, folder / PREVIOUS):
        try:
            whole = document_of(path.read_bytes(), folder) is not None
        except FileNotFoundError:
            continue
        except (OSError, ProjectError) as error:
            yield Damage(path, f"It cannot be read ({error}).")
            continue
        if not whole:
            yield Damage(path, "It is damaged. The other of the two is used, with the journal.")


def _journals(journal: Journal) -> Iterator[Damage]:
    for path in journal.paths():
        try:
            content = read_journal(path)
        except OSError as error:
            yield Damage(path, f"It cannot be read ({error.strerror or error}).")
            continue
        if content.damaged or content.torn:
            yield Damage(path, "It is damaged: strokes in it are missing.")


def _annotations(folder: Path, entry: ImageEntry) -> Iterator[Damage]:
    for part in entry.parts.values():
        files = [stored for generation in part.generations for stored in generation.files]
        for name in dict.fromkeys(stored.name for stored in files):
            yield from _places(folder, entry, part, name)
        for stored in files:
            if not (folder / stored.name).exists() and find_stored(folder, stored) is None:
                yield Damage(folder / stored.name, f"The annotation of {entry.name} is gone.")


def _places(folder: Path, entry: ImageEntry, part: AnnotationPart, name: str) -> Iterator[Damage]:
    """Look whether what is in the place of an annotation, and beside it as the one before, is one that was written."""
    known = [stored for generation in part.generations for stored in generation.files if stored.name == name]
    for path, what in ((folder / name, "annotation"), (previous_path(folder, name), "annotation before the last one")):
        try:
            status = path.stat()
        except OSError:
            continue
        if not any(holds(path, stored) for stored in known):
            same_times = (status.st_size, status.st_mtime_ns) in [(one.size, one.modified) for one in known]
            how = "is damaged" if same_times else "was changed by another program"
            yield Damage(path, f"The {what} of {entry.name} {how}.")


def _copied_image(folder: Path, entry: ImageEntry) -> Iterator[Damage]:
    if entry.file is None or not entry.file.relative:
        return
    path = folder / path_from(entry.file.relative)
    if path.parent == folder / IMAGES_FOLDER and not is_same_content(path, entry.file):
        yield Damage(path, f"The image {entry.name} is damaged or gone.")


def _models(folder: Path, document: ProjectDocument) -> Iterator[Damage]:
    for model in document.models:
        path = folder / path_from(model.path)
        name = model.name or path.name
        try:
            status = path.stat()
        except OSError:
            yield Damage(path, f"The model {name} is gone.")
            continue
        # A training that went on has written another one, which is not noted yet.
        is_noted = model.content and (status.st_size, status.st_mtime_ns) == (model.size, model.modified)
        if is_noted and content_hash(path, whole=True) != model.content:
            yield Damage(path, f"The model {name} is damaged.")
