"""What is kept of an image whose answer is no image: where its cells are and how many in each region, or its class.

Predictions come one time point at a time, and only the dots and numbers of each are kept: a series may be long.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from microforge.answers.base import CLASSES_TABLE, COUNTS_TABLE, NO_REGIONS, shape_of
from microforge.answers.images import first_notes
from microforge.answers.region_counts import CountFunction, CountRow, count_regions, count_table
from microforge.answers.time_series import PredictionStack
from microforge.axes.areas import Region
from microforge.errors import MicroforgeError
from microforge.io.points import write_points_csv, write_points_rois
from microforge.io.tables import TableRows, text_rows
from microforge.types import Image, PixelSize, Prediction, Sample


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
        self._stack = _stack_of(self.source)

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


@dataclass
class ClassedImage:
    """The class of one input, or of each of its time points; a context, as the others, but of no file."""

    source: Image
    done: int = 0
    rows: list[tuple[object, ...]] = field(default_factory=list)
    names: tuple[str, ...] = ()
    path: Path | None = None

    def __post_init__(self) -> None:
        self._stack = _stack_of(self.source)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    def add(self, prediction: Prediction) -> None:
        """Take the class of the next time point."""
        if not prediction.class_name:
            raise MicroforgeError("The model gives no class.", remedy="Please report it with this image.")
        self.names = tuple(prediction.statistics)
        probabilities = (f"{value:.6g}" for value in prediction.statistics.values())
        self.rows.append((self.done, prediction.class_name, *probabilities))
        self._stack.add(replace(prediction, image=None))
        self.done += 1

    @property
    def notes(self) -> tuple[str, ...]:
        """What to tell of the image."""
        return first_notes(self._stack.notes)

    @property
    def statistics(self) -> Mapping[str, float | str]:
        """The class, and how probable each is; of a series the classes of its time points with their numbers."""
        return {"class": self._stack.prediction().class_name} | dict(self._stack.statistics)

    @property
    def tables(self) -> Mapping[str, TableRows]:
        """The classes of the time points; an image that is no series is in the table of images only."""
        if "T" not in self.source.axes:
            return {}
        return {CLASSES_TABLE: text_rows(("frame", "class", *self.names), self.rows)}

    @property
    def number(self) -> int | None:
        """Nothing is counted."""
        return None

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the image."""
        return shape_of(self.source)

    @property
    def pixel_size(self) -> PixelSize | None:
        """Of the image."""
        return self.source.pixel_size


def _stack_of(image: Image) -> PredictionStack:
    return PredictionStack(image.data.shape[image.axes.index("T")] if "T" in image.axes else None)
