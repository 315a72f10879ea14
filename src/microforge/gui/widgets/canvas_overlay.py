"""Text overlay in the corner of the canvas."""

from typing import Any

from napari.components import ViewerModel

#: What is changed of the overlay, so that it can be put back.
_OURS = {"position": "top_left", "font_size": 12.0}


class CanvasText:
    """The text in the corner of the canvas, borrowed from the viewer while there is something to say."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._kept: dict[str, Any] | None = None
        self._shown = ""

    def show(self, text: str) -> None:
        """Show a text; nothing where it is empty."""
        if not text:
            self.clear()
            return
        overlay = overlay_of(self._viewer)
        if self._kept is None or overlay.text != self._shown:
            # What stands there now is the user's, also where it was written over ours.
            self._kept = {name: getattr(overlay, name) for name in (*_OURS, "text", "visible")}
            for name, value in _OURS.items():
                setattr(overlay, name, value)
        overlay.text = self._shown = text
        overlay.visible = True

    def clear(self) -> None:
        """Give the corner back as it was; what the user wrote there meanwhile stays."""
        overlay, kept = overlay_of(self._viewer), self._kept
        if kept is not None and overlay.text == self._shown:
            for name, value in kept.items():
                setattr(overlay, name, value)
        self._kept, self._shown = None, ""


def overlay_of(viewer: ViewerModel) -> Any:
    """Give the viewer's text overlay; napari 0.9 moved it and warns of the old place."""
    return viewer.canvas.overlays.text if hasattr(viewer, "canvas") else viewer.text_overlay
