"""The files of an annotation and the ones before: come here for which of them counts, and for edits of other programs.

A file is known by its content, not by its name: a program killed between two renamings leaves the right files under
other names. In place is ``labels.tif``, the one before is ``labels-previous.tif``, one that is being written is
``labels-next.tif``.
"""

import os
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import NamedTuple

from microforge.io.atomic import flush_folder, is_temporary
from microforge.project.document import AnnotationPart, Generation, StoredFile
from microforge.project.references import content_hash


class FoundPart(NamedTuple):
    """What there is of an annotation on the disk.

    Attributes
    ----------
    generation, path
        The newest whole one, and its first file; None where there is none.
    edited
        A file in its place that another program wrote.
    damaged
        Whether the newest generation is damaged or gone.
    """

    generation: Generation | None = None
    path: Path | None = None
    edited: Path | None = None
    damaged: bool = False


def next_path(folder: Path, name: str) -> Path:
    """Give where a file is written before it is in its place."""
    return folder / _named(name, "next")


def previous_path(folder: Path, name: str) -> Path:
    """Give where the file is that was in the place before."""
    return folder / _named(name, "previous")


def find_part(folder: Path, part: AnnotationPart) -> FoundPart:
    """Find the newest whole generation of an annotation, and whether another program has written into its place."""
    if not part.generations:
        return FoundPart()
    name = part.generations[0].files[0].name
    edited = folder / name if is_edited(folder, part, name) else None
    for generation in part.generations:
        path = find_stored(folder, generation.files[0])
        if path is not None:
            return FoundPart(generation, path, edited, damaged=generation is not part.generations[0])
    return FoundPart(edited=edited, damaged=True)


def find_stored(folder: Path, stored: StoredFile) -> Path | None:
    """Find a file by its content, under one of the names that it may have; None where it is damaged or gone."""
    for path in (folder / stored.name, next_path(folder, stored.name), previous_path(folder, stored.name)):
        if holds(path, stored):
            return path
    return None


def put_in_place(folder: Path, generation: Generation) -> None:
    """Give the files of a generation that were written their names; those in place become the ones before.

    Raises
    ------
    OSError
        If the disk does not take it; the next opening goes on with it.
    """
    for stored in generation.files:
        written, place = next_path(folder, stored.name), folder / stored.name
        if not holds(written, stored):
            continue
        if place.exists():
            os.replace(place, previous_path(folder, stored.name))
        os.replace(written, place)
    flush_folder(folder)
    _sweep(folder)


def keep_aside(path: Path, mark: str) -> Path:
    """Give a file a name under which nothing replaces it: one that another program wrote, or that is damaged.

    Raises
    ------
    OSError
        If the disk does not take it.
    """
    free = next(one for n in count(1) if not (one := path.with_name(_named(path.name, f"{mark}-{n}"))).exists())
    os.rename(path, free)
    return free


def is_known(folder: Path, part: AnnotationPart, name: str) -> bool:
    """Tell whether the file in place is one of the generations of an annotation, or there is none."""
    known = [file for generation in part.generations for file in generation.files if file.name == name]
    return not (folder / name).exists() or any(holds(folder / name, stored) for stored in known)


def is_edited(folder: Path, part: AnnotationPart, name: str) -> bool:
    """Tell whether another program wrote the file in place; damage changes neither its size nor its time."""
    newest = next((stored for stored in part.generations[0].files if stored.name == name), None)
    try:
        status = (folder / name).stat()
    except OSError:
        return False
    same = newest is not None and (status.st_size, status.st_mtime_ns) == (newest.size, newest.modified)
    return not same and not is_known(folder, part, name)


def holds(path: Path, stored: StoredFile) -> bool:
    """Tell whether a file has the content that was written; reads it."""
    try:
        return path.stat().st_size == stored.size and content_hash(path, whole=True) == stored.content
    except OSError:
        return False


def _named(name: str, mark: str) -> str:
    stem, suffix = os.path.splitext(name)
    return f"{stem}-{mark}{suffix}"


def _sweep(folder: Path) -> None:
    """Remove what killed programs have left half written."""
    with suppress(OSError):
        for path in folder.iterdir():
            if is_temporary(path.name):
                path.unlink()
