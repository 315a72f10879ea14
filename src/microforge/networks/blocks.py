"""Building blocks of the U-Net (convolutions, pixel folding, interpolation) in 2D and 3D."""

from collections.abc import Sequence
from math import prod

from torch import Tensor, nn
from torch.nn import functional


def convolution(dims: int, inputs: int, outputs: int, kernel: Sequence[int]) -> nn.Conv2d | nn.Conv3d:
    """Give a convolution that keeps the size, with He's initialisation (He et al. 2015, arXiv 1502.01852)."""
    kind: type[nn.Conv2d] | type[nn.Conv3d] = nn.Conv2d if dims == 2 else nn.Conv3d
    layer = kind(inputs, outputs, tuple(kernel), padding=tuple(k // 2 for k in kernel))  # type: ignore[arg-type]
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer


class DoubleConvolution(nn.Sequential):
    """Two convolutions with ReLU, without normalisation layers.

    Normalisation layers tie a pixel's result to the rest of its batch or tile: with small batches they misbehave,
    and tiles of another size give another answer. Initialised with unit gain and trained with orthogonalised
    updates the network needs none; on nuclei it also learnt faster than with batch normalisation.
    """

    def __init__(self, dims: int, inputs: int, outputs: int, kernel: Sequence[int]) -> None:
        super().__init__(
            convolution(dims, inputs, outputs, kernel),
            nn.ReLU(inplace=True),
            convolution(dims, outputs, outputs, kernel),
            nn.ReLU(inplace=True),
        )


def fold(x: Tensor, factors: Sequence[int]) -> Tensor:
    """Move blocks of pixels into channels: ``NC(Z)YX`` to ``N(C*blocks)(Z/fz)(Y/fy)(X/fx)``."""
    if prod(factors) == 1:
        return x
    dims, (n, c), size = len(factors), x.shape[:2], x.shape[2:]
    split = [part for s, f in zip(size, factors, strict=True) for part in (s // f, f)]
    x = x.reshape(n, c, *split)
    blocks, inner = range(2, 2 + 2 * dims, 2), range(3, 3 + 2 * dims, 2)
    x = x.permute(0, 1, *inner, *blocks)
    return x.reshape(n, c * prod(factors), *(s // f for s, f in zip(size, factors, strict=True)))


def unfold(x: Tensor, factors: Sequence[int]) -> Tensor:
    """Undo `fold`."""
    if prod(factors) == 1:
        return x
    dims, n, size = len(factors), x.shape[0], x.shape[2:]
    x = x.reshape(n, -1, *factors, *size)
    order = [axis for d in range(dims) for axis in (2 + dims + d, 2 + d)]
    x = x.permute(0, 1, *order)
    return x.reshape(n, -1, *(s * f for s, f in zip(size, factors, strict=True)))


def enlarge(x: Tensor, factor: int) -> Tensor:
    """Interpolate ``NC(Z)YX`` onto a grid whose YX is `factor` times finer (bicubic; same outer edges)."""
    if factor == 1:
        return x
    planes = x.reshape(-1, 1, *x.shape[-2:]).float()
    finer = functional.interpolate(planes, scale_factor=float(factor), mode="bicubic", align_corners=False)
    return finer.reshape(*x.shape[:-2], *finer.shape[-2:])
