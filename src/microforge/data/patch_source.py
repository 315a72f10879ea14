"""Where patches are cut from: tensors on the device, or files read window by window."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from microforge.data.normalise import Normaliser
from microforge.intensities import usable
from microforge.label_numbers import ClassPlanes
from microforge.networks.blocks import fold
from microforge.transfer import upload
from microforge.types import ArrayLike, Floats, Sample, Target, Window


@dataclass(frozen=True, eq=False)
class Resident:
    """Image, target and weight as one tensor ``(C+T+1)(Z)YX`` on the device, of the type that `patch_type` gives.

    Of a finer target each pixel's block is folded into channels, so that all three share the grid of the image; so do
    labels, int32 ``L(Z)YX``, where a task gives some. Of classes the numbers are kept, uint8 ``(Z)YX``, and `data` is
    ``(C+1)(Z)YX``.
    """

    data: Tensor
    labels: Tensor | None = None
    numbers: Tensor | None = None
    classes: int = 0

    def cut(self, window: Window) -> Tensor:
        """Give a window ``(C+T+1)(Z)YX``."""
        part = self.data[(slice(None), *window)]
        if self.numbers is None:
            return part
        classes = torch.arange(self.classes, dtype=torch.uint8, device=part.device)
        planes = self.numbers[window][None] == classes.reshape(-1, *[1] * len(window))
        return torch.cat([part[:-1], planes.to(part.dtype), part[-1:]])

    def cut_labels(self, window: Window) -> Tensor:
        """Give a window of the labels, ``L(Z)YX``; there must be some."""
        assert self.labels is not None
        return self.labels[(slice(None), *window)]


@dataclass(frozen=True, eq=False)
class Windowed:
    """The image stays where it is (a file, perhaps), and so do target and weight, ``C(Z)YX`` of `answers` in turn.

    `ones` is how many channels after these are 1 everywhere: a weight that is not kept.
    """

    image: ArrayLike
    normaliser: Normaliser
    answers: Sequence[ArrayLike]
    device: torch.device
    labels: npt.NDArray[np.int32] | None = None
    ones: int = 0

    def cut(self, window: Window) -> Tensor:
        """Read, normalise and upload a window ``(C+T+1)(Z)YX``."""
        inside, kind = (slice(None), *window), patch_type(self.normaliser)
        image = self.normaliser(np.asarray(self.image[inside])).astype(kind)
        ones = np.ones((self.ones, *image.shape[1:]), kind)
        parts = [image, *(np.asarray(answer[inside], kind) for answer in self.answers), ones]
        return upload(np.concatenate(parts), self.device)

    def cut_labels(self, window: Window) -> Tensor:
        """Upload a window of the labels, ``L(Z)YX``; there must be some."""
        assert self.labels is not None
        return upload(np.ascontiguousarray(self.labels[(slice(None), *window)]), self.device)


Store = Resident | Windowed
#: Gives a window of something that lies on the grid of an image.
Cut = Callable[[Window], Tensor]


class _Recorded:
    """A wanted image that is a file, and its weight, ``(C+1)(Z)YX``: read and normalised window by window."""

    def __init__(self, image: ArrayLike, normaliser: Normaliser, weight: npt.NDArray[np.float32] | None) -> None:
        self._image, self._normaliser, self._weight = image, normaliser, weight
        self.shape = (image.shape[0] + 1, *image.shape[1:])
        self.ndim, self.dtype = image.ndim, np.dtype(np.float32)

    def __getitem__(self, key: Any, /) -> Floats:
        """Read a window; what is no intensity counts for nothing."""
        read = np.asarray(self._image[key])
        known = usable(read).all(0, keepdims=True).astype(np.float32)
        return np.concatenate([self._normaliser(read), known if self._weight is None else known * self._weight[key]])


def store(sample: Sample, target: Target, normaliser: Normaliser, device: torch.device, limit: int) -> Store:
    """Put a sample where it can be cut from; one of more than `limit` bytes is read window by window."""
    shape, kind, value = tuple(sample.image.shape), patch_type(normaliser), target.value
    labels = None if target.labels is None else _folded(target.labels.astype(np.int32), shape)
    answers, ones = _answers(target, shape, normaliser, kind)
    planes = value if isinstance(value, ClassPlanes) else None
    channels = shape[0] + ones + sum(answer.shape[0] for answer in answers if answer is not planes)
    size = kind.itemsize * channels * prod(shape[1:])
    size += (0 if labels is None else labels.nbytes) + (0 if planes is None else planes.numbers.nbytes)
    if size > limit:
        return Windowed(sample.image, normaliser, answers, device, labels, ones)
    image = normaliser(np.asarray(sample.image)).astype(kind)
    read = [np.asarray(answer[:], kind) for answer in answers if answer is not planes]
    parts = torch.from_numpy(np.concatenate([image, *read, np.ones((ones, *shape[1:]), kind)])).to(device)
    kept_labels = None if labels is None else torch.from_numpy(labels).to(device)
    if planes is None:
        return Resident(parts, kept_labels)
    return Resident(parts, kept_labels, torch.from_numpy(planes.numbers).to(device), planes.shape[0])


def _answers(
    target: Target, shape: tuple[int, ...], normaliser: Normaliser, kind: np.dtype[Any]
) -> tuple[list[ArrayLike], int]:
    """Give target and weight, one after the other on the grid of the image, and how many channels of ones follow."""
    value, weight = target.value, target.weight
    if isinstance(value, np.ndarray):
        known = () if weight is None else (weight,)
        answer = _folded(np.concatenate([value, *known]).astype(kind), shape)
        return [answer], 0 if known else (value.shape[-1] // shape[-1]) ** 2
    if isinstance(value, ClassPlanes):
        return [value, *(() if weight is None else (weight.astype(kind),))], int(weight is None)
    return [_Recorded(value, normaliser, weight)], 0


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
