"""Outlines of objects in files (ImageJ, QuPath, COCO, Labelme), as label images: come here to read another kind."""

from microforge.io.outlines.coco import images_of_coco
from microforge.io.outlines.reading import OUTLINE_SUFFIXES, read_outlines

__all__ = ["OUTLINE_SUFFIXES", "images_of_coco", "read_outlines"]
