"""Loss functions (cross entropy, Dice, squared and absolute error, SSIM) on raw outputs, weighted per pixel."""

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


def absolute_error(output: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Mean absolute difference (L1)."""
    return weighted_mean((output - target).abs(), weight)


def squared_error(output: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Mean squared difference (MSE)."""
    return weighted_mean((output - target) ** 2, weight)


def dissimilarity(output: Tensor, target: Tensor, weight: Tensor, span: float = 1.0) -> Tensor:
    """One minus the structural similarity in windows of 7 pixels (Wang et al. 2004, doi 10.1109/TIP.2003.819861).

    `span` is the range of intensities. Windows lie in planes, those of a stack too.
    """
    x, y, w = (t.reshape(-1, 1, *t.shape[-2:]) for t in (output, target, weight.expand_as(output)))

    def mean(values: Tensor) -> Tensor:
        return functional.avg_pool2d(values, 7, stride=2)

    mx, my = mean(x), mean(y)
    vx, vy, vxy = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    small, smaller = (0.01 * span) ** 2, (0.03 * span) ** 2
    similarity = (2 * mx * my + small) * (2 * vxy + smaller)
    similarity = similarity / ((mx * mx + my * my + small) * (vx + vy + smaller))
    return weighted_mean(1 - similarity, mean(w))
