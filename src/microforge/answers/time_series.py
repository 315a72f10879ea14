"""Put the predictions of all time points of a series together as one."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from microforge.errors import ModelMismatchError
from microforge.memory import RoomyArray
from microforge.types import Array, Image, NearMiss, Points, Prediction


class PredictionStack:
    """Collects predictions in the order of time; `frames` None where there is no T.

    Each goes to its place at once, so that no more memory is needed than for the whole; a whole that does not fit into
    the memory is kept on disk. Objects keep the numbers of
    their own time point; rows of points and objects get the column `frame`, and their coordinates a T in front.
    """

    def __init__(self, frames: int | None) -> None:
        self.frames, self.done = frames, 0
        self.first: Prediction | None = None
        self.labels: RoomyArray | None = None
        self.image: RoomyArray | None = None
        self.points: list[Points] = []
        self.tables: list[tuple[int, Mapping[str, Array]]] = []
        self.classes: Counter[str] = Counter()
        self.notes: dict[str, None] = {}
        self.statistics: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        self.near: list[NearMiss] = []

    def add(self, prediction: Prediction) -> None:
        """Take the next time point in."""
        if self.first is None:
            self.labels, self.image = self._room(prediction.labels), self._room(prediction.image)
            # Without its arrays, which are in their places.
            bare = replace(prediction, labels=None, image=None, evidence={})
            self.first = prediction if self.frames is None else bare
        for whole, part in ((self.labels, prediction.labels), (self.image, prediction.image)):
            if whole is not None and part is not None:
                whole.put(self.done, part)
        if prediction.points is not None:
            self.points.append(prediction.points)
        if prediction.measurements:
            self.tables.append((self.done, prediction.measurements))
        self.near += [replace(one, start=(self.done, *one.start)) for one in prediction.near_misses]
        self.done += 1
        self.classes.update([prediction.class_name])
        self.notes |= dict.fromkeys(prediction.notes)
        self.left_out.update(prediction.left_out)
        self.statistics.update({name: value / (self.frames or 1) for name, value in prediction.statistics.items()})

    def prediction(self) -> Prediction:
        """Give the whole.

        Raises
        ------
        ModelMismatchError
            If nothing was taken in.
        """
        if self.first is None:
            raise ModelMismatchError("The image is empty.")
        whole = replace(
            self.first, notes=tuple(self.notes), statistics=dict(self.statistics), left_out=dict(self.left_out)
        )
        if self.frames is None:
            return whole
        labels, image = (None if room is None else room.data for room in (self.labels, self.image))
        whole = replace(whole, labels=labels, image=image)
        near = tuple(sorted(self.near, key=lambda one: -one.confidence))
        whole = replace(whole, near_misses=near, class_name=self._classes())
        return replace(whole, points=self._points(), measurements=self._measurements())

    def _room(self, part: Array | None) -> RoomyArray | None:
        return None if part is None or self.frames is None else RoomyArray((self.frames, *part.shape), part.dtype)

    def _points(self) -> Points | None:
        if not self.points:
            return None
        times = [np.full((len(points), 1), t, np.float32) for t, points in enumerate(self.points)]
        coordinates = [np.hstack([t, points.coordinates]) for t, points in zip(times, self.points, strict=True)]
        kind = np.concatenate([points.kind for points in self.points])
        first = self.points[0]
        return Points(np.concatenate(coordinates), kind, first.kinds, f"T{first.axes}")

    def _measurements(self) -> dict[str, Array]:
        if not self.tables:
            return {}
        rows = [len(next(iter(table.values()))) for _, table in self.tables]
        tables = [table for _, table in self.tables]
        return {"frame": np.repeat([frame for frame, _ in self.tables], rows)} | {
            name: np.concatenate([table[name] for table in tables]) for name in tables[0]
        }

    def _classes(self) -> str:
        """Give the class; where time points differ, how often each."""
        if len(self.classes) < 2:
            return next(iter(self.classes), "")
        return ", ".join(f"{name} ({number})" for name, number in self.classes.most_common())


def stack_of(image: Image) -> PredictionStack:
    """Give what collects the predictions of an image."""
    return PredictionStack(image.data.shape[image.axes.index("T")] if "T" in image.axes else None)
