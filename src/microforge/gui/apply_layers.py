"""Apply a model to the images that are open: results as layers, with a table of measurements."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Image, Labels, Layer
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from microforge.config import PredictionConfig
from microforge.errors import MicroforgeError
from microforge.events import Preparing, RunFailed, TileFinished
from microforge.gui.applying import Job, LayerFailed, LayerPredicted, LayerStarted, MakePredictor, predict_layers
from microforge.gui.axes_widget import AxesWidget
from microforge.gui.busy import Busy
from microforge.gui.image_results import ImageResults
from microforge.gui.layers import axes_of, image_of
from microforge.gui.parts import Note
from microforge.gui.results_layers import (
    DETAILS,
    add_results,
    copy_to_correct,
    measurements_of,
    place_of,
    results_of,
)
from microforge.gui.session import Session, is_result
from microforge.types import Array

NOTHING_SELECTED = "Select image layers in napari's layer list (Ctrl + click for several)."
TABLE_HEIGHT = 260
SEVERITIES = ("", "ok", "info", "warning", "error")


class ApplyLayers(QWidget):  # type: ignore[misc]  # qtpy has no types
    """The part of *Apply* for open images.

    Parameters
    ----------
    config
        Gives the settings at the moment a run starts.
    make
        Makes the predictor; the engine's own by default.
    """

    def __init__(
        self, session: Session, config: Callable[[], PredictionConfig], make: MakePredictor | None = None
    ) -> None:
        super().__init__()
        self._session, self._config, self._make = session, config, make
        self._mine = self._cancelled = False
        self._position = (0, 1)
        self._lines: list[str] = []
        self._results: list[Layer] = []
        self.chosen = Note()
        self.axes = AxesWidget()
        self._asked: Image | None = None
        self.start = QPushButton("Apply to selected layers")
        self.start.setToolTip("Run the model on the selected images. The results become layers on top of them.")
        self.busy = Busy("Stop; results that are finished stay.")
        self.message = Note()
        self.table = QPushButton("Show table")
        self.table.setToolTip("Show size, place, brightness and shape of every object in napari's table.")
        self.save = QPushButton("Save table …")
        self.save.setToolTip("Save the measurements of all results of this run as one CSV file.")
        self.correct = QPushButton("Copy to correct")
        self.correct.setToolTip("Copy the results into layers of your own, to repair by painting and to train on.")
        self.image_results = ImageResults(session)
        self._lay_out()
        self._connect()
        self.refresh()

    def refresh(self) -> None:
        """Show what would be predicted, and what can be done now."""
        images = self.images()
        names = ", ".join(layer.name for layer in images)
        self.chosen.say(f"Selected: {names}" if images else NOTHING_SELECTED)
        self._ask_axes(images)
        ready = bool(images) and self._session.model_path is not None
        self.start.setEnabled(ready and not self._session.applying.running)
        measured = any(measurements_of(layer) for layer in self._measured())
        self.table.setVisible(measured and getattr(self._session.viewer, "window", None) is not None)
        self.save.setVisible(measured)
        self.correct.setVisible(measured)

    def images(self) -> list[Image]:
        """Give the images of the selected layers; the only open image where none is selected."""
        found = [self._image_behind(layer) for layer in self._session.viewer.layers if self._is_selected(layer)]
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
        # First, because napari lets events through while it makes a progress bar.
        self.busy.begin("Loading the model")
        try:
            jobs = [self._job(layer) for layer in self.images()]
            self._session.applying.start(partial(predict_layers, model, jobs, config, self._make))
        except MicroforgeError as error:
            self.busy.end()
            self.message.say(str(error), "error")
            return
        self._mine, self._cancelled, self._lines, self._results = True, False, [], []
        self._details = {"model": str(model), "settings": config.model_dump(mode="json")}
        self.message.say("")
        self.image_results.clear()
        self.refresh()

    def show_table(self) -> None:
        """Open napari's table of features with the results of the last run."""
        viewer = self._session.viewer
        dock, _ = viewer.window.add_plugin_dock_widget("napari", "Features table widget")
        # Beside our dock the table would have room for two columns.
        window = dock.parent()
        window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
        window.resizeDocks([dock], [TABLE_HEIGHT], Qt.Orientation.Vertical)
        viewer.layers.selection = set(self._measured())

    def save_table(self, path: Path) -> None:
        """Write the measurements of the last results into one file, with a column that names the image."""
        from microforge.io.results import write_table

        try:
            write_table(path, _joined([(_source_name(layer), measurements_of(layer)) for layer in self._measured()]))
        except MicroforgeError as error:
            self.message.say(str(error), "error")
            return
        self.message.say(f"Saved {path.name}.", "ok")

    def copy_results(self) -> None:
        """Make layers from the last results that can be corrected and trained on."""
        lines = []
        for layer in self._measured():
            image, annotated = self._image_behind(layer), None
            copy = copy_to_correct(self._session.viewer, layer, f"{_source_name(layer)} corrected")
            if image is not None:
                annotated = self._session.annotated_of(image)
            # Never exchanged unasked: what she painted before would silently no longer count.
            first = f"delete {annotated.labels.name}, then " if annotated and annotated.labels else ""
            lines.append(f"Repair {copy.name} by painting. To train on it, {first}choose it in Annotate, Use a layer.")
        self.message.say("\n".join(lines), "info")

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.table)
        buttons.addWidget(self.save)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.chosen, self.axes, self.start, self.busy, self.message):
            column.addWidget(widget)
        column.addLayout(buttons)
        column.addWidget(self.correct)
        column.addWidget(self.image_results)

    def _connect(self) -> None:
        session = self._session
        self.start.clicked.connect(self.apply)
        self.axes.value_changed.connect(self._on_axes)
        self.table.clicked.connect(self.show_table)
        self.save.clicked.connect(self._ask_and_save)
        self.correct.clicked.connect(self.copy_results)
        self.busy.cancelled.connect(self._on_cancel)
        session.applying.event.connect(self._on_event)
        session.applying.finished.connect(self._on_finished)
        session.model_changed.connect(self._on_model_changed)
        layers = session.viewer.layers
        self._sources = (layers.selection.events.changed, layers.events.inserted, layers.events.removed)
        for source in self._sources:
            source.connect(self._on_layers_changed)
        session.closing.connect(self._on_closing)

    def _on_model_changed(self, _path: Path | None) -> None:
        self.refresh()

    def _on_cancel(self) -> None:
        self._cancelled = True
        self._session.applying.stop()

    def _on_layers_changed(self, _event: Any) -> None:
        self.refresh()

    def _on_closing(self) -> None:
        self._mine = False
        self.busy.let_go()
        self.image_results.close_down()
        # The viewer may outlive the dock: it must not call what Qt has deleted.
        for source in self._sources:
            source.disconnect(self._on_layers_changed)

    def _is_selected(self, layer: Layer) -> bool:
        return layer in self._session.viewer.layers.selection

    def _image_behind(self, layer: Layer) -> Image | None:
        """Give the image that is meant by a selected layer: itself, or the one it annotates or was made from."""
        if isinstance(layer, Image) and not is_result(layer):
            return layer
        annotated = self._session.annotated_of(layer)
        if annotated is not None:
            return annotated.image
        return next(
            (image for image in self._session.images() if layer in results_of(self._session.viewer, image)), None
        )

    def _ask_axes(self, images: list[Image]) -> None:
        """Ask what the dimensions of an image are where it does not say and nobody was asked before."""
        session = self._session
        unknown = [layer for layer in images if not axes_of(layer, session.axes_of(layer))[1]]
        if unknown and unknown[0] is not self._asked:
            self.axes.set_shape(unknown[0].data.shape, axes_of(unknown[0])[0])
        self._asked = unknown[0] if unknown else self._asked if self._asked in images else None
        self.axes.setVisible(self._asked is not None)

    def _on_axes(self, axes: str) -> None:
        if self._asked is not None:
            self._session.set_axes(self._asked, axes)

    def _job(self, layer: Image) -> Job:
        image = image_of(layer, self._session.axes_of(layer))
        return Job(image, place_of(layer, image.axes))

    def _on_event(self, event: object) -> None:
        if not self._mine:
            return
        if isinstance(event, Preparing):
            self.busy.text.setText(event.text)
        elif isinstance(event, LayerStarted):
            self._position = (event.index, event.total)
            self.busy.advance(event.index / event.total, event.name)
        elif isinstance(event, TileFinished):
            index, total = self._position
            self.busy.advance((index + event.done / max(event.total, 1)) / total)
        elif isinstance(event, LayerPredicted):
            self._show(event)
        elif isinstance(event, LayerFailed):
            self._say(event.reason, "error")
        elif isinstance(event, RunFailed):
            self._say(" ".join(part for part in (event.problem, event.remedy) if part), "error")

    def _show(self, event: LayerPredicted) -> None:
        called = "classes" if event.class_names else "objects"
        self._results += add_results(self._session.viewer, event.place, event.prediction, self._details, called)
        images = self.image_results.add(event, self._details)
        found = len(event.prediction.measurements.get("label", ()))
        done = f"{found:,} {called if found != 1 else called[:-1]}"
        if images:
            done = event.prediction.image_name
        self._say(f"{event.place.name}: {done} ({event.seconds:.1f} s)")
        for note in event.prediction.notes:
            self._say(f"{event.place.name}: {note}", "warning")

    def _say(self, line: str, severity: str = "ok") -> None:
        self._lines.append(line)
        worst = max((severity, self.message.severity), key=SEVERITIES.index)
        self.message.say("\n".join(self._lines[-8:]), worst)

    def _on_finished(self) -> None:
        if self._mine:
            self._mine = False
            if self._cancelled:
                self._say("Cancelled; what was finished before is kept.", "info")
            self.busy.end()
        self.refresh()

    def _measured(self) -> list[Layer]:
        here = self._session.viewer.layers
        return [layer for layer in self._results if layer in here and isinstance(layer, Labels)]

    def _ask_and_save(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save the measurements", "objects.csv", "Tables (*.csv)")
        if path:
            self.save_table(Path(path))


def _source_name(layer: Layer) -> str:
    return str(layer.metadata[DETAILS]["name"]).rpartition(" (")[0]


def _joined(tables: list[tuple[str, dict[str, Array]]]) -> dict[str, Array]:
    """Put tables of several images below each other; a column that one lacks stays empty there."""
    names = list(dict.fromkeys(name for _, table in tables for name in table))
    counts = [len(table["label"]) for _, table in tables]
    joined: dict[str, Array] = {"image": np.repeat(np.array([image for image, _ in tables], object), counts)}
    for name in names:
        parts = [table.get(name, np.full(count, np.nan)) for (_, table), count in zip(tables, counts, strict=True)]
        joined[name] = np.concatenate(parts)
    return joined
