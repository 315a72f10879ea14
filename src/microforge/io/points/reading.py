"""`read_points` for any kind of file, and points written as CSV."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from microforge.errors import AnnotationError
from microforge.io.points.cell_counter import read_cell_counter
from microforge.io.points.imagej_rois import read_points_rois, write_points_rois
from microforge.io.points.point_table import read_points_table
from microforge.io.rois import ROI_SUFFIXES, Stack
from microforge.io.tables import TABLE_SUFFIXES, write_table
from microforge.types import Array, PixelSize, Points

__all__ = [
    "PLACE_COLUMNS",
    "POINTS_SUFFIXES",
    "Stack",
    "read_points",
    "without_twins",
    "write_points_csv",
    "write_points_rois",
]

#: Points of two files that are nearer than this are the same, in pixels: tables hold fewer digits.
_SAME_PLACE = 0.05

#: What the columns of places are called in our tables, by axis; tables that call them t and z are read as well.
PLACE_COLUMNS = {"T": "frame", "Z": "plane", "Y": "y", "X": "x"}
POINTS_SUFFIXES = (*TABLE_SUFFIXES, *ROI_SUFFIXES, ".xml")


def read_points(path: str | Path, stack: Stack | None = None) -> Points:
    """Read points from a table, from ImageJ ROIs or from the markers of Fiji's Cell Counter.

    Tables (``.csv``, ``.tsv``, ``.txt``) name their columns in the first line: ``y, x``, and if wanted ``plane`` (or
    ``z``), ``frame`` (or ``t``) and ``kind`` (or ``type``, ``class``), in any order, in pixels; planes and frames count
    from 0, in the tables of Fiji, which have a column ``Slice``, from 1. A table with this line only says that there
    are no points.
    Columns whose names say micrometres (``x_um``, ``X (micron)``, ``Centroid X µm``) are converted by the pixel size.

    ROIs (``.roi``, ``.zip``): points, and the centres of outlined cells. Kinds are the counters of multi-point ROIs if
    several were used, else the groups of ROIs, else the names of the point ROIs where a person named all of them.

    Markers (``.xml``): each type with markers, or with a name of its own, is a kind.

    Parameters
    ----------
    stack
        The image's channels, planes and frames, and its size. ImageJ numbers slices through all of them, so that with
        channels and planes they are needed; without them the number of a slice is taken for that of a plane.

    Raises
    ------
    AnnotationError
        If the file cannot be read or understood. Unreadable is never empty.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in TABLE_SUFFIXES:
        return read_points_table(path, stack)
    if suffix in ROI_SUFFIXES:
        return read_points_rois(path, stack)
    if suffix == ".xml":
        return read_cell_counter(path, stack)
    raise AnnotationError(
        f"Files ending in '{suffix}' hold no points that can be read.",
        where=str(path),
        remedy=f"Points come in files ending in {', '.join(POINTS_SUFFIXES)}.",
    )


def without_twins(paths: Sequence[Path]) -> list[Path]:
    """Leave out ROIs that hold the very points of a table among the files, as folders of results have them."""
    tables = [path for path in paths if path.suffix.lower() in TABLE_SUFFIXES]
    return [path for path in paths if path in tables or not any(_same_points(path, table) for table in tables)]


def _same_points(one: Path, other: Path) -> bool:
    """Compare the places within planes: which plane ImageJ means is known with the image only."""
    try:
        points = [read_points(path).coordinates[:, -2:] for path in (one, other)]
    except AnnotationError:
        return False
    if len(points[0]) != len(points[1]) or not len(points[0]) or not np.isfinite(points).all():
        return False
    # Takes a quarter of a second to import, which who asks for help need not wait for.
    from scipy.spatial import KDTree

    distances = [KDTree(found).query(wanted)[0] for found, wanted in (points, reversed(points))]
    return bool(np.max(distances) < _SAME_PLACE)


def write_points_csv(
    path: str | Path,
    points: Points,
    columns: Mapping[str, Array] | None = None,
    pixel_size: PixelSize | None = None,
    *,
    durable: bool = True,
) -> None:
    """Write points as a table, one line each, all or nothing: kind (where kinds have names), places, and more.

    Places have the columns of `PLACE_COLUMNS`; frames and planes count from 0.

    Parameters
    ----------
    columns
        Further columns, one value per point; a `kind`, and a `frame` of points with a T, are there already.
    pixel_size
        ``(Z)YX`` in micrometre; adds the places in micrometres.

    Raises
    ------
    WriteError
        If a column differs in length or the file cannot be written; one that was there is unchanged.
    """
    table: dict[str, Array] = {}
    if any(points.kinds):
        table["kind"] = np.array(points.kinds, object)[points.kind]
    for column, axis in enumerate(points.axes):
        values = points.coordinates[:, column]
        table[PLACE_COLUMNS[axis]] = np.rint(values).astype(np.int64) if axis == "T" else values
    sizes = dict(zip("XYZ", reversed(pixel_size or ()), strict=False))
    for axis, size in reversed(sizes.items()):
        if axis in points.axes:
            table[f"{axis.lower()}_um"] = table[PLACE_COLUMNS[axis]] * np.float32(size)
    further = {name: values for name, values in (columns or {}).items() if name not in table}
    write_table(path, table | further, durable=durable)
