"""Data augmentation of patches (flips, rotation, scale, elastic, intensity) on the device."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from microforge.config import AugmentationConfig

# Part of the batches that are warped; the others are mirrored and turned by right angles, which costs nothing.
WARPED = 0.5


@dataclass(frozen=True)
class Augmentation:
    """What to do to a batch; `patch` is the size to give, ``(Z)YX``."""

    config: AugmentationConfig
    patch: tuple[int, ...]

    def draw_warp(self, rng: np.random.Generator) -> bool:
        """Decide whether the next batch is warped, for which larger windows must be cut."""
        config = self.config
        wanted = config.interpolate and (config.rotate or config.scale > 1 or config.elastic > 0)
        return bool(wanted and rng.random() < WARPED)

    def window(self, warp: bool) -> tuple[int, ...]:
        """Size of the windows to cut, ``(Z)YX``: with a warp, large enough for any angle and scale."""
        if not warp:
            return self.patch
        reach = (math.sqrt(2) if self.config.rotate else 1.0) * self.config.scale
        side = [math.ceil(n * reach + 2 * self.config.elastic) for n in self.patch[-2:]]
        return (*self.patch[:-2], *(n + n % 2 for n in side))

    def warp(
        self, windows: Tensor, rng: np.random.Generator, labels: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Turn, scale, mirror and bend windows ``NC(Z)YX``; gives patches of the size wanted, their scale, and labels.

        The scale ``(N,)`` is how many pixels of the window a pixel of the patch stands for. The last channel is the
        weight: what lies outside a window gets weight 0. Labels ``NL(Z)YX`` are taken from the nearest pixel.
        """
        affine = np.stack([self._matrix(rng, windows.shape[-2:]) for _ in range(len(windows))])
        matrix = torch.from_numpy(affine.astype(np.float32)).to(windows.device)
        # Computed here and not on the device, which would load a library for it, and wait.
        scale = np.abs(np.linalg.det(affine[:, :, :2])) * np.prod(windows.shape[-2:]) / np.prod(self.patch[-2:])
        pixels = torch.from_numpy(scale.astype(np.float32)).to(windows.device)
        flat = windows.reshape(len(windows), -1, *windows.shape[-2:])  # planes of a stack are warped alike
        size = [len(windows), flat.shape[1], *self.patch[-2:]]
        grid = functional.affine_grid(matrix, size, align_corners=False)
        if self.config.elastic:
            grid = grid + self._bend(rng, grid, windows.shape[-2:])
        warped = functional.grid_sample(flat, grid, align_corners=False)
        patches = warped.reshape(*windows.shape[:-2], *self.patch[-2:])
        return patches, pixels, None if labels is None else _nearest(labels, grid)

    def _matrix(self, rng: np.random.Generator, window: torch.Size) -> np.ndarray:
        """Map output to input coordinates, both -1..1 as `affine_grid` wants them (x before y)."""
        angle = rng.uniform(0, 2 * math.pi) if self.config.rotate else 0.0
        limit = math.log(self.config.scale)
        zoom = math.exp(rng.uniform(-limit, limit))
        mirror = -1.0 if self.config.flip and rng.random() < 0.5 else 1.0
        (ph, pw), (h, w) = self.patch[-2:], window
        cos, sin = math.cos(angle) / zoom, math.sin(angle) / zoom
        return np.array([[mirror * cos * pw / w, -sin * ph / w, 0.0], [mirror * sin * pw / h, cos * ph / h, 0.0]])

    def _bend(self, rng: np.random.Generator, grid: Tensor, window: torch.Size) -> Tensor:
        coarse = rng.normal(size=(len(grid), 2, 4, 4)).astype(np.float32) * self.config.elastic / 2
        scale = torch.tensor([2 / window[1], 2 / window[0]], device=grid.device)
        smooth = functional.interpolate(
            torch.from_numpy(coarse).to(grid.device), size=grid.shape[1:3], mode="bicubic", align_corners=False
        )
        return smooth.permute(0, 2, 3, 1) * scale

    def turn(self, batches: Sequence[Tensor | None], rng: np.random.Generator) -> list[Any]:
        """Mirror batches and turn them by right angles; the same for all, as warping varies patches one by one."""
        first = batches[0]
        assert first is not None
        dims, square = first.ndim, first.shape[-1] == first.shape[-2]
        if not self.config.flip:
            return self._rotated(batches, rng, square=square)
        mirrors = [axis for axis in range(2, dims) if rng.random() < 0.5]
        turned = square and self.config.rotate and rng.random() < 0.5
        flipped = [batch.flip(mirrors) if batch is not None and mirrors else batch for batch in batches]
        return [batch.transpose(-1, -2) if batch is not None and turned else batch for batch in flipped]

    def _rotated(self, batches: Sequence[Tensor | None], rng: np.random.Generator, *, square: bool) -> list[Any]:
        """Turn only: exchanging rows and columns, as `turn` does, would mirror."""
        if not self.config.rotate:
            return list(batches)
        quarters = int(rng.integers(4)) if square else 2 * int(rng.integers(2))
        return [None if batch is None else torch.rot90(batch, quarters, (-2, -1)) for batch in batches]

    def change_intensity(self, image: Tensor, rng: np.random.Generator) -> Tensor:
        """Vary gain, offset and noise of normalised images ``NC(Z)YX``, each channel for itself."""
        strength = self.config.intensity
        if not strength:
            return image
        shape = (*image.shape[:2], *([1] * (image.ndim - 2)))
        gain = np.exp(rng.uniform(-strength, strength, shape)).astype(np.float32)
        offset = rng.uniform(-0.25 * strength, 0.25 * strength, shape).astype(np.float32)
        image = image * torch.from_numpy(gain).to(image.device) + torch.from_numpy(offset).to(image.device)
        if rng.random() < 0.3:
            seed = torch.Generator(device=image.device).manual_seed(int(rng.integers(2**31)))
            noise = torch.randn(image.shape, generator=seed, device=image.device)
            image = image + noise * float(rng.uniform(0, 0.25 * strength))
        return image


def _nearest(labels: Tensor, grid: Tensor) -> Tensor:
    """Take int32 labels ``NL(Z)YX`` at the nearest pixel of each place of a grid."""
    flat = labels.reshape(len(labels), -1, *labels.shape[-2:]).float()
    taken = functional.grid_sample(flat, grid, mode="nearest", align_corners=False)
    return taken.round().to(torch.int32).reshape(*labels.shape[:-2], *grid.shape[1:3])
