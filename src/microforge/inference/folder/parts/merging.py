"""Bring the parts of a folder run together: `merge_parts`, which can be killed at any moment and begun again."""

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from microforge.errors import FolderInUseError, SettingsError, WriteError
from microforge.inference.folder.entries import Entry
from microforge.inference.folder.ledger import Ledger
from microforge.inference.folder.opening import open_ledger
from microforge.inference.folder.ownership import files_of, files_text
from microforge.inference.folder.parts.part import PARTS, FolderPart, PartNote, read_note
from microforge.inference.folder.tables import write_tables
from microforge.inference.stamps import Stamp, still_as
from microforge.io.atomic import write_error
from microforge.io.locking import folder_lock, holder_of

#: What the folder of the parts is called once all is brought together, while it is removed.
_MERGED = f"{PARTS}-merged"
#: So many parts are named in a message.
_NAMED = 5


@dataclass(frozen=True)
class Merged:
    """What was brought together.

    Attributes
    ----------
    done, failed
        Images that are done, and those that are not.
    left
        Why results of an image were not taken, by its path; they are still in their part.
    """

    output: Path
    parts: int
    done: int
    failed: int
    left: tuple[tuple[str, str], ...] = ()


def merge_parts(output: Path) -> Merged:
    """Move the results of all parts of a folder run into its output folder, and write the tables of all.

    Raises
    ------
    SettingsError
        If there are no parts, some have not been run, or they are not of one run: another model, settings or files.
    FolderInUseError
        If a part is at work, or a run in the folder itself.
    WriteError
        If something cannot be read or written. Begun again, it goes on where it was.
    """
    shutil.rmtree(output / _MERGED, ignore_errors=True)
    notes = {folder: read_note(folder) for folder in _folders(output)}
    _check_complete(output, notes)
    for folder in notes:
        if (holder := holder_of(folder)) is not None:
            raise FolderInUseError(
                f"A part is still at work: {holder}.",
                where=str(folder),
                kept="Nothing was changed.",
                remedy="Wait until all parts have ended.",
            )
    with folder_lock(output, "a merge of parts"):
        ledger, _ = open_ledger(output)
        with ledger:
            left = [one for folder in notes for one in _merge(folder, output, ledger)]
            first = next(iter(notes.values()))
            write_tables(ledger, output, wanted=first.tables, countable=first.numbered)
            states = [entry.state for entry in ledger.entries()]
        if not left:
            _remove_parts(output)
    return Merged(output, len(notes), states.count("done"), states.count("failed"), tuple(left))


def _folders(output: Path) -> list[Path]:
    try:
        found = sorted(path for path in (output / PARTS).iterdir() if path.is_dir())
    except OSError:
        found = []
    if not found:
        raise SettingsError(
            "There are no parts of a run in this folder.",
            where=str(output),
            remedy="Make them with microforge predict ... --part 1/20 and so on, with the same --output.",
        )
    return found


def _check_complete(output: Path, notes: Mapping[Path, PartNote]) -> None:
    """Refuse parts that do not belong together, or are not all there."""
    (_, first), *others = notes.items()
    for folder, note in others:
        if note.run != first.run:
            raise SettingsError(
                f"Parts {first.number}/{first.of} and {note.number}/{note.of} are not of the same run: they differ in "
                f"{_difference(first, note)}.",
                where=str(folder),
                kept="Nothing was changed.",
                remedy="Run all parts with the same command, or delete the folder of the part that does not belong.",
            )
    missing = sorted(set(range(1, first.of + 1)) - {note.number for note in notes.values()})
    if missing:
        named = ", ".join(str(FolderPart(number, first.of)) for number in missing[:_NAMED])
        raise SettingsError(
            f"{len(missing)} of {first.of} parts were not run yet: {named}{', ...' if len(missing) > _NAMED else ''}.",
            where=str(output / PARTS),
            kept="Nothing was changed.",
            remedy="Run them first, with the same command and --part.",
        )


def _difference(one: PartNote, other: PartNote) -> str:
    named = {
        "the number of parts": (one.of, other.of),
        "their files": ((one.files, one.listed), (other.files, other.listed)),
        "the model": (one.model_hash, other.model_hash),
        "their settings": (one.settings_hash, other.settings_hash),
    }
    return ", ".join(name for name, (a, b) in named.items() if a != b) or "the version of Microforge"


def _merge(folder: Path, output: Path, ledger: Ledger) -> list[tuple[str, str]]:
    """Take over what a part has made; give what could not be, with the reasons."""
    left: list[tuple[str, str]] = []
    with Ledger(folder) as own:
        entries = list(own.entries())
        refused = {entry.path: why for entry in entries if (why := _in_the_way(entry, folder, output, ledger))}
        taken = [entry for entry in entries if entry.path not in refused and entry.state != "waiting"]
        # Noted before they come: a program that is killed meanwhile finds its own again.
        ledger.plan([_claimed(entry, ledger.entry(Path(entry.path))) for entry in taken])
        statistics = own.statistics()
        for entry in taken:
            if _is_better_known(entry, ledger):
                continue
            files = {name: _moved(folder / name, output / name, stamp) for name, stamp in _files(entry).items()}
            kept = replace(entry, files=files_text(files))
            ledger.record(kept, own.rows(entry.path), statistics.get(entry.path, {}))
        ledger.commit()
        left += refused.items()
    return left


def _files(entry: Entry) -> Mapping[str, Stamp | None]:
    return files_of(entry, Path()) if entry.files else {}


def _in_the_way(entry: Entry, folder: Path, output: Path, ledger: Ledger) -> str:
    """Say what keeps the results of an image from being taken over; nothing where nothing does."""
    there = ledger.entry(Path(entry.path))
    taken = ledger.path_called(entry.name)
    if taken is not None and taken != entry.path:
        return f"The folder has results of another image that is called {entry.name}: {taken}."
    own = {} if there is None else files_of(there, output)
    for name, stamp in _files(entry).items():
        target = output / name
        if os.path.lexists(target) and name not in own:
            moved = not (folder / name).exists() and stamp is not None and still_as(target, stamp) is not None
            if not moved:
                return f"{name} is in the folder, but was not made by a run there."
    return ""


def _claimed(entry: Entry, there: Entry | None) -> Entry:
    """Note the files that are going to come."""
    before = {} if there is None else _files(there)
    base = there or Entry(path=entry.path, name=entry.name)
    return replace(base, files=files_text(dict.fromkeys(_files(entry)) | dict(before)))


def _is_better_known(entry: Entry, ledger: Ledger) -> bool:
    """Tell whether an image that failed in a part was done in the folder before."""
    there = ledger.entry(Path(entry.path))
    return entry.state == "failed" and there is not None and there.state == "done"


def _moved(source: Path, target: Path, stamp: Stamp | None) -> Stamp | None:
    """Move a result; one that was moved before is left where it is. Give its stamp in its new place."""
    try:
        if source.exists():
            os.replace(source, target)
        return None if stamp is None else still_as(target, stamp)
    except OSError as error:
        raise write_error(error, target) from error


def _remove_parts(output: Path) -> None:
    """Remove the folders of the parts as a whole: some of them alone would look like a run that is not complete."""
    try:
        os.replace(output / PARTS, output / _MERGED)
    except OSError as error:
        raise WriteError(
            f"The folder of the parts cannot be removed ({error.strerror or error}).",
            where=str(output / PARTS),
            kept="All results are in the output folder.",
            remedy="Delete it yourself.",
        ) from error
    with suppress(OSError):
        shutil.rmtree(output / _MERGED)
