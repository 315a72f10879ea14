"""Predictions as layers on the geometry of their image; layers of the last run are updated.

Applying again updates the layers of the last time. A layer that a person has painted in or renamed is that person's:
it is left alone, and the new result gets a new layer.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from napari.utils.transforms import Affine

from microforge.answers.shown_images import PROBABILITY
from microforge.gui.layers.brush_cursor import add_beside_brushes
from microforge.gui.layers.convert import geometry_of
from microforge.gui.layers.layer_axes import SAID_SIZES, say_sizes, shape_of_layer
from microforge.gui.layers.marks import dress_networks, is_preview, mark_result
from microforge.types import Array, Prediction

#: Where a layer of ours keeps what it is, and what results are called whose labels are classes.
DETAILS, CLASSES_KIND = "microforge", "classes"
#: There, too: where something was nearly found, and what confidence is worth in words.
NEAR_MISSES, CERTAINTY = "near misses", "certainty"
_LOOK = ("contrast_limits", "colormap", "gamma")


@dataclass(frozen=True, eq=False)
class LayerPlace:
    """Where results of a layer belong; taken before a prediction starts, so the layer may go meanwhile.

    Attributes
    ----------
    axes
        One letter per dimension of the layer (colour samples are none).
    transform
        Arguments of a new layer on the same geometry, for all dimensions of the source.
    look
        Arguments of a new layer that is shown in the same way.
    sizes
        What a person said of the pixels; None where nobody was asked.
    """

    source: Hashable
    name: str
    axes: str
    shape: tuple[int, ...]
    transform: Mapping[str, Any]
    look: Mapping[str, Any] = field(default_factory=dict)
    sizes: Mapping[str, float] | None = None


def layer_place(layer: Layer, axes: str) -> LayerPlace:
    """Note the geometry of a layer whose data has these axes."""
    shape = shape_of_layer(layer)[: layer.ndim]
    look = {} if getattr(layer, "rgb", False) else {name: getattr(layer, name, None) for name in _LOOK}
    look = {name: value for name, value in look.items() if value is not None}
    transform = geometry_of(layer, range(layer.ndim))
    sizes = layer.metadata.get(SAID_SIZES)
    return LayerPlace(layer.unique_id, layer.name, axes[: layer.ndim], shape, transform, look, sizes)


def add_results(
    viewer: ViewerModel, place: LayerPlace, prediction: Prediction, details: Mapping[str, Any], called: str = "objects"
) -> list[Layer]:
    """Show what a prediction holds besides an image that is its answer, one layer per kind; give the layers.

    Parameters
    ----------
    details
        What is kept in the metadata of each layer: model and settings.
    called
        What the labels are, for the layer's name.
    """
    letters = "".join(axis for axis in "TZYX" if axis in place.axes)
    layers, details = [], {**details, **doubts_of(prediction)}
    if prediction.image is not None and prediction.image_name == PROBABILITY:
        layers.append(_show(viewer, place, PROBABILITY, _channel_first(prediction.image, letters), letters, details))
    if prediction.labels is not None:
        layers.append(_show(viewer, place, called, np.asarray(prediction.labels), letters, details))
        layers[-1].features = features_of(prediction.measurements)
    return layers


def doubts_of(prediction: Prediction) -> dict[str, Any]:
    """Give what is noted with a layer of what a person may doubt of a prediction."""
    return {NEAR_MISSES: prediction.near_misses, CERTAINTY: prediction.certainty}


def features_of(measurements: Mapping[str, Array]) -> dict[str, Array]:
    """Give measurements as the features of a Labels layer.

    napari takes row k of the features for label k, so that consecutive labels get an empty row for the background;
    others are named for napari by a column `index` beside that of the labels. In a film labels come again in each
    frame: napari would show the figures of the last one, and is told of none.
    """
    if not measurements:
        return {}
    columns = {name: np.asarray(column) for name, column in measurements.items()}
    label = columns.pop("label")
    if np.array_equal(label, np.arange(1, len(label) + 1)):
        return {"label": np.arange(len(label) + 1)} | {name: _below_nothing(c) for name, c in columns.items()}
    again = len(np.unique(label)) < len(label)
    return {"index": -1 - np.arange(len(label)) if again else label, "label": label} | columns


def measurements_of(layer: Layer) -> dict[str, Array]:
    """Give the measurements back from a layer of `add_results`, for saving; empty where it has none."""
    columns = {name: layer.features[name].to_numpy() for name in layer.features.columns}
    if "index" in columns:
        return {name: column for name, column in columns.items() if name != "index"}
    return {name: column[1:] for name, column in columns.items()}


def results_of(viewer: ViewerModel, source: Layer) -> list[Layer]:
    """Give the result layers of an image layer."""
    return [layer for layer in viewer.layers if layer.metadata.get(DETAILS, {}).get("source") == source.unique_id]


def say_sizes_with_results(viewer: ViewerModel, source: Layer, sizes: Mapping[str, float]) -> list[Layer]:
    """Keep with an image layer, and its results, how many micrometres pixels are along Z, Y and X; give the results.

    What was measured of them before is as it was.
    """
    say_sizes(source, sizes)
    results = [layer for layer in results_of(viewer, source) if not is_preview(layer)]
    for result in results:
        _say_sizes_of_result(result, sizes)
    return results


def is_untouched(layer: Layer) -> bool:
    """Whether a layer of ours still holds what the model gave, and has the name that it got."""
    known = layer.metadata.get(DETAILS, {})
    return bool(known.get("name") == layer.name and known.get("fingerprint") == fingerprint(layer))


def _say_sizes_of_result(result: Layer, sizes: Mapping[str, float]) -> None:
    finer = result.metadata[DETAILS].get("finer", 1)
    say_sizes(result, {letter: size / (finer if letter in "YX" else 1) for letter, size in sizes.items()})


def _below_nothing(column: Array) -> Array:
    if column.dtype == object:
        return np.concatenate([np.array([""], object), column])
    return np.concatenate([[np.nan], column.astype(float)])


def _channel_first(image: Array, letters: str) -> Array:
    """Bring ``(T)C(Z)YX`` to ``C(T)(Z)YX``, without the channel axis where there is one channel only."""
    moved = np.moveaxis(image, 1, 0) if "T" in letters and image.ndim == len(letters) + 1 else image
    return moved[0] if moved.ndim > len(letters) and moved.shape[0] == 1 else moved


def _show(
    viewer: ViewerModel, place: LayerPlace, kind: str, data: Array, letters: str, details: Mapping[str, Any]
) -> Layer:
    data, transform = fit_array(place, data, letters)
    layer = find_ours(viewer, place, kind, data.ndim)
    if layer is None:
        layer = add_ours(viewer, _new_layer(place, kind, data, transform))
    else:
        renew(layer, data, transform)
    remember(layer, place, kind, details)
    return layer


def add_ours(viewer: ViewerModel, layer: Layer) -> Layer:
    """Add a layer that a model made; give it. A preview would show another answer above or below it."""
    for preview in filter(is_preview, viewer.layers):
        preview.visible = False
    # Before it is added: who listens must not take it for something to train on.
    mark_result(layer, layer.name)
    add_beside_brushes(viewer, layer)
    return layer


def renew(layer: Layer, data: Array, transform: Mapping[str, Any]) -> None:
    """Give a layer other data; new layers cost more, and flicker."""
    layer.data = data
    for name, value in transform.items():
        # Each makes napari draw the layer again, with all outlines in it.
        if not _is_same(getattr(layer, name), value):
            setattr(layer, name, value)


def _is_same(one: Any, other: Any) -> bool:
    if isinstance(one, Affine) and isinstance(other, Affine):
        one, other = one.affine_matrix, other.affine_matrix
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return bool(np.array_equal(one, other))
    return isinstance(one, tuple) and bool(one == other)


def remember(layer: Layer, place: LayerPlace, kind: str, details: Mapping[str, Any]) -> None:
    """Note in a layer what it is, and what it looks like untouched."""
    layer.metadata[DETAILS] = {
        **details,
        "source": place.source,
        "kind": kind,
        "name": layer.name,
        "fingerprint": fingerprint(layer),
    }
    if place.sizes is not None:
        _say_sizes_of_result(layer, place.sizes)


def _new_layer(place: LayerPlace, kind: str, data: Array, transform: Mapping[str, Any]) -> Layer:
    name = f"{place.name} ({kind})"
    if kind == PROBABILITY:
        return Image(data, name=name, colormap="magma", blending="additive", **transform)
    layer = Labels(data, name=name, **transform)
    dress_networks(layer, classes=kind == CLASSES_KIND)
    return layer


def find_ours(viewer: ViewerModel, place: LayerPlace, kind: str, ndim: int) -> Layer | None:
    """Find the layer of the last time, if nobody has painted in it or renamed it."""
    for layer in reversed(viewer.layers):
        known = layer.metadata.get(DETAILS, {})
        if known.get("source") == place.source and known.get("kind") == kind and layer.ndim == ndim:
            if is_untouched(layer):
                return layer
            layer.metadata[DETAILS] = {**known, "source": None}
    return None


def fingerprint(layer: Layer) -> int:
    """Give a number that tells whether a layer's data are still what they were."""
    if isinstance(layer, Image):
        # Nobody paints in images; what changes them exchanges the array.
        return id(layer.data)
    # Painting, undo, another plugin: whatever changed the data, its checksum tells.
    return crc32(np.ascontiguousarray(layer.data).view(np.uint8).reshape(-1).data)


