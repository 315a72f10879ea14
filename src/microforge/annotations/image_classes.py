"""Image-level class labels, from a table (CSV) or from folders named by class."""

from pathlib import Path
from typing import ClassVar

from microforge.annotations.base import AnnotationKind
from microforge.axes.samples import to_samples
from microforge.io.pairing import Pair, Pairing, pair_classes
from microforge.types import Image, Sample


class ImageClasses(AnnotationKind):
    """Classes of whole images."""

    name: ClassVar[str] = "class"
    drawn: ClassVar[str] = "class_name"
    partner: ClassVar[str] = "class"
    one: ClassVar[str] = "table of classes"
    optional: ClassVar[bool] = True

    def find(self, images: Path, partners: Path | None, partner: str) -> Pairing:
        """Take the classes from a table or from folders."""
        return pair_classes(images, partners, partner)

    def read(self, image: Image, pair: Pair, axes: str | None, target_axes: str | None) -> list[Sample]:
        """Give the samples; the class comes with the pair."""
        return to_samples(image)


IMAGE_CLASSES = ImageClasses()
