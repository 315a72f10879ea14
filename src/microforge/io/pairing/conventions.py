"""How challenges and programs name images and their labels: come here to add another way of naming.

Each row of the table is one convention, tried where the names themselves do not fit. Both patterns must match the whole
name without suffix, in small letters; what they hold in brackets must be the same.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from microforge.io.files import image_stem
from microforge.io.pairing.names import core


class Convention(NamedTuple):
    """Whose names they are, and what is compared of an image's and of its labels' name."""

    whose: str
    image: re.Pattern[str]
    labels: re.Pattern[str]

    @property
    def cores(self) -> tuple[Callable[[Path], str], Callable[[Path], str]]:
        """What is compared of images and of labels; names that are not so have none."""
        return _inner(self.image, "image"), _inner(self.labels, "labels")


CONVENTIONS = (
    Convention(
        "Cell Tracking Challenge", re.compile(r"t(\d{3,6})"), re.compile(r"(?:man_seg|man_track|mask)_?(\d{3,6})")
    ),
    Convention("nnU-Net", re.compile(r"(.+)_\d{4}"), re.compile(r"(.+)")),
)
#: Folders that label images lie in, inside the one that challenges call the folder of annotations.
INNER_FOLDERS = ("SEG", "TRA")
_CHANNEL = CONVENTIONS[1].image


def case_of_channel(path: Path) -> str:
    """Give the case that a file is one channel of, as nnU-Net numbers them; empty where the name has no such number."""
    found = _CHANNEL.fullmatch(image_stem(path).lower())
    return found[1] if found else ""


def foreign(folder: Path) -> str:
    """Say how to export what a folder holds of another program's files, by name; empty where it holds none."""
    files = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else [folder.name]
    cellpose = next((name for name in files if name.lower().endswith("_seg.npy")), "")
    if cellpose:
        return (
            f"{cellpose} is Cellpose's own file, in which anything may be hidden: it is never opened. In Cellpose: "
            "File > Save masks as PNG/tif, or Save outlines as ImageJ ROIs."
        )
    others = [name for name in files if name.lower().endswith((".npy", ".npz", ".mat", ".h5", ".csv", ".xml", ".txt"))]
    return f"{others[0]} is not read as labels: save them as TIFF or PNG." if others else ""


def plain_numbers(path: Path) -> str:
    """Give the name without words that tell images and labels apart, and its numbers without zeros before them."""
    return re.sub(r"\d+", lambda number: str(int(number[0])), core(path))


def _inner(pattern: re.Pattern[str], side: str) -> Callable[[Path], str]:
    def inner(path: Path) -> str:
        found = pattern.fullmatch(image_stem(path).lower())
        # Never the same on both sides.
        return found[1] if found else f"{side}: {path}"

    return inner
