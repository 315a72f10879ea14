"""Which of the images in a TIFF file is meant: come here when a thumbnail is read, or pages are missed or refused.

A file may hold levels of a pyramid, thumbnails, photographs of a slide and its label: those are left out. Anything
else of another size is told, as leaving it out would lose data.
"""

from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import tifffile

from microforge.axes.letters import size_text
from microforge.errors import ImageReadError
from microforge.io.images.tiff_errors import damaged

#: What slide scanners call the pictures beside the slide itself.
_BESIDE = ("thumbnail", "label", "macro", "map", "overview")
#: Hamamatsu's magnification of an image; -1 is a photograph of the slide, -2 a map of where tissue is.
_NDPI_LENS = 65421
#: An image of less than this part of the pixels of another is a thumbnail of it.
_THUMBNAIL = 1 / 16
#: Sides of reduced copies are rounded by so many pixels.
_ROUNDING = 2
#: Planes that a description may announce beyond those that are there: of sets of files the others are not opened yet.
_MANY, _MOST = 1 << 16, 1 << 20
#: How an axis is divided where nothing is said.
_MODULO = {"Start": "0", "End": "0", "Step": "1"}
#: The library compares pages of different kinds each with each.
_MOST_UNLIKE = 10_000


def main_series(file: tifffile.TiffFile, path: Path) -> tuple[Any, int, tuple[str, ...]]:
    """Choose the largest image.

    Returns
    -------
    tuple
        The image, its number, and what is to be said of those left out.

    Raises
    ------
    ImageReadError
        If there is none, or others that are neither levels nor thumbnails (positions, pages of other sizes).
    """
    _check_pages(file, path)
    series = list(file.series)
    if not series:
        raise damaged(path, "it holds no image")
    wanted = [one for one in series if not _is_beside(one)] or series
    main = max(wanted, key=lambda one: int(one.size))
    twins = sum(one.shape == main.shape for one in wanted)
    if twins > 1:
        raise ImageReadError(
            f"The file holds {twins} images (positions) of the same size.",
            where=str(path),
            remedy="Save each as a file of its own, for instance in Fiji with Bio-Formats.",
        )
    others = [one for one in wanted if one is not main and not _is_reduced(one, main)]
    number = next(number for number, one in enumerate(series) if one is main)
    return main, number, _told(main, others, path)


def check_description(description: Element | None, file: tifffile.TiffFile, path: Path) -> None:
    """Refuse an OME description that announces more than there can be; the library makes a list of all it announces.

    Raises
    ------
    ImageReadError
        If so, or where it points to something that is no file.
    """
    if description is None or not file.is_ome:
        return
    for pixels in (one for one in description.iter() if one.tag.endswith("}Pixels")):
        planes, several = _announced(pixels, file), _check_other_files(pixels, path)
        if planes > (_MOST if several else _MANY) and planes > len(file.pages):
            raise ImageReadError(
                f"The file's description announces {planes:,} planes; the file holds {len(file.pages):,}.",
                where=str(path),
                remedy="Save it again with the program that recorded it, or from Fiji as a new TIFF.",
            )
    if _longest_modulo(description) > _MOST:
        raise damaged(path, "its description divides an axis into millions of parts")


def _check_pages(file: tifffile.TiffFile, path: Path) -> None:
    described = file.is_ome or file.is_imagej or file.is_shaped or file.is_lsm or file.is_stk or file.is_scanimage
    if len(file.pages) > _MOST_UNLIKE and not described and not file.is_uniform:
        raise ImageReadError(
            f"The file holds {len(file.pages):,} pages that differ in size or kind.",
            where=str(path),
            remedy="Save those of one size as a file of their own.",
        )


def _is_beside(series: Any) -> bool:
    """Say whether it shows a slide rather than what is on it, or is marked as a smaller version of another image."""
    name = str(series.name).strip().lower()
    lens = series.keyframe.tags.valueof(_NDPI_LENS)
    if isinstance(lens, int | float) and lens < 0:
        return True
    return name in _BESIDE or any(name.endswith(f" {one}") for one in _BESIDE) or bool(series.keyframe.is_reduced)


def _is_reduced(series: Any, main: Any) -> bool:
    """Say whether it is a level of a pyramid: both sides are the same number of times smaller."""
    (height, width), (tall, wide) = _sides(series), _sides(main)
    if not (0 < height < tall and 0 < width < wide):
        return False
    factor = max(tall / height, wide / width)
    return abs(height - tall / factor) <= _ROUNDING and abs(width - wide / factor) <= _ROUNDING


def _told(main: Any, others: Sequence[Any], path: Path) -> tuple[str, ...]:
    if not others:
        return ()
    sizes = list(dict.fromkeys(size_text(_sides(one)) for one in others))
    listed = ", ".join(sizes[:4]) + (" ..." if len(sizes) > 4 else "")
    if len(others) == 1 and prod(_sides(others[0])) < _THUMBNAIL * prod(_sides(main)):
        return (f"A smaller image in the file ({listed}) was taken for a thumbnail and left out.",)
    raise ImageReadError(
        f"The file holds images that differ in size or kind: {size_text(_sides(main))} and {listed}.",
        where=str(path),
        remedy="Save each as a file of its own, for instance in Fiji with Bio-Formats.",
    )


def _sides(series: Any) -> tuple[int, int]:
    page = series.keyframe
    return int(page.imagelength), int(page.imagewidth)


def _announced(pixels: Element, file: tifffile.TiffFile) -> int:
    """Give how many planes the library would make room for."""
    sizes = {letter: _whole(pixels.get(f"Size{letter}")) for letter in "XYZCT"}
    parts = [one for one in pixels if one.tag.endswith("}TiffData")]
    places = [
        prod(sizes[letter] for letter in "ZCT") if any(_whole(one.get(f"First{letter}")) for letter in "ZCT") else 0
        for one in parts
    ]
    counts = [_whole(one.get("PlaneCount") or one.get("NumPlanes")) for one in parts]
    shown = {0, *(_whole(one.get("IFD")) for one in parts[:1])} & set(range(len(file.pages)))
    smallest = min((file.pages[index].size for index in shown), default=1)
    return max(
        prod(sizes[letter] for letter in "ZCT"),
        prod(sizes.values()) // max(1, smallest),
        max((place + count for place, count in zip(places, counts, strict=True)), default=0),
    )


def _check_other_files(pixels: Element, path: Path) -> bool:
    """Say whether planes lie in other files; a pipe or a device among these would be waited for.

    Raises
    ------
    ImageReadError
        If one is something else than a file.
    """
    names = {one.get("FileName", "") for one in pixels.iter() if one.tag.endswith("}UUID")} - {"", path.name}
    for name in names:
        other = path.parent / name
        if other.exists() and not other.is_file():
            raise damaged(path, f"its description points to {name}, which is no file")
    return bool(names)


def _longest_modulo(description: Element) -> float:
    """Give into how many parts the description divides an axis, as the library would list them."""
    parts = (one for one in description.iter() if "Along" in one.tag and one.get("Start") is not None)
    return max((_parts(one) for one in parts), default=0.0)


def _parts(along: Element) -> float:
    try:
        start, end, step = (
            float(along.get(name, default)) for name, default in (("Start", "0"), ("End", "0"), ("Step", "1"))
        )
        return abs(end - start) / abs(step) if step else float("inf")
    except ValueError:
        return 0.0


def _whole(text: str | None) -> int:
    try:
        return int(text or 0)
    except ValueError:
        return 0
