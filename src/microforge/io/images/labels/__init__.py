"""What only label images must be asked: whether their compression lost numbers, and what colours stand for."""

from microforge.io.images.labels.colours import numbers_of_colours
from microforge.io.images.labels.compression import lossy_compression
from microforge.io.images.labels.mask_folder import joined_masks

__all__ = ["joined_masks", "lossy_compression", "numbers_of_colours"]
