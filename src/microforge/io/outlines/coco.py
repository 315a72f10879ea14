"""Outlines of a whole folder of images in one COCO file: polygons, and masks as runs of pixels."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from microforge.io.outlines.drawing import ObjectOutline
from microforge.io.outlines.geojson import line_of_corners
from microforge.types import Array


def is_coco(content: Any) -> bool:
    """Tell whether a JSON value lists images and annotations."""
    return isinstance(content, dict) and isinstance(content.get("images"), list) and "annotations" in content


def images_of_coco(path: Path) -> set[str]:
    """Give the names of the images that a file is of, in small letters, without folders; none if it is no COCO file."""
    try:
        content = loaded(path, path.stat().st_mtime_ns)
        return {_name(one) for one in content["images"]} if is_coco(content) else set()
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return set()


@lru_cache(maxsize=1)
def loaded(path: Path, changed: int) -> Any:
    """Read a JSON file; one of many images is asked for again and again."""
    return json.loads(path.read_text(encoding="utf-8-sig"))


def outlines_of_coco(content: Any, image_file: str, shape: tuple[int, int]) -> list[ObjectOutline]:
    """Give the objects of one image of the file, in its order.

    Raises
    ------
    KeyError, TypeError, ValueError
        If the file is made otherwise, or is not of this image.
    """
    ids = [one["id"] for one in content["images"] if _name(one) == image_file.lower()]
    if not ids:
        raise ValueError(f"it names no image '{image_file}'")
    own = [one for one in content["annotations"] if one["image_id"] == ids[0]]
    return [_outline(one["segmentation"], shape) for one in own if one.get("segmentation")]


def _name(image: dict[str, Any]) -> str:
    return str(image["file_name"]).replace("\\", "/").rpartition("/")[2].lower()


def _outline(segmentation: Any, shape: tuple[int, int]) -> ObjectOutline:
    if isinstance(segmentation, dict):
        return ObjectOutline(mask=_mask(segmentation, shape))
    return ObjectOutline([[line_of_corners(np.asarray(numbers, float).reshape(-1, 2))] for numbers in segmentation])


def _mask(segmentation: dict[str, Any], shape: tuple[int, int]) -> Array:
    """Unroll runs of pixels, column by column, beginning with background."""
    if tuple(segmentation["size"]) != shape:
        raise ValueError(
            f"a mask is {segmentation['size'][0]}x{segmentation['size'][1]}, the image {shape[0]}x{shape[1]}"
        )
    counts = segmentation["counts"]
    runs = np.asarray(_unpacked(counts) if isinstance(counts, str) else counts, np.int64)
    if runs.min(initial=0) < 0 or runs.sum() != shape[0] * shape[1]:
        raise ValueError("the runs of a mask do not fill its size")
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(shape[::-1]).T


def _unpacked(text: str) -> list[int]:
    """Read the runs of a compressed mask: five bits a sign, from the third on as difference to the last but one."""
    runs: list[int] = []
    value = shift = 0
    for sign in text.encode("ascii"):
        bits = sign - 48
        value |= (bits & 0x1F) << shift
        shift += 5
        if not bits & 0x20:
            value -= (1 << shift) if bits & 0x10 else 0
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value = shift = 0
    return runs
