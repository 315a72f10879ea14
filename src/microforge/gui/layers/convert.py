"""napari layers to engine images and back: axes, pixel size, transforms, new layers to draw on."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from napari.components import ViewerModel
from napari.layers import Labels, Layer, Shapes

from microforge.axes.lazy_view import LazyView
from microforge.axes.letters import check_axes
from microforge.errors import AnnotationError, MicroforgeError
from microforge.gui.layers.brush_cursor import brushes_down
from microforge.gui.layers.layer_axes import (
    AT_REST,
    axes_of,
    drawing_axes,
    finest,
    layer_pixel_size,
    long_letters,
    shape_of_layer,
    shown_dimensions,
)
from microforge.types import Array, Doubles, Image

_REGION_COLOUR = "#ffd34e"
#: Where a layer keeps the file that it was read from, where napari does not know it.
_FILE = "microforge_file"
#: Colour samples of a picture that has transparency.
_WITH_TRANSPARENCY = 4


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
    letters, known = axes_of(layer, axes)
    data = _as_files_have_it(finest(layer), letters)
    named = check_axes(long_letters(letters), data.shape)
    return Image(
        name=layer.name,
        data=data,
        axes=named,
        pixel_size=layer_pixel_size(layer, letters),
        channel_names=_channel_names(layer, named, data.shape),
        source=str(file_of(layer) or ""),
        axes_known=known,
    )


def file_of(layer: Layer) -> Path | None:
    """Give the file that a layer was read from; None where there is none."""
    path = layer.metadata.get(_FILE) or layer.source.path
    return Path(path) if path else None


def note_file(layer: Layer, path: Path) -> None:
    """Note with a layer which file it was read from, where it was not napari who read it."""
    layer.metadata[_FILE] = str(path)


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


def add_labels(
    viewer: ViewerModel, image: Layer, axes: str, called: str = "annotation", drawn: Array | None = None
) -> Labels:
    """Make a Labels layer to paint on an image, select it, and take the brush.

    Parameters
    ----------
    drawn
        What was painted before, as `labels_on` gives it; the layer takes the array itself. None = nothing.

    Raises
    ------
    MicroforgeError
        If a number of pixels this large does not fit into memory.
    """
    shape = shape_of_layer(image)
    labels = Labels(
        _for_the_layer(_zeros(shape, axes) if drawn is None else drawn, shape, axes),
        name=f"{image.name} {called}",
        opacity=0.6,
        **geometry_of(image, shown_dimensions(axes)),
    )
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
    """Give the drawn labels of an image without channels and dimensions of length one, and their axes; a view.

    Of an image that was put away they stay packed: an array-like that `np.asarray` unpacks.

    Raises
    ------
    AnnotationError
        If the Labels layer has another shape than the image.
    """
    data, letters = finest(labels), drawing_axes(axes)
    if AT_REST in labels.metadata and not _fits(data, image, axes):
        data = np.asarray(data)
    if data.ndim > len(letters) and "C" in axes:
        channel = data.ndim - len(axes.replace("S", "")) + axes.index("C")
        data = data[(*(slice(None),) * channel, 0)]
    lengths = dict(zip(axes, shape_of_layer(image), strict=True))
    expected = tuple(lengths[letter] for letter in long_letters(letters))
    if [n for n in data.shape if n > 1] != [n for n in expected if n > 1]:
        raise AnnotationError(
            f"The labels have {_size(data.shape)} pixels, the image {_size(expected)}.",
            where=labels.name,
            remedy="Make a new annotation for this image, or choose the Labels layer that belongs to it.",
        )
    return (data if tuple(data.shape) == expected else data.reshape(expected)), long_letters(letters)


def _fits(labels: Any, image: Layer, axes: str) -> bool:
    """Whether labels have the dimensions wanted as they are."""
    lengths = dict(zip(axes, shape_of_layer(image), strict=True))
    return tuple(labels.shape) == tuple(lengths[letter] for letter in long_letters(drawing_axes(axes)))


def _as_files_have_it(data: Any, axes: str) -> Any:
    """Leave out dimensions of length one, and transparency; nothing is read or copied."""
    colours = 3 if axes.endswith("S") and data.shape[-1] == _WITH_TRANSPARENCY else None
    if long_letters(axes) == axes and colours is None:
        return data
    if isinstance(data, np.ndarray) or hasattr(data, "__dask_graph__"):
        data = data[tuple(0 if letter.islower() else slice(None) for letter in axes)]
        return data if colours is None else data[..., :colours]
    order = [place for place, letter in enumerate(axes) if not letter.islower()]
    single = {place: 0 for place, letter in enumerate(axes) if letter.islower()}
    return LazyView(data, order, single, {} if colours is None else {len(axes) - 1: colours})


def _size(shape: Sequence[int]) -> str:
    return " × ".join(str(n) for n in shape)


def _zeros(shape: tuple[int, ...], axes: str) -> npt.NDArray[np.int32]:
    own = _without_channels(shape, axes)
    try:
        return np.zeros(own, np.int32)
    except MemoryError as error:
        raise MicroforgeError(
            f"A Labels layer of {_size(own)} pixels does not fit into memory.",
            remedy="Annotate a part of it: crop the image, or export one time point.",
        ) from error


def _for_the_layer(data: Array, shape: tuple[int, ...], axes: str) -> Array:
    """Give what is drawn the dimensions of a layer; along a channel slider in the middle all share the same memory."""
    data = data.reshape(_without_channels(shape, axes))
    channel = axes.replace("S", "").find("C")
    if channel <= 0:
        return data
    wide = np.expand_dims(data, channel)
    strides = list(wide.strides)
    strides[channel] = 0
    return np.lib.stride_tricks.as_strided(
        wide, [*wide.shape[:channel], shape[channel], *wide.shape[channel + 1 :]], strides
    )


def _without_channels(shape: tuple[int, ...], axes: str) -> tuple[int, ...]:
    return tuple(n for n, letter in zip(shape, axes, strict=True) if letter not in "CS")


def _shear_matrix(layer: Layer) -> npt.NDArray[np.float64]:
    """Give the shear as a matrix; napari keeps an upper triangle as a vector."""
    if layer.shear.ndim == 2:
        return np.asarray(layer.shear, np.float64)
    matrix = np.eye(layer.ndim)
    matrix[np.triu_indices(layer.ndim, 1)] = layer.shear
    return matrix


def _channel_names(layer: Layer, axes: str, shape: Sequence[int]) -> tuple[str, ...]:
    names = layer.metadata.get("channel_names", ())
    count = shape[axes.index("C")] if "C" in axes else 1
    return tuple(str(name) for name in names) if len(names) == count else ()
