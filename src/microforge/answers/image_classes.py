"""Image classification results as answers: a class per image or time point, the confusion matrix."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from microforge.annotations import IMAGE_CLASSES, AnnotationKind
from microforge.answers.base import CLASSES_TABLE, AnswerKind, Result, ResultRules
from microforge.answers.images import first_notes
from microforge.answers.region_counts import CountFunction
from microforge.answers.time_series import stack_of
from microforge.errors import MicroforgeError
from microforge.io.tables import TableRows, text_rows
from microforge.types import Image, Prediction, Sample


class ImageClassAnswer(AnswerKind):
    """A class for each image, or for each of its time points; no file of its own."""

    name: ClassVar[str] = "class"
    truth: ClassVar[AnnotationKind] = IMAGE_CLASSES
    suffixes: ClassVar[tuple[str, ...]] = ()

    def result(self, path: Path, source: Image, samples: Sequence[Sample], rules: ResultRules) -> Result:
        """Give what notes the classes."""
        return ClassedImage(source)

    def compared(self, count: CountFunction | None, prediction: Prediction, sample: Sample) -> dict[str, Any]:
        """Give the true class and the one found."""
        return {"truth": sample.class_name, "class": prediction.class_name}

    def overall(self, per_image: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Give how many images of each class were found to be of which."""
        pairs = [(one["truth"], one["class"]) for one in per_image]
        names = sorted({name for pair in pairs for name in pair})
        return {"confusion": {"classes": names, "table": confusion(pairs, names)}}


IMAGE_CLASS = ImageClassAnswer()


class ClassedImage(Result):
    """The class of one input, or of each of its time points; there is no file of its own."""

    def __init__(self, source: Image) -> None:
        super().__init__(source)
        self.rows: list[tuple[object, ...]] = []
        self.names: tuple[str, ...] = ()
        self._stack = stack_of(source)

    def add(self, prediction: Prediction) -> None:
        """Take the class of the next time point."""
        if not prediction.class_name:
            raise MicroforgeError("The model gives no class.", remedy="Please report it with this image.")
        self.names = tuple(prediction.statistics)
        probabilities = (f"{value:.6g}" for value in prediction.statistics.values())
        self.rows.append((self._stack.done, prediction.class_name, *probabilities))
        self._stack.add(replace(prediction, image=None))

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


def confusion(pairs: Iterable[tuple[str, str]], names: Sequence[str]) -> list[list[int]]:
    """Count pairs of a true class (rows) and the one found (columns)."""
    counted = Counter(pairs)
    return [[counted[true, found] for found in names] for true in names]
