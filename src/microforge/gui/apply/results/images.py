"""Results that are images: compare, save, use as a new image."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from napari.layers import Image as ImageLayer
from napari.layers import Layer
from qtpy.QtWidgets import QFileDialog

from microforge.answers.images import write_predicted
from microforge.answers.words import statistics_text
from microforge.errors import MicroforgeError
from microforge.events import RunFailed
from microforge.gui.apply.results.base import Added, ResultsPart
from microforge.gui.apply.results.before_after import BeforeAfter
from microforge.gui.layers.brush_cursor import add_beside_brushes
from microforge.gui.layers.convert import geometry_of
from microforge.gui.layers.images import add_images
from microforge.gui.layers.layer_axes import SAID_SIZES
from microforge.gui.session.background import Relay
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note, beside, button, stacked
from microforge.gui.widgets.canvas_overlay import CanvasText
from microforge.inference.open_images import OpenImagePredicted
from microforge.io.files import portable_name
from microforge.types import Image, Prediction

#: What a copy of a result keeps of what is known of it.
_SHARED = ("axes", "channel_names", SAID_SIZES)


@dataclass(frozen=True, eq=False)
class Savable:
    """An image as it will be written."""

    name: str
    prediction: Prediction
    source: Image


@dataclass(frozen=True)
class Saved:
    """Files that were written."""

    paths: tuple[Path, ...]


class ImageResults(ResultsPart):
    """The part of *Apply* that appears when a model gave images."""

    def __init__(self, session: Session, text: CanvasText, message: Note) -> None:
        super().__init__(session, text, message)
        self._saving = Relay("saving", self)
        self._savable: list[Savable] = []
        self._layers: list[Layer] = []
        self.statistics = Note(tip="Measured in the middle of the image, without knowing how it really looks.")
        self.compare = BeforeAfter(session)
        self.save = button(
            "Save result …", "Write the images as TIFF files (float32) with pixel size and channels.", self._ask
        )
        self.reuse = button(
            "Use as new image",
            "Make image layers of your own from the results, for the next step: to segment, annotate or train on.",
            self.copy_results,
        )
        self.note = Note()
        stacked(self, self.compare, self.statistics, beside(self.save, self.reuse, wide=()), self.note)
        self._saving.event.connect(self._on_saved)
        session.viewer.layers.events.removed.connect(self._on_removed)
        self.clear()

    def clear(self) -> None:
        """Forget the last run."""
        self.compare.clear()
        self._savable, self._layers = [], []
        self.statistics.say("")
        self.note.say("")
        self._show_parts()

    def add(self, event: OpenImagePredicted, details: Mapping[str, Any]) -> Added | None:
        """Show the images of a result as layers."""
        prediction, viewer, source = event.prediction, self._session.viewer, self.source_of(event)
        if not event.images or event.image is None:
            return None
        layers = add_images(viewer, event.place, event.images, details, prediction.image_name, prediction.pixel_size)
        self._layers += layers
        self._savable.append(Savable(f"{event.place.name} {prediction.image_name}", prediction, event.image))
        if source is not None:
            self.compare.add(source, layers, alike=event.images[0].like_source)
        said = statistics_text(prediction.statistics)
        if said:
            self.statistics.say(
                "\n".join(part for part in (self.statistics.text(), f"{event.place.name}: {said}") if part)
            )
        self._show_parts()
        return Added(prediction.image_name)

    def copy_results(self) -> None:
        """Make layers of the user's own from the results; their pixels are shared."""
        for layer in [layer for layer in self._layers if layer in self._session.viewer.layers]:
            look = {} if layer.rgb else {"colormap": layer.colormap, "contrast_limits": layer.contrast_limits}
            metadata = {name: layer.metadata[name] for name in _SHARED if name in layer.metadata}
            copy = ImageLayer(
                layer.data,
                name=f"{layer.name} image",
                rgb=layer.rgb,
                blending=layer.blending,
                metadata=metadata,
                **look,
                **geometry_of(layer, range(layer.ndim)),
            )
            add_beside_brushes(self._session.viewer, copy)
            layer.visible = False
        self.note.say("The new layers can be chosen in Annotate and Apply like any other image.", "info")

    def save_to(self, paths: Sequence[Path]) -> None:
        """Write the images in the background, one file each."""
        try:
            self._saving.start(partial(_write, list(zip(paths, self._savable, strict=True))))
        except MicroforgeError as error:
            self.note.say(str(error), "error")
            return
        self.note.say("Saving …", "info")

    def close_down(self) -> None:
        """Let go of the viewer; wait for what is being written."""
        self._session.viewer.layers.events.removed.disconnect(self._on_removed)
        self.compare.close_down()
        self._saving.blockSignals(True)
        self._saving.wait(30)

    def _show_parts(self) -> None:
        self.setVisible(bool(self._layers))

    def _on_removed(self, event: Any) -> None:
        self._layers = [layer for layer in self._layers if layer is not event.value]
        self._show_parts()

    def _ask(self) -> None:
        if len(self._savable) == 1:
            start = str(Path.home() / f"{portable_name(self._savable[0].name)}.tif")
            path, _ = QFileDialog.getSaveFileName(self, "Save the result", start, "TIFF (*.tif)")
            if path:
                self.save_to([Path(path).with_suffix(".tif")])
            return
        folder = QFileDialog.getExistingDirectory(self, "Save the results in a folder")
        if folder:
            self.save_to([Path(folder) / f"{portable_name(one.name)}.tif" for one in self._savable])

    def _on_saved(self, event: Saved | RunFailed) -> None:
        if isinstance(event, RunFailed):
            self.note.say(" ".join(part for part in (event.where, event.problem, event.remedy) if part), "error")
            return
        names = ", ".join(path.name for path in event.paths[:3])
        self.note.say(f"Saved {names}{' …' if len(event.paths) > 3 else ''}.", "ok")


def _write(files: Sequence[tuple[Path, Savable]]) -> Iterator[Saved]:
    for path, one in files:
        write_predicted(path, one.prediction, one.source)
    yield Saved(tuple(path for path, _ in files))
