"""Pairs of input and target images (noisy and clean, transmitted light and stain)."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from microforge.annotations.base import AnnotationKind
from microforge.axes.samples import to_image_pairs
from microforge.io.files import image_stem
from microforge.io.images import read_image
from microforge.io.pairing import Pair
from microforge.types import Image, Sample


class ImagePairs(AnnotationKind):
    """Images and their targets, from folders of the same names, one for each channel wanted."""

    name: ClassVar[str] = "image"
    drawn: ClassVar[str] = "targets"
    partner: ClassVar[str] = "target"
    folder: ClassVar[str] = "a folder of the images wanted, with the names of the images"
    several: ClassVar[bool] = True

    def read(self, image: Image, pair: Pair, axes: str | None, target_axes: str | None) -> list[Sample]:
        """Read the targets."""
        paths = [path for path in (pair.annotation, *pair.others) if path is not None]
        return to_image_pairs(image, [_target(path, pair, axes, target_axes) for path in paths])


IMAGE_PAIRS = ImagePairs()


def _target(path: Path, pair: Pair, axes: str | None, target_axes: str | None) -> Image:
    """Read a target; a file that does not fit the given axes keeps what it says of itself."""
    target = read_image(path, target_axes)
    target = replace(target, name=_target_name(path, pair))
    if axes is None or target_axes is not None or "S" in target.axes:
        return target
    given = axes.strip().upper()
    for letters in (given, given.replace("C", "").replace("S", "")):
        if len(letters) == target.data.ndim:
            return replace(target, axes=letters, axes_known=True, channel_names=_kept_names(target, letters))
    return target


def _kept_names(target: Image, axes: str) -> tuple[str, ...]:
    channels = target.data.shape[axes.index("C")] if "C" in axes else 1
    return target.channel_names if len(target.channel_names) == channels else ()


def _target_name(path: Path, pair: Pair) -> str:
    """Give what a target shows: its folder's name where images and targets lie apart, for files differ in theirs."""
    paths = [one for one in (pair.image, pair.annotation, *pair.others) if one is not None]
    if len({one.parent for one in paths}) == len(paths):
        return path.parent.name
    return image_stem(path) if len(paths) > 2 else ""
