"""Point annotations: one click per cell."""

from pathlib import Path
from typing import ClassVar

from microforge.annotations.base import AnnotationKind
from microforge.axes.samples import to_samples
from microforge.io.pairing import Pair, Pairing, pair_points
from microforge.io.points import read_points
from microforge.io.rois import Stack
from microforge.types import Image, Sample


class ClickedPoints(AnnotationKind):
    """Points on cells, from tables, ImageJ ROIs or Cell Counter files of the same names."""

    name: ClassVar[str] = "points"
    drawn: ClassVar[str] = "points"
    partner: ClassVar[str] = "points file"
    folder: ClassVar[str] = "a folder of points (CSV, ImageJ ROIs, Cell Counter XML), with the names of the images"
    of_places: ClassVar[bool] = True

    def find(self, images: Path, partners: Path | None, partner: str) -> Pairing:
        """Find files of points."""
        return pair_points(images, partners, partner)

    def read(self, image: Image, pair: Pair, axes: str | None, target_axes: str | None) -> list[Sample]:
        """Read the points."""
        assert pair.annotation is not None
        return to_samples(image, points=read_points(pair.annotation, Stack.of(image)))


POINTS = ClickedPoints()
