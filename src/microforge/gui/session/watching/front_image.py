"""Which image is in front: come here when a person sees one image and paints on another.

An image whose annotation is taken in hand is shown with its own layers alone; what is hidden for that is shown
again when asked for. A brush never stays in hand while another image lies over the one it paints on.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from napari.layers import Image, Layer
from psygnal import Signal

from microforge.gui.layers.marks import is_result
from microforge.gui.layers.results import results_of
from microforge.gui.session.annotations import window_annotation
from microforge.gui.session.state import Session

#: Modes in which nothing is drawn, and ways in which an image hides what is below.
_LOOKING, _COVERS = {"pan_zoom", "transform", "select", "pick"}, {"translucent", "translucent_no_depth", "opaque"}
_MAY_COVER = {"inserted", "visible", "reordered", "opacity", "blending", "mode"}


class FrontImage:
    """Follow what is selected, bring images to the front, and put brushes down that would paint unseen."""

    #: Another image is meant.
    changed = Signal(object)
    #: Layers were hidden, or are shown again.
    hiding_changed = Signal()

    def __init__(self, session: Session) -> None:
        self._session = session
        self._hidden: list[Layer] = []
        self._front: Image | None = None
        self._busy = False
        layers = session.viewer.layers
        layers.selection.events.active.connect(self._follow)
        layers.events.connect(self._on_layers)
        session.changed.connect(self._on_session)

    @property
    def hides(self) -> bool:
        """Whether layers of other images are hidden now."""
        return bool(self._hidden)

    def close(self) -> None:
        """Let go of the viewer; what was hidden is shown again."""
        self.show_all()
        layers = self._session.viewer.layers
        layers.selection.events.active.disconnect(self._follow)
        layers.events.disconnect(self._on_layers)
        self._session.changed.disconnect(self._on_session)

    def bring(self, image: Image) -> None:
        """Show an image with its own layers, and hide those of the others."""
        own, owned = self._layers_of(image), set(self._of_images())
        active = self._session.viewer.layers.selection.active
        with self._changing():
            for layer in list(self._session.viewer.layers):
                if layer in own:
                    self._show(layer, always=layer in (image, active))
                elif layer in owned and layer.visible:
                    self._hidden.append(layer)
                    layer.visible = False
        self._front = image
        self.hiding_changed.emit()

    def show_all(self) -> None:
        """Show again what was hidden."""
        with self._changing():
            for layer in list(self._hidden):
                self._show(layer)
        self._front = None
        self.hiding_changed.emit()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """While it lasts, changes are our own."""
        self._busy = True
        try:
            yield
        finally:
            self._busy = False

    def _on_session(self) -> None:
        """Heed what became the annotation of an image, or another goal; what is selected is as before."""
        item = self._session.annotated_of(self._session.viewer.layers.selection.active)
        if self._hidden or (item is not None and self._session.viewer.layers.selection.active in item.drawn):
            self._follow()

    def _follow(self, _event: Any = None) -> None:
        """Heed which layer is active."""
        active = self._session.viewer.layers.selection.active
        image = image_behind(self._session, active)
        if not window_annotation(self._session.kind).is_drawn:
            # Several images are looked at beside each other: pairs, classes.
            if self._hidden:
                self.show_all()
            return
        if self._busy or image is None:
            return
        drawn = active in self._drawn(image)
        if image is not self._front and (drawn or self._hidden):
            self.bring(image)
        self.changed.emit(image)

    def _on_layers(self, event: Any) -> None:
        if self._busy or event.type not in (*_MAY_COVER, "removed"):
            return
        here = self._session.viewer.layers
        # What she shows herself is hidden no more, whatever is brought to the front.
        shown = [layer for layer in self._hidden if layer not in here or layer.visible]
        if shown:
            self._hidden = [layer for layer in self._hidden if layer not in shown]
            self.hiding_changed.emit()
        if event.type in _MAY_COVER:
            self._put_down()

    def _put_down(self) -> None:
        active = self._session.viewer.layers.selection.active
        item = self._session.annotated_of(active)
        if item is None or active not in item.drawn or str(active.mode) in _LOOKING:
            return
        above = next((layer for layer in self._over(item.image) if layer not in item.targets), None)
        if above is not None:
            active.mode = "pan_zoom"
            self._session.say(
                f"{above.name} lies over {item.image.name}, which you annotate: the brush is put down. Hide "
                f"{above.name}, or choose it and annotate it.",
                "warning",
            )

    def _over(self, image: Layer) -> Iterator[Layer]:
        """Give the images that hide another."""
        layers = self._session.viewer.layers
        for layer in layers[layers.index(image) + 1 :] if image in layers else ():
            opaque = layer.visible and layer.opacity > 0.99 and str(layer.blending) in _COVERS
            if isinstance(layer, Image) and opaque and not is_result(layer):
                yield layer

    def _show(self, layer: Layer, *, always: bool = False) -> None:
        if layer in self._hidden:
            self._hidden.remove(layer)
            layer.visible = True
        elif always and not layer.visible:
            layer.visible = True

    def _drawn(self, image: Layer) -> tuple[Layer, ...]:
        item = self._session.annotated_of(image)
        return () if item is None else item.drawn

    def _layers_of(self, image: Image) -> set[Layer]:
        item = self._session.annotated_of(image)
        targets = () if item is None else item.targets
        return {image, *self._drawn(image), *targets, *results_of(self._session.viewer, image)}

    def _of_images(self) -> Iterator[Layer]:
        for image in self._session.images():
            yield from self._layers_of(image)


def image_behind(session: Session, layer: Layer | None) -> Image | None:
    """Give the image that is meant by a layer: itself, or the one it annotates or was made from."""
    if layer is None or (isinstance(layer, Image) and not is_result(layer)):
        return layer
    annotated = session.annotated_of(layer)
    if annotated is not None:
        image: Image = annotated.image
        return image
    return next((image for image in session.images() if layer in results_of(session.viewer, image)), None)
