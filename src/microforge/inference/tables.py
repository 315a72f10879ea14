"""The two tables of an output folder: `objects.csv`, one row per object, and `images.csv`, one row per image."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TextIO

import numpy as np

from microforge.inference.ledger import Ledger, Rows
from microforge.io.atomic import atomic_path
from microforge.types import Array

OBJECTS = "objects.csv"
IMAGES = "images.csv"

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


def rows_of(tables: Sequence[Mapping[str, Array]], *, frames: bool = False) -> Rows:
    """Turn measurements into lines of text.

    Parameters
    ----------
    tables
        One table (column -> one value per object) per time point.
    frames
        Add the column `frame`, the number of the time point, after the first one.
    """
    if not tables:
        return Rows()
    first, *others = tables[0]
    columns = (first, "frame", *others) if frames else (first, *others)
    lines: list[str] = []
    for frame, table in enumerate(tables):
        texts = [_texts(table[name]) for name in (first, *others)]
        if frames:
            texts.insert(1, [str(frame)] * len(texts[0]))
        lines += [",".join(line) for line in zip(*texts, strict=True)]
    return Rows(columns, tuple(lines))


def write_tables(ledger: Ledger, folder: Path, *, objects: bool = True, countable: bool = True) -> None:
    """Write both tables from the ledger, each all or nothing.

    Parameters
    ----------
    objects
        False leaves `objects.csv` out where no image of the folder has any.
    countable
        False leaves the number of objects out of `images.csv` where no image of the folder has one.

    Raises
    ------
    WriteError
        If one cannot be written; the one that was there is unchanged.
    """
    # One that an earlier run has left must not go on telling of results that were replaced.
    if objects or ledger.measured_columns() or (folder / OBJECTS).exists():
        with atomic_path(folder / OBJECTS) as path, path.open("w", encoding="utf-8", newline="") as file:
            _write_objects(ledger, file)
    with atomic_path(folder / IMAGES) as path, path.open("w", encoding="utf-8", newline="") as file:
        _write_images(ledger, file, countable=countable)


def _write_objects(ledger: Ledger, file: TextIO) -> None:
    columns = ledger.measured_columns()
    file.write(_line(["image", *columns]))
    for name, rows in ledger.measurements():
        lead = _line([name]).rstrip("\n") + ","
        lines = rows.lines if list(rows.columns) == columns else _rearranged(rows, columns)
        file.writelines(f"{lead}{line}\n" for line in lines)


def _rearranged(rows: Rows, columns: Sequence[str]) -> Iterable[str]:
    """Give the lines of an image with other columns (another model, other channels) in the common order."""
    for values in csv.reader(rows.lines):
        known = dict(zip(rows.columns, values, strict=True))
        yield _line([known.get(name, "") for name in columns]).rstrip("\n")


def _write_images(ledger: Ledger, file: TextIO, *, countable: bool) -> None:
    figures = ledger.figures()
    names = list(dict.fromkeys(name for values in figures.values() for name in values))
    counted = countable or any(entry.objects is not None for entry in ledger.entries())
    columns = [name for name in _IMAGE_COLUMNS if counted or name != "objects"]
    file.write(_line([*columns, *_SIZES, *names]))
    for entry in ledger.entries():
        values = [getattr(entry, name) for name in columns]
        sizes = entry.pixel_size.split()
        measured = figures.get(entry.path, {}) if entry.state == "done" else {}
        told = [f"{measured[name]:.6g}" if name in measured else "" for name in names]
        file.write(_line([*values, *[""] * (3 - len(sizes)), *sizes, *told]))


def _line(values: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(["" if value is None else value for value in values])
    return text.getvalue()


def _texts(values: Array) -> list[str]:
    values = np.asarray(values)
    if np.issubdtype(values.dtype, np.integer):
        return [str(value) for value in values.tolist()]
    if np.issubdtype(values.dtype, np.floating):
        return [f"{value:.7g}" for value in values.tolist()]
    return [_line([value]).rstrip("\n") for value in values.tolist()]
