"""Check and clean point annotations: duplicates, points outside, spacing, kinds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from microforge.errors import AnnotationError
from microforge.types import Points, Sample

#: Points of one kind that are nearer than this, in pixels, are one cell that was clicked twice. Cells that lie on each
#: other may well have points on neighbouring pixels.
TWICE = 0.5


@dataclass(frozen=True)
class Cleaned:
    """Points that can be learnt from, and how many were merged or left out."""

    points: Points
    merged: int = 0
    outside: int = 0


def checked_points(sample: Sample) -> Points:
    """Give the points of a sample.

    Raises
    ------
    AnnotationError
        If there are none, or their coordinates are not those of the image.
    """
    points, dims = sample.points, sample.image.ndim - 1
    if points is None:
        raise AnnotationError("No points were set.", where=sample.name, remedy="Click the cells, or load their points.")
    if points.coordinates.shape[1] != dims:
        raise AnnotationError(
            f"The points have {points.coordinates.shape[1]} coordinates, the image has {dims} dimensions.",
            where=sample.name,
            remedy="On a stack points need z, y and x; on a plane y and x.",
        )
    if not np.isfinite(points.coordinates).all():
        raise AnnotationError(
            "Some points have no place (NaN).", where=sample.name, remedy="Remove them from the file."
        )
    return points


def clean_points(points: Points, shape: Sequence[int]) -> Cleaned:
    """Leave out points outside an image ``(Z)YX``, and merge those of one kind that lie on each other."""
    size = np.array(shape, np.float32)
    inside = np.asarray(np.all((points.coordinates >= -0.5) & (points.coordinates < size - 0.5), axis=1))
    kept = points.only(inside)
    first = np.ones(len(kept), bool)
    for kind in range(len(kept.kinds)):
        own = np.flatnonzero(kept.kind == kind)
        first[own] = _first_of_near(kept.coordinates[own])
    return Cleaned(kept.only(first), int((~first).sum()), int((~inside).sum()))


def _first_of_near(places: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Tell which points ``(N, D)`` have no earlier one nearer than `TWICE`; memory grows with their number only.

    Of each box no wider than that from corner to corner only its first point can be such a one: these are compared
    with all, and few of them are near any place, however many points lie there.
    """
    first = np.zeros(len(places), bool)
    if not len(places):
        return first
    side = 0.999 * TWICE / float(np.sqrt(places.shape[1]))
    candidates = np.sort(np.unique(np.floor(places / side), axis=0, return_index=True)[1])
    near = KDTree(places).sparse_distance_matrix(KDTree(places[candidates]), TWICE, output_type="ndarray")
    earlier = near["i"] < candidates[near["j"]]
    first[candidates] = True
    first[candidates[near["j"][earlier]]] = False
    return first


def anisotropy_of(samples: Sequence[Sample]) -> tuple[float, ...]:
    """Give the distance of planes, rows and columns in units of the last; 1 where pixel sizes are not known."""
    dims = samples[0].image.ndim - 1
    known = [np.array(s.pixel_size) / s.pixel_size[-1] for s in samples if s.pixel_size and len(s.pixel_size) == dims]
    return tuple(np.median(known, axis=0).tolist()) if known else (1.0,) * dims


def spacing_of(samples: Sequence[Sample], anisotropy: Sequence[float]) -> float | None:
    """Give the median distance of a point to the next one on its image, in pixels along X; None without such pairs."""
    found: list[npt.NDArray[np.float64]] = []
    for sample in samples:
        if sample.points is not None and len(sample.points) > 1:
            places = sample.points.coordinates * np.array(anisotropy)
            found.append(KDTree(places).query(places, k=2)[0][:, 1])
    return float(np.median(np.concatenate(found))) if found else None


def kinds_in(known: Sequence[Points]) -> tuple[str, ...]:
    """Give the names of all kinds; an image without points adds no kind without a name to those that have one."""
    names = dict.fromkeys(name for points in known for name in points.kinds)
    if len(names) > 1 and not any(len(points.of_kind("")) for points in known):
        names.pop("", None)
    return tuple(names)


def around(
    places: npt.NDArray[np.floating], reach: npt.NDArray[np.floating], shape: Sequence[int]
) -> npt.NDArray[np.bool_]:
    """Give the pixels of an image ``(Z)YX`` that are no farther from one of the places ``(N, D)`` than `reach`.

    Parameters
    ----------
    reach
        Pixels along each axis, > 0.
    """
    most = np.ceil(reach).astype(int)
    offsets = np.indices(2 * most + 1).reshape(len(most), -1).T - most
    offsets = offsets[((offsets / reach) ** 2).sum(1) <= 1]
    inside = np.zeros(tuple(shape), bool)
    # One by one: of many places with a wide reach in a stack there would be more pixels than memory.
    for place in np.round(places).astype(int):
        pixels = place + offsets
        inside[tuple(pixels[((pixels >= 0) & (pixels < shape)).all(1)].T)] = True
    return inside


def named_kinds(sample: Sample, kinds: Sequence[str]) -> Sample:
    """Give the sample with its points in the kinds a model knows; a single kind may be called as one likes.

    Raises
    ------
    AnnotationError
        If a point is of a kind that the model does not know.
    """
    points = sample.points
    if points is None or not kinds or points.kinds == tuple(kinds):
        return sample
    if len(points.kinds) == 1 and len(kinds) == 1:
        return replace(sample, points=replace(points, kinds=tuple(kinds)))
    unknown = [name for k, name in enumerate(points.kinds) if name not in kinds and (points.kind == k).any()]
    if unknown:
        raise AnnotationError(
            f"There are points of the kind '{unknown[0] or 'without a name'}', which is not one of {', '.join(kinds)}.",
            where=sample.name,
            remedy="Give the points the names of the kinds, or train a model for these kinds.",
        )
    place = np.array([kinds.index(name) if name in kinds else 0 for name in points.kinds], np.int32)
    return replace(sample, points=replace(points, kind=place[points.kind], kinds=tuple(kinds)))
