"""Read points from tables (CSV): our own, napari, measurements of Fiji."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from microforge.errors import AnnotationError
from microforge.io.tables import Table, as_number, listed, plain_name, read_table
from microforge.types import Points

#: Names of columns as `plain_name` writes them: small letters, single spaces.
_UNIT = ("", " px", " (px)", " [px]", " pixel", " pixels", " (pixel)", " (pixels)")
_NAMES = {
    "T": ("t", "time", "frame", "timepoint", "time point"),
    "Z": ("z", "plane", "slice", "centroid z", *(f"z{unit}" for unit in _UNIT)),
    "Y": ("row", "rows", "centroid y", *(f"y{unit}" for unit in _UNIT)),
    "X": ("col", "column", "columns", "cols", "centroid x", *(f"x{unit}" for unit in _UNIT)),
}
_KIND = ("kind", "type", "class", "cell type", "celltype", "category", "cell kind", "counter")
#: Fiji writes the image's name into a column of this name.
_PERHAPS_KIND = "label"
_MICROMETRE = re.compile(r"^[yx] ?[\[(]?(um|µm|μm|micron|microns|micrometer|micrometre)[\])]?$")
_HEADER = "The first line must name the columns: y,x or z,y,x, and if wanted t and kind."


def read_points_table(path: Path) -> Points:
    """Read dots from a table with named columns; see `microforge.io.points.reading.read_points`.

    Raises
    ------
    AnnotationError
        If the table cannot be read, a column is missing or a cell is no number.
    """
    table = read_table(path)
    columns = _numbered_axes(table) or _named_axes(table)
    values = [_from_zero(table, axis, table.numbers(column)) for axis, column in columns.items()]
    # Places too far away for float32 become infinite, and are refused where dots are checked.
    with np.errstate(over="ignore"):
        coordinates = np.array(values, np.float32).reshape(len(columns), -1).T
    names = _kind_names(table)
    kinds = tuple(sorted(set(names))) or ("",)
    kind = np.array([kinds.index(name) for name in names], np.int32)
    return Points(np.ascontiguousarray(coordinates), kind, kinds, "".join(columns))


def _named_axes(table: Table) -> dict[str, int]:
    """Give the column of each axis, in the order TZYX."""
    columns = {axis: table.find(names) for axis, names in _NAMES.items()}
    found = {axis: column for axis, column in columns.items() if column is not None}
    if "Y" in found and "X" in found:
        return found
    raise _missing(table, [axis.lower() for axis in "YX" if axis not in found])


def _numbered_axes(table: Table) -> dict[str, int]:
    """Give the columns of tables whose axes have numbers (``axis-0`` of napari), the last being X."""
    for word in ("axis", "centroid"):
        places = [table.find([f"{word} {number}"]) for number in range(4)]
        numbered = [place for place in places if place is not None]
        if len(numbered) >= 2 and None not in places[: len(numbered)]:
            return dict(zip("TZYX"[-len(numbered) :], numbered, strict=True))
    return {}


def _missing(table: Table, missing: Sequence[str]) -> AnnotationError:
    where = str(table.path)
    if all(as_number(name) is not None for name in table.columns):
        return AnnotationError(
            "The first line holds numbers, so it is not known which column is y and which is x.",
            where=where,
            remedy=_HEADER,
        )
    found = f"Its columns are {listed(table.columns)}."
    if sum(bool(_MICROMETRE.match(plain_name(name))) for name in table.columns) >= 2:
        return AnnotationError(
            "The places are in micrometres, but pixels are needed.",
            where=where,
            remedy=f"Divide them by the pixel size and name the columns y and x. {found}",
        )
    columns = f"column {missing[0]} is" if len(missing) == 1 else f"columns {' and '.join(missing)} are"
    return AnnotationError(f"The {columns} missing.", where=where, remedy=f"{found} {_HEADER}")


def _from_zero(table: Table, axis: str, values: list[float]) -> list[float]:
    """Count planes and frames from 0: tables of Fiji have a column Slice, and count both from 1."""
    if axis in "TZ" and table.find(["slice"]) is not None and table.find(["z"]) is None:
        return [value - 1 for value in values]
    return values


def _kind_names(table: Table) -> list[str]:
    column = table.find(_KIND)
    if column is None:
        column = table.find([_PERHAPS_KIND])
        # A column of this name may also number the dots, or hold the name of the image.
        if column is None or not _are_kinds(table.texts(column)):
            return [""] * len(table.rows)
    return table.texts(column)


def _are_kinds(texts: list[str]) -> bool:
    return len(set(texts)) < len(texts) and not any("." in text or ":" in text for text in texts)
