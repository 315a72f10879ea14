"""File names: find images in folders, natural sort order, stems, names that every system takes.

Come here too when something that is no ordinary file (a link to nowhere, a pipe) is passed over, or waited for.
"""

import glob
import os
import re
import stat
from collections.abc import Iterable, Sequence
from itertools import chain, count
from pathlib import Path

from microforge.errors import ImageReadError, readable

TIFF_SUFFIXES = (".tif", ".tiff", ".btf", ".tf8", ".lsm")
#: Slides of Aperio and Hamamatsu are TIFFs by another name.
SLIDE_SUFFIXES = (".svs", ".ndpi")
IMAGE_SUFFIXES = (*TIFF_SUFFIXES, ".png", ".jpg", ".jpeg", ".bmp", *SLIDE_SUFFIXES)
#: Signs that cannot be part of a file's name on every system.
_FORBIDDEN = re.compile(r'[\\/:*?"<>|\x00-\x1f]')


def find_images(inputs: Sequence[str | Path]) -> list[Path]:
    """Give the image files that files, folders and patterns such as ``data/*.tif`` stand for.

    Within a folder or pattern, files are in natural order (``t2`` before ``t10``); hidden files and files that are
    no images are left out; folders are not searched deeper. A file given by name is kept whatever its suffix. A file
    reached twice is given once. What has the name of an image but is no file (a link to a drive that is away, a
    socket) is given too: reading it says what it is, where leaving it out would look as if all were there.

    Raises
    ------
    ImageReadError
        If one of the inputs stands for no image.
    """
    found: dict[Path, Path] = {}
    for one in inputs:
        for path in _expand(one):
            found.setdefault(_place(path), path)
    return list(found.values())


def check_file(path: Path) -> None:
    """Refuse what cannot be read as a file, before it is opened: opening a pipe would wait for ever.

    Raises
    ------
    ImageReadError
        If there is nothing of this name, or a folder, a link to nowhere, a pipe, a socket or a device.
    PermissionError
        If the folder may not be looked into.
    """
    try:
        mode = path.stat().st_mode
    except PermissionError:
        raise
    except (OSError, ValueError) as error:
        raise _absent(path) from error
    if stat.S_ISDIR(mode):
        raise ImageReadError("This is a folder, not an image file.", where=str(path), remedy="Choose a file in it.")
    if not stat.S_ISREG(mode):
        kind = next((name for is_kind, name in _SPECIAL if is_kind(mode)), "device")
        raise ImageReadError(
            f"This is a {kind}, not a file that holds an image.",
            where=str(path),
            remedy="Give the image as a file of its own, or leave this one out.",
        )


_SPECIAL = ((stat.S_ISFIFO, "pipe"), (stat.S_ISSOCK, "socket"))


def _absent(path: Path) -> ImageReadError:
    if path.is_symlink():
        return ImageReadError(
            f"The file it points to is not there ({os.readlink(path)}): is the drive connected?",
            where=str(path),
            remedy="Connect the drive or fetch the file (DataLad: datalad get), or remove the link.",
        )
    return ImageReadError("There is no such file.", where=str(path), remedy="Check the name.")


def _place(path: Path) -> Path:
    """Give where a file really is; links to nowhere stay apart, as each of them is missed on its own."""
    return Path(os.path.realpath(path)) if path.exists() else path.absolute()


def natural_order(paths: Iterable[Path]) -> list[Path]:
    """Sort paths as a person would: numbers by value, capitals as small letters."""
    return sorted(paths, key=lambda path: (_natural_key(str(path)), str(path)))


def image_stem(path: Path) -> str:
    """Give the name without suffix, and without ``.ome`` before it, as a text that can be written anywhere."""
    stem = readable(path.stem)
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
    if os.path.lexists(path):
        return [path]
    matches = [Path(match) for match in glob.glob(str(one), recursive=True)]
    images = natural_order(match for match in matches if is_image_name(match) and not match.is_dir())
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
    images = natural_order(path for path in folder.iterdir() if is_image_name(path) and not path.is_dir())
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
