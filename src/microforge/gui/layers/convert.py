"""napari layers to engine images and back: axes, pixel size, transforms, new layers to draw on."""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from napari.components import ViewerModel
from napari.layers import Labels, Layer, Shapes

from microforge.axes.letters import check_axes, likely_axes, spatial_axes
from microforge.errors import AnnotationError, AxesError, MicroforgeError
from microforge.gui.layers.brush_cursor import brushes_down
from microforge.types import Array, Doubles, Image, PixelSize

#: Units that napari gives to axes which are in pixels.
_PIXELS = {"pixel", "dimensionless", "px"}
_REGION_COLOUR = "#ffd34e"


def image_of(layer: Layer, axes: str | None = None) -> Image:
    """Give the image of a layer, with its axes named; nothing is copied.

    Parameters
    ----------
    axes
        What a person confirmed; without it the letters come from the layer, or are only likely.

    Raises
    ------
    AxesError
        If the letters cannot describe the layer.
    """
    data = layer.data[0] if getattr(layer, "multiscale", False) else layer.data
    letters, known = axes_of(layer, axes)
    return Image(
        name=layer.name,
        data=data,
        axes=check_axes(letters, data.shape),
        pixel_size=layer_pixel_size(layer, letters),
        channel_names=_channel_names(layer, letters, data.shape),
        source=str(layer.source.path or ""),
        axes_known=known,
    )


def axes_of(layer: Layer, confirmed: str | None = None) -> tuple[str, bool]:
    """Give the axes of a layer's data and whether they are known rather than only likely."""
    samples = "S" if getattr(layer, "rgb", False) else ""
    if confirmed:
        return confirmed.upper(), True
    for letters in (str(layer.metadata.get("axes", "")), "".join(layer.axis_labels)):
        with contextlib.suppress(AxesError):
            return check_axes(letters.removesuffix("S") + samples, shape_of_layer(layer)), True
    if layer.ndim == 2:
        return "YX" + samples, True
    return likely_axes(shape_of_layer(layer)[: layer.ndim]) + samples, False


def layer_pixel_size(layer: Layer, axes: str) -> PixelSize | None:
    """Give the pixel size in micrometre along ``(Z)YX``, or None where the layer does not say.

    A scale other than 1 is taken for micrometres where the layer's units do not say otherwise.
    """
    sizes = []
    for letter in spatial_axes(axes):
        place = axes.index(letter)
        factor = _micrometres(layer.units[place])
        if factor is None and np.allclose(layer.scale, 1):
            return None
        sizes.append(float(abs(layer.scale[place])) * (factor or 1.0))
    return tuple(sizes)


def drawing_axes(axes: str) -> str:
    """Give the axes of what is drawn on an image: all but channels and RGB samples."""
    return "".join(letter for letter in axes if letter not in "CS")


def geometry_of(layer: Layer, keep: Sequence[int]) -> dict[str, Any]:
    """Give the arguments that put a new layer with these of the layer's dimensions exactly onto it."""
    axes = list(keep)
    return {
        "scale": layer.scale[axes],
        "translate": layer.translate[axes],
        "rotate": layer.rotate[np.ix_(axes, axes)],
        "shear": _shear_matrix(layer)[np.ix_(axes, axes)],
        "affine": layer.affine.set_slice(axes),
        "units": tuple(layer.units[axis] for axis in axes),
        "axis_labels": tuple(layer.axis_labels[axis] for axis in axes),
    }


def mapped(transform: Callable[[Doubles], Sequence[float]], places: Doubles) -> Doubles:
    """Apply an affine transform that takes one place at a time to many at once, which is a hundred times quicker."""
    dims = places.shape[1]
    origin = np.asarray(transform(np.zeros(dims)), np.float64)
    columns = [np.asarray(transform(unit), np.float64) - origin for unit in np.eye(dims)]
    return np.asarray(places @ np.array(columns) + origin)


def shown_dimensions(axes: str) -> list[int]:
    """Give the dimensions of an image layer that a layer drawn on it has as well.

    Channels before all else are left out, as napari aligns layers at their last dimensions; a channel slider
    elsewhere stays, and what is drawn shows on every channel.
    """
    axes = axes.replace("S", "")
    return [i for i, letter in enumerate(axes) if not (letter == "C" and i == 0)]


