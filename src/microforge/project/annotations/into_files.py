"""Annotations brought out of the journal into plain files; come here for the order in which files are written.

First everything is written beside what is in place, then the document says so in the journal, then files get their
names: whenever the program is killed, files that the document knows are there.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from microforge.io.atomic import flush_folder
from microforge.project.annotations.generations import (
    find_part,
    is_edited,
    is_known,
    keep_aside,
    next_path,
    put_in_place,
)
from microforge.project.annotations.part_files import (
    Written,
    outlines_from,
    points_from,
    write_layer,
    write_points_file,
    write_region_files,
)
from microforge.project.annotations.store import AnnotationStore
from microforge.project.document import AnnotationPart, Generation, ImageEntry
from microforge.project.journal.files import write_in_words
from microforge.project.references import stored_file


def writing_of(store: AnnotationStore, entry: ImageEntry, part: str) -> Callable[[int], AnnotationPart]:
    """Give what writes the files of an annotation, as it is now, beside those in place; may take long.

    It takes the number of the last commit that they hold, and gives what the document is to say of them.

    Raises
    ------
    MicroforgeError
        If what they are made of cannot be read, or then, if they cannot be written.
    """
    make, folder = _writer(store, entry, part), store.folder / entry.folder

    def write(sequence: int) -> AnnotationPart:
        _make_folder(folder)
        written = make(folder)
        with write_in_words(folder):
            files = tuple(
                stored_file(next_path(folder, name)).model_copy(update={"name": name}) for name in written.names
            )
        before = entry.parts.get(part)
        older = None if before is None else find_part(folder, before).generation
        now = Generation(sequence=sequence, files=files, count=written.things)
        return written.part.model_copy(update={"generations": (now, older) if older else (now,)})

    return write


def give_names(store: AnnotationStore, entry: ImageEntry, part: str, before: AnnotationPart | None) -> None:
    """Give the files that were written their names; what nobody here wrote in their place is kept aside.

    Parameters
    ----------
    before
        What the document said of the files in place.
    """
    folder, now = store.folder / entry.folder, entry.parts[part]
    for stored in now.generations[0].files:
        if before is not None and before.generations and not is_known(folder, now, stored.name):
            _keep_aside(store, entry, folder / stored.name, edited=is_edited(folder, before, stored.name))
    with suppress(OSError):
        put_in_place(folder, now.generations[0])


def settle(store: AnnotationStore, entry: ImageEntry) -> None:
    """Give files their names that a killed program has written and did not put in place."""
    folder = store.folder / entry.folder
    for part in entry.parts.values():
        if part.generations and any(next_path(folder, file.name).exists() for file in part.generations[0].files):
            with suppress(OSError):
                put_in_place(folder, part.generations[0])


def _make_folder(folder: Path) -> None:
    with write_in_words(folder):
        if not folder.is_dir():
            folder.mkdir(parents=True)
            # After a power cut its files would be nowhere, and the journal gone.
            flush_folder(folder.parent)
            flush_folder(folder.parent.parent)


def _keep_aside(store: AnnotationStore, entry: ImageEntry, place: Path, *, edited: bool) -> None:
    with suppress(OSError):
        kept = keep_aside(place, "edited" if edited else "damaged")
        if edited:
            store.say(
                f"{entry.name}: {place.name} was changed by another program while it was drawn on here. What was "
                f"drawn here counts; the other file is kept as {kept.name}."
            )


def _writer(store: AnnotationStore, entry: ImageEntry, part: str) -> Callable[[Path], Written]:
    found = store.layer(entry, part) if (entry.id, part) in store.changes.layers else None
    if found is not None:
        layer, axes = found
        return lambda folder: write_layer(folder, part, layer, axes, entry.pixel_size)
    value = store.changes.values[entry.id, part]
    raw = value.place.read()
    if value.kind == "points":
        return lambda folder: write_points_file(folder, part, points_from(raw), entry.pixel_size)
    grid = _grid(store, entry)
    return lambda folder: write_region_files(folder, part, outlines_from(raw), grid, entry.pixel_size)


def _grid(store: AnnotationStore, entry: ImageEntry) -> tuple[int, ...]:
    """Give the shape ``(T)(Z)YX`` of an image; empty where it is not known."""
    if entry.shape and len(entry.axes) == len(entry.shape):
        lengths = dict(zip(entry.axes, entry.shape, strict=True))
        return tuple(lengths[letter] for letter in "TZYX" if letter in lengths)
    layer = store.changes.layers.get((entry.id, "labels")) or entry.parts.get("labels")
    return tuple(layer.shape) if layer else ()
