"""What to check of a result one by one, the least certain first; come here for the order in which a person is asked.

Beside what was found there are the places where something nearly was: a result is wrong there if an object was missed,
or where it lies within an object, if that is several.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from microforge.tasks.label_images import cut_out
from microforge.types import Array, Labels, NearMiss, Points

#: Where a result says nothing and is hardly wrong, nobody is asked: so likely it must be that something was missed.
_WORTH_A_LOOK = 0.05


@dataclass(frozen=True, eq=False)
class ToCheck:
    """One thing that a person is asked about.

    Attributes
    ----------
    confidence
        How likely the result is right here, from 0 to 1.
    start
        Its first pixel along ``(T)(Z)YX``.
    mask
        bool ``(Z)YX``, its pixels, counted from there.
    number
        Its label, or of a point its row; 0 and -1 where nothing was found, but nearly.
    found
        Whether the result holds it.
    """

    confidence: float
    start: tuple[int, ...]
    mask: npt.NDArray[np.bool_]
    number: int
    found: bool = True

    @property
    def middle(self) -> tuple[float, ...]:
        """The middle of its box along ``(T)(Z)YX``, in pixels."""
        times = len(self.start) - self.mask.ndim
        reach = (0,) * times + self.mask.shape
        return tuple(first + max(length - 1, 0) / 2 for first, length in zip(self.start, reach, strict=True))


def queue_of(
    labels: Labels, columns: Mapping[str, Array], near: Sequence[NearMiss] = (), *, series: bool = False
) -> tuple[ToCheck, ...]:
    """Give the objects of a result, and the places where one was nearly found, the least certain first.

    Parameters
    ----------
    labels
        Whole numbers ``(T)(Z)YX``, 0 = background.
    columns
        What is known of the objects, one row each: ``label``, ``confidence``, and of a series ``frame``. What has no
        row was changed by a person, who is not asked about it.
    near
        As of a `Prediction`.
    series
        Whether the first axis is time.
    """
    if "confidence" not in columns:
        return ()
    frames = labels if series else labels[None]
    doubts, missed = _sorted_out(frames, near, series=series)
    sure = _confidences(columns, len(frames))
    objects = [
        ToCheck(min(sure[time][label], doubts.get((time, label), 1.0)), (time,) * series + start, mask, label)
        for time, frame in enumerate(frames)
        for label, start, mask in _objects(frame)
        if label in sure[time]
    ]
    return _least_certain_first([*objects, *missed])


def queue_of_points(points: Points, confidence: Array) -> tuple[ToCheck, ...]:
    """Give the points of a result, the least certain first; ``(N,)`` says how certain each is."""
    pixels = np.round(points.coordinates).astype(int).tolist()
    one = np.ones((1,) * len(points.axes.replace("T", "")), bool)
    rows = enumerate(zip(np.asarray(confidence, float).tolist(), pixels, strict=True))
    return _least_certain_first([ToCheck(sure, tuple(place), one, row) for row, (sure, place) in rows])


def errors_left(unchecked: Iterable[ToCheck]) -> float:
    """Give how many errors there probably are among what nobody has checked, if confidence is calibrated."""
    return sum(1 - one.confidence for one in unchecked)


def _least_certain_first(queue: Sequence[ToCheck]) -> tuple[ToCheck, ...]:
    return tuple(sorted(queue, key=lambda one: one.confidence))


def _sorted_out(
    frames: Labels, near: Sequence[NearMiss], *, series: bool
) -> tuple[dict[tuple[int, int], float], list[ToCheck]]:
    """Tell places where something was missed from those within an object, which make that one doubtful."""
    doubts: dict[tuple[int, int], float] = {}
    missed = []
    for one in near:
        time, start = (one.start[0], one.start[1:]) if series else (0, one.start)
        first = tuple(int(places[0]) + begin for places, begin in zip(np.nonzero(one.mask), start, strict=True))
        label, right = int(frames[time][first]), 1 - one.confidence
        if label:
            doubts[time, label] = min(right, doubts.get((time, label), 1.0))
        elif one.confidence >= _WORTH_A_LOOK:
            missed.append(ToCheck(right, one.start, one.mask, 0, found=False))
    return doubts, missed


def _objects(frame: Labels) -> Iterator[tuple[int, tuple[int, ...], npt.NDArray[np.bool_]]]:
    """Give each object's label, the first pixel of its box, and its pixels there."""
    for _, box, mask in cut_out(frame):
        yield int(frame[box][mask][0]), tuple(side.start for side in box), mask


def _confidences(columns: Mapping[str, Array], frames: int) -> list[dict[int, float]]:
    """Give the confidence of each object by its label, frame by frame."""
    found: list[dict[int, float]] = [{} for _ in range(frames)]
    times = columns.get("frame", np.zeros(len(columns["label"]), int))
    for time, label, sure in zip(
        times.tolist(), columns["label"].tolist(), columns["confidence"].tolist(), strict=True
    ):
        if 0 <= time < frames and np.isfinite(sure):
            found[int(time)][int(label)] = float(sure)
    return found
