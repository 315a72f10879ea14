"""Cell counts and positions as answers: points, counts per image and region, their files.

Predictions come one time point at a time, and only the dots and numbers of each are kept: a series may be long.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Self

from microforge.annotations import POINTS, AnnotationKind
from microforge.answers.base import COUNTS_TABLE, NO_REGIONS, AnswerKind, Result, ResultRules, shape_of
from microforge.answers.images import first_notes
from microforge.answers.region_counts import CountFunction, CountRow, count_regions, count_table
from microforge.answers.time_series import stack_of
from microforge.axes.areas import Region
from microforge.errors import MicroforgeError
from microforge.io.points import write_points_csv, write_points_rois
from microforge.io.tables import TableRows
from microforge.types import Image, PixelSize, Prediction, Sample


class CellCounts(AnswerKind):
    """Counts and dots."""

    name: ClassVar[str] = "cells"
    truth: ClassVar[AnnotationKind] = POINTS
    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".zip")
    tables: ClassVar[tuple[str, ...]] = (COUNTS_TABLE,)
    counted: ClassVar[str] = "cells"

    def result(self, path: Path, source: Image, samples: Sequence[Sample], rules: ResultRules) -> Result:
        """Give what counts the time points and writes their dots."""
        if rules.count is None:
            raise MicroforgeError("The model does not count.", remedy="Please report it with this model.")
        return CountedImage(path, source, samples, rules.count, rules.regions)

    def is_complete(self, files: Sequence[Path]) -> bool:
        """Tell whether the table is there, and the archive unless there are no dots: Fiji opens no empty one."""
        table, *others = files
        if not super().is_complete([table]):
            return False
        with table.open(encoding="utf-8") as lines:
            has_dots = len(list(islice(lines, 2))) > 1
        return not has_dots or super().is_complete(others)

    def compared(self, count: CountFunction | None, prediction: Prediction, sample: Sample) -> dict[str, Any]:
        """Give the true and the found count of each kind, with its bounds."""
        if sample.points is None or count is None:
            return {}
        known = sample.points if sample.mask is None else sample.points.inside(sample.mask)
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


@dataclass
class CountedImage:
    """The dots and counts of one input; a context that writes its files when it ends without an error.

    Attributes
    ----------
    path
        The table of the dots; the archive of ImageJ ROIs lies beside it.
    regions
        Counted for themselves; None where there ought to be regions but none were found for this image.
    """

    path: Path
    source: Image
    samples: Sequence[Sample]
    count: CountFunction
    regions: Sequence[Region] | None = ()
    done: int = 0
    cells: float = 0.0
    rows: list[CountRow] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stack = stack_of(self.source)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> None:
        if kind is None:
            self._write()

    def add(self, prediction: Prediction) -> None:
        """Count the next time point."""
        if prediction.points is None:
            raise MicroforgeError("The model gives no cells.", remedy="Please report it with this image.")
        frame = self.done if "T" in self.source.axes else None
        sample = self.samples[self.done]
        self.rows += count_regions(self.count, prediction, sample, self.regions or (), frame=frame)
        self.cells += sum(found.value for found in self.count(prediction, None))
        self._stack.add(replace(prediction, image=None))
        self.done += 1

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

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the image."""
        return shape_of(self.source)

    @property
    def pixel_size(self) -> PixelSize | None:
        """Of the image."""
        return self.source.pixel_size

    def _write(self) -> None:
        whole = self._stack.prediction()
        assert whole.points is not None
        write_points_csv(self.path, whole.points, whole.measurements, self.source.pixel_size, durable=False)
        write_points_rois(self.path.with_suffix(".zip"), whole.points, durable=False)