def add_labels(viewer: ViewerModel, image: Layer, axes: str) -> Labels:
    """Make the empty Labels layer to annotate an image, select it, and take the brush.

    Raises
    ------
    MicroforgeError
        If a number of pixels this large does not fit into memory.
    """
    labels = Labels(
        _empty_labels(shape_of_layer(image), axes),
        name=f"{image.name} annotation",
        opacity=0.6,
        **geometry_of(image, shown_dimensions(axes)),
    )
    labels.metadata["microforge_axes"] = axes
    with brushes_down(viewer, again=False):
        viewer.add_layer(labels)
    viewer.layers.selection.active = labels
    labels.brush_size = 8
    labels.mode = "paint"
    return labels


def add_region(viewer: ViewerModel, image: Layer, axes: str) -> Shapes:
    """Make the Shapes layer that says where the annotation is complete, with the rectangle tool in hand."""
    keep = shown_dimensions(axes)
    region = Shapes(
        ndim=len(keep),
        name=f"{image.name} annotated region",
        face_color="transparent",
        edge_color=_REGION_COLOUR,
        edge_width=2,
        **geometry_of(image, keep),
    )
    with brushes_down(viewer, again=False):
        viewer.add_layer(region)
    viewer.layers.selection.active = region
    region.mode = "add_rectangle"
    return region


def labels_on(labels: Layer, image: Layer, axes: str) -> tuple[Array, str]:
    """Give the drawn labels of an image without channels, and their axes; nothing is copied.

    Raises
    ------
    AnnotationError
        If the Labels layer has another shape than the image.
    """
    data, letters = labels.data, drawing_axes(axes)
    expected = tuple(n for n, letter in zip(shape_of_layer(image), axes, strict=True) if letter in letters)
    if data.ndim > len(expected) and "C" in axes:
        data = np.take(data, 0, axis=data.ndim - len(axes.replace("S", "")) + axes.index("C"))
    if tuple(data.shape) != expected:
        raise AnnotationError(
            f"The labels have {_size(data.shape)} pixels, the image {_size(expected)}.",
            where=labels.name,
            remedy="Make a new annotation for this image, or choose the Labels layer that belongs to it.",
        )
    return data, letters


def shape_of_layer(layer: Layer) -> tuple[int, ...]:
    """Give the length of each dimension, colour samples included; of several resolutions that of the finest."""
    data = layer.data[0] if getattr(layer, "multiscale", False) else layer.data
    return tuple(data.shape)


def _size(shape: Sequence[int]) -> str:
    return " × ".join(str(n) for n in shape)


def _empty_labels(shape: tuple[int, ...], axes: str) -> npt.NDArray[np.int32]:
    """Give zeros for what is drawn; along a channel slider in the middle all share the same memory."""
    own = tuple(n for n, letter in zip(shape, axes, strict=True) if letter not in "CS")
    try:
        data = np.zeros(own, np.int32)
    except MemoryError as error:
        raise MicroforgeError(
            f"A Labels layer of {_size(own)} pixels does not fit into memory.",
            remedy="Annotate a part of it: crop the image, or export one time point.",
        ) from error
    channel = axes.replace("S", "").find("C")
    if channel <= 0:
        return data
    wide = np.expand_dims(data, channel)
    strides = list(wide.strides)
    strides[channel] = 0
    return np.lib.stride_tricks.as_strided(
        wide, [*wide.shape[:channel], shape[channel], *wide.shape[channel + 1 :]], strides
    )


def _shear_matrix(layer: Layer) -> npt.NDArray[np.float64]:
    """Give the shear as a matrix; napari keeps an upper triangle as a vector."""
    if layer.shear.ndim == 2:
        return np.asarray(layer.shear, np.float64)
    matrix = np.eye(layer.ndim)
    matrix[np.triu_indices(layer.ndim, 1)] = layer.shear
    return matrix


def _micrometres(unit: Any) -> float | None:
    """Give how many micrometres a unit of length is; None for pixels and anything else."""
    if str(unit) in _PIXELS:
        return None
    try:
        return float((1 * unit).to("micrometer").magnitude)
    except (ValueError, TypeError, AttributeError):  # pint's errors are kinds of these
        return None


def _channel_names(layer: Layer, axes: str, shape: Sequence[int]) -> tuple[str, ...]:
    names = layer.metadata.get("channel_names", ())
    count = shape[axes.index("C")] if "C" in axes else 1
    return tuple(str(name) for name in names) if len(names) == count else ()
