"""Read and write points as ImageJ ROIs (``.roi``, ``.zip``).

ImageJ keeps points relative to the centres of pixels and areas relative to their corners (since 1.52u): the
coordinates of points are taken and written as they are, the centres of areas are moved by half a pixel.
"""

import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from roifile import ROI_OPTIONS, ROI_POINT_SIZE, ROI_POINT_TYPE, ROI_TYPE, ImagejRoi

from microforge.errors import AnnotationError
from microforge.io.atomic import atomic_path
from microforge.io.files import free_name, portable_name
from microforge.io.points.imagej_points import Point, gathered
from microforge.io.rois import (
    NamedRoi,
    Stack,
    centre,
    is_area,
    is_points,
    place_of_roi,
    points_of,
    read_rois,
    stack_position_of,
)
from microforge.types import Points

#: What points without a kind are called in Fiji, and other names that say nothing of a kind.
UNNAMED = "cells"
_SAYS_NOTHING = {UNNAMED, "cell", "point", "points", "dot", "dots", "multipoint", "multi-point", "roi", "rois"}
_AUTOMATIC = re.compile(r"[\d\W_]*")
_MOST_GROUPS = 255


def read_points_rois(path: Path, stack: Stack | None = None) -> Points:
    """Read points from a ``.roi`` or ``.zip`` file; see `microforge.io.points.reading.read_points`.

    Raises
    ------
    AnnotationError
        If the file cannot be read or holds neither points nor areas.
    """
    rois = [one for one in read_rois(path) if is_points(one.roi) or is_area(one.roi)]
    if not rois:
        raise AnnotationError(
            "The ROIs are neither points nor outlines of cells.",
            where=str(path),
            remedy="Click the cells with the multi-point tool of Fiji.",
        )
    points: list[Point] = []
    try:
        for one, kind in zip(rois, _kinds_of(rois, path), strict=True):
            points += _points(one.roi, kind, stack)
    except AnnotationError as error:
        raise AnnotationError(error.problem, where=str(path), remedy=error.remedy) from error
    if not points:
        raise AnnotationError("The ROIs hold no point.", where=str(path), remedy="Save them again in Fiji.")
    return gathered(points, (), stack, path)


def _points(roi: ImagejRoi, kind: str | None, stack: Stack | None) -> Iterator[Point]:
    """Give the points of a ROI; without a kind their counters are the kinds."""
    place = place_of_roi(roi, stack)
    if is_area(roi):
        yield Point(*centre(roi), place, kind or "")
        return
    points = points_of(roi)
    counters, slices = (
        np.zeros(len(points), np.int64) if given is None else given for given in (roi.counters, roi.counter_positions)
    )
    for (y, x), counter, number in zip(points.tolist(), counters.tolist(), slices.tolist(), strict=True):
        name = f"counter {counter}" if kind is None else kind
        yield Point(y, x, stack_position_of(number, stack) if number else place, name)


def _kinds_of(rois: Sequence[NamedRoi], path: Path) -> Sequence[str | None]:
    """Give the kind of each ROI: by counters, groups or names, whichever the person used; None for by counters."""
    if any(one.roi.counters is not None and len(set(one.roi.counters.tolist())) > 1 for one in rois):
        return [None] * len(rois)
    names = _personal_names(rois, path)
    if any(one.roi.group for one in rois):
        groups = [one.roi.group for one in rois]
        return [_group_name(group, {n for n, g in zip(names, groups, strict=True) if g == group}) for group in groups]
    # A point without a name of its own says that names are no kinds.
    return [""] * len(rois) if None in names else [name or "" for name in names]


def _group_name(group: int, names: set[str | None]) -> str:
    name = next(iter(names)) if len(names) == 1 else None
    return name if name is not None else f"group {group}" if group else ""


def _personal_names(rois: Sequence[NamedRoi], path: Path) -> list[str | None]:
    """Give the names a person chose, None for those that Fiji made and "" for those that say nothing."""
    # Names of outlines tell one cell from the next.
    bare = [_without_place(one) if is_points(one.roi) else "" for one in rois]
    # Fiji adds -1, -2 ... where a name is taken.
    bare = [short if (short := re.sub(r"-\d+$", "", name)) in bare else name for name in bare]
    # Fiji calls a ROI that is saved alone as its file; the name of a zip file is mostly the image's.
    nothing = {UNNAMED} if any(one.roi.group for one in rois) else {*_SAYS_NOTHING, path.stem.lower()}
    return [None if _AUTOMATIC.fullmatch(name) else "" if name.lower() in nothing else name for name in bare]


def _without_place(one: NamedRoi) -> str:
    """Give the name of a ROI without the plane and frame that `write_points_rois` adds."""
    name = one.roi.name.removesuffix(".roi") or one.name
    return name.removesuffix(_place_text(one.roi.t_position, one.roi.z_position))


def _place_text(frame: int, plane: int) -> str:
    return (f" t{frame}" if frame > 0 else "") + (f" z{plane}" if plane > 0 else "")


def write_points_rois(path: str | Path, points: Points, *, durable: bool = True) -> bool:
    """Write points as a zip file of ImageJ ROIs: one multi-point ROI for each kind, in each plane and frame.

    The ROIs have the names of the kinds, ``cells`` where there is none, and each kind its group (and so its colour).

    Returns
    -------
    bool
        False if there are no points: Fiji opens no empty zip file, so none is written, and one there is removed.

    Raises
    ------
    WriteError
        If the file cannot be written; one that was there is unchanged.
    """
    path = Path(path)
    if not len(points):
        path.unlink(missing_ok=True)
        return False
    with atomic_path(path, durable=durable) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as file:
        taken: set[str] = set()
        for name, roi in _rois_of(points):
            free = free_name(portable_name(name), taken, "{name}-{number}", 1)
            file.writestr(f"{free}.roi", roi.tobytes())
    return True


def _rois_of(points: Points) -> Iterator[tuple[str, ImagejRoi]]:
    places = np.stack([_numbers(points, axis) for axis in "TZ"], axis=1)
    for frame, plane in np.unique(places, axis=0).tolist():
        here = points.only(np.all(places == (frame, plane), axis=1))
        for number, kind in enumerate(points.kinds):
            marked = here.of_kind(kind)[:, -2:]
            if len(marked):
                name = (kind or UNNAMED) + _place_text(frame, plane)
                group = number + 1 if any(points.kinds) and number < _MOST_GROUPS else 0
                yield name, _multi_point(marked, name, frame, plane, group)


def _numbers(points: Points, axis: str) -> npt.NDArray[np.int64]:
    """Give the plane or frame of each point as Fiji counts them, from 1; 0 where there is no such axis."""
    if axis not in points.axes:
        return np.zeros(len(points), np.int64)
    return np.rint(points.coordinates[:, points.axes.index(axis)]).astype(np.int64) + 1


def _multi_point(places: npt.NDArray[np.float32], name: str, frame: int, plane: int, group: int) -> ImagejRoi:
    roi = ImagejRoi.frompoints(places[:, ::-1], name=name)
    roi.roitype, roi.options = ROI_TYPE.POINT, ROI_OPTIONS.SUB_PIXEL_RESOLUTION
    roi.point_type, roi.point_size = ROI_POINT_TYPE.DOT, ROI_POINT_SIZE.MEDIUM
    roi.t_position, roi.z_position, roi.group = frame, plane, group
    return roi
