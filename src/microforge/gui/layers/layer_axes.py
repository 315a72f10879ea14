"""What a layer's dimensions mean, how large its pixels are; come here when it is asked, or read, unlike its file.

What a person says is kept with the layer, so that all tabs, and all docks, know the same.
"""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from napari.layers import Layer

from microforge.axes.dimensions import Dimensions, complete_size
from microforge.axes.letters import check_axes, likely_axes, spatial_axes
from microforge.errors import AxesError
from microforge.types import PixelSize

#: The most dimensions that an image has, and letters for those that mean nothing.
_MOST, _OTHERS = "TCZYX", "tzcabdefghijklmno"
#: Where a layer keeps what a person said of it: letters, and micrometres by letter of Z, Y and X.
SAID_AXES, SAID_SIZES = "microforge_said_axes", "microforge_said_pixel_size"
_UNKNOWN_SIZE = "microforge_unknown_pixel_size"
#: Where a layer that was put away keeps what stands for its pixels (`gui.session.image_list.at_rest`).
AT_REST = "microforge_at_rest"
#: Units that napari gives to axes which are in pixels.
_PIXELS = {"pixel", "dimensionless", "px"}


def axes_of(layer: Layer, confirmed: str | None = None) -> tuple[str, bool]:
    """Give the axes of a layer's data, and whether they are known rather than only likely.

    A dimension of length one has a small letter: it means nothing, and `image_of` leaves it out, as reading files does.

    Parameters
    ----------
    confirmed
        What counts before all else, of all dimensions, or of those that are longer than one.
    """
    shape = shape_of_layer(layer)
    samples = "S" if getattr(layer, "rgb", False) else ""
    written = (str(layer.metadata.get("axes", "")), "".join(layer.axis_labels))
    for letters in (confirmed or "", said_axes(layer) or "", *written):
        with contextlib.suppress(AxesError):
            return _single_in_small(_for_all(letters.upper().removesuffix("S") + samples, shape), shape), True
    long = _long_places(shape, layer.ndim)
    likely = _likely([shape[place] for place in long if place < layer.ndim]) + samples
    axes = _single_in_small(_spread(likely, long, len(shape)), shape)
    return axes, long_letters(axes).removesuffix("S") == "YX"


def said_axes(layer: Layer) -> str | None:
    """Give the letters that a person said for a layer, or None."""
    said: str | None = layer.metadata.get(SAID_AXES)
    return said


def say_axes(layer: Layer, axes: str) -> None:
    """Keep with a layer what a person says its dimensions are: all, or those longer than one."""
    layer.metadata[SAID_AXES] = axes


def say_sizes(layer: Layer, sizes: Mapping[str, float]) -> None:
    """Keep with a layer what a person says of its pixels: micrometres by letter of Z, Y and X.

    The layer is not drawn otherwise: what was drawn on it would no longer lie on it.
    """
    layer.metadata[SAID_SIZES] = dict(sizes)


def leave_size_unknown(layer: Layer) -> None:
    """Note with a layer that a person was asked about the size of its pixels, and does not know."""
    layer.metadata[_UNKNOWN_SIZE] = True


def is_size_left_unknown(layer: Layer) -> bool:
    """Whether a person said that nobody knows the size of a layer's pixels."""
    return bool(layer.metadata.get(_UNKNOWN_SIZE))


def dimensions_of(layer: Layer) -> Dimensions:
    """Give what is known of a layer's dimensions and pixels."""
    axes, known = axes_of(layer)
    return Dimensions(long_shape(layer, axes), long_letters(axes), known, _sizes_of(layer, axes))


def layer_pixel_size(layer: Layer, axes: str) -> PixelSize | None:
    """Give the pixel size in micrometre along ``(Z)YX``: what a person said, else what the layer's units say, or None.

    A scale without units may be seconds between frames, or the ratio of plane distance to pixel.
    """
    return complete_size(_sizes_of(layer, axes), axes)


def draws_alike(axes: str, others: str) -> bool:
    """Whether what is drawn on an image with these axes fits it as well where others are meant."""
    return shown_dimensions(axes) == shown_dimensions(others) and axes.find("C") == others.find("C")


