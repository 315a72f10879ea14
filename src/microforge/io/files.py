"""File names: find images in folders, natural sort order, stems, names that every system takes."""

import glob
import re
from collections.abc import Iterable, Sequence
from itertools import chain, count
from pathlib import Path

from microforge.errors import ImageReadError

TIFF_SUFFIXES = (".tif", ".tiff", ".btf", ".tf8", ".lsm")
IMAGE_SUFFIXES = (*TIFF_SUFFIXES, ".png", ".jpg", ".jpeg", ".bmp")
#: Signs that cannot be part of a file's name on every system.
_FORBIDDEN = re.compile(r'[\\/:*?"<>|\x00-\x1f]')


def find_images(inputs: Sequence[str | Path]) -> list[Path]:
    """Give the image files that files, folders and patterns such as ``data/*.tif`` stand for.

    Within a folder or pattern, files are in natural order (``t2`` before ``t10``); hidden files and files that are
    no images are left out; folders are not searched deeper. A file given by name is kept whatever its suffix. A file
    reached twice is given once.

    Raises
    ------
    ImageReadError
        If one of the inputs stands for no image.
    """
    found: dict[Path, Path] = {}
    for one in inputs:
        for path in _expand(one):
            found.setdefault(path.resolve(), path)
    return list(found.values())


def natural_order(paths: Iterable[Path]) -> list[Path]:
    """Sort paths as a person would: numbers by value, capitals as small letters."""
    return sorted(paths, key=lambda path: (_natural_key(str(path)), str(path)))


def image_stem(path: Path) -> str:
    """Give the name without suffix, and without ``.ome`` before it."""
    stem = path.stem
    return stem[:-4] if stem.lower().endswith(".ome") else stem


def is_image_name(path: Path) -> bool:
    """Say whether the name is that of a visible image file."""
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")


def portable_name(name: str) -> str:
    """Give a name without signs that some system does not take in names of files."""
    return _FORBIDDEN.sub("_", name)


def free_name(name: str, taken: set[str], numbered: str, first: int) -> str:
    """Give a name that is not taken, and note it; some disks do not tell upper from lower case.

    Parameters
    ----------
    taken
        Names given before, in lower case.
    numbered, first
        How a name that is taken is numbered (``"{name}-{number}"``), and from which number.
    """
    others = (numbered.format(name=name, number=number) for number in count(first))
    free = next(one for one in chain([name], others) if one.lower() not in taken)
    taken.add(free.lower())
    return free


def _expand(one: str | Path) -> list[Path]:
    # A name that exists is meant as it is, brackets and all.
    path = Path(one)
    if path.is_dir():
        return _images_in(path)
    if path.exists():
        return [path]
    matches = [Path(match) for match in glob.glob(str(one), recursive=True)]
    images = natural_order(match for match in matches if match.is_file() and is_image_name(match))
    if images:
        return images
    if glob.has_magic(str(one)):
        raise ImageReadError(
            "No image matches this pattern.",
            where=str(one),
            remedy=f"Check the folder and the suffix; images end in {', '.join(IMAGE_SUFFIXES)}.",
        )
    raise ImageReadError("There is no such file or folder.", where=str(one), remedy="Check the name.")


def _images_in(folder: Path) -> list[Path]:
    images = natural_order(path for path in folder.iterdir() if is_image_name(path) and path.is_file())
    if not images:
        raise ImageReadError(
            "The folder holds no images.",
            where=str(folder),
            remedy=f"Images end in {', '.join(IMAGE_SUFFIXES)}; folders inside it are not searched.",
        )
    return images


def _natural_key(text: str) -> list[tuple[int, int, str]]:
    parts = re.split(r"(\d+)", text.lower())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]
