"""Examples made of a few painted objects: copies of them, turned and scaled, pasted side by side on known ground.

Eight objects hardly show how touching ones are told apart, and a network soon knows them by heart. Pasting what is
painted (Ghiasi et al. 2021, arXiv 2012.07177) shows both; come here for where copies are put and how they look.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from microforge.intensities import plain
from microforge.tasks.label_images import Box, cut_out
from microforge.types import Array, Floats, Sample

_Mask = npt.NDArray[np.bool_]

#: So many images are made of one, each with so many copies for every painted object, and no more copies than that.
IMAGES_MADE, COPIES, MOST_COPIES = 4, 3, 60
#: Larger images are left alone: each one made takes as much memory.
MOST_PIXELS = 4_500_000
#: Part of the copies that are pasted beside another object, and how much of a copy may cover that.
_BESIDE, _COVERING = 0.75, 0.08
#: A place is looked for so many times for each copy.
_TRIES = 6
#: Smallest and greatest enlargement along YX.
_SCALES = 0.85, 1.18
#: Width in pixels of the blur of a copy's edge, and how much is cut out around an object for it.
_SOFT, _AROUND = 0.7, 3


def pasted(sample: Sample, rng: np.random.Generator) -> Iterator[Sample]:
    """Give images like that of a sample with more objects, on ground that is known; none where that is too little.

    Parameters
    ----------
    sample
        Image ``C(Z)YX`` with int32 labels and a mask of what is known.
    """
    assert sample.annotation is not None
    if sample.size > MOST_PIXELS:
        return
    image, labels = plain(np.asarray(sample.image)), np.asarray(sample.annotation)
    copies = list(_cut_outs(image, labels))
    if not copies:
        return
    for _ in range(IMAGES_MADE):
        canvas = _Canvas(image, labels, sample.known)
        wanted = min(COPIES * len(copies), MOST_COPIES)
        for _ in range(_TRIES * wanted):
            wanted -= canvas.paste(_turned(copies[rng.integers(len(copies))], rng), rng)
            if not wanted:
                break
        yield replace(sample, image=canvas.image, annotation=canvas.labels)


class _Copy(NamedTuple):
    """An object with a little around it: pixels ``C(Z)YX``, and where it is ``(Z)YX``."""

    image: Floats
    inside: _Mask


class _Canvas:
    """An image that copies are pasted on."""

    def __init__(self, image: Floats, labels: Array, known: _Mask) -> None:
        self.image, self.labels, self.known = image.copy(), labels.astype(np.int32), known
        self.middles = [_middle(box) for _, box, _ in cut_out(labels)]
        self.next = int(self.labels.max()) + 1

    def paste(self, copy: _Copy, rng: np.random.Generator) -> bool:
        """Paste a copy where there is room for it; tells whether there was."""
        box = self._beside(copy, rng) if rng.random() < _BESIDE else self._anywhere(copy, rng)
        if box is None or not self.known[box][copy.inside].all():
            return False
        edge = ndimage.gaussian_filter(copy.inside.astype(np.float32), (*[0] * (len(box) - 2), _SOFT, _SOFT))
        at = (slice(None), *box)
        self.image[at] += edge * (copy.image - self.image[at])
        self.labels[box][copy.inside] = self.next
        self.middles.append(_middle(box))
        self.next += 1
        return True

    def _beside(self, copy: _Copy, rng: np.random.Generator) -> Box | None:
        """Move away from another object until hardly anything of it would be covered."""
        start, angle = self.middles[rng.integers(len(self.middles))], rng.uniform(0, 2 * np.pi)
        covered = _COVERING * rng.random() * copy.inside.sum()
        way = np.zeros(len(start))
        way[-2:] = np.sin(angle), np.cos(angle)
        for step in range(2, 3 * max(copy.inside.shape)):
            box = self._box(copy, start + step * way)
            if box is None:
                return None
            if (self.labels[box][copy.inside] > 0).sum() <= covered:
                return box
        return None

    def _anywhere(self, copy: _Copy, rng: np.random.Generator) -> Box | None:
        box = self._box(copy, rng.uniform(0, self.labels.shape))
        return None if box is None or (self.labels[box][copy.inside] > 0).any() else box

    def _box(self, copy: _Copy, middle: npt.NDArray[np.float64]) -> Box | None:
        """Give where a copy comes to lie; None where that is not inside the image."""
        starts = [round(float(m) - n / 2) for m, n in zip(middle, copy.inside.shape, strict=True)]
        box = tuple(slice(a, a + n) for a, n in zip(starts, copy.inside.shape, strict=True))
        fits = all(side.start >= 0 and side.stop <= n for side, n in zip(box, self.labels.shape, strict=True))
        return box if fits else None


def _cut_outs(image: Floats, labels: Array) -> Iterator[_Copy]:
    """Cut out every object that the border of the image does not cut."""
    for label, box, _ in cut_out(labels):
        if all(side.start > 0 and side.stop < n for side, n in zip(box[-2:], labels.shape[-2:], strict=True)):
            sides = [slice(max(side.start - _AROUND, 0), side.stop + _AROUND) for side in box[-2:]]
            wider = (*box[:-2], *sides)
            yield _Copy(image[(slice(None), *wider)], labels[wider] == label)


def _turned(copy: _Copy, rng: np.random.Generator) -> _Copy:
    """Turn a copy by any angle in the plane, mirror and scale it."""
    mirror = slice(None, None, 1 if rng.random() < 0.5 else -1)
    angle, scale = rng.uniform(0, 360), rng.uniform(*_SCALES)
    parts = []
    for part in (copy.image[..., mirror], copy.inside[..., mirror].astype(np.float32)):
        beyond = "nearest" if part.ndim > copy.inside.ndim else "constant"
        turned = ndimage.rotate(part, angle, (-1, -2), order=1, mode=beyond)
        parts.append(ndimage.zoom(turned, (*[1] * (part.ndim - 2), scale, scale), order=1))
    return _Copy(parts[0], parts[1] > 0.5)


def _middle(box: Box) -> npt.NDArray[np.float64]:
    return np.array([(side.start + side.stop) / 2 for side in box])
