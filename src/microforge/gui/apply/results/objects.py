"""Results with measurements: show and save the table, copy to correct."""

from collections.abc import Mapping, Sequence
from typing import Any

from napari.layers import Image, Labels, Layer
from napari.layers import Points as PointsLayer
from qtpy.QtCore import Qt

from microforge.gui.apply.results.base import Added, ResultsPart
from microforge.gui.layers.marks import is_result
from microforge.gui.layers.point_results import columns_of_points
from microforge.gui.layers.results import (
    CLASSES_KIND,
    DETAILS,
    add_results,
    copy_to_correct,
    measurements_of,
    results_of,
)
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note, beside, button, stacked
from microforge.gui.widgets.canvas_overlay import CanvasText
from microforge.inference.open_images import OpenImagePredicted
from microforge.types import Array

TABLE_HEIGHT = 260


class ObjectResults(ResultsPart):
    """The part of *Apply* that appears when a model has found something that can be measured."""

    def __init__(self, session: Session, text: CanvasText, message: Note) -> None:
        super().__init__(session, text, message)
        self._results: list[Layer] = []
        self.table = button("Show table", "", self.show_table)
        self.save = button("Save table …", "", self._ask_and_save)
        self.correct = button(
            "Copy to correct",
            "Copy the results into layers of your own, to repair by painting and to train on.",
            self.copy_results,
        )
        stacked(self, beside(self.table, self.save, wide=()), self.correct)

    def clear(self) -> None:
        """Forget the last run."""
        self._results = []
        self.refresh()

    def add(self, event: OpenImagePredicted, details: Mapping[str, Any]) -> Added | None:
        """Show labels as layers."""
        called = CLASSES_KIND if event.class_names else "objects"
        layers = add_results(self._session.viewer, event.place, event.prediction, details, called)
        found = len(event.prediction.measurements.get("label", ()))
        return Added(f"{found:,} {called if found != 1 else called[:-1]}", layers)

    def take(self, layers: Sequence[Layer]) -> None:
        """Take layers in that hold something measured, whichever part made them."""
        self._results += layers

    def refresh(self) -> None:
        """Show what can be done now."""
        measured = [layer for layer in self.measured() if len(_table_of(layer))]
        points = any(isinstance(layer, PointsLayer) for layer in measured)
        self.setVisible(bool(measured))
        self.table.setVisible(getattr(self._session.viewer, "window", None) is not None)
        self.correct.setVisible(not points)
        what = "place and certainty of every cell" if points else "size, place, brightness and shape of every object"
        self.table.setToolTip(f"Show {what} in napari's table.")
        self.save.setText("Save cells …" if points else "Save table …")
        self.save.setToolTip(f"Save {what} of this run as one CSV file.")

    def measured(self) -> list[Layer]:
        """Give the results that are still there."""
        here = self._session.viewer.layers
        return [layer for layer in self._results if layer in here and isinstance(layer, Labels | PointsLayer)]

    def show_table(self) -> None:
        """Open napari's table of features with the results of the last run."""
        viewer = self._session.viewer
        dock, _ = viewer.window.add_plugin_dock_widget("napari", "Features table widget")
        # Beside our dock the table would have room for two columns.
        window = dock.parent()
        window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
        window.resizeDocks([dock], [TABLE_HEIGHT], Qt.Orientation.Vertical)
        viewer.layers.selection = set(self.measured())

    def columns(self) -> Mapping[str, Array]:
        """Give the measurements of the last results, with a column that names the image."""
        from microforge.io.tables import joined_tables

        return joined_tables([(_source_name(layer), _table_of(layer)) for layer in self.measured()])

    def copy_results(self) -> None:
        """Make layers from the last results that can be corrected and trained on."""
        lines = []
        for layer in self.measured():
            image, annotated = image_behind(self._session, layer), None
            copy = copy_to_correct(self._session.viewer, layer, f"{_source_name(layer)} corrected")
            if image is not None:
                annotated = self._session.annotated_of(image)
            # Never exchanged unasked: what was painted before would silently no longer count.
            first = f"delete {annotated.labels.name}, then " if annotated and annotated.labels else ""
            lines.append(f"Repair {copy.name} by painting. To train on it, {first}choose it in Annotate, Use a layer.")
        self.message.say("\n".join(lines), "info")

    def _ask_and_save(self) -> None:
        points = self.save.text().startswith("Save cells")
        self.ask_and_save("Save the measurements", "cells.csv" if points else "objects.csv")


def image_behind(session: Session, layer: Layer) -> Image | None:
    """Give the image that is meant by a selected layer: itself, or the one it annotates or was made from."""
    if isinstance(layer, Image) and not is_result(layer):
        return layer
    annotated = session.annotated_of(layer)
    if annotated is not None:
        return annotated.image
    return next((image for image in session.images() if layer in results_of(session.viewer, image)), None)


def _table_of(layer: Layer) -> dict[str, Array]:
    return columns_of_points(layer) if isinstance(layer, PointsLayer) else measurements_of(layer)


def _source_name(layer: Layer) -> str:
    return str(layer.metadata[DETAILS]["name"]).rpartition(" (")[0]
