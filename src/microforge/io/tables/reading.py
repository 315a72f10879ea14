"""Read CSV with any delimiter, decimal comma or encoding."""

import csv
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from microforge.errors import AnnotationError, MicroforgeError
from microforge.io.tables.formulas import unguarded
from microforge.io.tables.numbers import AmbiguousNumberError, decimal_sign, parsed

TABLE_SUFFIXES = (".csv", ".tsv", ".txt")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Row:
    """The texts of one row, one per column, and the line it stands on, counted from 1."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table as texts.

    Attributes
    ----------
    columns
        Names as written, without spaces around them.
    error
        What is raised where a cell cannot be used.
    delimiter
        The sign between columns.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    error: type[MicroforgeError] = AnnotationError
    delimiter: str = ","

    def find(self, names: Iterable[str]) -> int | None:
        """Give the place of the first column that has one of these names, small or capital."""
        known = [plain_name(column) for column in self.columns]
        return next((known.index(name) for name in names if name in known), None)

    def texts(self, column: int) -> list[str]:
        """Give the texts of a column."""
        return [row.cells[column] for row in self.rows]

    def numbers(self, column: int) -> list[float]:
        """Give a column as numbers; decimal commas and thousands separators are told apart by the whole column.

        Raises
        ------
        MicroforgeError
            Of the kind `error`, naming line and column, where a cell is no number or may be two.
        """
        sign = self._decimal_sign(column)
        return [self._number(row, column, sign) for row in self.rows]

    def _decimal_sign(self, column: int) -> str:
        neighbours = (self.texts(other) for other in range(len(self.columns)) if other != column)
        try:
            return decimal_sign(self.texts(column), self.delimiter, neighbours)
        except AmbiguousNumberError as ambiguous:
            row = self.rows[ambiguous.index]
            text = row.cells[column]
            raise self.error(
                f"Line {row.line} has '{text}' in the column '{self.columns[column]}', which may be "
                f"{re.sub('[.,]', '', text)} or {text.replace(',', '.')}: the sign may group thousands, or stand "
                "before decimals.",
                where=str(self.path),
                remedy="Save the table without thousands separators, with commas between columns and points before "
                "decimals.",
            ) from None

    def _number(self, row: Row, column: int, sign: str) -> float:
        value = parsed(row.cells[column], sign)
        if value is not None:
            return value
        text = row.cells[column]
        raise self.error(
            f"Line {row.line} has {f'{text!r}' if text else 'nothing'} in the column '{self.columns[column]}', "
            "where a number belongs.",
            where=str(self.path),
            remedy="Correct or remove the line.",
        )


def as_number(text: str) -> float | None:
    """Read a number with a point or a comma before its decimals; None where it is none, or not finite."""
    if "," in text and "." not in text:
        text = text.replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def plain_name(column: str) -> str:
    """Give the name of a column in small letters, with the same sign for every kind of gap."""
    return re.sub(r"[-_\s]+", " ", column).strip().lower()


def listed(names: Iterable[str], most: int = 8) -> str:
    """Name a few of many."""
    names = list(dict.fromkeys(names))
    return ", ".join(names[:most]) + (" ..." if len(names) > most else "")


def read_table(path: str | Path, error: type[MicroforgeError] = AnnotationError) -> Table:
    """Read a table whose first line names the columns.

    Understands commas, semicolons, tabs or spaces between columns, quotes, marks of the encoding, blank lines and
    every kind of line end.

    Parameters
    ----------
    error
        What to raise.

    Raises
    ------
    MicroforgeError
        Of the kind `error`: if the file cannot be read, is empty or no text, or a row is longer than the header.
    """
    path = Path(path)
    lines = re.split(r"\r\n|\r|\n", _text(path, error))
    # Excel understands, and some programs write, a first line such as "sep=;".
    told = re.fullmatch(r"sep=(.)", lines[0].strip(), re.IGNORECASE)
    first = next((n for n, line in enumerate(lines) if line.strip(" ,;\t") and not (told and n == 0)), None)
    if first is None:
        raise _empty(path, error)
    sign = told[1] if told else _delimiter(lines[first])
    try:
        rows = _rows(lines, first, sign)
    except csv.Error as broken:
        raise error(f"The table cannot be read ({broken}).", where=str(path), remedy="Save it again as CSV.") from None
    if not rows:
        raise _empty(path, error)
    header = rows[0].cells
    return Table(path, header, tuple(_fitted(row, header, path, error) for row in rows[1:]), error, sign)


def _empty(path: Path, error: type[MicroforgeError]) -> MicroforgeError:
    return error("The file is empty.", where=str(path), remedy="Its first line must name the columns.")


def _text(path: Path, error: type[MicroforgeError]) -> str:
    try:
        content = path.read_bytes()
    except OSError as broken:
        raise error(
            f"The table cannot be read ({broken.strerror or broken}).", where=str(path), remedy="Check the name."
        ) from broken
    if content.startswith(_UTF16):
        return content.decode("utf-16", errors="replace")
    if b"\0" in content:
        raise error("The file holds no text.", where=str(path), remedy="Save the table as CSV.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # What Excel writes in Western Europe.
        return content.decode("cp1252", errors="replace")


def _delimiter(header: str) -> str:
    for sign in ("\t", ";", ","):
        if sign in header:
            return sign
    return " "


def _rows(lines: list[str], first: int, sign: str) -> list[Row]:
    rows = []
    # Programs that write comments put the header into one.
    header = lines[first].strip(" ").removeprefix("#")
    # Strict: a quote that is never closed would swallow the rest of the table.
    reader = csv.reader([header, *lines[first + 1 :]], delimiter=sign, skipinitialspace=True, strict=True)
    for texts in reader:
        cells = tuple(unguarded(text.strip()) for text in texts)
        if any(cells):
            rows.append(Row(first + reader.line_num, cells))
    return rows


def _fitted(row: Row, header: tuple[str, ...], path: Path, error: type[MicroforgeError]) -> Row:
    """Give the row with as many cells as the header has."""
    more = row.cells[len(header) :]
    if any(more):
        raise error(
            f"Line {row.line} has {len(row.cells)} values, but the first line names {len(header)} columns.",
            where=str(path),
            remedy="If commas are decimal signs, columns must be separated by semicolons or tabs.",
        )
    return Row(row.line, (*row.cells[: len(header)], *[""] * (len(header) - len(row.cells))))
