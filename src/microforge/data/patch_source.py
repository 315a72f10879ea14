"""Where patches are cut from: tensors on the device, or files read window by window."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from microforge.data.normalise import Normaliser
from microforge.networks.blocks import fold
from microforge.transfer import upload
from microforge.types import ArrayLike, Sample, Target, Window


@dataclass(frozen=True, eq=False)
class Resident:
    """Image, target and weight as one tensor ``(C+T+1)(Z)YX`` on the device, of the type that `patch_type` gives.

    Of a finer target each pixel's block is folded into channels, so that all three share the grid of the image; so do
    labels, int32 ``L(Z)YX``, where a task gives some.
    """

    data: Tensor
    labels: Tensor | None = None

    def cut(self, window: Window) -> Tensor:
        """Give a window ``(C+T+1)(Z)YX``."""
        return self.data[(slice(None), *window)]

    def cut_labels(self, window: Window) -> Tensor:
        """Give a window of the labels, ``L(Z)YX``; there must be some."""
        assert self.labels is not None
        return self.labels[(slice(None), *window)]


@dataclass(frozen=True, eq=False)
class Windowed:
    """The image stays where it is (a file, perhaps); target and weight wait in memory.

    `ones` is how many channels after `answer` are 1 everywhere: a weight that is not kept.
    """

    image: ArrayLike
    normaliser: Normaliser
    answer: npt.NDArray[np.floating[Any]]
    device: torch.device
    labels: npt.NDArray[np.int32] | None = None
    ones: int = 0

    def cut(self, window: Window) -> Tensor:
        """Read, normalise and upload a window ``(C+T+1)(Z)YX``."""
        image = self.normaliser(np.asarray(self.image[(slice(None), *window)]))
        kind = self.answer.dtype
        ones = np.ones((self.ones, *image.shape[1:]), kind)
        parts = np.concatenate([image.astype(kind), self.answer[(slice(None), *window)], ones])
        return upload(parts, self.device)

    def cut_labels(self, window: Window) -> Tensor:
        """Upload a window of the labels, ``L(Z)YX``; there must be some."""
        assert self.labels is not None
        return upload(np.ascontiguousarray(self.labels[(slice(None), *window)]), self.device)


Store = Resident | Windowed
#: Gives a window of something that lies on the grid of an image.
Cut = Callable[[Window], Tensor]


def store(sample: Sample, target: Target, normaliser: Normaliser, device: torch.device, limit: int) -> Store:
    """Put a sample where it can be cut from; one of more than `limit` bytes is read window by window."""
    shape, kind = tuple(sample.image.shape), patch_type(normaliser)
    known = () if target.weight is None else (target.weight,)
    answer = _folded(np.concatenate([target.value, *known]).astype(kind), shape)
    ones = 0 if known else (target.value.shape[-1] // shape[-1]) ** 2
    labels = None if target.labels is None else _folded(target.labels.astype(np.int32), shape)
    size = kind.itemsize * (answer.size + (shape[0] + ones) * prod(shape[1:]))
    size += 0 if labels is None else 4 * labels.size
    if size > limit:
        return Windowed(sample.image, normaliser, answer, device, labels, ones)
    image = normaliser(np.asarray(sample.image)).astype(kind)
    kept = None if labels is None else torch.from_numpy(labels).to(device)
    parts = np.concatenate([image, answer, np.ones((ones, *shape[1:]), kind)])
    return Resident(torch.from_numpy(parts).to(device), kept)


def patch_type(normaliser: Normaliser) -> np.dtype[Any]:
    """Give the type of stored pixels: float16 holds what is normalised, but recorded intensities only up to 65,504."""
    return np.dtype(np.float16 if normaliser.compresses else np.float32)


def _folded(answer: npt.NDArray[Any], image: tuple[int, ...]) -> npt.NDArray[Any]:
    """Bring a finer ``C(Z)YX`` to the grid of an image."""
    finer = answer.shape[-1] // image[-1]
    factors = [1] * (len(image) - 3) + [finer, finer]
    return np.asarray(fold(torch.from_numpy(answer)[None], factors)[0].numpy()) if finer > 1 else answer


def cut_padded(cut: Cut, shape: tuple[int, ...], start: tuple[int, ...], size: tuple[int, ...]) -> Tensor:
    """Cut ``C(Z)YX`` of `size` at `start`; what lies outside the image is 0, its weight too."""
    stop = [a + n for a, n in zip(start, size, strict=True)]
    inside = tuple(slice(max(a, 0), min(b, n)) for a, b, n in zip(start, stop, shape, strict=True))
    part = cut(inside)
    missing = [(s.start - a, b - s.stop) for s, a, b in zip(inside, start, stop, strict=True)]
    if not any(sum(pair) for pair in missing):
        return part
    return functional.pad(part, [n for pair in reversed(missing) for n in pair])
