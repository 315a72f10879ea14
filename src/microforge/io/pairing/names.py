"""Prefixes and suffixes of file names (``_mask``, ``_labels``, ``_clean`` ...): come here to understand another."""

import re
from collections.abc import Sequence
from pathlib import Path

from microforge.io.files import image_stem, is_image_name

_ANNOTATION_WORDS = (
    "labels?|labelled|labeled|masks?|segmentations?|seg|gt|ground[-_. ]?truth|truth|annotations?|annotated|annot"
    "|instances?|targets?|rois?|roi[-_. ]?set|outlines?|cp[-_. ]?masks?"
)
_POINTS_WORDS = (
    "points?|dots?|cells?|counts?|counted|cell[-_. ]?counter|markers?|roi[-_. ]?set|coordinates|coords|positions"
    "|cent(er|re|roid)s?|spots?"
)
_IMAGE_WORDS = "img|images?|raw|input|original|fluo"
_ANNOTATION = re.compile(rf"[-_. ]({_ANNOTATION_WORDS})$|^({_ANNOTATION_WORDS})([-_. ]|\d)")
#: Words that may tell image and target apart, but also two exposures of one field: tried where nothing else fits.
_CLEAN_WORDS = "clean|denoised|restored|high|hr|gt|ground[-_. ]?truth|truth|targets?"
_NOISY_WORDS = "noisy|low|lr"
_CLEAN = re.compile(rf"[-_. ]({_CLEAN_WORDS})$|^({_CLEAN_WORDS})([-_. ]|\d)")


def _ends(words: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Give patterns of words at the start and at the end of names, with the sign between (``mask001`` has none)."""
    return re.compile(rf"^({words})([-_. ]+|(?=\d))"), re.compile(rf"[-_. ]+({words})$")


#: What people add to names to tell the two files of a pair apart.
_ADDED = _ends(f"{_ANNOTATION_WORDS}|{_IMAGE_WORDS}")
_ADDED_TO_POINTS = _ends(f"{_ANNOTATION_WORDS}|{_POINTS_WORDS}|{_IMAGE_WORDS}")
_ADDED_TO_REGIONS = _ends(f"{_ANNOTATION_WORDS}|regions?|areas?|atlas|roi[-_. ]?set|{_IMAGE_WORDS}")
_ADDED_TO_NOISY = _ends(f"{_NOISY_WORDS}|{_IMAGE_WORDS}")
_ADDED_TO_CLEAN = _ends(f"{_CLEAN_WORDS}|{_IMAGE_WORDS}")


def sorted_apart(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Tell images and annotations in one folder apart by the words in their names."""
    drawn = [path for path in paths if _ANNOTATION.search(name_of(path))]
    drawn = drawn or [path for path in paths if _CLEAN.search(name_of(path))]
    return [path for path in paths if path not in drawn], drawn


def name_of(path: Path) -> str:
    """Give the name without suffix, in small letters."""
    return image_stem(path).lower()


def core(path: Path) -> str:
    """Give the name without the words that tell an image and its annotation apart."""
    return _bare(name_of(path), _ADDED)


def name_of_points(path: Path) -> str:
    """Give the name of a file of points without suffix, nor that of the image before it, in small letters."""
    inner = Path(path.stem)
    return name_of(inner if is_image_name(inner) else path)


def points_core(path: Path) -> str:
    """Give the name of a file of points without the words that tell it from its image."""
    return _bare(name_of_points(path), _ADDED_TO_POINTS)


def pointed_core(path: Path) -> str:
    """Give the name of an image without the same words: they may be part of its own."""
    return _bare(name_of(path), _ADDED_TO_POINTS)


def region_core(path: Path) -> str:
    """Give the name of an image or of its regions without the words that tell them apart."""
    return _bare(name_of_points(path), _ADDED_TO_REGIONS)


def noisy_core(path: Path) -> str:
    """Give the name without the words that tell a poor image from a good one."""
    return _bare(name_of(path), _ADDED_TO_NOISY)


def clean_core(path: Path) -> str:
    """Give the name without the words that tell a good image from a poor one."""
    return _bare(name_of(path), _ADDED_TO_CLEAN)


def _bare(name: str, added: tuple[re.Pattern[str], re.Pattern[str]]) -> str:
    head, tail = added
    before = ""
    while name != before:
        before = name
        name = tail.sub("", head.sub("", name)) or name
    return name
