"""Tables as CSV that any program opens: commas, points in numbers, UTF-8; the only place that writes such lines."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from microforge.errors import WriteError
from microforge.io.atomic import atomic_path
from microforge.types import Array


@dataclass(frozen=True)
class TableRows:
    """What one image gives to a table, as text: the names of the columns and one line per object, region or frame."""

    columns: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


def rows_of(tables: Sequence[Mapping[str, Array]], *, frames: bool = False) -> TableRows:
    """Turn measurements into lines of text.

    Parameters
    ----------
    tables
        One table (column -> one value per object) per time point.
    frames
        Add the column `frame`, the number of the time point, after the first one.
    """
    if not tables:
        return TableRows()
    first, *others = tables[0]
    columns = (first, "frame", *others) if frames else (first, *others)
    lines: list[str] = []
    for frame, table in enumerate(tables):
        texts = [_short_texts(table[name]) for name in (first, *others)]
        if frames:
            texts.insert(1, [str(frame)] * len(texts[0]))
        lines += [",".join(line) for line in zip(*texts, strict=True)]
    return TableRows(columns, tuple(lines))


def text_rows(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> TableRows:
    """Turn rows of values into lines of text; None is an empty place."""
    return TableRows(tuple(columns), tuple(csv_line(row) for row in rows))


def write_table(path: str | Path, columns: Mapping[str, Array], *, durable: bool = True) -> None:
    """Write a CSV table: commas, points in numbers, UTF-8, one line per row, ``nan`` where a number is missing.

    Raises
    ------
    WriteError
        If the columns differ in length or the file cannot be written; one that was there is unchanged.
    """
    texts = [_texts(np.asarray(column)) for column in columns.values()]
    if len({len(column) for column in texts}) > 1:
        lengths = ", ".join(f"{name} {len(column)}" for name, column in zip(columns, texts, strict=True))
        raise WriteError(f"The columns of the table differ in length: {lengths}.", where=str(path))
    with (
        atomic_path(path, durable=durable) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        table.writerows(zip(*texts, strict=True))


def _texts(values: Array) -> list[Any]:
    # The shortest text that gives the same number back.
    if values.dtype.kind == "f" and values.dtype.itemsize < 8:
        return [np.format_float_positional(v, trim="-") if 1e-4 <= abs(v) < 1e9 else str(v) for v in values]
    rows: list[Any] = values.tolist()
    return rows


def csv_line(values: Iterable[object]) -> str:
    """Give one line of a table without its end; None is an empty place."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(["" if value is None else value for value in values])
    return text.getvalue()


def _short_texts(values: Array) -> list[str]:
    values = np.asarray(values)
    if np.issubdtype(values.dtype, np.integer):
        return [str(value) for value in values.tolist()]
    if np.issubdtype(values.dtype, np.floating):
        return [f"{value:.7g}" for value in values.tolist()]
    return [csv_line([value]) for value in values.tolist()]
