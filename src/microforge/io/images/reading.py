"""`read_image` and `read_labels`: recognise a format, name the axes, check labels."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from microforge.axes.lazy_view import LazyView
from microforge.axes.letters import AXES, check_axes, likely_axes, size_text
from microforge.errors import AnnotationError, AxesError, ImageReadError
from microforge.io.files import IMAGE_SUFFIXES, find_images, image_stem
from microforge.io.images.colour import is_grey, samples_of
from microforge.io.images.labels import joined_masks, lossy_compression, numbers_of_colours
from microforge.io.images.opening import forbidden, read_head
from microforge.io.images.pixel_size import pixel_size_of
from microforge.io.images.raster import JPEG, RASTER_HEADS, read_raster
from microforge.io.images.tiff import RawImage, read_tiff
from microforge.io.images.tiff_errors import too_large
from microforge.memory import available_memory
from microforge.types import Array, ArrayLike, Image

__all__ = ["find_images", "read_image", "read_labels"]

#: Red, green, blue and transparency; more samples than these are channels.
_MOST_COLOURS = 4
_TIFF_HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def read_image(path: str | Path, axes: str | None = None) -> Image:
    """Read an image with the meaning of its axes, sizes and channel names, as far as the file tells.

    Large TIFFs stay on disk where parts of them are read quickly: uncompressed ones, time series, and single pages made
    of tiles or strips. Transparency is dropped; a grey picture stored as RGB becomes grey; dimensions of length one are
    left out (Y and X never). NaN and infinity are left as they are.

    Parameters
    ----------
    axes
        What the dimensions mean (letters of TCZYXS), where the file does not know or is wrong.

    Returns
    -------
    Image
        Of the file's dtype: bool, integer or float. `axes_known` is False where the letters are a guess.

    Raises
    ------
    ImageReadError
        If there is no such file, or it is empty, damaged, no image, or of a kind not supported.
    AxesError
        If `axes` does not fit the shape.
    """
    path = Path(path)
    return _image(path, _coloured(_read_raw(path)), axes)


def _image(path: Path, raw: RawImage, axes: str | None) -> Image:
    try:
        raw, known = _with_axes(raw, axes)
    except AxesError as error:
        raise AxesError(error.problem, where=str(path), remedy=error.remedy) from error
    return Image(
        image_stem(path),
        _read_where_needed(raw, path),
        raw.axes,
        pixel_size_of(raw.sizes, raw.axes),
        _fitting_names(raw),
        str(path),
        known,
        raw.sizes.get("T") if "T" in raw.axes else None,
        raw.notes,
    )


def read_labels(path: str | Path, axes: str | None = None) -> Image:
    """Read a label image: whole numbers, 0 = background; or a folder with a mask for each object.

    The values are kept as they are: whether a 0/255 mask is one object or many is for the task to say.

    Returns
    -------
    Image
        int32, or uint32 where a label does not fit into it.

    Raises
    ------
    ImageReadError, AxesError
        As `read_image`.
    AnnotationError
        If the file holds shades of colours, fractions or negative numbers, or its compression changed the numbers.
    """
    path = Path(path)
    if path.is_dir():
        return joined_masks(path, lambda mask: read_labels(mask, axes))
    image = _image(path, _as_numbers(_read_raw(path)), axes)
    head = read_head(path)
    if head.startswith(JPEG):
        raise AnnotationError(
            "JPEG files cannot hold labels: their compression changes the numbers.",
            where=str(path),
            remedy="Save the labels as TIFF or PNG.",
        )
    if head.startswith(_TIFF_HEADS) and (lossy := lossy_compression(path)):
        raise AnnotationError(
            f"These labels were compressed with {lossy}, which changes the numbers.",
            where=str(path),
            remedy="Save the labels as TIFF without it (LZW and deflate keep numbers), or as PNG.",
        )
    if "S" in image.axes:
        numbers, note = numbers_of_colours(_whole(image.data, path), path)
        return replace(image, data=numbers, axes="YX", notes=(*image.notes, note))
    return replace(image, data=_as_labels(_whole(image.data, path), path))


def _read_raw(path: Path) -> RawImage:
    head = read_head(path)
    try:
        raw = _decode(path, head)
    except PermissionError as error:
        raise forbidden(path) from error
    if math.prod(raw.data.shape) == 0:
        raise ImageReadError(
            f"The image is empty: its shape is {size_text(raw.data.shape)}.",
            where=str(path),
            remedy="Export it again, or leave it out.",
        )
    if raw.data.dtype.kind not in "buif":
        raise ImageReadError(
            f"The pixels are of the type {raw.data.dtype}, which is no brightness.",
            where=str(path),
            remedy="Save the real part or the magnitude as 32-bit float.",
        )
    return raw


def _decode(path: Path, head: bytes) -> RawImage:
    if head.startswith(_TIFF_HEADS):
        return read_tiff(path)
    if head.startswith(RASTER_HEADS):
        return read_raster(path, head)
    if path.suffix.lower() in IMAGE_SUFFIXES:
        raise ImageReadError(
            "This is no image, though its name ends like one.",
            where=str(path),
            remedy="Open it in Fiji to see what it is; export it again as TIFF.",
        )
    raise ImageReadError(
        f"Files of the kind '{path.suffix or path.name}' cannot be read.",
        where=str(path),
        remedy="Save it as TIFF, for instance in Fiji: File > Import > Bio-Formats, then File > Save As > Tiff. "
        f"Supported: {', '.join(IMAGE_SUFFIXES)}.",
    )


def _coloured(raw: RawImage) -> RawImage:
    """Replace numbers by the colours or grey values that they stand for."""
    if raw.palette is None:
        return raw
    numbers, axes = _as_index(raw)
    colours = np.take(raw.palette, numbers, axis=0, mode="clip")
    axes += "S" * (raw.palette.ndim - 1)
    return replace(raw, data=colours, axes=axes, full_shape=colours.shape, colour=True, tiff=None, palette=None)


def _as_numbers(raw: RawImage) -> RawImage:
    """Leave numbers what they are: labels are often shown in colours, their planes stored as if they were colours."""
    if raw.palette is not None:
        numbers, axes = _as_index(raw)
        return replace(raw, data=numbers, axes=axes, full_shape=numbers.shape, tiff=None)
    return replace(raw, colour=False) if raw.planes else raw


def _as_index(raw: RawImage) -> tuple[Array, str]:
    numbers = np.asarray(raw.data[...])
    # Beside the number there may be transparency.
    return (numbers[..., 0], raw.axes[:-1]) if raw.axes.endswith("S") else (numbers, raw.axes)


def _with_axes(raw: RawImage, axes: str | None) -> tuple[RawImage, bool]:
    """Give the image with letters of ours, and whether they are sure."""
    if axes is None:
        named, known = _named(raw)
        return _plain(named), known
    letters = axes.strip().upper()
    if len(letters) == raw.data.ndim:
        data = raw.data
    elif len(letters) == len(raw.full_shape):
        data = raw.data.reshape(raw.full_shape)
    else:
        data = _with_single(_plain(_named(raw)[0]), letters)
    return _plain(replace(raw, data=data, axes=check_axes(letters, data.shape))), True


def _with_single(raw: RawImage, letters: str) -> Array | LazyView:
    """Give the array with dimensions of length one for the letters that the file left out."""
    if [letter for letter in letters if letter in raw.axes] != list(raw.axes):
        return raw.data
    return raw.data.reshape([raw.data.shape[raw.axes.index(one)] if one in raw.axes else 1 for one in letters])


def _named(raw: RawImage) -> tuple[RawImage, bool]:
    """Replace letters that only TIFF libraries know by the likely reading of the shape."""
    raw = _squeezed(raw)
    if raw.planes and raw.colour:
        raw = replace(raw, data=_last(raw.data, 0), axes="YXS")
    samples = raw.data.shape[raw.axes.index("S")] if "S" in raw.axes else 0
    if samples > _MOST_COLOURS and raw.axes.endswith("S"):
        raw, samples = replace(raw, axes=raw.axes.replace("S", "C")), 0
    grey_samples = samples > 0 and not raw.colour
    if set(raw.axes) <= set(AXES) and len(set(raw.axes)) == raw.data.ndim and not grey_samples:
        return raw, True
    return replace(raw, axes=likely_axes(raw.data.shape)), False


def _squeezed(raw: RawImage) -> RawImage:
    keep = [i for i, letter in enumerate(raw.axes) if letter in "YX" or raw.data.shape[i] != 1]
    shape = [raw.data.shape[i] for i in keep]
    return replace(raw, data=raw.data.reshape(shape), axes="".join(raw.axes[i] for i in keep))


def _plain(raw: RawImage) -> RawImage:
    """Drop transparency, and colours that are all the same grey."""
    if "S" not in raw.axes:
        return raw
    axis = raw.axes.index("S")
    part = slice(0, 1 if raw.data.shape[axis] == 2 else 3)
    if is_grey(raw.data, axis, part):
        return replace(raw, data=samples_of(raw.data, axis, 0), axes=raw.axes.replace("S", ""))
    return replace(raw, data=samples_of(raw.data, axis, part))


def _last(data: Array | LazyView, axis: int) -> Array | LazyView:
    if isinstance(data, np.ndarray):
        return np.moveaxis(data, axis, -1)
    return LazyView(data, [*(one for one in range(data.ndim) if one != axis), axis], {})


def _read_where_needed(raw: RawImage, path: Path) -> Array | LazyView:
    """Leave on disk what is read piece by piece: time series, single pages of tiles or strips, what fills the memory.

    Other stacks are cut into tiles that all need most of the pages: decoding these again and again takes long.
    """
    if raw.tiff is None:
        return raw.data
    times = raw.data.shape[raw.axes.index("T")] if "T" in raw.axes else 1
    if times > 1:
        raw.tiff.keep_one_of(times)
    elif not raw.tiff.is_one_cut_page and raw.data.nbytes <= available_memory() // 4:
        return _whole(raw.data, path)
    return raw.data


def _whole(data: ArrayLike, path: Path) -> Array:
    try:
        return np.asarray(data)
    except MemoryError as error:
        raise too_large(path) from error


def _fitting_names(raw: RawImage) -> tuple[str, ...]:
    channels = raw.data.shape[raw.axes.index("C")] if "C" in raw.axes else 1
    return raw.channel_names if len(raw.channel_names) == channels else ()


def _as_labels(values: Array, path: Path) -> Array:
    fractions = values.dtype.kind == "f" and not np.array_equal(values, np.rint(values))
    if fractions or (values.dtype.kind == "f" and not np.all(np.isfinite(values))):
        raise AnnotationError(
            "The labels hold fractions or missing values; labels are whole numbers.",
            where=str(path),
            remedy="Save label numbers, not probabilities or intensities (Fiji: Image > Type > 16-bit).",
        )
    low, high = int(values.min()), int(values.max())
    if low < 0:
        raise AnnotationError(
            f"The labels hold negative numbers (the lowest is {low}).",
            where=str(path),
            remedy="0 is background, objects are 1, 2, 3 and so on.",
        )
    if high >= 2**32:
        raise AnnotationError(
            f"The labels hold numbers that are too large (the highest is {high}).",
            where=str(path),
            remedy="Number the objects 1, 2, 3 and so on (Fiji: MorphoLibJ > Remap Labels).",
        )
    return values.astype(np.int32 if high < 2**31 else np.uint32, copy=False)
