"""What a folder run will write, decided before anything is written: names, and what must not be replaced."""

import json
import os
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path

from microforge.config import PredictionConfig
from microforge.errors import SettingsError, WriteError
from microforge.inference.ledger import Entry, Ledger
from microforge.inference.stages import Job, Origin
from microforge.io.files import image_stem


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
    """Give every file the name of its result, the same one in every run, and note new ones in the ledger.

    Raises
    ------
    WriteError
        If files that are not results have such names, unless `origin.overwrite`.
    """
    known = {path: name for name, path in ledger.names()}
    # Some disks do not tell upper from lower case.
    taken = {name.lower(): path for path, name in known.items()}
    there = {entry.name.lower() for entry in os.scandir(origin.output)}
    jobs, new, foreign = [], [], []
    for index, path in enumerate(paths):
        name = known.get(str(path)) or _free_name(path, taken)
        if str(path) not in known:
            taken[name.lower()] = str(path)
            new.append(Entry(path=str(path), name=name))
            if f"{name.lower()}.tif" in there:
                foreign.append(f"{name}.tif")
        note = (
            f"Saved as {name}.tif: another image is called {image_stem(path)} too." if name != image_stem(path) else ""
        )
        jobs.append(Job(index, path, name, note))
    if foreign and not origin.overwrite:
        raise _would_replace(origin.output, foreign)
    ledger.plan(new)
    return jobs


def hash_settings(config: PredictionConfig, axes: str | None) -> str:
    """Give a hash of all settings that change results; the device does not."""
    settings = config.model_dump(mode="json", exclude={"device"}) | {"axes": axes}
    return blake2b(json.dumps(settings, sort_keys=True).encode(), digest_size=8).hexdigest()


def _free_name(path: Path, taken: Mapping[str, str]) -> str:
    """Give the stem; where another image has it, with its folder or a number."""
    stem = image_stem(path)
    for name in (stem, f"{path.parent.name}_{stem}"):
        if name.lower() not in taken:
            return name
    number = 2
    while f"{stem}_{number}".lower() in taken:
        number += 1
    return f"{stem}_{number}"


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
