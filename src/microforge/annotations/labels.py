"""Label images: painted masks in which each object, or each class, has a number."""

from typing import ClassVar

from microforge.annotations.base import AnnotationKind
from microforge.axes.samples import to_samples
from microforge.io.images import read_labels
from microforge.io.pairing import Pair
from microforge.types import Image, Sample


class PaintedLabels(AnnotationKind):
    """Painted labels, from label images of the same names."""

    name: ClassVar[str] = "labels"
    folder: ClassVar[str] = "a folder of label images, with the names of the images"
    of_places: ClassVar[bool] = True
    # Labels of a series that is none do not fit the image.
    axes_matter: ClassVar[bool] = False

    def read(self, image: Image, pair: Pair, axes: str | None, target_axes: str | None) -> list[Sample]:
        """Read the label image."""
        assert pair.annotation is not None
        return to_samples(image, read_labels(pair.annotation))


LABELS = PaintedLabels()
