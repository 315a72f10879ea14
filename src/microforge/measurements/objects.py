"""Measure objects of a label image (area, centroid, intensity, shape): a regionprops table.

All but the convex hull of stacks is computed from the *runs* of a label image (stretches of one label along X): there
are about twenty times fewer runs than pixels, and sums over a run have closed forms, exact in integers.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from microforge.errors import AnnotationError
from microforge.types import Array, ArrayLike, Doubles, Labels, PixelSize

_Ints = npt.NDArray[np.int64]

#: Pixel edges stand half a pixel from the centre; in doubled coordinates a pixel is its centre and these neighbours.
_EDGE_ROWS = np.array([-1, 0, 1])
_EDGE_REACH = np.array([0, -1, 0])


@dataclass(frozen=True, eq=False)
class _Runs:
    """Stretches of one object along X, in scan order; `group` is the row of the table, `where` is ``(D-1, n)``."""

    labels: _Ints
    group: _Ints
    first: _Ints
    length: _Ints
    where: _Ints
    bounds: _Ints

    @property
    def count(self) -> int:
        return len(self.labels)

    def total(self, values: Array) -> Doubles:
        return np.bincount(self.group, values, minlength=self.count).astype(np.float64)


def measure_objects(
    labels: Labels,
    image: ArrayLike | None = None,
    pixel_size: PixelSize | None = None,
    channel_names: Sequence[str] = (),
) -> dict[str, Array]:
    """Measure every object of a label image.

    Parameters
    ----------
    labels
        ``(Z)YX`` integers, 0 = background; labels need not be consecutive.
    image
        ``C(Z)YX`` intensities on the same grid; None leaves out the intensity columns.
    pixel_size
        ``(Z)YX`` in micrometre; adds columns in micrometres. A stack needs all three.
    channel_names
        Names for the intensity columns where there are several channels.

    Returns
    -------
    dict
        One array per column, one row per object in ascending order of the labels: `label`, `area` (pixels) or `volume`
        (voxels), `centroid_*` (pixels), intensities, `eccentricity` (2D) and `solidity`, then the micrometres.

    Raises
    ------
    AnnotationError
        If labels and image do not lie on the same grid.
    """
    labels = np.asarray(labels)
    if labels.ndim not in (2, 3):
        raise AnnotationError(f"Objects are measured in planes and stacks, not in {labels.ndim} dimensions.")
    if image is not None and tuple(image.shape[1:]) != labels.shape:
        raise AnnotationError(f"The labels are {labels.shape}, but the image is {tuple(image.shape[1:])}.")
    runs = _find_runs(labels)
    centroid = _centroids(runs)
    columns: dict[str, Array] = {"label": runs.labels}
    columns["area" if labels.ndim == 2 else "volume"] = area = runs.total(runs.length).astype(np.int64)
    columns |= {f"centroid_{axis}": c for axis, c in zip("zyx"[-labels.ndim :], centroid, strict=True)}
    if image is not None:
        columns |= _intensities(image, runs, area, channel_names)
    if labels.ndim == 2:
        columns["eccentricity"] = _eccentricity(runs, centroid, area)
    hull = _hull_areas(runs) if labels.ndim == 2 else _hull_volumes(runs)
    columns["solidity"] = area / np.maximum(hull, 1)
    return columns | _micrometres(columns, centroid, pixel_size)


def centroids(labels: Labels) -> Doubles:
    """Give the centroid of every object in pixels, ``(N, D)`` along ``(Z)YX``, in ascending order of the labels."""
    return np.stack(_centroids(_find_runs(np.asarray(labels))), axis=1)


def join_frames(tables: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    """Put the tables of the time points of a series below each other, with the column `frame`."""
    if not tables:
        return {}
    frames = np.repeat(np.arange(len(tables)), [len(table["label"]) for table in tables])
    joined = {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
    return {"label": joined.pop("label"), "frame": frames} | joined


def _find_runs(labels: Labels) -> _Runs:
    width = labels.shape[-1]
    flat = np.ascontiguousarray(labels).reshape(-1)
    starts = np.ones(len(flat) + 1, bool)
    np.not_equal(flat[1:], flat[:-1], out=starts[1:-1])
    starts[:: max(width, 1)] = True
    edges = np.flatnonzero(starts)
    inside = np.flatnonzero(flat[edges[:-1]])
    start, stop = edges[inside], edges[inside + 1]
    values, group = np.unique(flat[start], return_inverse=True)
    row, first = np.divmod(start, max(width, 1))
    where = np.stack(np.unravel_index(row, labels.shape[:-1]))
    bounds = np.stack([start, stop])
    return _Runs(values.astype(np.int64), group.reshape(-1), first, stop - start, where, bounds)


def _centroids(runs: _Runs) -> list[Doubles]:
    area = runs.total(runs.length)
    middle = runs.first + (runs.length - 1) / 2
    return [runs.total(axis * runs.length) / area for axis in (*runs.where, middle)]


def _intensities(image: ArrayLike, runs: _Runs, area: _Ints, names: Sequence[str]) -> dict[str, Array]:
    columns: dict[str, Array] = {}
    count = image.shape[0]
    for channel in range(count):
        suffix = "" if count == 1 else f"_{names[channel] if channel < len(names) else f'C{channel + 1}'}"
        for name, values in _intensity(np.asarray(image[channel]), runs, area).items():
            columns[f"{name}_intensity{suffix}"] = values
    return columns


def _intensity(plane: Array, runs: _Runs, area: _Ints) -> dict[str, Array]:
    if not runs.count:
        return {name: np.zeros(0) for name in ("mean", "min", "max")}
    flat = plane.reshape(-1)
    cuts = runs.bounds.T.reshape(-1)
    if cuts[-1] == len(flat):  # the last run ends with the image, where reduceat stops by itself
        cuts = cuts[:-1]
    sums = np.add.reduceat(flat, cuts, dtype=np.float64)[::2]
    low, high = np.full(runs.count, np.inf), np.full(runs.count, -np.inf)
    if flat.dtype == bool:
        flat = flat.view(np.uint8)
    np.minimum.at(low, runs.group, np.minimum.reduceat(flat, cuts)[::2].astype(float))
    np.maximum.at(high, runs.group, np.maximum.reduceat(flat, cuts)[::2].astype(float))
    return {"mean": runs.total(sums) / area, "min": low, "max": high}


def _eccentricity(runs: _Runs, centroid: list[Doubles], area: _Ints) -> Doubles:
    """Give that of the ellipse with the same second moments; 0 = circle, near 1 = line."""
    n = runs.length
    dy = runs.where[0] - centroid[0][runs.group]
    dx = runs.first + (n - 1) / 2 - centroid[1][runs.group]
    yy = runs.total(n * dy * dy) / area
    xx = runs.total(n * dx * dx + n * (n * n - 1) / 12) / area
    xy = runs.total(n * dy * dx) / area
    spread = np.sqrt(((yy - xx) / 2) ** 2 + xy**2)
    major, minor = (yy + xx) / 2 + spread, (yy + xx) / 2 - spread
    ratio = np.divide(minor, major, out=np.ones_like(major), where=major > 0)
    eccentricity: Doubles = np.sqrt(np.clip(1 - ratio, 0, 1))
    return eccentricity


def _hull_areas(runs: _Runs) -> _Ints:
    """Count the pixels in the convex hull of each object, hulls drawn around the edges of the pixels."""
    group, row, left, right = _outline(runs)
    # Left and (mirrored) right outlines are two chains of points per object, in doubled coordinates: whole numbers.
    chain = np.repeat(np.concatenate([group, group + runs.count]), 3)
    y = (2 * np.concatenate([row, row])[:, None] + _EDGE_ROWS).reshape(-1)
    x = (2 * np.concatenate([left, -right])[:, None] + _EDGE_REACH).reshape(-1)
    chain, y, x = _prune(chain, y, x)
    top = np.full(2 * runs.count, np.iinfo(np.int64).max)
    bottom = np.zeros(2 * runs.count, np.int64)
    np.minimum.at(top, group, row)
    np.maximum.at(bottom, group, row)
    top[runs.count :], bottom[runs.count :] = top[: runs.count], bottom[: runs.count]
    height = bottom - top + 1
    which = np.repeat(np.arange(2 * runs.count), height)
    rows = np.arange(len(which)) - np.repeat(np.cumsum(height) - height, height) + top[which]
    borders = _first_inside(chain, y, x, which, 2 * rows)
    sums = np.bincount(which, borders, minlength=2 * runs.count)
    spans: _Ints = (height[: runs.count] - sums[: runs.count] - sums[runs.count :]).astype(np.int64)
    return spans


def _outline(runs: _Runs) -> tuple[_Ints, _Ints, _Ints, _Ints]:
    """Give the outermost pixels of each row of each object, sorted by object, then row."""
    order = np.argsort(runs.group, kind="stable")
    group, row = runs.group[order], runs.where[0][order]
    first, last = runs.first[order], (runs.first + runs.length - 1)[order]
    new = np.ones(len(order), bool)
    new[1:] = (group[1:] != group[:-1]) | (row[1:] != row[:-1])
    begin = np.flatnonzero(new)
    if not len(begin):
        return group, row, first, last
    return group[begin], row[begin], np.minimum.reduceat(first, begin), np.maximum.reduceat(last, begin)


def _prune(chain: _Ints, y: _Ints, x: _Ints) -> tuple[_Ints, _Ints, _Ints]:
    """Leave only the corners of each chain's lower convex envelope (x over y), for all chains at once.

    A point on or above the line between its neighbours is no corner, whatever else is removed in the same sweep; when
    none is left, every chain is convex. A handful of sweeps does for objects as cells are.
    """
    while len(y) > 2:
        dy, dx = y[2:] - y[:-2], x[2:] - x[:-2]
        above = (x[1:-1] - x[:-2]) * dy >= dx * (y[1:-1] - y[:-2])
        above &= (chain[:-2] == chain[1:-1]) & (chain[2:] == chain[1:-1])
        if not above.any():
            break
        keep = np.concatenate([[True], ~above, [True]])
        chain, y, x = chain[keep], y[keep], x[keep]
    return chain, y, x


def _first_inside(chain: _Ints, y: _Ints, x: _Ints, which: _Ints, at: _Ints) -> _Ints:
    """Give the first whole pixel inside each envelope at doubled rows `at`; exact, no rounding."""
    if not len(y):
        return np.zeros(0, np.int64)
    base = y.min()
    stride = y.max() - base + 2
    after = np.searchsorted(chain * stride + (y - base), which * stride + (at - base))
    before = after - 1
    rise = y[after] - y[before]
    numerator = x[before] * rise + (x[after] - x[before]) * (at - y[before])
    first: _Ints = -((-numerator) // (2 * rise))
    return first


def _hull_volumes(runs: _Runs) -> _Ints:
    """Count the voxels in the convex hull of each object of a stack."""
    from scipy.spatial import ConvexHull

    return np.array([_voxels_inside(ConvexHull(points).equations, points) for points in _corners(runs)], np.int64)


def _corners(runs: _Runs) -> Iterator[Doubles]:
    """Give for each object the middles of the faces of the voxels at the ends of its runs, ``(n, 3)``."""
    ends = np.stack([*np.tile(runs.where, 2), np.concatenate([runs.first, runs.first + runs.length - 1])], axis=1)
    faces = np.concatenate([np.eye(3), -np.eye(3)]) / 2
    group = np.tile(runs.group, 2)
    order = np.argsort(group, kind="stable")
    for part in np.split(ends[order], np.cumsum(np.bincount(group, minlength=runs.count))[:-1]):
        if len(part):
            yield (part[:, None, :] + faces).reshape(-1, 3)


def _voxels_inside(planes: Doubles, points: Doubles) -> int:
    """Count the voxel centres inside a hull: along each line in X the planes leave one interval."""
    low, high = np.ceil(points.min(axis=0)), np.floor(points.max(axis=0))
    z, y = np.meshgrid(np.arange(low[0], high[0] + 1), np.arange(low[1], high[1] + 1), indexing="ij")
    offset = planes[:, :1] * z.reshape(-1) + planes[:, 1:2] * y.reshape(-1) + planes[:, 3:]
    slope = planes[:, 2]
    tiny = 1e-9
    up, down, flat = slope > tiny, slope < -tiny, np.abs(slope) <= tiny
    right = np.floor((-offset[up] / slope[up, None]).min(axis=0) + 1e-6)
    left = np.ceil((-offset[down] / slope[down, None]).max(axis=0) - 1e-6)
    allowed = (offset[flat] <= 1e-6).all(axis=0)
    return int(np.maximum(right - left + 1, 0)[allowed].sum())


def _micrometres(columns: dict[str, Array], centroid: list[Doubles], pixel_size: PixelSize | None) -> dict[str, Array]:
    dims = len(centroid)
    if pixel_size is None or len(pixel_size) < dims:
        return {}
    sizes = pixel_size[-dims:]
    size, unit = ("area", "um2") if dims == 2 else ("volume", "um3")
    scaled = {f"{size}_{unit}": columns[size] * float(np.prod(sizes))}
    return scaled | {f"centroid_{a}_um": c * s for a, c, s in zip("zyx"[-dims:], centroid, sizes, strict=True)}
