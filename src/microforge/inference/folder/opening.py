"""Open the ledger of an output folder; come here for what happens where it is damaged or was lost."""

import os
from pathlib import Path

from microforge.errors import WriteError
from microforge.inference.folder.ledger import FILE_NAME, DamagedLedgerError, Ledger
from microforge.inference.folder.ownership import listed_results
from microforge.inference.folder.tables import IMAGES
from microforge.io.atomic import write_error
from microforge.io.files import free_name


def open_ledger(folder: Path) -> tuple[Ledger, str]:
    """Open the ledger, put a damaged one aside, and say in words what became of it.

    A new one learns from the table of images which results runs have made here, so that these are done again and
    replaced; files that the table does not name, or that were written after it says, stay somebody else's.

    Raises
    ------
    WriteError
        If it cannot be opened, or was made by a newer version.
    """
    try:
        ledger, aside = _checked(folder), ""
    except DamagedLedgerError:
        aside = _put_aside(folder)
        ledger = Ledger(folder)
    results = list(listed_results(folder / f"{IMAGES}.csv")) if ledger.is_new else []
    try:
        ledger.plan(results)
    except WriteError:
        ledger.close()
        raise
    return ledger, _note(aside, len([entry for entry in results if entry.result]))


def _checked(folder: Path) -> Ledger:
    ledger = Ledger(folder)
    try:
        ledger.check()
    except WriteError:
        ledger.close()
        raise
    return ledger


def _put_aside(folder: Path) -> str:
    stem, suffix = os.path.splitext(FILE_NAME)
    taken = {entry.name.lower().removesuffix(suffix) for entry in os.scandir(folder)}
    name = free_name(f"{stem}-damaged", taken, "{name}-{number}", 2) + suffix
    try:
        os.replace(folder / FILE_NAME, folder / name)
        for end in ("-journal", "-wal", "-shm"):
            # SQLite would take what an unfinished change left for a part of the new ledger.
            (folder / f"{FILE_NAME}{end}").unlink(missing_ok=True)
    except OSError as error:
        raise write_error(error, folder / FILE_NAME) from error
    return name


def _note(aside: str, results: int) -> str:
    if not aside and not results:
        return ""
    what = f"The ledger of the folder was damaged and is now called {aside}." if aside else "The ledger was missing."
    again = f"The {results} results that images.csv names are made again." if results else "All is done anew."
    return f"{what} {again}"
