"""Cell counts and positions as answers: points, counts per image and region, their files.

Predictions come one time point at a time, and only the points and numbers of each are kept: a series may be long.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from microforge.annotations import POINTS, AnnotationKind
from microforge.answers.base import COUNTS_TABLE, NO_REGIONS, AnswerKind, Result, ResultRules
from microforge.answers.images import first_notes
from microforge.answers.region_counts import CountFunction, CountRow, count_regions, count_table
from microforge.answers.time_series import stack_of
from microforge.errors import MicroforgeError
from microforge.io.points import write_points_csv, write_points_rois
from microforge.io.tables import TableRows
from microforge.types import Image, Prediction, Sample


class CellCounts(AnswerKind):
    """Counts and points."""

    name: ClassVar[str] = "cells"
    truth: ClassVar[AnnotationKind] = POINTS
    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".zip")
    tables: ClassVar[tuple[str, ...]] = (COUNTS_TABLE,)
    counted: ClassVar[str] = "cells"

    def result(self, path: Path, source: Image, samples: Sequence[Sample], rules: ResultRules) -> Result:
        """Give what counts the time points and writes their points."""
        return CountedImage(path, source, samples, rules)

    def compared(self, count: CountFunction | None, prediction: Prediction, sample: Sample) -> dict[str, Any]:
        """Give the true and the found count of each kind, with its bounds."""
        if sample.points is None or count is None:
            return {}
        known = sample.known_points(sample.points)
        answer: dict[str, Any] = {}
        for found in count(prediction, sample.mask):
            of = f" {found.kind}" if found.kind else ""
            answer |= {f"truth{of}": len(known.of_kind(found.kind)), f"count{of}": found.value}
            answer |= {f"low{of}": found.low, f"high{of}": found.high}
        return answer

    def overall(self, per_image: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Say where counts have no bounds."""
        bounded = any(value is not None for one in per_image for name, value in one.items() if name.startswith("low"))
        if bounded or not per_image:
            return {}
        return {"remarks": ["The model's counts have no bounds: `microforge calibrate` measures them."]}


CELLS = CellCounts()


class CountedImage(Result):
    """The points and counts of one input; its files are written at the end."""

    def __init__(self, path: Path, source: Image, samples: Sequence[Sample], rules: ResultRules) -> None:
        super().__init__(source, path)
        if rules.count is None:
            raise MicroforgeError("The model does not count.", remedy="Please report it with this model.")
        self.samples, self.count, self.regions = samples, rules.count, rules.regions
        self.cells = 0.0
        self.rows: list[CountRow] = []
        self._stack = stack_of(source)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        """Write the table of the points and, beside it, the archive of ImageJ ROIs."""
        if kind is None and self.path is not None:
            whole = self._stack.prediction()
            assert whole.points is not None
            write_points_csv(self.path, whole.points, whole.measurements, self.source.pixel_size, durable=False)
            write_points_rois(self.path.with_suffix(".zip"), whole.points, durable=False)

    def add(self, prediction: Prediction) -> None:
        """Count the next time point."""
        if prediction.points is None:
            raise MicroforgeError("The model gives no cells.", remedy="Please report it with this image.")
        frame = self._stack.done if "T" in self.source.axes else None
        sample = self.samples[self._stack.done]
        self.rows += count_regions(self.count, prediction, sample, self.regions or (), frame=frame)
        self.cells += sum(found.value for found in self.count(prediction, None))
        self._stack.add(replace(prediction, image=None))

    @property
    def notes(self) -> tuple[str, ...]:
        """What to tell of the image."""
        missing = () if self.regions is not None else (NO_REGIONS,)
        return (*missing, *first_notes(self._stack.notes))

    @property
    def statistics(self) -> Mapping[str, float | str]:
        """The counts; of a series the means over its time points."""
        return dict(self._stack.statistics)

    @property
    def tables(self) -> Mapping[str, TableRows]:
        """The rows of the counts."""
        return {COUNTS_TABLE: count_table(self.rows)}

    @property
    def number(self) -> int | None:
        """How many cells, in all time points together."""
        return round(self.cells)
