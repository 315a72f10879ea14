"""Regions drawn as Shapes layers to count in, and their names."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
from napari.components import ViewerModel
from napari.layers import Layer, Shapes

from microforge.axes.areas import Outline
from microforge.gui.layers.brush_cursor import add_beside_brushes
from microforge.gui.layers.convert import geometry_of
from microforge.gui.layers.layer_axes import shape_of_layer
from microforge.gui.layers.marks import is_result
from microforge.gui.layers.outlines import AREAS, outlines_of
from microforge.gui.session.state import Session

REGION_NAME = "name"
_MARK = "microforge_count_regions"
_COLOUR = "#ff9a3c"


@dataclass(frozen=True, eq=False)
class DrawnRegion:
    """An area of a Shapes layer over an image; `index` is its number in the layer."""

    name: str
    outline: Outline
    layer: Shapes
    index: int


def region_layers(session: Session) -> list[Shapes]:
    """Give the layers whose areas are counted in: not those that say what is annotated."""
    annotated = {item.region for item in session.annotated}
    shapes = [layer for layer in session.viewer.layers if isinstance(layer, Shapes)]
    return [layer for layer in shapes if layer not in annotated and not is_result(layer)]


def count_regions_of(viewer: ViewerModel, image: Layer) -> list[Layer]:
    """Give the layers for regions that were drawn on an image."""
    return [layer for layer in viewer.layers if layer.metadata.get(_MARK) == image.unique_id]


def regions_on(layers: Sequence[Shapes], image: Layer, axes: str) -> tuple[DrawnRegion, ...]:
    """Give the areas that touch an image, numbered where they have no name.

    Parameters
    ----------
    axes
        One letter per dimension of the image layer.
    """
    keep = [axes.index(letter) for letter in "YX"]
    height, width = (shape_of_layer(image)[axis] for axis in keep)
    found: list[DrawnRegion] = []
    for layer in layers:
        if not _shares(layer, image, keep):
            continue
        areas = [k for k, kind in enumerate(layer.shape_type) if str(kind) in AREAS]
        names = names_of(layer)
        for index, outline in zip(areas, outlines_of(layer, image, keep), strict=True):
            low, high = outline.corners.min(axis=0), outline.corners.max(axis=0)
            if (high >= 0).all() and low[0] < height and low[1] < width:
                found.append(DrawnRegion(names[index] or f"region {len(found) + 1}", outline, layer, index))
    return tuple(found)


def names_of(layer: Shapes) -> list[str]:
    """Give the name of each shape; empty where it has none."""
    if REGION_NAME not in layer.features.columns:
        return [""] * len(layer.data)
    return ["" if _is_nothing(name) else str(name).strip() for name in layer.features[REGION_NAME]]


def rename(region: DrawnRegion, name: str) -> None:
    """Give a region a name, in the features of its layer."""
    names = names_of(region.layer)
    names[region.index] = name
    _set_names(region.layer, names)


def _set_names(layer: Shapes, names: Sequence[str]) -> None:
    table = {column: layer.features[column].to_numpy() for column in layer.features.columns}
    layer.features = table | {REGION_NAME: np.array(names, object)}
    # The next one drawn would take the last name over.
    layer.feature_defaults = {column: layer.feature_defaults[column].iloc[0] for column in table} | {REGION_NAME: ""}
    layer.refresh_text()


def name_new(layers: Sequence[Shapes]) -> None:
    """Give areas just drawn on a layer of `draw_regions` a name, so that it shows on the image and stays theirs."""
    taken = {name for layer in layers for name in names_of(layer)}
    free = (name for name in (f"region {n}" for n in count(1)) if name not in taken)
    for layer in layers:
        names = names_of(layer)
        if _MARK in layer.metadata and "" in names:
            _set_names(layer, [name or next(free) for name in names])


def draw_regions(viewer: ViewerModel, image: Layer, axes: str) -> Shapes:
    """Give the layer for regions of an image with the rectangle tool in hand; makes it where there is none."""
    known = count_regions_of(viewer, image)
    layer = known[-1] if known else _new_layer(viewer, image, axes)
    viewer.layers.selection.active = layer
    layer.visible = True
    layer.mode = "add_rectangle"
    return layer


def _new_layer(viewer: ViewerModel, image: Layer, axes: str) -> Shapes:
    # Without planes and time a region shows on all of them; that needs Y and X to be the last dimensions.
    flat = axes.endswith("YX")
    keep = list(range(image.ndim - 2 if flat else 0, image.ndim))
    layer = Shapes(
        ndim=len(keep),
        name=f"{image.name} regions",
        face_color="#ff9a3c22",
        edge_color=_COLOUR,
        edge_width=max(1.0, image.extent.data[1, -1] / 300),
        features={REGION_NAME: np.array([], object)},
        text={"string": "{name}", "color": _COLOUR, "size": 11, "anchor": "upper_left"},
        metadata={_MARK: image.unique_id},
        **geometry_of(image, keep),
    )
    layer.feature_defaults = {REGION_NAME: ""}
    add_beside_brushes(viewer, layer)
    return layer


def _shares(layer: Shapes, image: Layer, keep: Sequence[int]) -> bool:
    """Whether the layer has the image's Y and X: napari aligns layers at their last dimensions."""
    return all(image.ndim - axis <= layer.ndim for axis in keep)


def _is_nothing(name: object) -> bool:
    return name is None or (isinstance(name, float) and np.isnan(name))