def fit_array(place: LayerPlace, data: Array, letters: str) -> tuple[Array, dict[str, Any]]:
    """Order an array's axes as the source has them, and give the transform of the result.

    napari aligns the *last* dimensions of layers. A source dimension that a result lacks (channels) is left out where
    it comes first; between others it becomes one thick slice that spans all channels. Dimensions of length one, which
    have small letters, are those of the source.
    """
    extra = data.ndim - len(letters)
    order = [axis for axis in place.axes if axis in letters]
    data = np.transpose(data, [*range(extra), *(extra + letters.index(axis) for axis in order)])
    dims = _dims_of_result(place.axes, order[0])
    for dim in dims:
        if place.axes[dim] not in letters:
            data = np.expand_dims(data, extra + dim - dims[0])
    return data, transform_of(place, dims, letters, extra)


def fit_points(place: LayerPlace, points: Array, letters: str) -> tuple[Array, dict[str, Any]]:
    """Order the columns of points as the source has its axes; 0 along those that the points lack."""
    order = [axis for axis in place.axes if axis in letters]
    dims = _dims_of_result(place.axes, order[0])
    columns = [
        points[:, letters.index(place.axes[dim])] if place.axes[dim] in letters else np.zeros(len(points))
        for dim in dims
    ]
    return np.stack(columns, axis=1), transform_of(place, dims, letters, 0)


