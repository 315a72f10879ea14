"""Cell types of point annotations: add, rename, remove on all images."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.layers import Layer, Points
from napari.utils.colormaps.standardize_color import transform_color

from microforge.gui.layers.layer_axes import axes_of
from microforge.gui.layers.points import KIND, add_points, kind_column, kinds_of, name_of_layer, named_layers
from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.state import Session


@dataclass(frozen=True)
class Kind:
    """A kind of cells as the list shows it.

    Attributes
    ----------
    colour
        Four numbers 0..1.
    fixed
        Whether its name comes from the layer's features and cannot be changed here.
    """

    name: str
    count: int
    colour: Any
    fixed: bool = False


def kind_names(session: Session) -> tuple[str, ...]:
    """Give the names of all kinds that are looked for on any image; none where there is but one without a name."""
    items = [item for item in session.annotated if item.points]
    names = (name for item in items for own in named_layers(item.points) for name in own)
    return tuple(dict.fromkeys(name for name in names if name))


def cell_types_on(item: Annotated) -> list[tuple[Layer, Kind]]:
    """Give the kinds of an image in the order of their layers, each with the layer its points are in."""
    return [
        (layer, kind)
        for layer, names in zip(item.points, named_layers(item.points), strict=True)
        for kind in _kinds_of_layer(layer, names)
    ]


def start_clicking(session: Session, image: Layer) -> Annotated:
    """Make a layer for each kind that is looked for on the other images, or the first."""
    names = kind_names(session) or ("",)
    return session.annotate_points(image, [_new_layer(session, image, name) for name in names])


def add_kind(session: Session) -> str:
    """Look for a further kind, on every image that has points; give its name."""
    items = [item for item in session.annotated if item.points]
    # What was the only kind gets a name as well.
    for item in items:
        for layer in item.points:
            if kinds_of(layer)[0] == ("",):
                _name(session, layer, kind_names(session)[:1] or ("kind 1",))
    new = next(name for name in _counted() if name not in kind_names(session))
    for item in items:
        session.annotate_points(item.image, (*item.points, _new_layer(session, item.image, new)))
    return new


def rename_kind(session: Session, item: Annotated, old: str, new: str) -> str:
    """Call a kind by another name on every image; give why that cannot be, or nothing."""
    if new and new in kind_names(session):
        return f"There is a kind called {new} already."
    if not new and len(cell_types_on(item)) > 1:
        return "Each of several kinds needs a name."
    for other in session.annotated:
        for layer, names in zip(other.points, named_layers(other.points), strict=True):
            if names == (old,) and not kind_column(layer):
                _name(session, layer, (new,))
    session.changed.emit()
    return ""


def remove_kind(session: Session, item: Annotated, name: str) -> None:
    """Learn from the points of a kind no more, on any image; from the only kind of an image: no more on that image."""
    alone = len(cell_types_on(item)) == 1
    session.take_points(
        [
            layer
            for other in ([item] if alone else session.annotated)
            for layer, names in zip(other.points, named_layers(other.points), strict=True)
            if names == (name,) and not kind_column(layer)
        ]
    )


def next_kind(layer: Points, name: str) -> None:
    """Make the next points in a layer be of a kind, where its features tell kinds apart."""
    column = kind_column(layer)
    if not column:
        return
    values = layer.features[column]
    defaults = layer.feature_defaults.copy()
    # The features hold the kind as what it is: a number, a word, a category.
    defaults[column] = values[values.astype(str) == name].iloc[:1].to_numpy()
    layer.feature_defaults = defaults


def move_points(layer: Points, target: Points, places: Sequence[int]) -> None:
    """Move some points of a layer, by their numbers, into another: they are of its kind then."""
    moved = [target.world_to_data(layer.data_to_world(layer.data[place])) for place in places]
    layer.selected_data = set(places)
    layer.remove_selected()
    target.add(np.array(moved))
    target.selected_data = set()


def _kinds_of_layer(layer: Points, names: Sequence[str]) -> Iterator[Kind]:
    index, fixed = kinds_of(layer)[1], bool(kind_column(layer))
    for number, name in enumerate(names):
        own = (index == number).nonzero()[0]
        colour = layer.face_color[own[0]] if len(own) else transform_color(layer.current_face_color)[0]
        yield Kind(name, len(own), colour, fixed)


def _new_layer(session: Session, image: Layer, name: str) -> Points:
    letters, _ = axes_of(image, session.axes_of(image))
    names = kind_names(session)
    return add_points(session.viewer, image, letters, name, names.index(name) if name in names else len(names))


def _name(session: Session, layer: Points, names: Sequence[str]) -> None:
    """Keep the name of the kind in a layer; the layer's own name follows where it was made here."""
    item = session.annotated_of(layer)
    if item is not None and layer.name == name_of_layer(item.image, str(layer.metadata.get(KIND, ""))):
        layer.name = name_of_layer(item.image, names[0])
    layer.metadata[KIND] = names[0]


def _counted() -> Iterator[str]:
    number = 1
    while True:
        yield f"kind {number}"
        number += 1
