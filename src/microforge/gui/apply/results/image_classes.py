"""Results of image classification: table, and the class on the canvas."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from napari.layers import Layer

from microforge.answers.words import class_probabilities, class_text, percent
from microforge.gui.apply.results.base import Added, ResultsPart
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note, beside, button, stacked
from microforge.gui.widgets.canvas_overlay import CanvasText
from microforge.gui.widgets.table import Column, SmallTable
from microforge.inference.open_images import OpenImagePredicted
from microforge.types import Array


@dataclass(frozen=True, eq=False)
class Classed:
    """An image, its class, and how probable each class is."""

    name: str
    source: int
    class_name: str
    probabilities: Mapping[str, float]


class ClassResults(ResultsPart):
    """The part of *Apply* that appears when a model gave images a class."""

    def __init__(self, session: Session, text: CanvasText, message: Note) -> None:
        super().__init__(session, text, message)
        self.found: list[Classed] = []
        self.table = SmallTable("One line per image: its class, how probable each class is. Click to see the image.")
        self.note = Note()
        self.copy = button("Copy", "Copy the table, to paste it into a spreadsheet.", self.table.copy)
        save = partial(self.ask_and_save, "Save the classes", "classes.csv")
        self.save = button("Save classes …", "Save the table as CSV file.", save)
        stacked(self, self.table, beside(self.copy, self.save, wide=(0, 1)), self.note)
        self.table.chosen.connect(self._on_chosen)
        session.viewer.layers.selection.events.active.connect(self._on_view)
        # The table stays: it can still be saved.
        session.viewer.layers.events.removed.connect(self._on_view)
        self.clear()

    def clear(self) -> None:
        """Forget the last run."""
        self.found = []
        self.note.say("")
        self._text.clear()
        self._show()

    def add(self, event: OpenImagePredicted, details: Mapping[str, Any]) -> Added | None:
        """Take a class in; it is no layer."""
        prediction = event.prediction
        if not prediction.class_name:
            return None
        self.found.append(
            Classed(event.place.name, event.place.source, prediction.class_name, class_probabilities(prediction))
        )
        self._show()
        self.show_text()
        return Added(class_text(prediction.class_name, class_probabilities(prediction)))

    def show_text(self) -> None:
        """Put the class of the selected image on the canvas, or of the last that is open."""
        active = self._session.viewer.layers.selection.active
        open_now = {layer.unique_id for layer in self._session.viewer.layers}
        shown = [one for one in self.found if one.source in open_now]
        here = [one for one in shown if active is not None and one.source == active.unique_id]
        if not shown:
            self._text.clear()
            return
        one = (here or shown)[-1]
        name = f"{one.name}: " if len(self.found) > 1 else ""
        self._text.show(name + class_text(one.class_name, one.probabilities))

    def close_down(self) -> None:
        """Let go of the viewer, and give it its own text back."""
        self._session.viewer.layers.selection.events.active.disconnect(self._on_view)
        self._session.viewer.layers.events.removed.disconnect(self._on_view)
        self._text.clear()

    def columns(self) -> Mapping[str, Array]:
        """Give the class of each image, and how probable each class is."""
        fields = {"image": "name", "class": "class_name"}
        made: dict[str, Array] = {
            title: np.array([getattr(one, field) for one in self.found], object) for title, field in fields.items()
        }
        for name in self._names():
            made[f"P({name})"] = np.array([one.probabilities.get(name, np.nan) for one in self.found], float)
        return made

    def _names(self) -> list[str]:
        return list(dict.fromkeys(name for one in self.found for name in one.probabilities))

    def _show(self) -> None:
        names = self._names()
        columns = [Column("Image", "The image."), Column("Class", "Its most probable class.")]
        columns += [Column(name, f"How probable '{name}' is.", is_number=True) for name in names]
        lines = [
            [one.name, one.class_name, *(percent(one.probabilities.get(name, 0.0)) for name in names)]
            for one in self.found
        ]
        self.table.set_content(columns, lines)
        self.setVisible(bool(self.found))

    def _on_view(self, _event: Any) -> None:
        if self.found:
            self.show_text()

    def _on_chosen(self, number: int) -> None:
        layers = self._session.viewer.layers
        layer: Layer | None = next((one for one in layers if one.unique_id == self.found[number].source), None)
        if layer is not None:
            layer.visible = True
            layers.selection.active = layer
