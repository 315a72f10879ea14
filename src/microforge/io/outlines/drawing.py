"""Draw outlines as a label image: come here when an object holds the wrong pixels, or lies above what it should not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from microforge.axes.areas import Area, enclosed
from microforge.types import Array, Doubles, Image


@dataclass(frozen=True, eq=False)
class ObjectOutline:
    """One object as it was drawn.

    Attributes
    ----------
    parts
        Pieces of it, each a line ``(N, 2)`` along Y and X with those of its holes after it, in pixels; whole numbers
        are the centres of pixels.
    mask
        bool ``YX`` of the whole plane instead, where pixels were kept.
    plane, frame
        Where in a stack and a time series it lies, from 0; None: in all.
    """

    parts: Sequence[Sequence[Doubles]] = ()
    mask: Array | None = None
    plane: int | None = None
    frame: int | None = None

    def areas(self, shape: tuple[int, int]) -> list[Area]:
        """Give its pieces on a plane of this shape."""
        if self.mask is not None:
            return [Area((slice(0, shape[0]), slice(0, shape[1])), self.mask)]
        return [enclosed(lines, shape) for lines in self.parts]

    def reaches_beyond(self, shape: tuple[int, int]) -> bool:
        """Tell whether some of it lies outside a plane of this shape."""
        lines = [line for part in self.parts for line in part]
        return any(bool((line < -1).any() or (line > shape).any()) for line in lines)


def drawn_labels(outlines: Sequence[ObjectOutline], image: Image) -> tuple[Image, list[str]]:
    """Draw outlines in their order on an image, later ones above earlier ones.

    Returns
    -------
    tuple
        int32 labels 1, 2, 3 ... ``(T)(Z)YX`` of the image's size, and what is to be said: overlaps, what was cut.
    """
    axes = "".join(letter for letter in "TZYX" if letter in image.axes)
    labels = np.zeros([image.data.shape[image.axes.index(letter)] for letter in axes], np.int32)
    shared = 0
    for number, outline in enumerate(outlines, start=1):
        plane = labels[_place(outline, axes, labels.shape)]
        for area in outline.areas((labels.shape[-2], labels.shape[-1])):
            window: tuple[Any, ...] = (..., *area.window)
            here = plane[window]
            inside = np.broadcast_to(area.mask, here.shape)
            shared += int(np.count_nonzero((here > 0) & (here != number) & inside))
            here[inside] = number
    notes = _notes(outlines, labels, shared)
    return Image(image.name, labels, axes), notes


def _place(outline: ObjectOutline, axes: str, shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Give the planes and frames it lies in; a place that the image lacks is none."""
    # ImageJ may note the frame of a series as a plane.
    frame = outline.plane if outline.frame is None and "Z" not in axes else outline.frame
    places = {"T": frame, "Z": outline.plane}
    wanted = [places[letter] for letter in axes[:-2]]
    return tuple(slice(None) if at is None else slice(at, at + 1) for at in wanted)


def _notes(outlines: Sequence[ObjectOutline], labels: Array, shared: int) -> list[str]:
    size = (labels.shape[-2], labels.shape[-1])
    cut = sum(outline.reaches_beyond(size) for outline in outlines)
    hidden = len(outlines) - len(np.unique(labels[labels > 0]))
    return [
        text
        for count, text in (
            (shared, f"Outlines overlap in {shared:,} pixels: the later one in the file lies on top."),
            (cut, f"{cut} of {len(outlines)} outlines reach beyond the image and were cut there."),
            (hidden, f"{hidden} of {len(outlines)} outlines hold no pixel: they lie outside or below others."),
        )
        if count
    ]
