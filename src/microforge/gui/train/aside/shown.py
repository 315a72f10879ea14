"""Show on the canvas what is kept aside of the image that is looked at: one layer at most, hatched."""

from collections.abc import Callable
from typing import Any

from napari.layers import Layer
from qtpy.QtCore import QObject, QTimer

from microforge.events import AsidePart
from microforge.gui.layers.brush_cursor import brushes_down
from microforge.gui.layers.layer_axes import axes_of
from microforge.gui.session.state import Session
from microforge.gui.train.aside.hatching import hatching

#: Milliseconds after which what is shown follows; a layer that goes must be undrawn before another comes.
SHOWN_DELAY = 50


class AsideShown(QObject):  # type: ignore[misc]  # qtpy has no types
    """Keep the layer of hatching true to what is kept aside.

    Parameters
    ----------
    looked_at
        Gives the image that is looked at.

    Attributes
    ----------
    layer
        The layer shown; None where nothing of that image is kept aside, or the user removed it.
    """

    def __init__(self, session: Session, looked_at: Callable[[], Layer | None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session, self._looked_at = session, looked_at
        self.layer: Layer | None = None
        self._shows: tuple[Layer, AsidePart] | None = None
        self._dismissed: set[tuple[Layer, AsidePart]] = set()
        self._timer = QTimer(self, singleShot=True, interval=SHOWN_DELAY)
        self._timer.timeout.connect(self._follow)
        session.changed.connect(self._later)
        session.viewer.layers.events.removed.connect(self._on_removed)
        session.viewer.layers.selection.events.active.connect(self._later)

    def close(self) -> None:
        """Let go of the viewer."""
        self._timer.stop()
        self.session.changed.disconnect(self._later)
        self.session.viewer.layers.events.removed.disconnect(self._on_removed)
        self.session.viewer.layers.selection.events.active.disconnect(self._later)

    def _later(self, _event: Any = None) -> None:
        self._timer.start()

    def _follow(self) -> None:
        """Take away what does not hold any more, and show what does the next time."""
        wanted = self._wanted()
        if wanted == self._shows:
            return
        layer, self.layer, self._shows = self.layer, None, None
        if layer is not None and layer in self.session.viewer.layers:
            self.session.viewer.layers.remove(layer)
            self._timer.start()
        elif wanted is not None:
            self._show(*wanted)

    def _wanted(self) -> tuple[Layer, AsidePart] | None:
        if self.layer is not None and self.session.viewer.layers.selection.active is self.layer:
            return self._shows
        image = self._looked_at()
        item = next((item for item in self.session.items if item.image is image), None)
        part = None if item is None or not item.use else item.kept_aside
        if image is None or part is None or (image, part) in self._dismissed:
            return None
        return image, part

    def _show(self, image: Layer, part: AsidePart) -> None:
        layers = self.session.viewer.layers
        axes = axes_of(image, self.session.axes_of(image))[0]
        made = hatching(image, axes, part)
        chosen, active = set(layers.selection), layers.selection.active
        self.layer, self._shows = made, (image, part)
        with brushes_down(self.session.viewer, again=True):
            layers.insert(layers.index(image) + 1, made)
            layers.selection = chosen
            layers.selection.active = active

    def _on_removed(self, event: Any) -> None:
        if event.value is self.layer and self._shows is not None:
            # The user has seen enough of it.
            self._dismissed.add(self._shows)
            self.layer, self._shows = None, None
