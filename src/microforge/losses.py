"""Losses on raw outputs, all weighted per pixel: where the weight is 0, nothing is learnt."""

import torch
from torch import Tensor
from torch.nn import functional


def weighted_mean(values: Tensor, weight: Tensor) -> Tensor:
    """Mean of `values` ``NC...`` weighted by `weight` ``N1...``; 0 where no pixel counts."""
    return (values * weight).sum() / (weight.sum() * values.shape[1]).clamp_min(1.0)


def binary_cross_entropy(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Cross entropy of independent probabilities; `target` 0..1, also soft."""
    values = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return weighted_mean(values, weight)


def cross_entropy(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Cross entropy of exclusive classes; `target` ``NK...`` holds class probabilities."""
    values = -(functional.log_softmax(logits, dim=1) * target).sum(dim=1, keepdim=True)
    return weighted_mean(values, weight)


def soft_dice(probability: Tensor, target: Tensor, weight: Tensor, smooth: float = 100.0) -> Tensor:
    """One minus the soft Dice coefficient (Milletari et al. 2016, arXiv 1606.04797), pooled over the batch per channel.

    Pooled, so that patches without a class do not pull at it; `smooth` is in pixels.
    """
    axes = [0, *range(2, probability.ndim)]
    overlap = (probability * target * weight).sum(axes)
    size = ((probability + target) * weight).sum(axes)
    return (1 - (2 * overlap + smooth) / (size + smooth)).mean()


def is_finite(loss: Tensor) -> bool:
    """Tell whether a loss can be learnt from."""
    return bool(torch.isfinite(loss).all())
