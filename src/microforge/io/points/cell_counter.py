"""Read points from Cell Counter (Fiji) XML files."""

from pathlib import Path
from xml.etree.ElementTree import Element

from microforge.errors import AnnotationError
from microforge.io.points.imagej_points import Point, gathered
from microforge.io.rois import Stack, stack_position_of
from microforge.io.tables import as_number
from microforge.io.xml import parse_xml
from microforge.types import Points

#: Some hundred thousand markers; no one clicks as many.
_BIGGEST = 40_000_000


def read_cell_counter(path: Path, stack: Stack | None = None) -> Points:
    """Read the markers of a Cell Counter file; see `microforge.io.points.reading.read_points`.

    Raises
    ------
    AnnotationError
        If the file cannot be read, or is no file of the Cell Counter.
    """
    points: list[Point] = []
    kinds: list[str] = []
    for one in _types(path):
        number = (one.findtext("Type") or "").strip()
        name = (one.findtext("Name") or "").strip() or f"Type {number}"
        markers = one.findall("Marker")
        # The file lists all eight types, used or not; those that somebody named were looked for.
        if markers or name != f"Type {number}":
            kinds.append(name)
        points += [_point(marker, name, path, stack) for marker in markers]
    return gathered(points, kinds, stack, path)


def _types(path: Path) -> list[Element]:
    try:
        if (size := path.stat().st_size) > _BIGGEST:
            raise AnnotationError(
                f"The file is too large to be of markers that somebody set ({size / 1e6:.0f} MB).",
                where=str(path),
                remedy="Check what it holds; points found by a program can be given as a table y,x.",
            )
        root = parse_xml(path.read_bytes())
    except (OSError, ValueError) as error:
        raise AnnotationError(
            f"The XML file cannot be read ({getattr(error, 'strerror', None) or error}).",
            where=str(path),
            remedy="Save the markers again in the Cell Counter of Fiji.",
        ) from error
    if root.tag != "CellCounter_Marker_File":
        raise AnnotationError(
            "The XML file was not written by the Cell Counter of Fiji.",
            where=str(path),
            remedy="Other markers can be given as a table y,x or as ImageJ ROIs.",
        )
    return root.findall(".//Marker_Type")


def _point(marker: Element, kind: str, path: Path, stack: Stack | None) -> Point:
    y, x, number = (as_number((marker.findtext(f"Marker{axis}") or "").strip()) for axis in "YXZ")
    if y is None or x is None:
        raise AnnotationError(
            f"A marker of the type '{kind}' has no place.",
            where=str(path),
            remedy="Save the markers again in the Cell Counter of Fiji.",
        )
    try:
        return Point(y, x, stack_position_of(int(number or 0), stack), kind)
    except AnnotationError as error:
        raise AnnotationError(error.problem, where=str(path), remedy=error.remedy) from error
