"""Small images of bright discs, some touching, with exact labels: enough to learn in seconds."""

import numpy as np

from microforge.types import Sample


def draw_discs(shape: tuple[int, ...] = (96, 96), count: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Give a uint16 image and int32 labels, both ``(Z)YX``."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(shape, np.int32)
    grid = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    for label in range(1, count + 1):
        middle = [rng.uniform(3, n - 3) for n in shape]
        radius = rng.uniform(4, 7)
        inside = sum((g - c) ** 2 for g, c in zip(grid, middle, strict=True)) < radius**2
        labels[inside & (labels == 0)] = label
    image = 200 + 800 * (labels > 0) * (0.7 + 0.3 * rng.random(count + 1)[labels]) + rng.normal(0, 30, shape)
    return image.clip(0).astype(np.uint16), labels


def disc_sample(name: str = "discs", seed: int = 0, shape: tuple[int, ...] = (96, 96), count: int = 12) -> Sample:
    image, labels = draw_discs(shape, count, seed)
    return Sample(name, image[None], labels)
