"""Names of result files, decided before a folder run writes; foreign files are not replaced."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

from microforge.config import PredictionConfig
from microforge.errors import SettingsError, WriteError, readable
from microforge.inference.folder.entries import Entry
from microforge.inference.folder.jobs import Job, Origin
from microforge.inference.folder.ledger import Ledger
from microforge.inference.folder.ownership import files_of, files_text
from microforge.inference.folder.tables import RESERVED
from microforge.inference.stamps import hash_file
from microforge.io.files import image_stem, portable_name


def check_output(output: Path, inputs: Sequence[Path | str], paths: Sequence[Path]) -> None:
    """Refuse an output folder in which results would replace images, or be read as images the next time.

    Raises
    ------
    SettingsError
        If `output` is a folder with input files, or lies inside an input folder.
    """
    target = Path(os.path.realpath(output))
    folders = {Path(os.path.realpath(given)) for given in inputs if Path(given).is_dir()}
    around = next((folder for folder in folders if target.is_relative_to(folder)), None)
    beside = target in {Path(os.path.realpath(path.parent)) for path in paths}
    if around is None and not beside:
        return
    suggestion = (target if around is None else around).parent / "results"
    raise SettingsError(
        "The output folder is the folder of the images." if beside else "The output folder is inside the input folder.",
        where=str(output),
        kept="Nothing was written.",
        remedy=f"Choose a folder beside it, such as {suggestion}: results must not replace or join the images.",
    )


def prepare_output(output: Path) -> None:
    """Make the output folder.

    Raises
    ------
    WriteError
        If it cannot be made or written.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(output, error.strerror or str(error)) from error
    if not os.access(output, os.W_OK):
        raise _unwritable(output, "no permission")


def plan_jobs(paths: Sequence[Path], ledger: Ledger, origin: Origin) -> list[Job]:
    """Give every file the name of its result, the same one in every run, and note in the ledger what is to be written.

    Of a part of a run the files of other parts have their names too, but are not planned here.

    Raises
    ------
    WriteError
        If files that are not results have such names, unless `origin.overwrite`.
    """
    known = {entry.path: entry for entry in ledger.entries()}
    # Some disks do not tell upper from lower case.
    taken = dict.fromkeys(RESERVED, "") | {entry.name.lower(): path for path, entry in known.items()}
    there = {entry.name.lower() for entry in os.scandir(origin.output)}
    jobs: list[Job] = []
    changed: list[Entry] = []
    foreign: list[str] = []
    for index, path in enumerate(paths):
        entry = known.get(str(path)) or Entry(path=str(path), name=_free_name(path, taken))
        taken[entry.name.lower()] = entry.path
        if origin.part is not None and not origin.part.has(index):
            continue
        wanted = [file.name for file in origin.files(entry.name)]
        absent = frozenset(name for name in wanted if name.lower() not in there)
        if entry.path not in known:
            foreign += [name for name in wanted if name not in absent]
        jobs.append(Job(len(jobs), path, entry.name, _note(path, entry.name, origin), absent=absent))
        claimed = _claimed(entry, absent if not origin.overwrite else frozenset(wanted), origin)
        if claimed != known.get(entry.path):
            changed.append(claimed)
    if foreign and not origin.overwrite:
        raise _would_replace(origin.output, foreign)
    ledger.plan(changed)
    return jobs


def _claimed(entry: Entry, names: Iterable[str], origin: Origin) -> Entry:
    """Note the files that are going to be written: a program killed while it writes finds its own again."""
    files = dict(files_of(entry, origin.output))
    return replace(entry, files=files_text(files | {name: None for name in names if name not in files}))


def _note(path: Path, name: str, origin: Origin) -> str:
    """Say what an image is called where it is not by its own name."""
    stem = image_stem(path)
    if name == stem and _is_text(path.name):
        return ""
    if not _is_text(path.name):
        return f"Saved as {name}: its name has signs in it that are no text (UTF-8)."
    saved = f"Saved as {name}{origin.answer.suffixes[0]}" if origin.answer.suffixes else f"Called {name} in the tables"
    if stem.lower() in RESERVED:
        return f"{saved}: {stem.lower()}.csv is a table of the folder."
    return f"{saved}: another image is called {stem} too."


def hash_settings(config: PredictionConfig, axes: str | None) -> str:
    """Give a hash of all settings that change results, also of the regions themselves; the device does not.

    Raises
    ------
    SettingsError
        If the regions cannot be read.
    """
    settings = config.model_dump(mode="json", exclude={"device", "regions"}) | {"axes": axes}
    if config.regions is not None:
        settings["regions"] = _hash_regions(config.regions)
    return blake2b(json.dumps(settings, sort_keys=True).encode(), digest_size=8).hexdigest()


def _hash_regions(regions: Path) -> str:
    try:
        return hash_file(regions)
    except OSError as error:
        raise SettingsError(
            f"The regions cannot be read ({error.strerror or error}).",
            where=str(regions),
            remedy="Give a file of regions (label image, ImageJ .roi or .zip), or a folder with one for each image.",
        ) from error


def _free_name(path: Path, taken: Mapping[str, str]) -> str:
    """Give the stem; where another image has it, with its folder or a number. Odd bytes are written out."""
    stem, folder = image_stem(path), path.parent.name
    stem, folder = stem if _is_text(path.name) else portable_name(stem), folder if _is_text(folder) else "folder"
    for name in (stem, f"{folder}_{stem}"):
        if name.lower() not in taken:
            return name
    number = 2
    while f"{stem}_{number}".lower() in taken:
        number += 1
    return f"{stem}_{number}"


def _is_text(name: str) -> bool:
    return readable(name) == name


def _would_replace(output: Path, names: Sequence[str]) -> WriteError:
    files = f"{len(names)} files" if len(names) > 1 else "a file"
    return WriteError(
        f"The folder holds {files} with the names of results, but not made by a run here (first: {names[0]}).",
        where=str(output),
        kept="Nothing was written.",
        remedy="Choose another output folder, or overwrite (--overwrite) if they may be replaced.",
    )


def _unwritable(output: Path, reason: str) -> WriteError:
    return WriteError(
        f"The output folder cannot be written ({reason}).",
        where=str(output),
        kept="Nothing was written.",
        remedy="Choose a folder in which you may create files.",
    )
