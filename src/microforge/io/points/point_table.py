"""Read points from tables (CSV): our own, napari, measurements of Fiji and QuPath."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from microforge.errors import AnnotationError
from microforge.io.rois import Stack
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
#: Columns of lengths, by their names without the unit, and what unit words mean in micrometres.
_LENGTHS = {axis: re.compile(rf"(centroid |position )?{axis.lower()} ?[\[(]?(.+?)[\])]?") for axis in "ZYX"}
_UNITS = (
    dict.fromkeys(
        ("um", "µm", "μm", "micron", "microns", "micrometer", "micrometers", "micrometre", "micrometres"), 1.0
    )
    | {"nm": 1e-3}
    | {"mm": 1e3}
)
#: Points that keep by chance to the corner that the image would fill in micrometres are rarer than this.
_BY_CHANCE = 1e-6
#: Points all over an image reach so far along each side.
_MOST_OF_A_SIDE = 0.6
_SAYS_PIXELS = re.compile("px|pixel|row|col", re.IGNORECASE)
_MOST_KINDS = 100
_HEADER = "The first line must name the columns: y,x or plane,y,x, and if wanted frame and kind."


def read_points_table(path: Path, stack: Stack | None = None) -> Points:
    """Read points from a table with named columns; see `microforge.io.points.reading.read_points`.

    Raises
    ------
    AnnotationError
        If the table cannot be read, a column is missing, a cell is no number, or places are not in pixels.
    """
    table = read_table(path)
    columns = _numbered_axes(table) or _named_axes(table)
    lengths = {} if columns else _lengths(table, stack)
    if not columns and not lengths:
        raise _missing(table)
    columns = columns or {axis: column for axis, (column, _) in lengths.items()}
    values = [_from_zero(table, axis, table.numbers(column)) for axis, column in columns.items()]
    if lengths:
        values = [[value * lengths[axis][1] for value in own] for axis, own in zip(columns, values, strict=True)]
    else:
        _check_pixels(table, dict(zip(columns, values, strict=True)), columns, stack)
    # Places too far away for float32 become infinite, and are refused where points are checked.
    with np.errstate(over="ignore"):
        coordinates = np.array(values, np.float32).reshape(len(columns), -1).T
    names = _kind_names(table)
    kinds = tuple(sorted(set(names))) or ("",)
    if len(kinds) > _MOST_KINDS:
        raise _too_many_kinds(len(kinds), path)
    number = {name: at for at, name in enumerate(kinds)}
    kind = np.array([number[name] for name in names], np.int32)
    return Points(np.ascontiguousarray(coordinates), kind, kinds, "".join(columns))


def _named_axes(table: Table) -> dict[str, int]:
    """Give the column of each axis in pixels, in the order TZYX; none where Y or X is missing."""
    columns = {axis: table.find(names) for axis, names in _NAMES.items()}
    found = {axis: column for axis, column in columns.items() if column is not None}
    return found if "Y" in found and "X" in found else {}


def _numbered_axes(table: Table) -> dict[str, int]:
    """Give the columns of tables whose axes have numbers (``axis-0`` of napari), the last being X."""
    for word in ("axis", "centroid"):
        places = [table.find([f"{word} {number}"]) for number in range(4)]
        numbered = [place for place in places if place is not None]
        if len(numbered) >= 2 and None not in places[: len(numbered)]:
            return dict(zip("TZYX"[-len(numbered) :], numbered, strict=True))
    return {}


def _lengths(table: Table, stack: Stack | None) -> dict[str, tuple[int, float]]:
    """Give the column of each axis whose name has a unit of length, and what to multiply it with to get pixels.

    Raises
    ------
    AnnotationError
        If there are such columns, but the pixel size is not known.
    """
    found = {axis: own for axis in "ZYX" if (own := _length_column(table, axis)) is not None}
    if "Y" not in found or "X" not in found:
        return {}
    size = dict(zip("XYZ", reversed((stack.pixel_size if stack else None) or ()), strict=False))
    if any(axis not in size for axis in found):
        raise AnnotationError(
            "The places are in micrometres, but the image does not say how large its pixels are.",
            where=str(table.path),
            remedy="Divide the places by the pixel size and name the columns y and x, or save the images with their "
            "pixel size (Fiji: Image > Properties).",
        )
    return _counts(table) | {axis: (column, unit / size[axis]) for axis, (column, unit) in found.items()}


def _counts(table: Table) -> dict[str, tuple[int, float]]:
    """Give the column of time points, and that of planes unless Z is a length."""
    columns = {axis: table.find(_NAMES[axis]) for axis in "TZ"}
    return {axis: (column, 1.0) for axis, column in columns.items() if column is not None}


def _length_column(table: Table, axis: str) -> tuple[int, float] | None:
    for place, name in enumerate(table.columns):
        match = _LENGTHS[axis].fullmatch(plain_name(name))
        if match and match[2] in _UNITS:
            return place, _UNITS[match[2]]
    return None


def _check_pixels(
    table: Table, values: Mapping[str, Sequence[float]], columns: Mapping[str, int], stack: Stack | None
) -> None:
    """Refuse places that fill the corner which the image would fill if they were in micrometres.

    Raises
    ------
    AnnotationError
        If chance cannot have put them there, and the names of the columns do not say that they are pixels.
    """
    size = stack.pixel_size if stack else None
    names = [table.columns[columns[axis]] for axis in "YX"]
    if stack is None or size is None or not stack.height or any(_SAYS_PIXELS.search(name) for name in names):
        return
    sides = [(stack.height, size[-2], values["Y"]), (stack.width, size[-1], values["X"])]
    chance = float(np.prod([min(1.0, length) for _, length, _ in sides])) ** len(values["Y"])
    if chance < _BY_CHANCE and all(_MOST_OF_A_SIDE < max(own) / (n * length) < 1 for n, length, own in sides):
        raise AnnotationError(
            f"All {len(values['Y'])} points lie in the upper left corner that is as large as the image in micrometres "
            f"({stack.height * size[-2]:.4g} x {stack.width * size[-1]:.4g}): the places seem to be in micrometres.",
            where=str(table.path),
            remedy="If they are, name the columns 'y_um' and 'x_um'; if they are pixels, 'y_px' and 'x_px'. In Fiji, "
            "Analyze > Set Scale > Click to Remove Scale makes it measure in pixels.",
        )


def _too_many_kinds(count: int, path: Path) -> AnnotationError:
    return AnnotationError(
        f"The points are of {count:,} different kinds; no more than {_MOST_KINDS} can be told apart.",
        where=str(path),
        remedy="If the column of kinds numbers the points, or names something else, rename or remove it.",
    )


def _missing(table: Table) -> AnnotationError:
    missing = [axis.lower() for axis in "YX" if table.find(_NAMES[axis]) is None]
    where = str(table.path)
    if all(as_number(name) is not None for name in table.columns):
        return AnnotationError(
            "The first line holds numbers, so it is not known which column is y and which is x.",
            where=where,
            remedy=_HEADER,
        )
    found = f"Its columns are {listed(table.columns)}."
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
        # A column of this name may also number the points, or hold the name of the image.
        if column is None or not _are_kinds(table.texts(column)):
            return [""] * len(table.rows)
    return table.texts(column)


def _are_kinds(texts: list[str]) -> bool:
    return len(set(texts)) < len(texts) and not any("." in text or ":" in text for text in texts)
