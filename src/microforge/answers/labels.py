"""Label images as answers: instance segmentation with object measurements, or semantic classes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from microforge.annotations import LABELS, AnnotationKind
from microforge.answers.base import (
    COUNTS_TABLE,
    NO_REGIONS,
    OBJECTS_TABLE,
    AnswerKind,
    Result,
    ResultRules,
    shape_of,
)
from microforge.answers.region_counts import count_regions, count_table
from microforge.errors import MicroforgeError
from microforge.io.tables import TableRows, rows_of
from microforge.io.writing import write_labels
from microforge.measurements.bands import measure_sample
from microforge.types import Array, Image, Labels, Prediction, Sample


class LabelAnswer(AnswerKind):
    """A label image; its values are those of the objects found, or of classes."""

    truth: ClassVar[AnnotationKind] = LABELS
    tables: ClassVar[tuple[str, ...]] = (OBJECTS_TABLE,)
    streamed: ClassVar[bool] = False

    def result(self, path: Path, source: Image, samples: Sequence[Sample], rules: ResultRules) -> Result:
        """Give what writes the label image and measures it."""
        return LabelledImage(path, source, samples, rules, numbered=self.numbered)


class ObjectLabels(LabelAnswer):
    """Each label is an object, which can be counted."""

    name: ClassVar[str] = "objects"
    counted: ClassVar[str] = "objects"
    numbered: ClassVar[bool] = True


class PixelClasses(LabelAnswer):
    """Each label is a class."""

    name: ClassVar[str] = "pixel classes"


OBJECTS, PIXEL_CLASSES = ObjectLabels(), PixelClasses()


class LabelledImage(Result):
    """The label image of one input, its measurements and counts by region; `numbered`: labels are objects."""

    def __init__(
        self, path: Path, source: Image, samples: Sequence[Sample], rules: ResultRules, *, numbered: bool = True
    ) -> None:
        super().__init__(source, path)
        self.samples, self.rules, self.numbered = samples, rules, numbered

    def add(self, prediction: Prediction) -> None:
        """Write and measure labels ``(T)(Z)YX``; without T they are the single time point of the image.

        What a model says of each object besides its outline (`measurements` by `label`) becomes columns too.
        """
        assert self.path is not None
        self._labels = _shaped(prediction.labels, self.source)
        axes = "".join(axis for axis in "TZYX" if axis in self.source.axes)
        write_labels(self.path, self._labels, axes, self.source.pixel_size, durable=False)
        frames = self._labels.reshape(len(self.samples), *self.samples[0].image.shape[1:])
        measured = [measure_sample(frame, sample) for frame, sample in zip(frames, self.samples, strict=True)]
        measured = [
            with_columns(table, prediction.measurements, frame if len(measured) > 1 else None)
            for frame, table in enumerate(measured)
        ]
        self._tables = {OBJECTS_TABLE: rows_of(measured, frames=len(measured) > 1)}
        if self.rules.regions and self.rules.count is not None:
            self._tables[COUNTS_TABLE] = self._counted(frames, measured)
        self._said = prediction.notes

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the label image."""
        return self._labels.shape

    @property
    def notes(self) -> tuple[str, ...]:
        """What to tell of the image."""
        return (*self._said, *(() if self.rules.regions is not None else (NO_REGIONS,)))

    @property
    def tables(self) -> Mapping[str, TableRows]:
        """The rows of the objects, and of the counts where there are regions."""
        return self._tables

    @property
    def number(self) -> int | None:
        """How many objects, in all time points together."""
        return len(self._tables[OBJECTS_TABLE].lines) if self.numbered else None

    def _counted(self, frames: Array, measured: Sequence[Mapping[str, Array]]) -> TableRows:
        """Count the objects of each time point, by region."""
        count, regions, series = self.rules.count, self.rules.regions or (), "T" in self.source.axes
        assert count is not None
        found = [Prediction(labels=one, measurements=table) for one, table in zip(frames, measured, strict=True)]
        return count_table(
            row
            for t, (prediction, sample) in enumerate(zip(found, self.samples, strict=True))
            for row in count_regions(count, prediction, sample, regions, frame=t if series else None)
        )


def with_columns(table: Mapping[str, Array], said: Mapping[str, Array], frame: int | None = None) -> dict[str, Array]:
    """Give measurements of objects with what a model says of them besides, as columns after the label.

    Parameters
    ----------
    table
        Measurements: one array per column, one row per object, `label` among them.
    said
        In the same form, rows in any order; of a series with the column `frame`. Columns of both are those measured.
    frame
        The time point of `table`; None where there is no time.
    """
    more = [name for name in said if name not in (*table, "frame")]
    if "label" not in said or not more:
        return dict(table)
    here = np.ones(len(said["label"]), bool)
    if frame is not None and "frame" in said:
        here = np.asarray(said["frame"]) == frame
    place = {int(label): row for row, label in zip(np.flatnonzero(here), np.asarray(said["label"])[here], strict=True)}
    rows = [place.get(int(label)) for label in table["label"]]
    added = {name: np.array([None if row is None else said[name][row] for row in rows], object) for name in more}
    return {"label": table["label"]} | added | {name: column for name, column in table.items() if name != "label"}


def _shaped(labels: Labels | None, image: Image) -> Labels:
    """Give labels with the axes of the file they came from, also where these have length 1."""
    if labels is None:
        raise MicroforgeError("The model gives no label image.", remedy="Use the model in napari, or from Python.")
    # Labels are never negative: another view of the same memory spares the writer a copy.
    unsigned = labels.view(np.uint32) if labels.dtype == np.int32 else labels
    return unsigned.reshape(shape_of(image))
