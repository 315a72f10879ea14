"""Label images: painted masks in which each object, or each class, has a number; and objects drawn as outlines."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from microforge.annotations.base import AnnotationKind
from microforge.axes.samples import to_samples
from microforge.io.images import read_labels
from microforge.io.outlines import OUTLINE_SUFFIXES, read_outlines
from microforge.io.pairing import Pair, Pairing, pair_drawn
from microforge.types import Image, Sample


class PaintedLabels(AnnotationKind):
    """Painted labels, from label images of the same names."""

    name: ClassVar[str] = "labels"
    drawn: ClassVar[str] = "labels"
    folder: ClassVar[str] = "a folder of label images, with the names of the images"
    of_places: ClassVar[bool] = True
    # Labels of a series that is none do not fit the image.
    axes_matter: ClassVar[bool] = False

    def find(self, images: Path, partners: Path | None, partner: str) -> Pairing:
        """Find label images and files of outlines."""
        return pair_drawn(images, partners, partner)

    def read(self, image: Image, pair: Pair, axes: str | None, target_axes: str | None) -> list[Sample]:
        """Read the label image, or draw the outlines."""
        path = pair.annotation
        assert path is not None
        if path.suffix.lower() in OUTLINE_SUFFIXES and not path.is_dir():
            # That they are objects is known; a task of classes cannot take them.
            return [replace(one, outlined=True) for one in to_samples(image, read_outlines(path, image))]
        return to_samples(image, read_labels(path))


LABELS = PaintedLabels()