def _dims_of_result(axes: str, first: str) -> list[int]:
    """Give the dimensions of a source that a result has: from its first on, and those of length one before it."""
    start = axes.index(first)
    while start and axes[start - 1].islower():
        start -= 1
    return list(range(start, len(axes)))


def transform_of(place: LayerPlace, dims: list[int], letters: str, extra: int = 0) -> dict[str, Any]:
    """Give the arguments that put a layer with these dimensions of the source onto it."""
    scale = np.array([place.transform["scale"][dim] for dim in dims], float)
    translate = np.array([place.transform["translate"][dim] for dim in dims], float)
    for position, dim in enumerate(dims):
        if place.axes[dim] not in letters:
            translate[position] += scale[position] * (place.shape[dim] - 1) / 2
            scale[position] *= place.shape[dim]
    called = tuple(place.axes[dim] for dim in dims)
    if extra:
        more = tuple(f"axis {number}" for number in range(extra))
        return {
            "scale": np.append(np.ones(extra), scale),
            "translate": np.append(np.zeros(extra), translate),
            "axis_labels": (*more, *called),
        }
    square = np.ix_(dims, dims)
    return {
        "scale": scale,
        "translate": translate,
        "rotate": place.transform["rotate"][square],
        "shear": place.transform["shear"][square][np.triu_indices(len(dims), 1)],
        "affine": place.transform["affine"].set_slice(dims),
        "units": tuple(place.transform["units"][dim] for dim in dims),
        "axis_labels": called,
    }
