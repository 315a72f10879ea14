"""Write images.csv, objects.csv and the other tables of an output folder from its ledger.

`images.csv` has a row for each image, `objects.csv` for each object, `counts.csv` for each region and kind of cells,
`classes.csv` for each time point that has a class.
"""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TextIO

from microforge.answers.base import CLASSES_TABLE, COUNTS_TABLE, OBJECTS_TABLE
from microforge.errors import readable
from microforge.inference.folder.ledger import Ledger
from microforge.io.tables import TableRows, csv_line, open_table, unguarded

IMAGES = "images"
#: No image may take these names: its own table would replace that of the folder.
RESERVED = (IMAGES, OBJECTS_TABLE, COUNTS_TABLE, CLASSES_TABLE)

_IMAGE_COLUMNS = (
    "name",
    "path",
    "result",
    "state",
    "reason",
    "objects",
    "seconds",
    "shape",
    "notes",
    "model",
    "finished",
)
_SIZES = ("pixel_size_z", "pixel_size_y", "pixel_size_x")


def write_tables(
    ledger: Ledger, folder: Path, *, wanted: Sequence[str] = (OBJECTS_TABLE,), countable: bool = True
) -> None:
    """Write the tables from the ledger, each all or nothing.

    Parameters
    ----------
    wanted
        Tables that are written even if no image has rows; the others only where an image has, or had, some.
    countable
        False leaves the number of objects out of `images.csv` where no image of the folder has one.

    Raises
    ------
    WriteError
        If one cannot be written; the one that was there is unchanged.
    """
    ledger.add_tables(wanted)
    for name in ledger.tables:
        # One that an earlier run has left must not go on telling of results that were replaced.
        if name in wanted or ledger.has_had(name):
            with open_table(folder / f"{name}.csv") as file:
                _write_rows(ledger, name, file)
    with open_table(folder / f"{IMAGES}.csv") as file:
        _write_images(ledger, file, countable=countable)


def _write_rows(ledger: Ledger, table: str, file: TextIO) -> None:
    columns = ledger.measured_columns(table)
    if table != OBJECTS_TABLE:
        columns.sort(key=lambda name: name != "frame")
    file.write(csv_line(["image" if table == OBJECTS_TABLE else "name", *columns]) + "\n")
    for name, rows in ledger.measurements(table):
        lead = csv_line([name]) + ","
        lines = rows.lines if list(rows.columns) == columns else _rearranged(rows, columns)
        file.writelines(f"{lead}{line}\n" for line in lines)


def _rearranged(rows: TableRows, columns: Sequence[str]) -> Iterable[str]:
    """Give the lines of an image with other columns (another model, other channels) in the common order."""
    for values in csv.reader(rows.lines):
        known = dict(zip(rows.columns, map(unguarded, values), strict=True))
        yield csv_line([known.get(name, "") for name in columns])


def _write_images(ledger: Ledger, file: TextIO, *, countable: bool) -> None:
    statistics = ledger.statistics()
    names = list(dict.fromkeys(name for values in statistics.values() for name in values))
    columns = _image_columns(ledger, countable)
    file.write(csv_line([*columns, *_SIZES, *names]) + "\n")
    for entry in ledger.entries():
        values = [readable(value) if isinstance(value := getattr(entry, name), str) else value for name in columns]
        sizes = entry.pixel_size.split()
        measured = statistics.get(entry.path, {}) if entry.state == "done" else {}
        told = [_told(measured.get(name, "")) for name in names]
        file.write(csv_line([*values, *[""] * (3 - len(sizes)), *sizes, *told]) + "\n")


def _image_columns(ledger: Ledger, countable: bool) -> list[str]:
    """Leave out the number of objects and the names of results where no image has any."""
    done = list(ledger.entries("done"))
    without = set()
    if not countable and all(entry.objects is None for entry in done):
        without.add("objects")
    if done and not any(entry.result for entry in done):
        without.add("result")
    return [name for name in _IMAGE_COLUMNS if name not in without]


def _told(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"
