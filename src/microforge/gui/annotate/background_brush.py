"""The background brush: strokes beside the objects that say "here is none", on a layer of their own."""

from napari.layers import Layer
from qtpy.QtCore import QObject, Signal

from microforge.errors import MicroforgeError
from microforge.gui.layers.gestures import GROUND_KEY
from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.painted_layers import ground_of
from microforge.gui.session.state import Session


class BackgroundBrush(QObject):  # type: ignore[misc]  # qtpy has no types
    """Take the brush for background in hand, and the one for objects again, by a key on the layers of both."""

    turned = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._bound: set[Layer] = set()

    def serve(self, *, objects: bool) -> None:
        """Bind the key where objects are painted, and nowhere else."""
        wanted = {*self._layers()} if objects else set()
        for layer in self._bound - wanted:
            layer.bind_key(GROUND_KEY.key, None, overwrite=True)
        for layer in wanted - self._bound:
            layer.bind_key(GROUND_KEY.key, self._on_key, overwrite=True)
        self._bound = wanted

    def in_hand(self) -> bool:
        """Whether strokes say what is background now."""
        active = self._session.viewer.layers.selection.active
        return any(active is item.ground for item in self._session.annotated if item.ground is not None)

    def turn(self, item: Annotated) -> None:
        """Take the other of the two brushes in hand; the layer of background strokes is made when first needed."""
        active = self._session.viewer.layers.selection.active
        if item.ground is not None and active is item.ground and item.labels is not None:
            self._take_up(item.labels)
        elif item.labels is not None:
            try:
                self._take_up(ground_of(self._session, item))
            except MicroforgeError as error:
                self._session.say(str(error), "error")
        self.turned.emit()

    def close(self) -> None:
        """Leave the layers as they were found."""
        for layer in self._bound:
            layer.bind_key(GROUND_KEY.key, None, overwrite=True)
        self._bound = set()

    def _layers(self) -> list[Layer]:
        painted = [item for item in self._session.annotated if item.labels is not None]
        return [layer for item in painted for layer in (item.labels, item.ground) if layer is not None]

    def _on_key(self, layer: Layer) -> None:
        item = self._session.annotated_of(layer)
        if item is not None:
            self.turn(item)

    def _take_up(self, layer: Layer) -> None:
        self._session.viewer.layers.selection.active = layer
        layer.visible = True
        layer.mode = "paint"
