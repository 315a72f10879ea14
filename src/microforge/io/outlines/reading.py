"""`read_outlines`: find out what kind of outlines a file holds, and draw them on their image."""

from pathlib import Path
from typing import Any

from microforge.errors import AnnotationError
from microforge.io.outlines.coco import is_coco, loaded, outlines_of_coco
from microforge.io.outlines.drawing import ObjectOutline, drawn_labels
from microforge.io.outlines.geojson import is_geojson, outlines_of_geojson
from microforge.io.outlines.imagej import read_imagej
from microforge.io.outlines.labelme import is_labelme, outlines_of_labelme
from microforge.io.rois import ROI_SUFFIXES, Stack
from microforge.types import Image

OUTLINE_SUFFIXES = (*ROI_SUFFIXES, ".geojson", ".json")
_BIGGEST = 1 << 29


def read_outlines(path: str | Path, image: Image) -> Image:
    """Draw the outlines of a file as a label image of the size of its image, one number per outline.

    Understands ImageJ ROIs (``.roi``, ``.zip``), GeoJSON (QuPath), COCO and Labelme. What was drawn later lies on top,
    holes stay holes, and what reaches beyond the image is cut; `notes` of the result say so.

    Raises
    ------
    AnnotationError
        If the file cannot be read, holds no outline of an object or is not of this image.
    """
    path = Path(path)
    outlines = _of_rois(path, image) if path.suffix.lower() in ROI_SUFFIXES else _of_json(path, image)
    if not outlines:
        raise AnnotationError(
            "The file holds no outline of an object.", where=str(path), remedy="Export the outlines again."
        )
    labels, notes = drawn_labels(outlines, image)
    return Image(image.name, labels.data, labels.axes, image.pixel_size, source=str(path), notes=tuple(notes))


def _of_rois(path: Path, image: Image) -> list[ObjectOutline]:
    return read_imagej(path, Stack.of(image))


def _of_json(path: Path, image: Image) -> list[ObjectOutline]:
    try:
        if (status := path.stat()).st_size > _BIGGEST:
            raise ValueError(f"it is larger than {_BIGGEST >> 20} MB")
        return _understood(loaded(path, status.st_mtime_ns), image)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        missing = f"'{error.args[0]}' is missing" if isinstance(error, KeyError) and error.args else str(error)
        raise AnnotationError(
            f"The outlines cannot be read ({missing.rstrip('.')}).",
            where=str(path),
            remedy="Outlines come as ImageJ ROIs (.roi, .zip), GeoJSON (QuPath: File > Export objects), COCO "
            "or Labelme.",
        ) from error


def _understood(content: Any, image: Image) -> list[ObjectOutline]:
    if is_geojson(content):
        return list(outlines_of_geojson(content))
    if is_coco(content):
        sizes = dict(zip(image.axes, image.data.shape, strict=True))
        return outlines_of_coco(content, Path(image.source).name, (sizes["Y"], sizes["X"]))
    if is_labelme(content):
        return list(outlines_of_labelme(content))
    raise ValueError("it is neither GeoJSON nor COCO nor Labelme")
