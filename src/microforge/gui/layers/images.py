"""Predicted images as layers, also on a finer grid, and density maps below their points."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Layer
from napari.utils.transforms import Affine

from microforge.answers.shown_images import ShownImage
from microforge.gui.layers.results import LayerPlace, add_ours, find_ours, fit_array, remember, renew, transform_of
from microforge.inference.open_images import OpenImagePredicted
from microforge.types import PixelSize

#: The colours of the points' kinds, in the same order.
_OF_KINDS = ("cyan", "magenta", "yellow", "green", "red", "blue")
_ALONE = "magma"
_OPACITY = 0.6
#: Of larger images every so many pixels are looked at.
_PIXELS_READ = 1 << 18


def add_images(
    viewer: ViewerModel,
    place: LayerPlace,
    images: Sequence[ShownImage],
    details: Mapping[str, Any],
    name: str,
    pixel_size: PixelSize | None = None,
) -> list[Layer]:
    """Show predicted images, one layer each; give the layers.

    Parameters
    ----------
    details
        What is kept in the metadata of each layer: model and settings.
    name
        What the images are: denoised, restored, predicted.
    """
    return [_add(viewer, place, image, details, name, pixel_size) for image in images]


def add_density(viewer: ViewerModel, event: OpenImagePredicted, details: Mapping[str, Any]) -> list[Layer]:
    """Show the density of each kind in the colour of its points; give the layers."""
    prediction, many = event.prediction, len(event.images) > 1
    images = [
        replace(image, colour=_OF_KINDS[k % len(_OF_KINDS)] if many else _ALONE, limits=_density_limits(image))
        for k, image in enumerate(event.images)
    ]
    before = set(viewer.layers)
    layers = add_images(viewer, event.place, images, details, prediction.image_name, prediction.pixel_size)
    for layer in layers:
        if layer not in before:
            layer.opacity = _OPACITY
            # Light that is added to a bright image cannot be seen.
            layer.visible = not (event.image is not None and event.image.axes.endswith("S"))
    return layers


def finer_transform(transform: Mapping[str, Any], axes: str, finer: int) -> dict[str, Any]:
    """Give the transform of a grid whose YX is finer: the same area, so that its first pixel starts half a one before.

    Parameters
    ----------
    transform
        Of the coarse grid: scale, translate, rotate, shear.
    axes
        One letter per dimension.
    """
    if finer == 1:
        return dict(transform)
    inside = np.array([(1 - finer) / (2 * finer) if letter in "YX" else 0.0 for letter in axes])
    linear = Affine(rotate=transform["rotate"], scale=transform["scale"], shear=transform["shear"]).linear_matrix
    smaller = np.array([1 / finer if letter in "YX" else 1.0 for letter in axes])
    return {
        **transform,
        "scale": np.asarray(transform["scale"]) * smaller,
        "translate": np.asarray(transform["translate"]) + linear @ inside,
    }


def _add(
    viewer: ViewerModel,
    place: LayerPlace,
    shown: ShownImage,
    details: Mapping[str, Any],
    name: str,
    pixel_size: PixelSize | None,
) -> Layer:
    rgb = shown.axes.endswith("S")
    title = " ".join(part for part in (place.name, name, shown.title) if part)
    kind = " ".join(part for part in (name, shown.title, "colour" if rgb else "") if part)
    if rgb:
        single = [dim for dim, letter in enumerate(place.axes) if letter.islower()]
        data = np.expand_dims(shown.data, single)
        transform = transform_of(place, list(range(len(place.axes))), place.axes)
    else:
        data, transform = fit_array(place, shown.data, shown.axes)
    transform = finer_transform(transform, place.axes[-len(transform["scale"]) :], shown.finer)
    layer = find_ours(viewer, place, kind, data.ndim - rgb)
    if layer is None:
        layer = Image(
            data, name=title, rgb=rgb, metadata=_metadata(shown, pixel_size), **transform, **_look(place, shown)
        )
        add_ours(viewer, layer)
    else:
        renew(layer, data, transform)
    remember(layer, place, kind, {**details, "finer": shown.finer})
    return layer


def _look(place: LayerPlace, shown: ShownImage) -> dict[str, Any]:
    """Give how it is shown: like its source, or in the colour of its stain, added to what lies below."""
    if shown.like_source:
        return {"blending": "translucent", **place.look}
    return {"blending": "additive", "contrast_limits": shown.limits, "colormap": shown.colour}


def _metadata(shown: ShownImage, pixel_size: PixelSize | None) -> dict[str, Any]:
    names = (shown.title,) if shown.title else ()
    return {"axes": shown.axes, "channel_names": names, "pixel_size": pixel_size}


def _density_limits(image: ShownImage) -> tuple[float, float]:
    """Give from none to the most cells per pixel, so that what is empty stays dark."""
    values = image.data.reshape(-1)[:: max(1, image.data.size // _PIXELS_READ)]
    return 0.0, max(float(np.max(values)), 1e-6)
