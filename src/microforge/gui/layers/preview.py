"""The layer of the live preview: data and look from a prediction of a part."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from napari.layers import Image, Labels, Layer
from napari.layers import Points as PointsLayer
from napari.utils.transforms import Affine

from microforge.answers.shown_images import colours, in_type, limits_of
from microforge.answers.words import class_probabilities, class_text, densities_text
from microforge.gui.layers.convert import geometry_of, image_of
from microforge.gui.layers.images import finer_transform
from microforge.gui.layers.layer_axes import shown_dimensions
from microforge.gui.layers.point_results import features_of_points, look_of, shown_point_size
from microforge.gui.layers.results import features_of
from microforge.types import Array, Points, Prediction


@dataclass(frozen=True, eq=False)
class View:
    """A part of an image layer: one time point, and along Z, Y and X where it starts and how long it is."""

    layer: Layer
    axes: str
    time: int
    start: tuple[int, ...]
    size: tuple[int, ...]

    @property
    def token(self) -> str:
        """Name this part."""
        return f"{id(self.layer)} {self.axes} {self.time} {self.start} {self.size}"


@dataclass(frozen=True, eq=False)
class Shown:
    """A layer to be: its class, pixels, name, place and look.

    Attributes
    ----------
    limits
        What is shown from dark to bright where the image has units of its own; else None.
    """

    kind: type[Layer]
    values: Array
    name: str
    place: dict[str, Any]
    look: dict[str, Any] = field(default_factory=dict)
    limits: tuple[float, float] | None = None

    @property
    def is_points(self) -> bool:
        """Whether the values are coordinates, one line each."""
        return self.kind is PointsLayer

    @property
    def values_ndim(self) -> int:
        """Number of dimensions of the layer."""
        dims = self.values.shape[1] if self.is_points else self.values.ndim
        return int(dims - ("rgb" in self.look))


def shown_of(prediction: Prediction, view: View, *, keeps_intensities: bool) -> Shown | None:
    """Give the layer for a prediction of a part; of several channels the first only, and its name says so."""
    axes = view.axes.replace("S", "")
    letters = [axes[i] for i in shown_dimensions(axes)]
    place = _place_of(view, letters)
    if prediction.points is not None:
        return _points(prediction, prediction.points, view, letters, place)
    if prediction.labels is not None:
        name = f"preview ({view.layer.name})"
        known = {"features": features_of(prediction.measurements)}
        return Shown(Labels, _spread(prediction.labels, letters), name, place, known)
    if prediction.image is None:
        return None
    place = finer_transform(place, "".join(letters), prediction.image.shape[-1] // view.size[-1])
    if keeps_intensities and len(prediction.image) == _channels(view):
        return _like_source(prediction.image, view, letters, place)
    values = _spread(prediction.image[0], letters)
    colour = colours([prediction.channel_names[0] if prediction.channel_names else ""])[0]
    look = {"blending": "additive", "colormap": colour}
    return Shown(Image, values, _name(prediction, view), place, look, limits_of(values))


def _points(prediction: Prediction, points: Points, view: View, letters: list[str], place: dict[str, Any]) -> Shown:
    """Give the cells as points, with their number in the name of the layer."""
    columns = [
        points.coordinates[:, points.axes.index(letter)] if letter in points.axes else np.zeros(len(points))
        for letter in letters
    ]
    look = look_of(points, shown_point_size(points)) | {
        "features": features_of_points(prediction),
        "ndim": len(letters),
    }
    name = f"preview: {densities_text(prediction)} ({view.layer.name})"
    return Shown(PointsLayer, np.stack(columns, axis=1), name, place, look)


def said_of(prediction: Prediction) -> str:
    """Give what there is to say where the answer is no layer: the class of the image."""
    if not prediction.class_name:
        return ""
    return f"Preview: {class_text(prediction.class_name, class_probabilities(prediction))}"


def _like_source(image: Array, view: View, letters: list[str], place: dict[str, Any]) -> Shown:
    source = view.layer
    if source.rgb:
        values = np.stack([_spread(in_type(one, np.dtype(source.dtype)), letters) for one in image], axis=-1)
        return Shown(Image, values, f"preview ({source.name})", place, {"rgb": True})
    look = {"contrast_limits": source.contrast_limits, "colormap": source.colormap, "gamma": source.gamma}
    part = "" if len(image) == 1 else f" of channel 1 of {len(image)}"
    return Shown(Image, _spread(image[0], letters), f"preview{part} ({source.name})", place, look)


def _name(prediction: Prediction, view: View) -> str:
    assert prediction.image is not None
    count, names = len(prediction.image), prediction.channel_names
    if count == 1:
        return f"preview ({view.layer.name})"
    return f"preview of {names[0] if names else 'channel 1'}, 1 of {count} ({view.layer.name})"


def _channels(view: View) -> int:
    image = image_of(view.layer, view.axes)
    return int(np.prod([image.data.shape[image.axes.index(letter)] for letter in "CS" if letter in image.axes]))


def _place_of(view: View, letters: list[str]) -> dict[str, Any]:
    axes = view.axes.replace("S", "")
    place = geometry_of(view.layer, shown_dimensions(axes))
    starts = dict(zip([letter for letter in "ZYX" if letter in axes], view.start, strict=True)) | {"T": view.time}
    offset = np.array([starts.get(letter, 0) for letter in letters], float)
    linear = Affine(rotate=place["rotate"], scale=place["scale"], shear=place["shear"]).linear_matrix
    place["translate"] = place["translate"] + linear @ offset
    return place


def _spread(values: Array, letters: list[str]) -> Array:
    """Give ``(Z)YX`` the dimensions of its image layer, those it lacks with one position."""
    order = [letter for letter in "ZYX" if letter in letters]
    values = values.transpose([order.index(letter) for letter in letters if letter in order])
    for axis, letter in enumerate(letters):
        if letter not in order:
            values = np.expand_dims(values, axis)
    return values