def long_shape(layer: Layer, axes: str) -> tuple[int, ...]:
    """Give the length of each dimension that `image_of` keeps; `axes` are those of `axes_of`."""
    return tuple(n for n, letter in zip(shape_of_layer(layer), axes, strict=True) if not letter.islower())


def drawing_axes(axes: str) -> str:
    """Give the axes of what is drawn on an image: all but channels and RGB samples (small letters are neither)."""
    return "".join(letter for letter in axes if letter not in "CS")


def shown_dimensions(axes: str) -> list[int]:
    """Give the dimensions of an image layer that a layer drawn on it has as well.

    Channels before all else are left out, as napari aligns layers at their last dimensions; a channel slider
    elsewhere stays, and what is drawn shows on every channel.
    """
    axes = axes.replace("S", "")
    return [i for i, letter in enumerate(axes) if not (letter == "C" and i == 0)]


def letters_of_labels(labels: Layer, axes: str) -> str:
    """Give a letter for each dimension of a layer that is drawn on an image with these axes."""
    own = axes.replace("S", "")
    letters = "".join(own[place] for place in shown_dimensions(axes))
    if len(letters) != labels.ndim:
        # One that was made elsewhere has other dimensions of length one, or no channels.
        letters = f"{'t' * labels.ndim}{long_letters(drawing_axes(axes))}"[-labels.ndim :]
    return letters


def shape_of_layer(layer: Layer) -> tuple[int, ...]:
    """Give the length of each dimension, colour samples included; of several resolutions that of the finest."""
    return tuple(finest(layer).shape)


def finest(layer: Layer) -> Any:
    """Give the pixels of a layer, also of one that was put away; of several resolutions the finest."""
    if AT_REST in layer.metadata:
        return layer.metadata[AT_REST]
    return layer.data[0] if getattr(layer, "multiscale", False) else layer.data


def long_letters(axes: str) -> str:
    """Give the letters of the dimensions that are not left out."""
    return "".join(letter for letter in axes if not letter.islower())


def _sizes_of(layer: Layer, axes: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for letter in spatial_axes(axes):
        factor = _micrometres(layer.units[axes.index(letter)])
        if factor is not None:
            found[letter] = float(abs(layer.scale[axes.index(letter)])) * factor
    said: dict[str, float] = layer.metadata.get(SAID_SIZES, {})
    return found | said


def _micrometres(unit: Any) -> float | None:
    """Give how many micrometres a unit of length is; None for pixels and anything else."""
    if str(unit) in _PIXELS:
        return None
    try:
        return float((1 * unit).to("micrometer").magnitude)
    except (ValueError, TypeError, AttributeError):  # pint's errors are kinds of these
        return None


def _for_all(letters: str, shape: Sequence[int]) -> str:
    """Give one letter for each dimension of a shape.

    Raises
    ------
    AxesError
        If they fit neither all dimensions nor those longer than one.
    """
    if len(letters) == len(shape):
        return check_axes(letters, shape)
    long = _long_places(shape, len(shape) - letters.endswith("S"))
    return _spread(check_axes(letters, [shape[place] for place in long]), long, len(shape))


def _long_places(shape: Sequence[int], dims: int) -> list[int]:
    """Give the dimensions that may mean something: those longer than one, and rows and columns in any case."""
    return [place for place, n in enumerate(shape) if n > 1 or place >= dims - 2]


def _likely(shape: Sequence[int]) -> str:
    """Give likely letters; for more dimensions than an image has some that mean nothing, so that they are asked for."""
    more = max(0, len(shape) - len(_MOST))
    return "?" * more + (likely_axes(shape) if not more else _MOST)


def _spread(letters: str, places: Sequence[int], dims: int) -> str:
    """Give letters at these places of so many dimensions, and others between them."""
    known = dict(zip(places, letters, strict=True))
    free = (letter for letter in _OTHERS if letter not in letters.lower())
    return "".join(known.get(place) or next(free) for place in range(dims))


def _single_in_small(axes: str, shape: Sequence[int]) -> str:
    return "".join(
        letter.lower() if n == 1 and letter not in "YXS" else letter for letter, n in zip(axes, shape, strict=True)
    )
