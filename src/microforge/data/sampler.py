"""Patch sampling for training: which image, where in it, cut and augmented, as tensors on the device."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from microforge.data.augment import Augmentation
from microforge.data.patch_source import Store, cut_padded
from microforge.networks.blocks import unfold
from microforge.types import Batch

# Part of the patches cut around an object (or a painted pixel); the others come from anywhere annotated.
FOCUSED = 0.8


@dataclass(frozen=True, eq=False)
class Source:
    """A sample ready for cutting: `focus` ``(N, D)`` and `extent` (annotated bounding box, ``(Z)YX`` slices).

    Several may be of one image, by its name: itself, and what was made of it; `share` is how often each is drawn.
    """

    name: str
    store: Store
    shape: tuple[int, ...]
    focus: npt.NDArray[np.float32]
    extent: tuple[slice, ...]
    share: float = 1.0


class Sampler:
    """Cut batches for ever; `state` can be kept and set, so that a run resumes exactly.

    Parameters
    ----------
    sources
        The samples; may be replaced one by one while training (`replace`).
    channels
        Number of image channels; the rest of a store's channels is target, the last one weight.
    object_sampling
        0: every image equally often; 1: as often as it has objects.
    upscale
        How many times finer the YX of target and weight is.
    margin
        Pixels along ``(Z)YX`` at the border of patches that are not learnt from, as the answer there depends on what
        lies outside; where the image itself ends they are.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        channels: int,
        batch_size: int,
        augmentation: Augmentation,
        object_sampling: float,
        seed: int,
        upscale: int = 1,
        ignored_border: Sequence[int] = (),
    ) -> None:
        self.sources = list(sources)
        self.channels, self.batch_size, self.augmentation = channels, batch_size, augmentation
        self.object_sampling = object_sampling
        self.finer = (*[1] * (len(augmentation.patch) - 2), upscale, upscale)
        self.rng = np.random.default_rng(seed)
        self.ignored_border = tuple(ignored_border) if any(ignored_border) else ()
        self._weigh()

    @property
    def state(self) -> Mapping[str, Any]:
        """State of the random numbers, as plain numbers."""
        return dict(self.rng.bit_generator.state)

    @state.setter
    def state(self, value: Mapping[str, Any]) -> None:
        self.rng.bit_generator.state = dict(value)

    def replace(self, *sources: Source) -> None:
        """Use what there is of a changed image from now on, or of a new one; all are of the same name."""
        names = [s.name for s in self.sources]
        name = sources[0].name
        at = names.index(name) if name in names else len(names)
        others = [source for source in self.sources if source.name != name]
        self.sources = [*others[:at], *sources, *others[at:]]
        self._weigh()

    def _weigh(self) -> None:
        share = np.array([source.share for source in self.sources], float)
        count = share * [len(source.focus) for source in self.sources]
        evenly = share / max(share.sum(), 1e-9)
        by_objects = count / count.sum() if count.sum() else evenly
        self.probability = (1 - self.object_sampling) * evenly + self.object_sampling * by_objects

    def draw(self) -> Batch:
        """Cut the next batch."""
        rng, augmentation = self.rng, self.augmentation
        warp = augmentation.draw_warp(rng)
        size = augmentation.window(warp)
        chosen = [self.sources[k] for k in rng.choice(len(self.sources), self.batch_size, p=self.probability)]
        starts = [self._start(source, size) for source in chosen]
        windows = torch.stack([cut_padded(s.store.cut, s.shape, a, size) for s, a in zip(chosen, starts, strict=True)])
        windows, area = windows.float(), torch.ones(len(windows), device=windows.device)
        labels = self._labels(chosen, starts, size)
        if warp:
            windows, area, labels = augmentation.warp(windows, rng, labels)
        for window, source, start in zip(windows, chosen, starts, strict=True):
            self._forget_border(window, start, None if warp else source.shape)
        image, answer = windows[:, : self.channels], unfold(windows[:, self.channels :], self.finer)
        labels = None if labels is None else unfold(labels, self.finer)
        if not warp:
            image, answer, labels = augmentation.turn([image, answer, labels], rng)
        image = augmentation.change_intensity(image, rng)
        layout = torch.channels_last if image.ndim == 4 else torch.channels_last_3d
        names = tuple(source.name for source in chosen)
        return Batch(image.contiguous(memory_format=layout), answer[:, :-1], answer[:, -1:], names, area, labels)

    def _labels(
        self, chosen: Sequence[Source], starts: Sequence[tuple[int, ...]], size: tuple[int, ...]
    ) -> torch.Tensor | None:
        """Cut the labels of the patches ``NL(Z)YX``; None where the task gives none."""
        if chosen[0].store.labels is None:
            return None
        cuts = [cut_padded(s.store.cut_labels, s.shape, a, size) for s, a in zip(chosen, starts, strict=True)]
        return torch.stack(cuts)

    def _start(self, source: Source, size: tuple[int, ...]) -> tuple[int, ...]:
        patch = np.array(self.augmentation.patch)
        middle = self._middle(source, patch)
        # Keep the patch (not the larger window) inside the image where the image is large enough.
        shape = np.array(source.shape)
        middle = np.clip(middle, np.minimum(patch, shape) / 2, np.maximum(shape - patch / 2, shape / 2))
        return tuple(int(c) - n // 2 for c, n in zip(middle, size, strict=True))

    def _forget_border(self, window: torch.Tensor, start: tuple[int, ...], shape: tuple[int, ...] | None) -> None:
        """Set the weight to 0 where a patch ends but its image (of `shape`; None: somewhere else) does not."""
        weight = window[-prod(self.finer) :]
        for axis, wanted in enumerate(self.ignored_border, start=1):
            length, first = weight.shape[axis], start[axis - 1]
            # Half of a patch is always learnt from, however small it is.
            ignored_border = min(wanted, length // 4)
            if ignored_border and (shape is None or first > 0):
                weight.narrow(axis, 0, ignored_border).zero_()
            if ignored_border and (shape is None or first + length < shape[axis - 1]):
                weight.narrow(axis, length - ignored_border, ignored_border).zero_()

    def _middle(self, source: Source, patch: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if len(source.focus) and self.rng.random() < FOCUSED:
            jitter = self.rng.uniform(-patch / 3, patch / 3)
            return np.asarray(source.focus[self.rng.integers(len(source.focus))] + jitter)
        low = np.array([side.start for side in source.extent], float)
        return self.rng.uniform(low, [max(side.stop, side.start + 1) for side in source.extent])
