"""Whose a layer is, hers or the network's, what each looks like, and keys that show and hide them.

Come here before giving a layer a colour.

Three roles look the same everywhere: what a person drew is filled in warm colours; what a network says is outlined in
one cool colour, or a ring; what is kept aside to measure quality is hatched. Classes of pixels keep their colours in
both, and the network's are fainter. Warm and cool differ for people who see no red or no green, too.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from napari.utils.colormaps import CyclicLabelColormap, DirectLabelColormap

#: Colours of a person's objects, and of cells by their kind; none is dark, on black as on a stained tissue.
MINE = ("#ffb000", "#ff6f3c", "#ffd84d", "#ff5d8f", "#ff9248", "#f7c6a3", "#ff4f4f", "#e8a13a", "#ffa5c8", "#fff08a")
#: Colours of a network's objects, and of cells by their kind; the kinds of both have the same order.
NETWORKS = ("#22d3ee", "#6f8bff", "#5fd26a", "#b48cff", "#2dd4bf", "#9fd7ff")
#: Colour of the strokes that say what is background: hers, but no object.
GROUND = "#a0764a"
#: Colour of the hatching of what is kept aside.
KEPT_ASIDE = "#c9ced6"
#: Colours of classes of pixels, as far apart as colours go.
CLASSES = ("#ffb000", "#22d3ee", "#ff5d8f", "#5fd26a", "#b48cff", "#ff6f3c", "#6f8bff", "#fff08a", "#2dd4bf", "#f7c6a3")
#: Width of outlines in pixels; how strongly classes of a network are shown, and strokes on background.
OUTLINE, FAINT, _THIN = 2, 0.4, 0.45
#: Where strokes on background say of which image they are.
_GROUND_OF = "microforge_background_of"
#: Where a preview comes from, see `mark_result`.
PREVIEW = "preview"
_TRANSPARENT = np.zeros(4, np.float32)


def is_result(layer: Layer) -> bool:
    """Whether a layer was made by a model: a preview or a result, never something to train on."""
    return "microforge_result" in layer.metadata


def is_preview(layer: Layer) -> bool:
    """Whether a layer shows what a network says while it is trained."""
    return bool(layer.metadata.get("microforge_result") == PREVIEW)


def mark_result(layer: Layer, origin: str) -> None:
    """Say that a layer was made by a model, so that it is never offered as an input; `origin` names it."""
    layer.metadata["microforge_result"] = origin


def dress_mine(layer: Labels, *, classes: bool) -> None:
    """Show what a person paints filled, in warm colours, or classes in theirs."""
    layer.colormap = _cycle(CLASSES if classes else MINE)
    layer.contour = 0


def dress_networks(layer: Labels, *, classes: bool) -> None:
    """Show what a network found as outlines in one colour, or its classes faintly."""
    layer.colormap = (
        _cycle(CLASSES) if classes else DirectLabelColormap(color_dict={0: _TRANSPARENT, None: NETWORKS[0]})
    )
    layer.contour, layer.opacity = (0, FAINT) if classes else (OUTLINE, 1.0)


def dress_ground(layer: Labels, image: Layer) -> None:
    """Show strokes on the background of an image in one colour, and mark them, so that they are no annotation."""
    layer.metadata[_GROUND_OF] = image.unique_id
    layer.colormap = DirectLabelColormap(color_dict={0: _TRANSPARENT, None: GROUND})
    layer.contour, layer.opacity = 0, _THIN


def is_ground(layer: Layer, image: Layer | None = None) -> bool:
    """Whether a layer holds strokes that say what is background, of this image if one is given."""
    source = layer.metadata.get(_GROUND_OF)
    return source is not None and (image is None or source == image.unique_id)


def mine_point(kind: int = 0) -> dict[str, Any]:
    """Give how points that a person set look, by the number of their kind: filled."""
    return {"face_color": MINE[kind % len(MINE)], "border_color": "#101418", "border_width": 0.12}


def networks_point(kind: int = 0) -> str:
    """Give the colour of the rings of a network's points, by the number of their kind."""
    return NETWORKS[kind % len(NETWORKS)]


def class_colour(value: int) -> Any:
    """Give the colour of a class of pixels by its label value, four numbers 0..1."""
    return _cycle(CLASSES).map(value)


def _cycle(colours: tuple[str, ...]) -> CyclicLabelColormap:
    # The first stands for the background.
    return CyclicLabelColormap(colors=["#00000000", *colours])


class Key(NamedTuple):
    """A key of the viewer: what it does in words, and doing it."""

    key: str
    words: str
    act: Callable[[ViewerModel], None]


def toggle_mine(viewer: ViewerModel) -> None:
    """Hide all layers on which a person draws, or show them again; images stay."""
    _toggle([layer for layer in viewer.layers if not isinstance(layer, Image) and not is_result(layer)])


def toggle_networks(viewer: ViewerModel) -> None:
    """Hide all that a network said, or show it again; images that it made stay, as they are what is looked at."""
    _toggle([layer for layer in viewer.layers if is_result(layer) and not isinstance(layer, Image)])


def toggle_fill(viewer: ViewerModel) -> None:
    """Fill the objects that a network found, or outline them again."""
    found = [layer for layer in viewer.layers if is_result(layer) and isinstance(layer, Labels)]
    outline = 0 if any(layer.contour for layer in found) else OUTLINE
    for layer in found:
        layer.contour, layer.opacity = outline, 1.0 if outline else 0.5


ROLE_KEYS = (
    Key("W", "show or hide what I drew", toggle_mine),
    Key("Q", "show or hide what the network says", toggle_networks),
    Key("Shift-Q", "fill or outline what the network says", toggle_fill),
)


def bind_role_keys(viewer: ViewerModel) -> None:
    """Give the keys to a viewer."""
    for key in ROLE_KEYS:
        viewer.bind_key(key.key, key.act, overwrite=True)


def unbind_role_keys(viewer: ViewerModel) -> None:
    """Take the keys away again."""
    for key in ROLE_KEYS:
        viewer.bind_key(key.key, None, overwrite=True)


def _toggle(layers: list[Layer]) -> None:
    shown = not any(layer.visible for layer in layers)
    for layer in layers:
        layer.visible = shown
