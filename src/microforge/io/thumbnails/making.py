"""Make a small picture of an image: one plane of it, in grey or in the colours of its channels."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from microforge.intensities import plain
from microforge.io.images import read_image
from microforge.types import Array, Image

Picture = npt.NDArray[np.uint8]

#: Percentiles that become black and white; pixels that are looked at for a pixel of the picture, along each side.
_DARK, _BRIGHT, _LOOKED_AT = 0.5, 99.8, 4
#: Red, green and blue of channels, by how many there are; more channels than these are not shown.
_COLOURS = {
    1: ((1.0, 1.0, 1.0),),
    2: ((0.0, 1.0, 0.0), (1.0, 0.0, 1.0)),
    3: ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.4, 1.0)),
}


def read_thumbnail(path: Path, side: int) -> Picture:
    """Read an image file and make a small picture of it.

    Raises
    ------
    ImageReadError
        As `microforge.io.images.read_image`.
    """
    return thumbnail_of(read_image(path), side)


def thumbnail_of(image: Image, side: int) -> Picture:
    """Make a small picture of an image: of a stack its middle plane, of a time series its first time point.

    Parameters
    ----------
    image
        Of any real dtype, perhaps on disk: only every so manyth pixel is read where its array can do that.
    side
        Most pixels of the picture along each side; small images stay as they are.

    Returns
    -------
    array
        uint8 ``YXS`` of red, green and blue.
    """
    plane, letters = _plane(image, side * _LOOKED_AT)
    if letters.endswith("S"):
        return _smaller(_in_bytes(plane), side)
    channels = plane if letters.startswith("C") else plane[None]
    channels = channels[: len(_COLOURS)]
    shares = np.array(_COLOURS[len(channels)], np.float32)
    mixed = np.einsum("cyx,cs->yxs", np.stack([_stretched(channel) for channel in channels]), shares)
    return _smaller(np.clip(mixed * 255, 0, 255).astype(np.uint8), side)


def _plane(image: Image, most: int) -> tuple[Array, str]:
    """Give every so manyth pixel of one plane, and its axes: ``(C)YX`` or ``YXS``."""
    shape = dict(zip(image.axes, image.data.shape, strict=True))
    step = max(1, max(shape["Y"], shape["X"]) // most)
    middle = {"T": 0, "Z": shape.get("Z", 1) // 2}
    window = tuple(
        middle[letter] if letter in middle else slice(None, None, step if letter in "YX" else None)
        for letter in image.axes
    )
    letters = image.axes.replace("T", "").replace("Z", "")
    order = [letters.index(letter) for letter in "CYXS" if letter in letters]
    return np.asarray(image.data[window]).transpose(order), "".join(letters[place] for place in order)


def _stretched(channel: Array) -> npt.NDArray[np.float32]:
    """Give a channel from 0 to 1; all of it dark where it is even, or has no number in it."""
    values = plain(channel)
    dark, bright = np.percentile(values, (_DARK, _BRIGHT)) if values.size else (0.0, 0.0)
    if not bright > dark:
        return np.zeros(channel.shape, np.float32)
    return np.clip((values - dark) / (bright - dark), 0, 1).astype(np.float32)


def _in_bytes(colours: Array) -> Picture:
    if colours.dtype == np.uint8:
        return colours.astype(np.uint8)
    values = plain(colours)
    top = np.iinfo(colours.dtype).max if np.issubdtype(colours.dtype, np.integer) else max(float(values.max()), 1.0)
    made: Picture = np.clip(values * (255 / top), 0, 255).astype(np.uint8)
    return made


def _smaller(picture: Picture, side: int) -> Picture:
    """Average blocks of pixels, so that small bright things stay visible; whole blocks only."""
    factor = -(-max(picture.shape[:2]) // side)
    height, width = (max(1, n // factor) for n in picture.shape[:2])
    blocks = picture[: height * factor, : width * factor]
    if factor == 1 or blocks.shape[:2] != (height * factor, width * factor):
        return np.ascontiguousarray(picture[:: max(factor, 1), :: max(factor, 1)])
    means = blocks.reshape(height, factor, width, factor, 3).mean(axis=(1, 3))
    return np.ascontiguousarray(means.astype(np.uint8))
