"""What crashes in graphics drivers, the brush cursor above all; come here when drawing ends the program."""

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

from napari.components import ViewerModel
from napari.layers import Labels, Layer, Points
from vispy.gloo import gl, glir

_AT_REST = {"pan_zoom", "transform"}
#: Where vispy notes, for each canvas, the shaders that are to be deleted.
_LATE = "microforge_deleted_late"


def delete_shaders_late() -> None:
    """Have the shaders of layers that are removed deleted only once something else was drawn.

    Mesa's software driver (seen with 22.3) goes on reading those that were drawn last until it has others, so that
    removing a layer at the wrong moment ends the program. vispy deletes at the beginning of the next drawing.
    """
    program = getattr(glir, "GlirProgram", None)
    if program is None or getattr(program, _LATE, False):
        return
    draw = program.draw

    def delete(self: Any) -> None:
        self._parser.env.setdefault(_LATE, []).append(self._handle)

    def draw_and_delete(self: Any, *args: Any, **kwargs: Any) -> None:
        draw(self, *args, **kwargs)
        for handle in self._parser.env.pop(_LATE, ()):
            gl.glDeleteProgram(handle)

    program.delete, program.draw = delete, draw_and_delete
    setattr(program, _LATE, True)


def hide_box_of_brush(viewer: ViewerModel) -> None:
    """Take away the box behind napari's brush circle, which has no use and stays when the circle goes.

    It is the one thing left to draw once all layers are gone. Where it is drawn while a layer of more
    dimensions is being added, the graphics driver reads buffers that were freed with the layers, and the program ends.
    """
    overlays = _overlays(viewer)
    overlay = overlays.get("_brush_circle", overlays.get("brush_circle"))
    if overlay is not None and hasattr(overlay, "box"):
        overlay.box = False


@contextlib.contextmanager
def brushes_down(viewer: ViewerModel, *, again: bool) -> Iterator[None]:
    """Leave the modes for drawing and clicking while a layer is added; `again` takes them up afterwards.

    With napari 0.9 the program crashes in the graphics driver, later, when a layer was added while one was painted on.
    """
    drawing = [(layer, layer.mode) for layer in viewer.layers if isinstance(layer, Labels | Points)]
    drawing = [(layer, mode) for layer, mode in drawing if mode not in _AT_REST]
    for layer, _ in drawing:
        layer.mode = "pan_zoom"
    try:
        yield
    finally:
        for layer, mode in drawing if again else ():
            layer.mode = mode


def add_beside_brushes(viewer: ViewerModel, layer: Layer) -> None:
    """Add a layer while a person may be painting on another; see `brushes_down`."""
    with brushes_down(viewer, again=True):
        viewer.add_layer(layer)


def _overlays(viewer: ViewerModel) -> dict[str, Any]:
    """Give the overlays of the canvas by name."""
    if hasattr(viewer, "canvas"):
        return dict(viewer.canvas.overlays)
    with warnings.catch_warnings():
        # Before napari 0.9 there is no public way to them, of which a plugin is warned.
        warnings.simplefilter("ignore", FutureWarning)
        return dict(getattr(viewer, "_overlays", {}))
