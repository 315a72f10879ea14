"""Split point annotations of a series by time point."""

from dataclasses import replace

import numpy as np

from microforge.axes.letters import spatial_axes
from microforge.errors import AnnotationError
from microforge.types import Floats, Image, Points

_WORDS = {"T": "time point", "Z": "plane"}
_COLUMNS = {"T": "t", "Z": "z"}


def split_points(image: Image, points: Points) -> list[Points]:
    """Give the points of each time point, with the axes ``(Z)YX`` of the image's samples.

    A plane or time that is the same for all points is left out where the image has no such axis, and added where the
    image has but one. Planes of a stack and frames of a series are taken for each other where only one of them is
    there: files confuse them often.

    Raises
    ------
    AnnotationError
        If the points lack a coordinate of the image, have one that it does not have, or lie in frames that it lacks.
    """
    if points.coordinates.ndim != 2 or points.coordinates.shape[1] != len(points.axes):
        raise _error(image, f"The points have coordinates of another number than their axes {points.axes}.", "")
    columns = dict(zip(points.axes, points.coordinates.T, strict=True))
    sizes = dict(zip(image.axes, image.data.shape, strict=True))
    _swap_confused(columns, sizes)
    axes = ("T" if "T" in sizes else "") + spatial_axes(image.axes)
    for letter in "TZ":
        _fit_axis(letter, columns, sizes, image, len(points))
    fitted = np.stack([columns[letter] for letter in axes], axis=1)
    if "T" not in sizes:
        return [replace(points, coordinates=fitted, axes=axes)]
    return _by_time(image, points, fitted, axes[1:], sizes["T"])


def _swap_confused(columns: dict[str, Floats], sizes: dict[str, int]) -> None:
    """Call frames planes, or planes frames, where the image has only the other."""
    for one, other in ("TZ", "ZT"):
        if one in columns and one not in sizes and other in sizes and other not in columns:
            columns[other] = columns.pop(one)


def _fit_axis(letter: str, columns: dict[str, Floats], sizes: dict[str, int], image: Image, count: int) -> None:
    """Add or leave out a column that says nothing.

    Raises
    ------
    AnnotationError
        If it says something.
    """
    word, name = _WORDS[letter], _COLUMNS[letter]
    if letter in columns and letter not in sizes:
        values = np.unique(columns.pop(letter))
        if len(values) > 1:
            raise _error(
                image,
                f"The points lie on {len(values)} {word}s, but the image has one only.",
                f"Leave out the column {name}, or check the axes of the image ({image.axes}).",
            )
    elif letter in sizes and letter not in columns:
        if sizes[letter] > 1 and count:
            raise _error(
                image,
                f"The points have no {word} ({name}), but the image has {sizes[letter]} {word}s.",
                f"Add a column {name}, counted from 0, or set the points in Fiji with the whole image open.",
            )
        columns[letter] = np.zeros(count, np.float32)


def _by_time(image: Image, points: Points, fitted: Floats, axes: str, times: int) -> list[Points]:
    time = np.rint(fitted[:, 0])
    outside = (time < 0) | (time >= times)
    if outside.any():
        raise _error(
            image,
            f"A point lies in frame {int(time[outside][0])}, but the image has the frames 0 to {times - 1}.",
            "Check that the points were set on this very image, and that frames count from 0.",
        )
    rest = replace(points, coordinates=np.ascontiguousarray(fitted[:, 1:]), axes=axes)
    return [rest.only(time == t) for t in range(times)]


def _error(image: Image, problem: str, remedy: str) -> AnnotationError:
    return AnnotationError(problem, where=image.source or image.name, remedy=remedy)
