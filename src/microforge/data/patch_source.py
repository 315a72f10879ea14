"""Where a sample waits to be cut: on the device where it fits, else as files, read window by window."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from microforge.data.normalise import Normaliser
from microforge.networks.blocks import fold
from microforge.types import ArrayLike, Sample, Target, Window


@dataclass(frozen=True, eq=False)
class Resident:
    """Image, target and weight as one float16 tensor ``(C+T+1)(Z)YX`` on the device.

    Of a finer target each pixel's block is folded into channels, so that all three share the grid of the image.
    """

    data: Tensor

    def cut(self, window: Window) -> Tensor:
        """Give a window ``(C+T+1)(Z)YX``."""
        return self.data[(slice(None), *window)]


@dataclass(frozen=True, eq=False)
class Windowed:
    """The image stays where it is (a file, perhaps); target and weight wait in memory as float16."""

    image: ArrayLike
    normaliser: Normaliser
    answer: npt.NDArray[np.float16]
    device: torch.device

    def cut(self, window: Window) -> Tensor:
        """Read, normalise and upload a window ``(C+T+1)(Z)YX``."""
        image = self.normaliser(np.asarray(self.image[(slice(None), *window)]))
        both = np.concatenate([image.astype(np.float16), self.answer[(slice(None), *window)]])
        return torch.from_numpy(both).to(self.device)


Store = Resident | Windowed


def store(sample: Sample, target: Target, normaliser: Normaliser, device: torch.device, limit: int) -> Store:
    """Put a sample where it can be cut from; one of more than `limit` bytes is read window by window."""
    answer = _folded(np.concatenate([target.value, target.weight]).astype(np.float16), sample.image.shape)
    size = 2 * (answer.size + int(np.prod(sample.image.shape)))
    if size > limit:
        return Windowed(sample.image, normaliser, answer, device)
    image = normaliser(np.asarray(sample.image)).astype(np.float16)
    return Resident(torch.from_numpy(np.concatenate([image, answer])).to(device))


def _folded(answer: npt.NDArray[np.float16], image: tuple[int, ...]) -> npt.NDArray[np.float16]:
    """Bring a finer ``C(Z)YX`` to the grid of an image."""
    finer = answer.shape[-1] // image[-1]
    factors = [1] * (len(image) - 3) + [finer, finer]
    return np.asarray(fold(torch.from_numpy(answer)[None], factors)[0].numpy()) if finer > 1 else answer


def cut_padded(source: Store, shape: tuple[int, ...], start: tuple[int, ...], size: tuple[int, ...]) -> Tensor:
    """Cut ``(C+T+1)(Z)YX`` of `size` at `start`; what lies outside the image is 0, its weight too."""
    stop = [a + n for a, n in zip(start, size, strict=True)]
    inside = tuple(slice(max(a, 0), min(b, n)) for a, b, n in zip(start, stop, shape, strict=True))
    part = source.cut(inside)
    missing = [(s.start - a, b - s.stop) for s, a, b in zip(inside, start, stop, strict=True)]
    if not any(sum(pair) for pair in missing):
        return part
    return functional.pad(part, [n for pair in reversed(missing) for n in pair])
