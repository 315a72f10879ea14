"""Classes of whole images as answers."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from microforge.annotations import IMAGE_CLASSES, AnnotationKind
from microforge.answers.base import AnswerKind, Result, ResultRules
from microforge.answers.counts import ClassedImage
from microforge.answers.region_counts import CountFunction
from microforge.types import Image, Prediction, Sample


class ImageClassAnswer(AnswerKind):
    """A class for each image, or for each of its time points; no file of its own."""

    name: ClassVar[str] = "class"
    truth: ClassVar[AnnotationKind] = IMAGE_CLASSES
    suffixes: ClassVar[tuple[str, ...]] = ()

    def result(self, path: Path, source: Image, samples: Sequence[Sample], rules: ResultRules) -> Result:
        """Give what notes the classes."""
        return ClassedImage(source)

    def is_complete(self, files: Sequence[Path]) -> bool:
        """All there is stands in the ledger."""
        return True

    def compared(self, count: CountFunction | None, prediction: Prediction, sample: Sample) -> dict[str, Any]:
        """Give the true class and the one found."""
        return {"truth": sample.class_name, "class": prediction.class_name}

    def overall(self, per_image: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Give how many images of each class were found to be of which."""
        pairs = [(one["truth"], one["class"]) for one in per_image]
        names = sorted({name for pair in pairs for name in pair})
        return {"confusion": {"classes": names, "table": confusion(pairs, names)}}


IMAGE_CLASS = ImageClassAnswer()


def confusion(pairs: Iterable[tuple[str, str]], names: Sequence[str]) -> list[list[int]]:
    """Count pairs of a true class (rows) and the one found (columns)."""
    counted = Counter(pairs)
    return [[counted[true, found] for found in names] for true in names]
