"""Write CSV: the only place that does."""

import csv
import re
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, TextIO
from weakref import finalize

import numpy as np

from microforge.errors import WriteError, printable
from microforge.io.atomic import atomic_path
from microforge.io.tables.formulas import guarded
from microforge.memory import temporary_folder
from microforge.types import Array

#: A line of numbers and plain words, which are written as they are.
_CELL = r"(?>-?\d+(?:\.\d*)?(?:e[+-]\d+)?|[a-zA-Z_./][\w./: -]*|)"
_PLAIN = re.compile(f"{_CELL}(?:,{_CELL})*+", re.ASCII)
#: Packed lines are unpacked in parts of so many bytes.
_UNPACKED_BYTES, _READ_BYTES = 1 << 20, 1 << 18
#: More packed lines than this lie on disk: long films have millions of objects.
_PACKED_IN_MEMORY = 1 << 24


@dataclass(frozen=True)
class TableRows:
    """What one image gives to a table, as text: the names of the columns and one line per object, region or frame."""

    columns: tuple[str, ...] = ()
    lines: Collection[str] = ()


class PackedLines(Collection[str]):
    """Lines of text, compressed and unpacked bit by bit while they are gone through; many lie in a temporary file.

    Parameters
    ----------
    packed
        Lines packed before, as `packed` gives them.
    """

    def __init__(self, packed: bytes = b"") -> None:
        self._file: BinaryIO = BytesIO(packed)
        self._size = len(packed)

    def add(self, lines: Iterable[str]) -> None:
        """Put lines after those before.

        Raises
        ------
        WriteError
            If there is no room for them.
        """
        block = zlib.compress("".join(f"{line}\n" for line in lines).encode(errors="backslashreplace"), 1)
        try:
            if isinstance(self._file, BytesIO) and self._size + len(block) > _PACKED_IN_MEMORY:
                self._file = self._on_disk()
            self._file.seek(self._size)
            self._file.write(block)
        except OSError as error:
            raise WriteError(
                f"There is no room for the rows of the tables ({error.strerror or error}).",
                remedy="Make room on the disk for temporary files.",
            ) from error
        self._size += len(block)

    def packed(self) -> bytes:
        """Give all lines compressed by zlib, each with its end: one or more streams, one after the other."""
        self._file.seek(0)
        return self._file.read()

    def _on_disk(self) -> BinaryIO:
        file: BinaryIO = TemporaryFile(dir=temporary_folder())  # noqa: SIM115 - it lives as long as the lines
        # Not left to the collection of garbage, which warns of files that nobody has closed.
        finalize(self, file.close)
        file.write(self.packed())
        return file

    def _unpacked(self) -> Iterator[bytes]:
        """Unpack one stream after the other; the file may be read elsewhere in between."""
        unpacker, place = zlib.decompressobj(), 0
        waiting = b""
        while waiting or place < self._size:
            if not waiting:
                self._file.seek(place)
                waiting = self._file.read(_READ_BYTES)
                place += len(waiting)
            yield unpacker.decompress(waiting, _UNPACKED_BYTES)
            waiting = unpacker.unconsumed_tail
            if unpacker.eof:
                waiting, unpacker = unpacker.unused_data, zlib.decompressobj()

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[str]:
        rest = b""
        for part in self._unpacked():
            *lines, rest = (rest + part).split(b"\n")
            yield from (line.decode() for line in lines)
        if rest:
            yield rest.decode()

    def __contains__(self, line: object) -> bool:
        return any(line == one for one in self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Collection) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]  # lines are added to it


class PackedRows:
    """Rows of a table that are added time point by time point: long series have millions."""

    def __init__(self) -> None:
        self._columns: tuple[str, ...] = ()
        self._lines = PackedLines()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, rows: TableRows) -> None:
        """Put rows below those before; all have the columns of the first."""
        self._columns = self._columns or rows.columns
        self._lines.add(rows.lines)
        self._count += len(rows.lines)

    def rows(self) -> TableRows:
        """Give all of them."""
        return TableRows(self._columns, self._lines)


def joined_tables(tables: Sequence[tuple[str, Mapping[str, Array]]]) -> dict[str, Array]:
    """Put tables of several images below each other, after a column `image`; a column that one lacks is empty there."""
    names = dict.fromkeys(name for _, table in tables for name in table)
    counts = [len(next(iter(table.values()), ())) for _, table in tables]
    joined: dict[str, Array] = {"image": np.repeat(np.array([image for image, _ in tables], object), counts)}
    for name in names:
        parts = [table.get(name, np.full(count, np.nan)) for (_, table), count in zip(tables, counts, strict=True)]
        joined[name] = np.concatenate(parts)
    return joined


def rows_of(tables: Sequence[Mapping[str, Array]], *, frames: bool = False, first: int = 0) -> TableRows:
    """Turn measurements into lines of text.

    Parameters
    ----------
    tables
        One table (column -> one value per object) per time point.
    frames
        Add the column `frame`, the number of the time point, after the first one.
    first
        Number of the first time point.
    """
    if not tables:
        return TableRows()
    label, *others = tables[0]
    columns = (label, "frame", *others) if frames else (label, *others)
    lines: list[str] = []
    for frame, table in enumerate(tables, first):
        texts = [_short_texts(table[name]) for name in (label, *others)]
        if frames:
            texts.insert(1, [str(frame)] * len(texts[0]))
        lines += map(csv_line, zip(*texts, strict=True))
    return TableRows(columns, tuple(lines))


def text_rows(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> TableRows:
    """Turn rows of values into lines of text; None is an empty place."""
    return TableRows(tuple(columns), tuple(map(csv_line, rows)))


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
    with open_table(path, durable=durable) as file:
        file.writelines(f"{csv_line(row)}\n" for row in (columns, *zip(*texts, strict=True)))


@contextmanager
def open_table(path: str | Path, *, durable: bool = True) -> Iterator[TextIO]:
    """Give a file for lines of text, each with its end; it appears when the block ends well.

    Raises
    ------
    WriteError
        If it cannot be written; one that was there is unchanged.
    """
    with (
        atomic_path(path, durable=durable) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        yield file


def _texts(values: Array) -> list[Any]:
    # The shortest text that gives the same number back.
    if values.dtype.kind == "f" and values.dtype.itemsize < 8:
        return [np.format_float_positional(v, trim="-") if 1e-4 <= abs(v) < 1e9 else str(v) for v in values]
    rows: list[Any] = values.tolist()
    return rows


def csv_line(values: Iterable[object]) -> str:
    """Give one line of a table without its end; None is an empty place, and no text is a formula or a second line."""
    values = tuple(values)
    line = _joined(values)
    # Most lines are numbers: looking at each value costs more than writing it.
    if _PLAIN.fullmatch(line):
        return line
    return _joined(guarded(printable(value)) if isinstance(value, str) else value for value in values)


def _joined(values: Iterable[object]) -> str:
    line: str = csv.writer(_Echo(), lineterminator="").writerow(values)
    return line


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _short_texts(values: Array) -> list[Any]:
    values = np.asarray(values)
    rows: list[Any] = values.tolist()
    return [f"{value:.7g}" for value in rows] if values.dtype.kind == "f" else rows
