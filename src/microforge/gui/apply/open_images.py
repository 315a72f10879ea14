"""Apply a model to open images: start, cancel, and show results."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from napari.layers import Image, Layer
from qtpy.QtCore import QTimer

from microforge.config import PredictionConfig
from microforge.events import Preparing, RunFailed, TileFinished
from microforge.gui.apply.decoding import DecodingPanel
from microforge.gui.apply.model_picker import task_of_model
from microforge.gui.apply.model_run import ModelRun
from microforge.gui.apply.results import ResultsPart, known_results
from microforge.gui.apply.results.objects import ObjectResults
from microforge.gui.layers.convert import image_of
from microforge.gui.layers.layer_axes import axes_of, dimensions_of, shape_of_layer
from microforge.gui.layers.results import is_untouched, layer_place
from microforge.gui.session.state import Session
from microforge.gui.session.watching.front_image import image_behind
from microforge.gui.widgets.basics import Note, button, plain_tip, shortened, stacked
from microforge.gui.widgets.canvas_overlay import CanvasText
from microforge.gui.widgets.dimensions.about_image import AboutImage
from microforge.gui.widgets.look.buttons import accent
from microforge.inference.open_images import (
    OpenImage,
    OpenImageFailed,
    OpenImagePredicted,
    OpenImageStarted,
    predict_open_images,
)
from microforge.inference.protocols import ImagePredictor, MakePredictor

NOTHING_SELECTED = "Select image layers in napari's layer list (Ctrl + click for several)."
#: So many of the selected layers are named, and with so many letters: the button below must not move away.
_NAMED, _LONGEST_NAME = 3, 40
#: Milliseconds between a result that was read again and its table, in which the window draws and hears.
TABLE_DELAY = 25
SEVERITIES = ("", "ok", "info", "warning", "error")


_Part = TypeVar("_Part", bound=ResultsPart)


class ApplyLayers(ModelRun):
    """The part of *Apply* for open images.

    Parameters
    ----------
    config
        Gives the settings at the moment a run starts.
    make
        Makes the predictor; the engine's own by default.
    """

    def __init__(
        self,
        session: Session,
        config: Callable[[], PredictionConfig],
        make: MakePredictor[ImagePredictor] | None = None,
    ) -> None:
        super().__init__(session, config, "Stop; results that are finished stay.")
        self._make = make
        self._position = (0, 1)
        self._lines: list[str] = []
        self.chosen = Note()
        self.about = AboutImage()
        self._asked: Image | None = None
        tip = "Run the model on the selected images. The results become layers on top of them."
        self.start = accent(button("Apply to selected layers", tip, self.apply, icon="apply"))
        text = CanvasText(session.viewer)
        self.parts = [make_part(session, text, self.message) for make_part in known_results()]
        self.objects = self.part(ObjectResults)
        self.decoding = DecodingPanel()
        self._made: dict[Any, Sequence[Layer]] = {}
        self._told: dict[Any, str] = {}
        # Without a parent: closing stops it also after Qt has deleted the dock.
        self._table_soon = QTimer(singleShot=True, interval=TABLE_DELAY)
        stacked(self, self.chosen, self.about, self.start, self.busy, self.message, self.decoding, *self.parts)
        self._connect()
        self.refresh()

    def refresh(self) -> None:
        """Show what would be predicted, and what can be done now."""
        images = self.images()
        self.chosen.say(f"Selected: {_some_names(images)}" if images else NOTHING_SELECTED)
        self.chosen.setToolTip(plain_tip("\n".join(layer.name for layer in images)))
        self._show_dimensions()
        ready = bool(images) and self._session.model_path is not None
        self.start.setEnabled(ready and not self._session.applying.running)
        self.objects.refresh()

    def images(self) -> list[Image]:
        """Give the images of the selected layers; the only open image where none is selected."""
        layers = self._session.viewer.layers
        found = [image_behind(self._session, layer) for layer in layers if layer in layers.selection]
        everything = self._session.images()
        if not any(found) and len(everything) == 1:
            return everything
        return list(dict.fromkeys(image for image in found if image is not None))

    def apply(self) -> None:
        """Start predicting the chosen images."""
        model = self._session.model_path
        if model is None:
            return
        config = self._config()
        self.about.confirm()

        def make() -> Callable[[], Iterator[Any]]:
            images = [self._opened(layer) for layer in self.images()]
            return partial(predict_open_images, model, images, config, self._make)

        if not self.begin("Loading the model", make):
            return
        self._lines = []
        self._details = {"model": str(model), "settings": config.model_dump(mode="json")}
        self._made, self._told = {}, {}
        task = task_of_model(model)
        self.decoding.clear(model, task.options if task else None)
        for part in self.parts:
            part.clear()
        self.refresh()

    def part(self, kind: type[_Part]) -> _Part:
        """Give the part of a kind."""
        return next(part for part in self.parts if isinstance(part, kind))

    def _connect(self) -> None:
        self.follow()
        self.about.axes_said.connect(self._on_axes)
        self.about.sizes_said.connect(self._on_sizes)
        self._session.changed.connect(self._show_dimensions)
        self.decoding.decoded.connect(self._show_again)
        self._table_soon.timeout.connect(self.objects.refresh)
        layers = self._session.viewer.layers
        self._sources = (layers.selection.events.changed, layers.events.inserted, layers.events.removed)
        for source in self._sources:
            source.connect(self.refresh)

    def close_down(self) -> None:
        """Let go of the viewer."""
        self._table_soon.stop()
        self._session.changed.disconnect(self._show_dimensions)
        self.decoding.close_down()
        for part in self.parts:
            part.close_down()
        # The viewer may outlive the dock: it must not call what Qt has deleted.
        for source in self._sources:
            source.disconnect(self.refresh)

    def _show_dimensions(self) -> None:
        """Say what the image selected is; of several, what one is that does not say it."""
        images = self.images()
        unknown = [layer for layer in images if not axes_of(layer)[1]]
        if unknown:
            self._asked = unknown[0]
        elif self._asked not in images:
            self._asked = images[0] if len(images) == 1 else None
        self.about.setVisible(self._asked is not None)
        if self._asked is not None:
            self.about.show_image(self._asked.unique_id, dimensions_of(self._asked))

    def _on_axes(self, axes: str) -> None:
        if self._asked is None:
            return
        # Images of the same shape that do not say it either are of the same recording.
        shape = shape_of_layer(self._asked)
        alike = [layer for layer in self.images() if shape_of_layer(layer) == shape and not axes_of(layer)[1]]
        self._session.set_axes(self._asked, axes, *alike)

    def _on_sizes(self, sizes: Mapping[str, float]) -> None:
        if self._asked is not None:
            self._session.set_sizes(self._asked, sizes)

    def _opened(self, layer: Image) -> OpenImage:
        return OpenImage(image_of(layer), layer_place(layer, axes_of(layer)[0]))

    def take(self, event: object) -> None:
        """Show how far the run is, and what it gives."""
        if isinstance(event, Preparing):
            self.busy.text.setText(event.text)
        elif isinstance(event, OpenImageStarted):
            self._position = (event.index, event.total)
            self.busy.advance(event.index / event.total, event.name)
        elif isinstance(event, TileFinished):
            index, total = self._position
            self.busy.advance((index + event.done / max(event.total, 1)) / total)
        elif isinstance(event, OpenImagePredicted):
            self._show(event)
        elif isinstance(event, OpenImageFailed):
            self._say(event.reason, "error")
        elif isinstance(event, RunFailed):
            self._say(event.in_words, "error")

    def _show(self, event: OpenImagePredicted) -> None:
        self._told[event.place] = f"{event.place.name}: {self._add(event)} ({event.seconds:.1f} s)"
        self._say(self._told[event.place])
        for note in event.prediction.notes:
            self._say(f"{event.place.name}: {note}", "warning")

    def _add(self, event: OpenImagePredicted) -> str:
        """Show a result, whatever it is; say what it is."""
        for part in self.parts:
            added = part.add(event, self._details)
            if added is not None:
                self.objects.take(added.measured)
                self._made[event.place] = added.measured
                self.decoding.add(event)
                return added.text
        return "Nothing can be shown of this answer."

    def _show_again(self, event: OpenImagePredicted) -> None:
        """Show a result that was read with other settings, unless a person has worked on it or closed it."""
        layers, made = self._session.viewer.layers, self._made.get(event.place, ())
        here = all(layer in layers for layer in made)
        if here and all(is_untouched(layer) for layer in made):
            text = f"{event.place.name}: {self._add(event)}"
            self._lines = [text if line == self._told[event.place] else line for line in self._lines]
            self._told[event.place] = text
            self.message.say("\n".join(self._lines[-8:]), self.message.severity)
            # Layer and table one after the other, so that the window does not stand still for both at once.
            self._table_soon.start()
        else:
            self.decoding.leave(event.place, by_hand=here)

    def _say(self, line: str, severity: str = "ok") -> None:
        self._lines.append(line)
        worst = max((severity, self.message.severity), key=SEVERITIES.index)
        self.message.say("\n".join(self._lines[-8:]), worst)

    def conclude(self) -> None:
        """Say so if the run was cancelled."""
        if self.cancelled:
            self._say("Cancelled; what was finished before is kept.", "info")


def _some_names(layers: Sequence[Image]) -> str:
    """Name a few layers, and say how many others there are."""
    names = ", ".join(shortened(layer.name, _LONGEST_NAME) for layer in layers[:_NAMED])
    more = len(layers) - _NAMED
    return f"{names} and {more} more" if more > 0 else names
