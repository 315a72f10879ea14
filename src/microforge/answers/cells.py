"""Cells as answers: how many, of which kind, and where."""

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

from microforge.annotations import POINTS, AnnotationKind
from microforge.answers.base import COUNTS_TABLE, AnswerKind, Result, ResultRules
from microforge.answers.counts import CountedImage
from microforge.answers.region_counts import CountFunction
from microforge.errors import MicroforgeError
from microforge.types import Image, Prediction, Sample


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
