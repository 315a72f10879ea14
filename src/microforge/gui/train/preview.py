"""Live preview: follow the view, ask the training for a prediction, show it as a layer."""

from typing import Any

import numpy as np
from napari.layers import Labels, Layer
from psygnal import Signal
from qtpy.QtCore import QObject, QTimer

from microforge.errors import MicroforgeError
from microforge.events import PreviewReady
from microforge.gui.layers.brush_cursor import brushes_down
from microforge.gui.layers.convert import image_of
from microforge.gui.layers.layer_axes import axes_of
from microforge.gui.layers.marks import PREVIEW, dress_networks, mark_result
from microforge.gui.layers.preview import Shown, View, said_of, shown_of
from microforge.gui.layers.results import CLASSES_KIND, DETAILS, doubts_of
from microforge.gui.session.state import Session
from microforge.types import ArrayLike, Sample

#: Milliseconds between looking where the user looks.
PREVIEW_PERIOD = 300
#: Milliseconds in which several answers become one.
PREVIEW_DELAY = 30
#: Larger images are previewed around the middle of the view: pixels in YX for planes and stacks, and planes.
_SIDE, _SIDE_OF_STACK, _PLANES = 1024, 384, 24


class Preview(QObject):  # type: ignore[misc]  # qtpy has no types
    """Tell the training what is looked at, and show its answers.

    Attributes
    ----------
    enabled
        Whether there is to be a preview at all; False once the user removes its layer.
    """

    dismissed = Signal()
    #: What there is to say where the answer is no layer.
    said = Signal(str)
    #: The image of which an answer is on the screen.
    shown = Signal(object)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.enabled = True
        self.layer: Layer | None = None
        self._views: dict[str, View] = {}
        self._asked = ""
        self._answer: PreviewReady | None = None
        self._limits: tuple[float, float] | None = None
        self._name = ""
        self._timer = QTimer(self, interval=PREVIEW_PERIOD)
        self._timer.timeout.connect(self.look)
        self._soon = QTimer(self, singleShot=True, interval=PREVIEW_DELAY)
        self._soon.timeout.connect(self._draw)
        session.viewer.layers.events.removed.connect(self._on_removed)

    def close(self) -> None:
        """Let go of the viewer."""
        self.stop()
        self.session.viewer.layers.events.removed.disconnect(self._on_removed)

    def start(self) -> None:
        """Follow what is looked at, until `stop`."""
        self._asked = ""
        self._views.clear()
        self.look()
        self._timer.start()

    def stop(self) -> None:
        """Follow no more; an answer on its way is not shown."""
        self._timer.stop()
        self._answer = None

    def remove(self) -> None:
        """Take the preview away."""
        self.said.emit("")
        layer, self.layer = self.layer, None
        if layer is not None and layer in self.session.viewer.layers:
            self.session.viewer.layers.remove(layer)

    def look(self) -> None:
        """Ask for another preview if the user looks at something else now."""
        live = self.session.live
        if live is None:
            return
        view = self._view() if self.enabled else None
        token = "" if view is None else view.token
        if token == self._asked:
            return
        self._asked = token
        if view is None:
            live.set_preview(token, None)
            return
        self._views[token] = view
        live.set_preview(token, *_sample_of(view))

    def show(self, event: PreviewReady) -> None:
        """Show an answer in a moment, if it is still wanted then; of several only the last."""
        self._answer = event
        if not self._soon.isActive():
            self._soon.start()

    def _draw(self) -> None:
        event, self._answer = self._answer, None
        view = None if event is None else self._views.get(event.token)
        if event is None or view is None or not self.enabled or view.layer not in self.session.viewer.layers:
            return
        self.said.emit(said_of(event.prediction))
        keeps = self.session.task.keeps_intensities
        shown = shown_of(event.prediction, view, keeps_intensities=keeps)
        if shown is not None and self.layer is not None and self._update(shown):
            self.layer.metadata[DETAILS] = self._details(view, event)
            self.shown.emit(view.layer)
        elif shown is not None:
            self._renew(shown, view, event)

    def _renew(self, shown: Shown, view: View, event: PreviewReady) -> None:
        """Show the answer as a new layer, in a moment where an old one must go first."""
        if self.layer is not None:
            # With napari 0.9 the graphics driver crashes where a new layer comes before one that goes was undrawn.
            self.remove()
            self._answer = event
            self._soon.start()
            return
        limits = {} if shown.limits is None else {"contrast_limits": shown.limits}
        made = shown.kind(shown.values, name=shown.name, **shown.look, **limits, **shown.place)
        self._limits, self._name = shown.limits, shown.name
        mark_result(made, PREVIEW)
        made.metadata[DETAILS] = self._details(view, event)
        if isinstance(made, Labels):
            dress_networks(made, classes=self.session.has_classes)
        self._insert(made, view.layer)

    def _update(self, shown: Shown) -> bool:
        """Give the layer there is new pixels; a new layer costs more. Give whether that was possible."""
        old = self.layer
        if old is None or type(old) is not shown.kind or old.ndim != shown.values_ndim:
            return False
        if not shown.is_points and old.data.shape != shown.values.shape:
            return False
        if not np.array_equal(old.scale, shown.place["scale"]) or getattr(old, "rgb", False) != ("rgb" in shown.look):
            return False
        if "colormap" in shown.look and self._name != shown.name:
            # Another image, or another channel: it is shown like that.
            self._limits, self._name = tuple(old.contrast_limits), shown.name
            for name, value in shown.look.items():
                setattr(old, name, value)
        # The image gets brighter while the network learns; limits that the user has set stay.
        if shown.limits is not None and self._limits == tuple(old.contrast_limits):
            old.contrast_limits = self._limits = shown.limits
        old.data, old.name = shown.values, shown.name
        if "features" in shown.look:
            old.features = shown.look["features"]
        if shown.is_points:
            old.size = shown.look["size"]
            old.refresh_colors()
        if not np.array_equal(old.translate, shown.place["translate"]):
            old.translate = shown.place["translate"]
        return True

    def _details(self, view: View, event: PreviewReady) -> dict[str, object]:
        """Give what is noted in the layer: what is looked at, so that what was found can be taken and doubted."""
        kind = CLASSES_KIND if self.session.has_classes else PREVIEW
        return {"source": view.layer.unique_id, "kind": kind, **doubts_of(event.prediction)}

    def _insert(self, made: Layer, image: Layer) -> None:
        """Put the layer right above its image, leaving the selection as it was."""
        layers = self.session.viewer.layers
        chosen, active = set(layers.selection), layers.selection.active
        self.layer = made
        with brushes_down(self.session.viewer, again=True):
            layers.insert(layers.index(image) + 1, made)
            layers.selection = chosen
            layers.selection.active = active
        self.shown.emit(image)

    def _on_removed(self, event: Any) -> None:
        if event.value is not self.layer:
            return
        self.layer = None
        # Removed during a training, it is not wanted; otherwise the user only tidies up.
        if self.session.live is not None:
            self.enabled = False
            self.dismissed.emit()

    def _view(self) -> View | None:
        layer = self.looked_at()
        if layer is None:
            return None
        try:
            known = self.session.axes_of(layer)
            image, axes = image_of(layer, known), axes_of(layer, known)[0]
        except MicroforgeError:
            return None
        place = self._place(layer)
        space = [letter for letter in "ZYX" if letter in image.axes]
        shape = [int(image.data.shape[image.axes.index(letter)]) for letter in space]
        most = (_PLANES, _SIDE_OF_STACK, _SIDE_OF_STACK) if len(space) > 2 else (_SIDE, _SIDE)
        middle = [place[axes.index(letter)] for letter in space]
        size = tuple(min(n, m) for n, m in zip(shape, most, strict=True))
        start = tuple(_start(*values) for values in zip(middle, shape, size, strict=True))
        time = int(np.clip(round(place[axes.index("T")]), 0, None)) if "T" in image.axes else 0
        return View(layer, axes, time, start, size)

    def looked_at(self) -> Layer | None:
        """Give the image of the active layer, else the top image that is visible, annotated ones first."""
        active, items = self.session.viewer.layers.selection.active, self.session.items
        item = self.session.annotated_of(active)
        # Targets are looked at to see how their image will become.
        item = item or next((item for item in items if active in item.targets), None)
        if item is not None:
            return item.image
        targets = {target for item in items for target in item.targets}
        images = [layer for layer in self.session.images() if layer.visible and layer not in targets]
        if active in images:
            return active
        annotated = [layer for layer in images if self.session.annotated_of(layer) is not None]
        return (annotated or images or [None])[-1]

    def _place(self, layer: Layer) -> Any:
        """Give the middle of the view in the layer's pixels, one number per dimension."""
        viewer = self.session.viewer
        point = np.array(viewer.dims.point, float)
        shown = list(viewer.dims.displayed)
        camera = viewer.scene.camera if hasattr(viewer, "scene") else viewer.camera  # moved in napari 0.9
        point[shown] = np.array(camera.center, float)[-len(shown) :]
        return np.asarray(layer.world_to_data(point[-layer.ndim :]), float)


def _start(middle: float, length: int, size: int) -> int:
    """Give where a part of some size starts; in steps, so that it does not move with every nudge of the view."""
    step = max(size // 4, 1)
    return int(np.clip(round((middle - size / 2) / step) * step, 0, length - size))


def _sample_of(view: View) -> tuple[Sample, ArrayLike]:
    """Give the part looked at, and the image it is a part of, which decides about intensities."""
    from microforge.axes.samples import to_samples

    samples = to_samples(image_of(view.layer, view.axes))
    sample = samples[min(view.time, len(samples) - 1)]
    part = tuple(slice(a, a + n) for a, n in zip(view.start, view.size, strict=True))
    image = sample.image if sample.image.shape[1:] == view.size else sample.image[(slice(None), *part)]
    part_of = Sample(sample.name, image, pixel_size=sample.pixel_size, channel_names=sample.channel_names)
    return part_of, sample.image
