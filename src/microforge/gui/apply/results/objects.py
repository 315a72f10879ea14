"""Results with measurements: show and save the table, use them as annotation."""

from collections.abc import Mapping, Sequence
from typing import Any

from napari.layers import Labels, Layer
from napari.layers import Points as PointsLayer
from qtpy.QtCore import QTimer

from microforge.errors import MicroforgeError
from microforge.gui.apply.results.base import Added, ResultsPart
from microforge.gui.apply.results.object_table import ObjectTable, source_name, table_of
from microforge.gui.layers.results import CLASSES_KIND, DETAILS, add_results
from microforge.gui.session.results_to_learn import ObjectTaking, as_annotation, as_classes
from microforge.gui.session.state import Session
from microforge.gui.session.watching.front_image import image_behind
from microforge.gui.widgets.basics import Note, beside, button, stacked
from microforge.gui.widgets.canvas_overlay import CanvasText
from microforge.inference.open_images import OpenImagePredicted
from microforge.types import Array

#: Milliseconds after a point was moved, added or deleted before the table is made anew.
EDITED_DELAY = 200


class ObjectResults(ResultsPart):
    """The part of *Apply* that appears when a model has found something that can be measured."""

    def __init__(self, session: Session, text: CanvasText, message: Note) -> None:
        super().__init__(session, text, message)
        self._results: list[Layer] = []
        self._listed: list[tuple[Layer, Any]] = []
        self.table = ObjectTable(session)
        self.save = button("Save table …", "", self._ask_and_save)
        self.correct = button(
            "Use as annotation",
            "Add what the model found to what you painted, to repair it and to train on. Yours stays as it is: nothing "
            "is taken where you have painted.",
            self.learn,
        )
        self.taking, self._waiting = ObjectTaking(session), list[Labels]()
        self.taking.relay.finished.connect(self._learn_next)
        stacked(self, beside(self.save, self.correct, wide=(0, 1)), self.table)
        # Without a parent: closing stops it also after Qt has deleted the dock.
        self._soon = QTimer(singleShot=True, interval=EDITED_DELAY)
        self._soon.timeout.connect(self._list_again)
        session.viewer.layers.events.connect(self._on_layers)

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
        self._results += [layer for layer in layers if layer not in self._results]

    def refresh(self) -> None:
        """Show what can be done now."""
        measured = [layer for layer in self.measured() if len(table_of(layer))]
        points = any(isinstance(layer, PointsLayer) for layer in measured)
        self.setVisible(bool(measured))
        self.correct.setVisible(not points)
        what = "place and certainty of every cell" if points else "size, place, brightness and shape of every object"
        # A table is only made anew for what is new, as this is asked for with each selection.
        listed = [(layer, layer.features) for layer in measured]
        if [(id(one), id(two)) for one, two in listed] != [(id(one), id(two)) for one, two in self._listed]:
            self._listed = listed
            self.table.show_layers(measured)
        self.save.setText("Save cells …" if points else "Save table …")
        self.save.setToolTip(f"Save {what} of this run as one CSV file.")

    def measured(self) -> list[Layer]:
        """Give the results that are still there."""
        here = self._session.viewer.layers
        return [layer for layer in self._results if layer in here and isinstance(layer, Labels | PointsLayer)]

    def columns(self) -> Mapping[str, Array]:
        """Give the measurements of the last results, with a column that names the image."""
        from microforge.io.tables import joined_tables

        return joined_tables([(source_name(layer), table_of(layer)) for layer in self.measured()])

    def set_colours(self, background: str, text: str) -> None:
        """Follow napari's theme."""
        self.table.panel.set_colours(background, text)

    def close_down(self) -> None:
        """Let go of the viewer."""
        self._soon.stop()
        self._session.viewer.layers.events.disconnect(self._on_layers)
        self.taking.close()
        self.table.close_down()

    def learn(self) -> None:
        """Make what was found on each image part of its annotation, one image after the other."""
        self._waiting = [layer for layer in self.measured() if isinstance(layer, Labels)]
        self._learn_next()

    def _learn_next(self) -> None:
        if not self._waiting or self.taking.relay.running:
            return
        layer = self._waiting.pop()
        image = image_behind(self._session, layer)
        if image is None:
            self.message.say(f"The image of {layer.name} was closed: nothing was taken of it.", "warning")
            return
        classes = layer.metadata[DETAILS].get("kind") == CLASSES_KIND
        try:
            self.taking.start(image, layer, as_classes if classes else as_annotation)
            layer.visible = False
        except MicroforgeError as error:
            self.message.say(str(error), "error")

    def _on_layers(self, event: Any) -> None:
        """Hear of points that were moved, added or deleted; the list passes on what happens to its layers."""
        place = getattr(event, "index", None) if event.type == "data" else None
        layer = None if place is None else self._session.viewer.layers[place]
        if isinstance(layer, PointsLayer) and layer in self._results:
            self._soon.start()

    def _list_again(self) -> None:
        self._listed = []
        self.refresh()

    def _ask_and_save(self) -> None:
        points = self.save.text().startswith("Save cells")
        self.ask_and_save("Save the measurements", "cells.csv" if points else "objects.csv")
