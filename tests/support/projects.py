"""Projects made by tests: small images on the disk, and strokes on them."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import tifffile

from microforge.io.writing import Layout
from microforge.project import ImageEntry, ImageSource, Project
from microforge.types import Points

SIZE = 64


def image_file(path: Path, shape: tuple[int, ...] = (SIZE, SIZE), seed: int = 0) -> Path:
    """Write an image of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, np.random.default_rng(seed).integers(0, 255, shape, np.uint8))
    return path


def project_with_images(folder: Path, names: Iterable[str] = ("a",)) -> tuple[Project, list[ImageEntry]]:
    """Make a project beside images of these names."""
    paths = [image_file(folder / "images" / f"{name}.tif", seed=seed) for seed, name in enumerate(names)]
    project = Project.create(folder / "cells.microforge")
    return project, project.add_images(ImageSource(path, axes="YX", shape=(SIZE, SIZE)) for path in paths)


def layout_of(shape: tuple[int, ...] = (SIZE, SIZE), axes: str = "YX") -> Layout:
    return Layout(axes, shape, np.dtype(np.uint32))


def stroke(project: Project, image_id: str, value: int, start: tuple[int, int] = (0, 0), part: str = "labels") -> None:
    """Paint a tile of 16 x 16 pixels."""
    project.write_tiles(image_id, part, layout_of(), [(start, np.full((16, 16), value, np.int32))])


def painted(project: Project, image_id: str, part: str = "labels") -> dict[int, int]:
    """Give how many pixels each label has; nothing at all where there is no layer."""
    labels = project.labels(image_id, part)
    if labels is None:
        return {}
    values, counts = np.unique(np.asarray(labels), return_counts=True)
    return {int(value): int(count) for value, count in zip(values, counts, strict=True) if value}


def some_points() -> Points:
    coordinates = np.array([[1.5, 2.25], [30, 40], [63, 0]], np.float32)
    return Points(coordinates, np.array([0, 2, 0], np.int32), ("round", "flat", "long"))
