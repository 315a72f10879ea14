"""Putting an image away with all that belongs to it, and bringing it back; come here when something stays behind.

What a person drew, and what a network found, waits with its layers, packed. The pixels of the image are in its file. An
image on which there is nothing is closed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import prod
from pathlib import Path

import numpy as np
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer, Points, Shapes

from microforge.gui.layers.marks import is_preview, is_result
from microforge.gui.layers.results import results_of
from microforge.gui.session.drawn_regions import count_regions_of
from microforge.gui.session.image_list.at_rest import (
    FilePixels,
    PackedLabels,
    can_be_packed,
    give_pixels,
    resting_pixels,
)
from microforge.gui.session.image_list.listed_image import ListedImage
from microforge.gui.session.image_list.look import look_now
from microforge.gui.session.state import Session
from microforge.io.images import read_image
from microforge.memory import available_memory
from microforge.types import Array, Image

_LOOKING = "pan_zoom"
#: Part of the free memory that an image may take; a larger one stays in its file, and is read where it is looked at.
_SHARE = 0.1


def leave(session: Session, entry: ListedImage) -> None:
    """Note how an image and its layers are looked at, before others are shown."""
    if entry.layer is not None and entry.is_open:
        entry.look = look_now(session.viewer, entry.layer)
        entry.visible = {layer: bool(layer.visible) for layer in layers_of(session, entry.layer)}


def put_away(session: Session, entry: ListedImage) -> None:
    """Take an image that was read from a file, and its layers, out of the viewer; nothing that was done is lost."""
    image = entry.layer
    if image is None or not entry.is_open:
        return
    own = layers_of(session, image)
    kept = [layer for layer in own if layer is image or layer in _worth_keeping(session, image, own)]
    session.image_list.lay_to_rest(entry, kept if kept != [image] or _is_used(session, image) else ())
    for layer in reversed(own):
        _put_down(layer)
        session.viewer.layers.remove(layer)
    session.changed.emit()


def bring_back(session: Session, entry: ListedImage, pixels: Mapping[Layer, Array]) -> None:
    """Put an image that was put away, and its layers, into the viewer again.

    Parameters
    ----------
    pixels
        What `pixels_at_rest` read.
    """
    for layer in entry.at_rest:
        if layer in pixels:
            give_pixels(layer, pixels[layer])
        layer.visible = entry.visible.get(layer, True)
    for layer in entry.at_rest:
        session.viewer.layers.append(layer)
    session.image_list.wake(entry)
    session.changed.emit()


def pixels_at_rest(entry: ListedImage) -> dict[Layer, Array]:
    """Read and unpack the pixels of the layers of an image; slow.

    Raises
    ------
    ImageReadError
        If its file is gone, damaged or of another size.
    """
    return {layer: np.asarray(rest) for layer in entry.at_rest if (rest := resting_pixels(layer)) is not None}


def packed_layers(entry: ListedImage) -> Iterator[tuple[Layer, Array, FilePixels | PackedLabels]]:
    """Pack the layers of an image that was put away: give each with its pixels and what is to stand for them; slow."""
    for layer in entry.at_rest:
        pixels = layer.data
        if resting_pixels(layer) is not None or type(pixels) is not np.ndarray:
            continue
        if layer is entry.layer and entry.path is not None:
            yield layer, pixels, FilePixels(entry.path, pixels, read_pixels)
        elif can_be_packed(layer):
            yield layer, pixels, PackedLabels(pixels)


def layers_of(session: Session, image: ImageLayer) -> list[Layer]:
    """Give the layers of the viewer that belong to an image, and itself, bottom one first."""
    item = session.annotated_of(image)
    drawn = () if item is None else (*item.drawn, *item.targets)
    found = [layer for layer in results_of(session.viewer, image) if not is_preview(layer)]
    own = {image, *drawn, *found, *count_regions_of(session.viewer, image)}
    return [layer for layer in session.viewer.layers if layer in own]


def _is_used(session: Session, image: ImageLayer) -> bool:
    """Whether anything is learnt from an image as it is: as a whole, or by its class."""
    item = session.annotated_of(image)
    return item is not None and (item.alone or bool(item.class_name) or item.no_cells)


def _worth_keeping(session: Session, image: ImageLayer, own: Sequence[Layer]) -> set[Layer]:
    """Give what is on an image; of what a person draws on nothing is kept where nothing is drawn."""
    item = session.annotated_of(image)
    drawn = () if item is None else item.drawn
    begun = _is_used(session, image) or any(_holds_something(session, layer) for layer in drawn)
    return {layer for layer in own if (begun if layer in drawn else _holds_something(session, layer))}


def _holds_something(session: Session, layer: Layer) -> bool:
    if isinstance(layer, Points | Shapes):
        return len(layer.data) > 0
    if isinstance(layer, Labels) and not is_result(layer):
        return session.contents.highest(layer) > 0 or bool(np.any(layer.data))
    return True


def _put_down(layer: Layer) -> None:
    if hasattr(layer, "mode"):
        layer.mode = _LOOKING


def read_pixels(path: Path) -> Array:
    """Read the pixels of a file as they are in a layer.

    Raises
    ------
    ImageReadError
        If it is gone or damaged.
    """
    return np.asarray(read_image(path).data)


def read_for_viewer(path: Path) -> Image:
    """Read an image for a new layer: into memory, as long as that is a small part of what is free.

    Raises
    ------
    ImageReadError
        If it is gone or damaged.
    """
    image = read_image(path)
    if prod(image.data.shape) * image.data.dtype.itemsize < available_memory() * _SHARE:
        image = replace(image, data=np.asarray(image.data))
    return image
