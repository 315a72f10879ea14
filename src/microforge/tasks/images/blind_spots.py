"""Hiding pixels: a network that must guess a pixel from its neighbours learns the signal, as noise cannot be guessed.

Noise2Void (Krull et al. 2019, arXiv 1811.10980); for striped noise a line of pixels is hidden (Broaddus et al. 2020,
doi 10.1109/ISBI45749.2020.9098336).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from microforge.types import Array

if TYPE_CHECKING:
    import torch

Stripes = Literal["none", "horizontal", "vertical"]
#: Hidden pixels take the value of a random neighbour at most so far away.
NEIGHBOURHOOD = 2
#: Pixels of a stripe hidden to either side of the one to be guessed.
STRIPE = 4


@dataclass(frozen=True, eq=False)
class BlindSpots:
    """Pixels to hide and where their new values come from, as flat indices ``NCK``; `asked` are to be guessed."""

    hidden: npt.NDArray[np.int64]
    source: npt.NDArray[np.int64]
    asked: npt.NDArray[np.int64]


def draw_positions(shape: tuple[int, ...], share: float, stripes: Stripes, rng: np.random.Generator) -> BlindSpots:
    """Choose at random which pixels of images ``NC(Z)YX`` to hide.

    Parameters
    ----------
    share
        Part of the pixels to be guessed, 0..1.
    stripes
        With stripes the pixels to either side are hidden as well, and new values come from other rows (or columns).
    """
    height, width = shape[-2:]
    pixels = int(np.prod(shape[2:]))
    count = max(1, round(share * pixels))
    asked = rng.integers(pixels, size=(*shape[:2], count))
    if stripes == "none":
        hidden = asked
    else:
        steps = np.arange(-STRIPE, STRIPE + 1)
        along, length, stride = (
            (asked % width, width, 1) if stripes == "horizontal" else (asked // width % height, height, width)
        )
        places = np.clip(along[..., None] + steps, 0, length - 1)
        hidden = (asked[..., None] + (places - along[..., None]) * stride).reshape(*shape[:2], -1)
    return BlindSpots(hidden, _neighbours(hidden, (height, width), stripes, rng), asked)


def _neighbours(
    places: npt.NDArray[np.int64], size: tuple[int, int], stripes: Stripes, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Give a random neighbour in the plane for each place, never itself, nor in its row where rows are hidden."""
    height, width = size
    offsets = [
        (dy, dx)
        for dy in range(-NEIGHBOURHOOD, NEIGHBOURHOOD + 1)
        for dx in range(-NEIGHBOURHOOD, NEIGHBOURHOOD + 1)
        if dy or dx
    ]
    if stripes != "none":
        across = 0 if stripes == "horizontal" else 1
        offsets = [offset for offset in offsets if offset[across]]
    moves = np.array(offsets)[rng.integers(len(offsets), size=places.shape)]
    y, x = places // width % height, places % width
    new_y, new_x = _reflected(y, moves[..., 0], height), _reflected(x, moves[..., 1], width)
    return np.asarray(places + (new_y - y) * width + (new_x - x), np.int64)


def _reflected(place: npt.NDArray[np.int64], move: npt.NDArray[np.int64], length: int) -> npt.NDArray[np.int64]:
    moved = place + move
    inside = (moved >= 0) & (moved < length)
    return np.asarray(np.clip(np.where(inside, moved, place - move), 0, length - 1), np.int64)


def hide(images: "torch.Tensor", positions: BlindSpots) -> tuple["torch.Tensor", "torch.Tensor"]:
    """Give images ``NC(Z)YX`` with pixels hidden, and a mask of the same shape, 1 where a pixel is to be guessed."""
    import torch

    hidden, source, asked = (
        torch.from_numpy(indices).to(images.device, non_blocking=True)
        for indices in (positions.hidden, positions.source, positions.asked)
    )
    flat = images.flatten(2)
    seen = flat.scatter(2, hidden, flat.gather(2, source))
    mask = torch.zeros_like(flat).scatter_(2, asked, 1.0)
    return seen.view(images.shape), mask.view(images.shape)


def hide_array(image: Array, positions: BlindSpots) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Do to one image ``C(Z)YX`` what `hide` does; positions as for a batch of one."""
    flat = image.reshape(len(image), -1)
    seen, mask = flat.copy(), np.zeros(flat.shape, bool)
    np.put_along_axis(seen, positions.hidden[0], np.take_along_axis(flat, positions.source[0], 1), 1)
    np.put_along_axis(mask, positions.asked[0], True, 1)
    return seen.reshape(image.shape), mask.reshape(image.shape)
