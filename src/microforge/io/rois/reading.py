"""Read ImageJ ROIs: ``.roi`` files and ``.zip`` files of the ROI manager."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from roifile import ROI_SUBTYPE, ROI_TYPE, ImagejRoi

from microforge.errors import AnnotationError
from microforge.io.rois.stack_position import Stack, StackPosition, stack_position_of
from microforge.types import Doubles

ROI_SUFFIXES = (".roi", ".zip")
_AREAS = (ROI_TYPE.POLYGON, ROI_TYPE.FREEHAND, ROI_TYPE.TRACED, ROI_TYPE.RECT, ROI_TYPE.OVAL)
_NO_AREAS = (ROI_SUBTYPE.TEXT, ROI_SUBTYPE.IMAGE, ROI_SUBTYPE.ARROW)
#: Pixels have a corner at whole numbers where ImageJ keeps areas, and their centre where it keeps points.
CORNER = 0.5
#: All ROIs of a zip file together, unpacked, and how many: far beyond what the ROI manager can work with.
_BIGGEST = 2**28
_MOST = 100_000
#: No microscope's image reaches as far.
_FARTHEST = 1e7
#: What zip files and ROIs that are cut short or scrambled raise.
_DAMAGED = (
    OSError, EOFError, zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error,
    ValueError, TypeError, NotImplementedError, RuntimeError,
)  # fmt: skip


class NamedRoi(NamedTuple):
    """A ROI, by the name the ROI manager shows."""

    name: str
    roi: ImagejRoi


def read_rois(path: Path) -> list[NamedRoi]:
    """Read the ROIs of a ``.roi`` or ``.zip`` file, in the order of the file.

    Raises
    ------
    AnnotationError
        If the file cannot be read or holds no ROI.
    """
    try:
        rois = [_parsed(name, content) for name, content in _contents(path)]
    except _DAMAGED as error:
        raise _unreadable(path, getattr(error, "strerror", None) or str(error) or "it ends too early") from error
    if not rois:
        raise AnnotationError(
            "The zip file holds no ImageJ ROI.", where=str(path), remedy="Save the ROIs with the ROI manager of Fiji."
        )
    return rois


def read_areas(path: Path, remedy: str) -> list[NamedRoi]:
    """Read the ROIs of a file that enclose an area, in its order; points and lines are overlooked.

    Raises
    ------
    AnnotationError
        If the file cannot be read, or holds no area: then with this remedy.
    """
    areas = [one for one in read_rois(path) if is_area(one.roi)]
    if not areas:
        raise AnnotationError("The ROIs enclose no area: they are points or lines.", where=str(path), remedy=remedy)
    return areas


def _contents(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.suffix.lower() != ".zip":
        yield path.stem, path.read_bytes()
        return
    left = _BIGGEST
    with zipfile.ZipFile(path) as file:
        # Macs add hidden copies of every file.
        names = [name for name in file.namelist() if name.lower().endswith(".roi") and not name.startswith("__MACOSX")]
        if len(names) > _MOST:
            raise _too_much(path, f"{len(names):,} ROIs")
        for name in names:
            with file.open(name) as entry:
                # What the file says of its sizes need not be true.
                content = entry.read(left + 1)
            left -= len(content)
            if left < 0:
                raise _too_much(path, f"more than {_BIGGEST >> 20} MB")
            yield Path(name).stem, content


def _parsed(name: str, content: bytes) -> NamedRoi:
    return NamedRoi(name, ImagejRoi.frombytes(content))


def _too_much(path: Path, what: str) -> AnnotationError:
    return AnnotationError(
        f"The zip file holds {what}, which is no set of outlines that somebody drew.",
        where=str(path),
        remedy="Save the ROIs of each image in a file of their own; many objects are better kept as a label image.",
    )


def _unreadable(path: Path, reason: str) -> AnnotationError:
    return AnnotationError(
        f"The ImageJ ROIs cannot be read ({reason.rstrip('.')}).",
        where=str(path),
        remedy="Save them again in Fiji: in the ROI manager, More, Save.",
    )


def is_area(roi: ImagejRoi) -> bool:
    """Say whether a ROI encloses an area."""
    return roi.roitype in _AREAS and roi.subtype not in _NO_AREAS


def is_points(roi: ImagejRoi) -> bool:
    """Say whether a ROI is one or several points."""
    return roi.roitype == ROI_TYPE.POINT


def place_of_roi(roi: ImagejRoi, stack: Stack | None) -> StackPosition:
    """Give the plane and frame of a ROI.

    Raises
    ------
    AnnotationError
        If the stack has no such slice.
    """
    if roi.c_position > 0 or roi.z_position > 0 or roi.t_position > 0:
        return StackPosition(*(number - 1 if number > 0 else None for number in (roi.z_position, roi.t_position)))
    return stack_position_of(roi.position, stack)


def rectangle(roi: ImagejRoi) -> tuple[float, float, float, float]:
    """Give top, left, height and width of a rectangle or oval, between corners of pixels.

    Raises
    ------
    AnnotationError
        If they are no numbers that can be right.
    """
    if roi.subpixelrect:
        sides = roi.yd, roi.xd, roi.heightd, roi.widthd
    else:
        sides = roi.top, roi.left, roi.bottom - roi.top, roi.right - roi.left
    _sane(roi, np.array(sides, np.float64))
    return sides


def points_of(roi: ImagejRoi) -> Doubles:
    """Give the points ``(N, 2)`` y, x of a ROI of points; whole numbers are the centres of pixels.

    Raises
    ------
    AnnotationError
        If they are no numbers that can be right.
    """
    points = _sane(roi, np.asarray(roi.coordinates(), np.float64)[:, ::-1])
    if roi.counters is not None and len(roi.counters) != len(points):
        raise _odd(roi)
    return points


def outlines(roi: ImagejRoi) -> list[Doubles]:
    """Give the closed lines ``(N, 2)`` y, x around a ROI with an area; whole numbers are the centres of pixels.

    Raises
    ------
    AnnotationError
        If it has no corners, or curves that cannot be read.
    """
    if roi.roitype == ROI_TYPE.RECT and not roi.composite:
        top, left, height, width = rectangle(roi)
        corners = [(top, left), (top, left + width), (top + height, left + width), (top + height, left)]
        return [np.array(corners, np.float64) - CORNER]
    try:
        lines = [np.asarray(line, np.float64)[:, ::-1] for line in roi.coordinates(multi=True) if len(line)]
    except (NotImplementedError, RuntimeError, IndexError, ValueError) as error:
        raise _odd(roi) from error
    if not lines:
        raise _odd(roi)
    return [_sane(roi, line) - CORNER for line in lines]


def _sane(roi: ImagejRoi, values: Doubles) -> Doubles:
    # Also false where one is no number.
    if not np.all(np.abs(values) < _FARTHEST):
        raise _odd(roi)
    return values


def _odd(roi: ImagejRoi) -> AnnotationError:
    return AnnotationError(
        f"The ROI '{roi.name}' has a shape that cannot be read.", remedy="Draw it again in Fiji, or remove it."
    )


def centre(roi: ImagejRoi) -> tuple[float, float]:
    """Give the centre of mass y, x of a ROI with an area."""
    if roi.roitype in (ROI_TYPE.RECT, ROI_TYPE.OVAL) and not roi.composite:
        top, left, height, width = rectangle(roi)
        return top + height / 2 - CORNER, left + width / 2 - CORNER
    return _centroid(max(outlines(roi), key=lambda line: abs(_cross(line).sum())))


def _cross(line: Doubles) -> Doubles:
    after = np.roll(line, -1, axis=0)
    return np.asarray(line[:, 1] * after[:, 0] - after[:, 1] * line[:, 0])


def _centroid(line: Doubles) -> tuple[float, float]:
    # Counted from the first corner, so that far from the origin no digits are lost.
    near = line - line[0]
    cross = _cross(near)
    twice = cross.sum()
    if abs(twice) < 1e-9:
        middle = near.mean(axis=0)
    else:
        middle = ((near + np.roll(near, -1, axis=0)) * cross[:, None]).sum(axis=0) / (3 * twice)
    y, x = middle + line[0]
    return float(y), float(x)
