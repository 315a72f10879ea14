"""Open an image file and its result as layers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Labels

from microforge.answers.shown_images import ShownImage, shown_images
from microforge.gui.layers.brush_cursor import add_beside_brushes
from microforge.gui.layers.convert import note_file
from microforge.gui.layers.images import add_images
from microforge.gui.layers.point_results import add_point_results
from microforge.gui.layers.results import add_ours, layer_place
from microforge.types import Array, Image, Points, Prediction


@dataclass(frozen=True, eq=False)
class Opened:
    """An image, and what a model made of it: labels, images or points (None where there are none)."""

    image: Image
    labels: Image | None
    results: tuple[ShownImage, ...] = ()
    points: Points | None = None


def open_files(path: Path, result: Path | None) -> Iterator[Opened]:
    """Read an image and its result."""
    from microforge.io.images import read_image, read_labels

    image = read_image(path)
    if result is None or not result.exists():
        yield Opened(image, None)
        return
    if result.suffix == ".csv":
        from microforge.io.points import read_points

        yield Opened(image, None, points=read_points(result))
        return
    made = read_image(result, None)
    # Only label images are written in this type.
    if made.data.dtype == np.uint32:
        yield Opened(image, read_labels(result))
    else:
        yield Opened(image, None, _channels(made, image))


def _channels(made: Image, image: Image) -> tuple[ShownImage, ...]:
    """Give what becomes layers; in the colours of the source where it has as many channels."""
    data, letters = np.asarray(made.data), made.axes
    if "C" not in letters:
        place = 1 if "T" in letters else 0
        data, letters = np.expand_dims(data, place), f"{letters[:place]}C{letters[place:]}"
    order = [letter for letter in "TCZYX" if letter in letters and (letter in image.axes or letter == "C")]
    if len(order) < len(letters):
        return ()
    data = data.transpose([letters.index(letter) for letter in order])
    prediction = Prediction(image=data, image_name="result", channel_names=made.channel_names)
    return shown_images(prediction, image, keeps_intensities=False)


def image_layer(image: Image, path: Path, name: str, look: Mapping[str, Any] | None = None) -> ImageLayer:
    """Make the layer of an image file, for whoever adds it.

    Parameters
    ----------
    look
        How it was shown before; as napari shows it by itself where it never was.
    """
    shown = dict(look or {})
    if image.axes.endswith("S"):
        shown.pop("contrast_limits", None)
    metadata = {"channel_names": image.channel_names} if image.channel_names else {}
    place = placed(image, image.axes.removesuffix("S"))
    layer = ImageLayer(image.data, name=name, rgb=image.axes.endswith("S"), metadata=metadata, **shown, **place)
    note_file(layer, path)
    return layer


def show_opened(viewer: ViewerModel, opened: Opened) -> ImageLayer:
    """Add what was read as layers; the image becomes the selected one; give its layer."""
    image = opened.image
    layer = image_layer(image, Path(image.source), image.name)
    add_beside_brushes(viewer, layer)
    if opened.labels is not None:
        data, axes = _aligned(np.asarray(opened.labels.data), opened.labels.axes, image)
        labels = Labels(data, name=f"{image.name} (objects)", opacity=0.6, **placed(image, axes))
        add_ours(viewer, labels)
    if opened.results:
        place = layer_place(layer, image.axes)
        if len(opened.results) == 1:
            opened = replace(opened, results=(replace(opened.results[0], colour="gray"),))
        add_images(viewer, place, opened.results, {}, "result")
    if opened.points is not None:
        add_point_results(viewer, layer_place(layer, image.axes), Prediction(points=opened.points), {})
    viewer.layers.selection.active = layer
    viewer.reset_view()
    return layer


def _aligned(data: Array, axes: str, image: Image) -> tuple[Array, str]:
    """Repeat labels along a channel axis that stands between others: napari aligns layers at their last dimensions."""
    letters = image.axes.removesuffix("S")
    channel = letters.find("C")
    if channel <= 0 or channel > len(axes):
        return data, axes
    data = np.broadcast_to(
        np.expand_dims(data, channel), [*data.shape[:channel], image.data.shape[channel], *data.shape[channel:]]
    )
    return data, letters


def placed(image: Image, axes: str) -> dict[str, Any]:
    """Give the arguments that put a layer with these axes at its pixel size."""
    # What is only likely must not look as if the file had said it.
    labels = {"axis_labels": tuple(axes)} if image.axes_known else {}
    if image.pixel_size is None:
        return labels
    sizes = dict(zip("ZYX"[-len(image.pixel_size) :], image.pixel_size, strict=True))
    units = tuple("um" if axis in sizes else "pixel" for axis in axes)
    return {"scale": [sizes.get(axis, 1.0) for axis in axes], "units": units, **labels}
