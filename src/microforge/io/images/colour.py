"""Colours that are not red, green, blue: come here when a picture is read as its negative or in false colours.

What converts takes the samples of a pixel along the last axis, ``...S``, and gives red, green, blue along it.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import imagecodecs
import numpy as np
from tifffile import COMPRESSION, EXTRASAMPLE, PHOTOMETRIC, PLANARCONFIG

from microforge.axes.lazy_view import LazyView
from microforge.types import Array, Doubles

#: These decoders give red, green, blue by themselves.
_JPEG = {COMPRESSION.JPEG, COMPRESSION.OJPEG, COMPRESSION.ALT_JPEG, COMPRESSION.JPEG_LOSSY}
_LUMA = (0.299, 0.587, 0.114)
#: Colours of images on disk are compared in parts of so many bytes.
_PART = 1 << 24
_FULL_RANGE = (0.0, 255.0, 128.0, 255.0, 128.0, 255.0)
#: So many used colours at least make a scale; fewer are the colours of a drawing.
_LEAST_SCALE = 128
#: Red, green and blue of the darkest colour of a scale, together.
_DARK = 30
#: Along a scale, red, green and blue turn from rising to falling so often together, per colour.
_TURNS = 1 / 8


def conversion(page: Any) -> Callable[[Array], Array] | None:
    """Give what makes red, green, blue of the pixels of a TIFF page; None where they need no change.

    Raises
    ------
    ValueError
        If its colours are of a kind nobody here knows; says which.
    """
    photometric, samples = page.photometric, page.samplesperpixel
    if photometric == PHOTOMETRIC.SEPARATED:
        if samples < 4 or page.tags.valueof("InkSet", 1) != 1:
            raise ValueError(f"it is stored in {samples} inks that are not cyan, magenta, yellow and black")
        return inks_to_rgb
    if photometric in (PHOTOMETRIC.CIELAB, PHOTOMETRIC.ICCLAB) and samples >= 3:
        return lambda data: _lab_to_rgb(data, signed=photometric == PHOTOMETRIC.CIELAB)
    if photometric == PHOTOMETRIC.ITULAB:
        raise ValueError("its colours are stored as ITU Lab")
    if photometric == PHOTOMETRIC.YCBCR and samples >= 3 and not _decoded_to_rgb(page):
        luma = _fractions(page.tags.valueof("YCbCrCoefficients", _LUMA), _LUMA)
        luma = luma if luma.min() > 0 else np.array(_LUMA)
        limits = _fractions(page.tags.valueof("ReferenceBlackWhite", _FULL_RANGE), _FULL_RANGE)
        return lambda data: _ycbcr_to_rgb(data, luma, limits)
    return None


def inks_to_rgb(inks: Array) -> Array:
    """Give the colours that cyan, magenta, yellow and black inks leave of white paper; of the dtype of the inks."""
    most = _most(inks.dtype)
    out = np.empty((*inks.shape[:-1], 3), inks.dtype)
    paper = (most - inks[..., 3]) / most
    for sample in range(3):
        out[..., sample] = _rounded((most - inks[..., sample]) * paper, inks.dtype)
    return out


def palette_of(page: Any) -> Array | None:
    """Give the colours uint8 ``(N, 3)`` that the numbers of a TIFF page stand for; None where numbers are brightnesses.

    Microscopes and ImageJ store brightnesses with the scale of colours in which they are shown: those are no picture.
    """
    colormap = page.colormap
    if page.photometric != PHOTOMETRIC.PALETTE or colormap is None:
        return None
    palette = np.asarray(colormap).T
    # Some writers fill only the lower byte.
    palette = (palette >> 8 if palette.max(initial=0) > 255 else palette).astype(np.uint8)
    return None if _is_scale(palette) else palette


def has_alpha(page: Any) -> bool:
    """Say whether the pixels of a TIFF page are one number and transparency."""
    alpha = (EXTRASAMPLE.ASSOCALPHA, EXTRASAMPLE.UNASSALPHA)
    extra = tuple(page.extrasamples)
    single = page.photometric in (PHOTOMETRIC.MINISBLACK, PHOTOMETRIC.MINISWHITE, PHOTOMETRIC.PALETTE)
    return single and len(extra) == 1 and extra[0] in alpha


def samples_of(data: Array | LazyView, axis: int, part: int | slice) -> Array | LazyView:
    """Give one sample, or the first ones, of the pixels of an image whose samples lie along `axis`."""
    if isinstance(data, np.ndarray):
        return data[(*[slice(None)] * axis, part)]
    if isinstance(part, slice):
        return LazyView(data, range(data.ndim), {}, {axis: part.stop})
    return LazyView(data, [one for one in range(data.ndim) if one != axis], {axis: part})


def is_grey(data: Array | LazyView, axis: int, colours: slice) -> bool:
    """Tell whether the samples are all the same; the first piece of a file usually says that they are not."""
    return all(_all_equal(np.moveaxis(piece, axis, 0)[colours]) for piece in _parts(data, 1 if axis == 0 else 0))


def _is_scale(palette: Array) -> bool:
    """Tell a scale from the colours of a picture, which come in any order, or lie between two that are not black.

    A scale begins (or ends) with black, and its colours rise and fall a few times.
    """
    steps = np.diff(palette.astype(int), axis=0)
    last = int(np.flatnonzero(steps.any(axis=1)).max(initial=-1)) + 1
    # What follows the last colour in use is filled with one value.
    used = last + 1 if last == len(steps) else last
    is_grey = bool(np.all(palette == palette[:, :1]))
    if is_grey or used < _LEAST_SCALE:
        return is_grey and bool(np.all(steps >= 0) or np.all(steps <= 0))
    if min(int(palette[0].sum()), int(palette[used - 1].sum())) > _DARK:
        return False
    directions = (np.sign(sample[sample != 0]) for sample in steps[: used - 1].T)
    return sum(int(np.count_nonzero(np.diff(one))) for one in directions) <= used * _TURNS


def _lab_to_rgb(data: Array, *, signed: bool) -> Array:
    """Convert CIE L*a*b* (white point D50) as TIFF 6 (`signed`) or ICC profiles store it; uint8 and uint16 stay so."""
    if data.dtype.kind == "f":
        return _from_lab(data[..., :3].astype(np.float32), np.dtype(np.uint8))
    bits = 8 * data.dtype.itemsize
    unit, half = 1 << (bits - 8), 1 << (bits - 1)
    lab = data[..., :3].astype(np.float32)
    lab[..., 1:] = data[..., 1:3].view(f"i{data.dtype.itemsize}") if signed else lab[..., 1:] - half
    lab[..., 1:] /= unit
    # ICC's 16-bit scale ends at FF00.
    lab[..., 0] *= 100 / (2**bits - 1 if signed or bits == 8 else 0xFF00)
    return _from_lab(lab, data.dtype)


def _from_lab(lab: Array, dtype: np.dtype[Any]) -> Array:
    flat = np.ascontiguousarray(lab.reshape(-1, lab.shape[-2], 3))
    rgb = imagecodecs.cms_transform(
        flat,
        imagecodecs.cms_profile("lab2"),
        imagecodecs.cms_profile("srgb"),
        colorspace="lab",
        outcolorspace="rgb",
        outdtype=dtype.str[1:] if dtype.kind == "u" else "u1",
    )
    return np.asarray(rgb).reshape(lab.shape)


def _ycbcr_to_rgb(data: Array, luma: Doubles, limits: Doubles) -> Array:
    most = _most(data.dtype)
    black, white = limits[::2] * most / 255, limits[1::2] * most / 255
    white = np.where(white > black, white, most)
    y, blue, red = ((data[..., i] - black[i]) / (white[i] - black[i]) for i in range(3))
    # Differences of colours reach half the range to either side.
    blue, red = blue * most * 127 / 255, red * most * 127 / 255
    y = y * most
    r = y + red * (2 - 2 * luma[0])
    b = y + blue * (2 - 2 * luma[2])
    g = (y - luma[0] * r - luma[2] * b) / luma[1]
    return _rounded(np.stack([r, g, b], axis=-1), data.dtype)


def _most(dtype: np.dtype[Any]) -> float:
    """Give what white is in pixels of a type."""
    return 1.0 if dtype.kind == "f" else float(np.iinfo(dtype).max)


def _rounded(values: Doubles, dtype: np.dtype[Any]) -> Array:
    if dtype.kind == "f":
        return values.astype(dtype)
    return np.clip(np.rint(values), 0, np.iinfo(dtype).max).astype(dtype)


def _decoded_to_rgb(page: Any) -> bool:
    contiguous = page.planarconfig == PLANARCONFIG.CONTIG
    return page.compression in _JPEG and contiguous and not page.extrasamples


def _fractions(values: Sequence[float], usual: Sequence[float]) -> Doubles:
    """Give the numbers of a tag, which are fractions: numerator, denominator, numerator and so on."""
    found = np.asarray(values, float).ravel()
    if found.size == 2 * len(usual):
        found = found[::2] / np.where(found[1::2] == 0, 1, found[1::2])
    return found if found.size == len(usual) else np.asarray(usual, float)


def _parts(data: Array | LazyView, axis: int) -> Iterator[Array]:
    """Give an array in parts along an axis, those on disk not too large for the memory."""
    length = data.shape[axis]
    step = max(1, _PART * length // data.nbytes) if isinstance(data, LazyView) else length
    return (data[(slice(None),) * axis + (slice(at, at + step),)] for at in range(0, length, step))


def _all_equal(colours: Array) -> bool:
    """Compare the samples; a few pixels first, for true colours differ soon and files may be large."""
    few = colours[..., ::31]
    return all(np.array_equal(few[0], one) for one in few) and all(np.array_equal(colours[0], one) for one in colours)
