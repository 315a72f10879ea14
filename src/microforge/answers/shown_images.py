"""Take a predicted image apart into what becomes layers, one channel or all; come here for how results are shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from microforge.intensities import usable
from microforge.types import Array, Image, Prediction

#: What images are called that are not the answer of a task but a by-product of labels.
PROBABILITY = "probability"
#: Shown from and to, in percent of the pixels, where the source does not say.
_SHOWN = (0.2, 99.9)
_PIXELS_READ = 1 << 18
#: The colour people expect of a stain; the first that is part of its name.
_KNOWN = {
    "blue": ("dapi", "hoechst", "nucle", "dna"),
    "green": ("gfp", "fitc", "488", "venus", "yfp"),
    "red": ("rfp", "cherry", "tritc", "texas", "594", "568", "561"),
    "magenta": ("cy5", "647", "far red"),
}
_OTHERS = ("cyan", "magenta", "yellow", "green", "red", "blue")


@dataclass(frozen=True, eq=False)
class ShownImage:
    """What becomes one layer.

    Attributes
    ----------
    title
        Name of the channel where there are several; else empty.
    axes
        Of the data, in the order of the source; ends in S for colour.
    finer
        How many times finer YX is than that of the source.
    limits
        Darkest and brightest value shown; None: as the source is shown.
    colour
        Colour map; empty: that of the source.
    """

    title: str
    data: Array
    axes: str
    finer: int
    limits: tuple[float, float] | None = None
    colour: str = ""

    @property
    def like_source(self) -> bool:
        """Whether it is in the intensities of its source, and shown as that is."""
        return self.limits is None


def shown_images(prediction: Prediction, image: Image, *, keeps_intensities: bool) -> tuple[ShownImage, ...]:
    """Give what becomes layers: one like the source where it shows the same channels, else one per channel."""
    data = prediction.image
    if data is None or prediction.image_name == PROBABILITY:
        return ()
    finer = max(1, data.shape[-1] // image.data.shape[image.axes.index("X")])
    letters = "".join(letter for letter in "TCZYX" if letter in image.axes or letter == "C")
    if keeps_intensities and _same_channels(image, data.shape[letters.index("C")]):
        return (_like_source(data, letters, image, finer),)
    channels = np.moveaxis(data, letters.index("C"), 0)
    letters = letters.replace("C", "")
    order = [letter for letter in image.axes if letter in letters]
    names = prediction.channel_names if len(prediction.channel_names) == len(channels) else ()
    titles = names or tuple(str(k + 1) if len(channels) > 1 else "" for k in range(len(channels)))
    return tuple(
        ShownImage(title, _ordered(channel, letters, order), "".join(order), finer, limits_of(channel), colour)
        for title, channel, colour in zip(titles, channels, colours(titles), strict=True)
    )


def limits_of(data: Array) -> tuple[float, float]:
    """Give from where to where an image is shown, from a part of its pixels."""
    step = max(1, data.size // _PIXELS_READ)
    values = np.asarray(data).reshape(-1)[::step]
    values = values[usable(values)]
    if values.size == 0:
        return 0.0, 1.0
    low, high = (float(value) for value in np.percentile(values, _SHOWN))
    return (low, high) if high > low else (low, low + 1.0)


def colours(names: Sequence[str]) -> list[str]:
    """Give each channel a colour map: the usual one where its name tells, else one that is not taken."""
    found = [next((c for c, words in _KNOWN.items() if any(w in name.lower() for w in words)), "") for name in names]
    kept = [colour if colour and colour not in found[:k] else "" for k, colour in enumerate(found)]
    free = [colour for colour in _OTHERS if colour not in kept]
    return [colour or (free.pop(0) if free else "gray") for colour in kept]


def _same_channels(image: Image, count: int) -> bool:
    if "C" in image.axes and "S" in image.axes:
        return False
    channels = [image.data.shape[image.axes.index(letter)] for letter in "CS" if letter in image.axes]
    return count == (channels[0] if channels else 1)


def _like_source(data: Array, letters: str, image: Image, finer: int) -> ShownImage:
    """Give the dimensions of the source: its channel axis, its colours, or none."""
    if "S" in image.axes:
        letters = letters.replace("C", "S")
        data = in_type(data, np.dtype(image.data.dtype))
    elif "C" not in image.axes:
        data, letters = np.take(data, 0, letters.index("C")), letters.replace("C", "")
    return ShownImage("", _ordered(data, letters, image.axes), image.axes, finer)


def _ordered(data: Array, letters: str, order: Sequence[str]) -> Array:
    return data.transpose([letters.index(letter) for letter in order])


def in_type(data: Array, dtype: np.dtype[Any]) -> Array:
    """Give colours rounded in the type of their source: a viewer shows them as they are."""
    if dtype.kind not in "ui":
        return data
    limits = np.iinfo(dtype)
    return np.clip(np.rint(data), limits.min, limits.max).astype(dtype)
