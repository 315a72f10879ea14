"""Points of ImageJ with their plane and frame, made into points with named axes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from microforge.errors import AnnotationError
from microforge.io.rois import Stack, StackPosition
from microforge.types import Points


@dataclass(frozen=True)
class Point:
    """A point at pixel coordinates, on a plane and in a frame counted from 0."""

    y: float
    x: float
    place: StackPosition
    kind: str = ""


def gathered(points: Sequence[Point], kinds: Sequence[str], stack: Stack | None, path: Path) -> Points:
    """Put points together.

    Parameters
    ----------
    kinds
        Names of kinds that were looked for, also of those without a point.
    stack
        The image's channels, planes and frames; where it is not known, planes and frames are kept if any is not the
        first.

    Raises
    ------
    AnnotationError
        If some points have a plane or frame noted and others have not.
    """
    places = {"T": [point.place.t for point in points], "Z": [point.place.z for point in points]}
    if stack is not None and stack.frames > 1 and stack.planes == 1 and not _any_noted(places["T"]):
        places = {"T": places["Z"], "Z": places["T"]}
    sizes = {} if stack is None else {"T": stack.frames, "Z": stack.planes}
    columns = {axis: _whole(values, axis, path) for axis, values in places.items() if _kept(values, sizes.get(axis))}
    columns |= {"Y": [point.y for point in points], "X": [point.x for point in points]}
    names = tuple(sorted({*kinds, *(point.kind for point in points)})) or ("",)
    number = {name: at for at, name in enumerate(names)}
    return Points(
        np.array(list(columns.values()), np.float32).reshape(len(columns), -1).T.copy(),
        np.array([number[point.kind] for point in points], np.int32),
        names,
        "".join(columns),
    )


def _any_noted(values: Sequence[int | None]) -> bool:
    return any(value is not None for value in values)


def _kept(values: Sequence[int | None], size: int | None) -> bool:
    if size is None:
        return any(values)
    return size > 1 and _any_noted(values)


def _whole(values: Sequence[int | None], axis: str, path: Path) -> list[float]:
    known = [float(value) for value in values if value is not None]
    if len(known) < len(values):
        word = "plane" if axis == "Z" else "time point"
        raise AnnotationError(
            f"{len(known)} of {len(values)} points have a {word}, the others have none.",
            where=str(path),
            remedy=f"Set every point on its {word}, with the stack open in Fiji.",
        )
    return known
