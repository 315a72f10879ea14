"""What a step does with less where memory was short: fewer patches, then smaller ones."""

from dataclasses import replace

from microforge.data.sampler import Sampler
from microforge.errors import OutOfMemoryError
from microforge.events import RunAdvice


def draw_less(sampler: Sampler, stride: tuple[int, ...]) -> RunAdvice:
    """Make the batches of a sampler smaller, and say so.

    Parameters
    ----------
    stride
        Sides of patches are multiples of it, along ``(Z)YX``.

    Raises
    ------
    OutOfMemoryError
        If a single patch can be no smaller.
    """
    patch, size = sampler.augmentation.patch, sampler.batch_size
    if size > 1:
        sampler.batch_size = size // 2
        return RunAdvice(f"memory {size}", f"Memory was short: {size // 2} instead of {size} patches a step.")
    smaller = tuple(max(n // 2 // s * s, s) for n, s in zip(patch, stride, strict=True))
    if smaller == patch:
        raise OutOfMemoryError(
            "There is too little memory even for the smallest patch.",
            remedy="Close other programs, choose a narrower network under Advanced, or use another device.",
        )
    sampler.augmentation = replace(sampler.augmentation, patch=smaller)
    return RunAdvice(f"memory {patch}", f"Memory was short: patches of {smaller} instead of {patch} pixels.")
