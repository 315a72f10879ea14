"""Whose the files in an output folder are: a run replaces its own results and nobody else's.

Come here for what happens where a file is in the way, or where a result is not what a run has written.
"""

import csv
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from microforge.errors import WriteError
from microforge.inference.folder.entries import Entry
from microforge.inference.folder.jobs import Job, Origin
from microforge.inference.stamps import Stamp, stamp_of_result, still_as
from microforge.io.files import free_name

#: Where results go that were changed by somebody before they are made again.
CHANGED = "changed"
#: The ledger and tables tell whole seconds, and clocks of drives differ a little.
_CLOCK = 2.0

#: The files of an image by name; None where one may be half written, or was written before there were stamps.
Files = Mapping[str, Stamp | None]


def files_of(entry: Entry, folder: Path) -> Files:
    """Give the files of an image that are a run's own, as its entry tells.

    Older entries name the result and when it was finished: a file that was written later is somebody else's.
    """
    if entry.files:
        return {name: Stamp.from_text(text) for name, text in json.loads(entry.files).items()}
    if not entry.result or not entry.finished:
        return {}
    result = Path(entry.result).name
    names = (result, str(Path(result).with_suffix(".zip"))) if result.endswith(".csv") else (result,)
    return {name: None for name in names if _written_before(folder / name, entry.finished)}


def files_text(files: Files) -> str:
    """Give the files as the ledger keeps them."""
    return json.dumps({name: str(stamp or "") for name, stamp in files.items()})


def _written_before(path: Path, finished: str) -> bool:
    try:
        return path.stat().st_mtime <= datetime.fromisoformat(finished).timestamp() + _CLOCK
    except (OSError, ValueError):
        return False


def listed_results(table: Path) -> Iterator[Entry]:
    """Give what the table of images says that runs have made, for where the ledger is lost: all is to be done again."""
    with suppress(OSError, ValueError, csv.Error), table.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row.get("path") and row.get("name"):
                result, finished = row.get("result") or "", row.get("finished") or ""
                yield Entry(row["path"], row["name"], result=result, finished=finished)


def intact_files(job: Job, origin: Origin) -> Files | None:
    """Give the files of an image that is done, with fresh stamps; None if one is not what a run has written."""
    assert job.entry is not None
    now: dict[str, Stamp | None] = {}
    wanted = {path.name for path in origin.files(job.name)}
    for name, stamp in files_of(job.entry, origin.output).items():
        same = None if stamp is None else still_as(origin.output / name, stamp)
        if same is None and stamp is not None and name in wanted:
            return None
        now |= {} if stamp is None else {name: same or stamp}
    return now


def refuse_foreign(job: Job, origin: Origin) -> None:
    """Refuse to replace files that no run has made, also such as came since this run began.

    Raises
    ------
    WriteError
        If there is one.
    """
    own = {} if job.entry is None else files_of(job.entry, origin.output)
    for path in origin.files(job.name):
        if os.path.lexists(path) and (path.name not in own or path.name in job.absent):
            raise WriteError(
                f"{path.name} is in the folder of the results, but was not made by a run here.",
                where=str(path),
                kept="It is unchanged.",
                remedy="Move or rename it, choose another output folder, or overwrite (--overwrite) if it may be "
                "replaced.",
            )


def put_aside_changed(job: Job, origin: Origin) -> tuple[str, ...]:
    """Move results that somebody has changed out of the way before they are made again; say so.

    Raises
    ------
    OSError
        If one cannot be moved.
    """
    own = {} if job.entry is None else files_of(job.entry, origin.output)
    notes = []
    for path in origin.files(job.name):
        stamp = own.get(path.name)
        if stamp is not None and path.is_file() and path.stat().st_size and still_as(path, stamp) is None:
            kept = _put_aside(path)
            notes.append(f"{path.name} had been changed since it was made: that file is now {CHANGED}/{kept}.")
    return tuple(notes)


def _put_aside(path: Path) -> str:
    folder = path.parent / CHANGED
    folder.mkdir(exist_ok=True)
    taken = {entry.name.lower() for entry in os.scandir(folder)}
    # The number stands before the suffix, so that programs know the kind of file.
    stems = {name.removesuffix(path.suffix.lower()) for name in taken}
    name = free_name(path.stem, stems, "{name}-{number}", 2) + path.suffix
    os.replace(path, folder / name)
    return name


def files_made(job: Job, origin: Origin) -> Files:
    """Give the files of an image after it was written: its new ones, and those of other kinds made before.

    Raises
    ------
    OSError
        If one cannot be looked at.
    """
    before = {} if job.entry is None else files_of(job.entry, origin.output)
    wanted = origin.files(job.name)
    others = {name: stamp for name, stamp in before.items() if name not in {path.name for path in wanted}}
    return others | {path.name: stamp_of_result(path) for path in wanted if path.is_file()}


def files_left(job: Job, origin: Origin, *, begun: bool) -> Files:
    """Give the files of an image that failed: those made before and, where writing had `begun`, what came of it."""
    own = {} if job.entry is None else files_of(job.entry, origin.output)
    foreign = frozenset() if begun else job.absent
    left = {name for name in own if name not in foreign and (origin.output / name).is_file()}
    return {name: stamp for name, stamp in own.items() if stamp is not None or name in left}
