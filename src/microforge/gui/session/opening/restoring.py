"""Layers made again from what a project keeps of an image: come here when one does not come back as it was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Layer

from microforge.axes.areas import Outline
from microforge.gui.layers.brush_cursor import brushes_down
from microforge.gui.layers.convert import add_labels, add_region
from microforge.gui.layers.layer_axes import axes_of, drawing_axes, long_letters
from microforge.gui.layers.marks import dress_ground
from microforge.gui.layers.points import add_points, places_in
from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.image_list.listed_image import WantedRole
from microforge.gui.session.state import Session
from microforge.types import Array, Points


@dataclass(frozen=True, eq=False)
class KeptDrawing:
    """What a project keeps of an image.

    Attributes
    ----------
    labels, background
        int32, along the image's axes that are longer than one, without channels; None = none.
    settings
        Fields of `Annotated` that are no layers.
    role
        What it is for, as a person wants it.
    """

    labels: Array | None = None
    background: Array | None = None
    points: Points | None = None
    outlines: tuple[Outline, ...] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    role: WantedRole = ""


def draw_again(
    session: Session, image: ImageLayer, kept: KeptDrawing, viewer: ViewerModel | None = None
) -> Annotated | None:
    """Make the layers of what was drawn on an image; give what is learnt from it, or None where that is nothing.

    Parameters
    ----------
    viewer
        Where the layers are made; None = that of the session.

    Raises
    ------
    MicroforgeError
        If it does not fit the image, or not into memory.
    """
    viewer, (axes, _), ground = viewer or session.viewer, axes_of(image), None
    if kept.background is not None:
        ground = add_labels(viewer, image, axes, "background", kept.background)
        dress_ground(ground, image)
    if kept.labels is not None:
        session.annotate(image, add_labels(viewer, image, axes, drawn=kept.labels))
    if kept.points is not None:
        session.annotate_points(image, _points_layers(viewer, image, axes, kept.points))
    if kept.settings.get("class_name"):
        session.set_class([image], kept.settings["class_name"])
    if kept.settings.get("alone"):
        session.learn_from([image])
    item = session.annotated_of(image)
    if item is not None:
        region = None if kept.outlines is None else _region(viewer, image, axes, kept.outlines)
        item.take_role(kept.role)
        session.change(item, **{**kept.settings, "region": region, "ground": ground or item.ground})
        viewer.layers.selection.active = next(iter(item.drawn), image)
    with brushes_down(viewer, again=False):
        return item


def _points_layers(viewer: ViewerModel, image: ImageLayer, axes: str, points: Points) -> list[Layer]:
    layers = [add_points(viewer, image, axes, kind, number) for number, kind in enumerate(points.kinds)]
    for number, layer in enumerate(layers):
        own = points.only(points.kind == number)
        if len(own):
            layer.data = places_in(layer, own, image, axes)
            layer.selected_data = set()
    return layers


def _region(viewer: ViewerModel, image: ImageLayer, axes: str, outlines: Sequence[Outline]) -> Layer:
    region, letters = add_region(viewer, image, axes), long_letters(drawing_axes(axes))
    for outline in outlines:
        corners = outline.corners
        own = Points(
            np.asarray(corners, np.float32),
            np.zeros(len(corners), np.int32),
            axes=letters[len(letters) - corners.shape[1] :],
        )
        region.add_polygons([places_in(region, own, image, axes)])
    region.mode = "pan_zoom"
    return region
