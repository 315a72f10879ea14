"""Label images as answers: instance segmentation with object measurements, or semantic classes."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from microforge.annotations import LABELS, AnnotationKind
from microforge.answers.base import (
    COUNTS_TABLE,
    NO_REGIONS,
    OBJECTS_TABLE,
    AnswerKind,
    Result,
    ResultRules,
)
from microforge.answers.images import first_notes
from microforge.answers.region_counts import count_regions, count_table
from microforge.errors import MicroforgeError
from microforge.io.tables import PackedRows, TableRows, rows_of
from microforge.io.writing import Layout, open_image
from microforge.measurements.bands import measure_sample
from microforge.types import Array, Image, Labels, Prediction, Sample


class LabelAnswer(AnswerKind):
    """A label image; its values are those of the objects found, or of classes."""

    truth: ClassVar[AnnotationKind] = LABELS
    tables: ClassVar[tuple[str, ...]] = (OBJECTS_TABLE,)
    #: Of objects that cover half of the image; more where they cover all.
    working_bytes: ClassVar[int] = 24

    def result(self, path: Path, source: Image, samples: Sequence[Sample], rules: ResultRules) -> Result:
        """Give what writes the label image and measures it."""
        return LabelSeries(path, source, samples, rules, numbered=self.numbered)


class ObjectLabels(LabelAnswer):
    """Each label is an object, which can be counted."""

    name: ClassVar[str] = "objects"
    counted: ClassVar[str] = "objects"
    numbered: ClassVar[bool] = True


class PixelClasses(LabelAnswer):
    """Each label is a class."""

    name: ClassVar[str] = "pixel classes"


OBJECTS, PIXEL_CLASSES = ObjectLabels(), PixelClasses()


class LabelSeries(Result):
    """The label file of one input, written and measured time point by time point; `numbered`: labels are objects.

    Of each time point only the rows of its tables are kept, so that memory does not grow with the pixels of a series.
    """

    def __init__(
        self, path: Path, source: Image, samples: Sequence[Sample], rules: ResultRules, *, numbered: bool = True
    ) -> None:
        super().__init__(source, path)
        self.samples, self.rules, self.numbered = samples, rules, numbered
        self.done = 0
        self.said: dict[str, None] = {}
        self._objects, self._counts = PackedRows(), PackedRows()
        self._stack = ExitStack()
        self._append: Callable[[Array], None] | None = None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        """Complete the file, or remove it."""
        self._stack.__exit__(kind, error, trace)

    def add(self, prediction: Prediction) -> None:
        """Write and measure the labels ``(Z)YX`` of the next time point.

        What a model says of each object besides its outline (`measurements` by `label`) becomes columns too.
        """
        labels, sample, frame = _unsigned(prediction.labels), self.samples[self.done], self.done
        if self._append is None:
            self._append = self._stack.enter_context(self._file())
        self._append(labels)
        series = len(self.samples) > 1
        table = with_columns(measure_sample(labels, sample), prediction.measurements)
        self._objects.add(rows_of([table], frames=series, first=frame))
        if self.rules.regions and self.rules.count is not None:
            found = Prediction(labels=labels, measurements=table)
            time = frame if "T" in self.source.axes else None
            counted = count_regions(self.rules.count, found, sample, self.rules.regions, frame=time)
            self._counts.add(count_table(counted))
        self.said |= dict.fromkeys(prediction.notes)
        self.done += 1

    @property
    def notes(self) -> tuple[str, ...]:
        """What to tell of the image."""
        return (*first_notes(self.said), *(() if self.rules.regions is not None else (NO_REGIONS,)))

    @property
    def tables(self) -> Mapping[str, TableRows]:
        """The rows of the objects, and of the counts where there are regions."""
        tables = {OBJECTS_TABLE: self._objects.rows()}
        return tables | ({COUNTS_TABLE: self._counts.rows()} if len(self._counts) else {})

    @property
    def number(self) -> int | None:
        """How many objects, in all time points together."""
        return len(self._objects) if self.numbered else None

    def _file(self) -> AbstractContextManager[Callable[[Array], None]]:
        """Open the file for labels with the axes of the file they came from, also where these have length 1."""
        assert self.path is not None
        axes = "".join(axis for axis in "TZYX" if axis in self.source.axes)
        layout = Layout(axes, self.shape, np.dtype(np.uint32), self.source.pixel_size)
        return open_image(self.path, layout, durable=False)


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
    numbers = zip(np.flatnonzero(here).tolist(), np.asarray(said["label"])[here].tolist(), strict=True)
    place: dict[int, int] = {label: row for row, label in numbers}
    rows = [place.get(label) for label in np.asarray(table["label"]).tolist()]
    added = {name: _picked(np.asarray(said[name]), rows) for name in more}
    return {"label": table["label"]} | added | {name: column for name, column in table.items() if name != "label"}


def _picked(column: Array, rows: Sequence[int | None]) -> Array:
    """Give the rows of a column, empty where there is none; numbers stay numbers where there are all."""
    known = [row for row in rows if row is not None]
    if len(known) == len(rows):
        return np.asarray(column[known])
    return np.array([None if row is None else column[row] for row in rows], object)


def _unsigned(labels: Labels | None) -> Labels:
    if labels is None:
        raise MicroforgeError("The model gives no label image.", remedy="Use the model in napari, or from Python.")
    # Labels are never negative: another view of the same memory spares the writer a copy.
    return labels.view(np.uint32) if labels.dtype == np.int32 else labels
