"""Results of counting: counts on the canvas, regions, corrections, saving."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from qtpy.QtCore import QTimer

from microforge.answers.region_counts import CountRow, count_columns, count_lines
from microforge.answers.words import counts_text
from microforge.events import RunFailed
from microforge.gui.apply.results.base import Added, ResultsPart
from microforge.gui.apply.results.count_table import CountTable
from microforge.gui.apply.results.counted_images import (
    CountedLayers,
    CountsReady,
    count_all,
    question_of,
    rows_in_view,
    signature_of,
)
from microforge.gui.layers.images import add_density
from microforge.gui.layers.point_results import add_point_results
from microforge.gui.session.background import Relay
from microforge.gui.session.drawn_regions import draw_regions, name_new, region_layers, rename
from microforge.gui.session.results_to_learn import learn_from_points
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note, Picker, beside, button, rows, stacked, tick
from microforge.gui.widgets.canvas_overlay import CanvasText
from microforge.inference.open_images import OpenImagePredicted
from microforge.tasks.abilities import MatchesPoints
from microforge.tasks.counting.interval import FEWEST

#: Milliseconds after a change before all is counted again.
RECOUNT_DELAY = 150
#: What a layer tells that may change a count, or which counts are shown.
_CHANGES = {"inserted", "removed", "data", "features", "visible", "name", "scale", "translate"}
NO_INTERVAL = f"How far counts may be off is unknown: fewer than {FEWEST} images were kept aside in training."
BY_HAND = "You changed points: they are counted now, so that there is no interval."


class CountResults(ResultsPart):
    """The part of *Apply* that appears when a model has counted."""

    def __init__(self, session: Session, text: CanvasText, message: Note) -> None:
        super().__init__(session, text, message)
        self._relay = Relay("a count")
        self._asked: list[CountedLayers] = []
        self._known: Any = None
        self.images: list[CountedLayers] = []
        # Without a parent: closing stops it also after Qt has deleted the dock.
        self._timer = QTimer(singleShot=True, interval=RECOUNT_DELAY)
        self._timer.timeout.connect(self.recount)
        self._make_widgets()
        self._lay_out()
        self._connect()
        self.clear()

    def clear(self) -> None:
        """Forget the last run."""
        self._timer.stop()
        self.images, self._known = [], None
        self.note.say("")
        self._text.clear()
        self._show_parts()

    def add(self, event: OpenImagePredicted, details: Mapping[str, Any]) -> Added | None:
        """Show the cells of a result as layers: density and points."""
        viewer = self._session.viewer
        source = self.source_of(event)
        if event.prediction.points is None or event.image is None:
            return None
        spacing = event.task.spacing if isinstance(event.task, MatchesPoints) else None
        points = add_point_results(viewer, event.place, event.prediction, details, spacing)
        # Regions are found by the layer; one that was closed meanwhile has none.
        if source is not None:
            one = CountedLayers(source, event.image, event.task, event.prediction, points, event.place.axes)
            one.add_density = partial(add_density, viewer, event, details)
            # Read again with other settings, an image takes the place that it had; its density is the same.
            one.density = next((known.density for known in self.images if known.points is points), ())
            self.images = [*(known for known in self.images if known.points is not points), one]
            self._show_density(self.density.isChecked())
            self._offer_kinds()
        self._show_parts()
        self._timer.start()
        return Added(counts_text(event.prediction), [points])

    def recount(self) -> None:
        """Count again in the background, if anything has changed."""
        if self._relay.running:
            self._timer.start()
            return
        self.images = [one for one in self.images if one.points in self._session.viewer.layers]
        name_new(region_layers(self._session) if self.images else ())
        questions = [question_of(self._session, one) for one in self.images]
        known = [signature_of(*pair) for pair in zip(self.images, questions, strict=True)]
        if known != self._known:
            self._known, self._asked = known, list(self.images)
            self._relay.start(partial(count_all, questions))
        else:
            self.show_text()
        self._show_parts()

    def show_text(self) -> None:
        """Put the counts of what is looked at on the canvas."""
        shown = [one for one in self.images if one.rows and (one.points.visible or one.source.visible)]
        active = self._session.viewer.layers.selection.active
        chosen = [one for one in shown if active in one.layers]
        shown = chosen or shown
        lines = []
        for one in shown:
            said = count_lines(rows_in_view(self._session.viewer, one))
            lines += said if len(self.images) < 2 else [f"{one.image.name}: {said[0]}", *said[1:]]
        self._text.show("\n".join(lines[:16]))

    def columns(self) -> Mapping[str, Any]:
        """Give the counts."""
        return count_columns(self._counted())

    def draw_region(self) -> None:
        """Make the layer to draw regions on, for the image in view."""
        one = self._current()
        if one is not None:
            draw_regions(self._session.viewer, one.source, one.letters)
            self.note.say("Draw rectangles, ellipses or polygons. Names can be changed in the table.", "info")

    def learn(self) -> None:
        """Make the points of the image in view what is learnt from."""
        one = self._current()
        if one is not None:
            same = one.task.tolerance if isinstance(one.task, MatchesPoints) else None
            self.note.say(learn_from_points(self._session, one.source, one.points, same), "ok")

    def close_down(self) -> None:
        """Let go of the viewer, and give it its own text back."""
        viewer = self._session.viewer
        viewer.layers.events.disconnect(self._on_layers)
        viewer.layers.selection.events.active.disconnect(self._on_view)
        viewer.dims.events.current_step.disconnect(self._on_view)
        self._timer.stop()
        self._relay.end(10)
        self._text.clear()

    def _make_widgets(self) -> None:
        self.table = CountTable()
        self.note = Note()
        tip = "Show how many cells the model sees at each place, as a layer of its own: their sum is the count."
        self.density = tick("Density layer", tip)
        self.kind = Picker("Of which kind points are that you add to the layer of the cells.")
        self.draw = button(
            "Draw a region",
            "Draw areas on the image: the cells in each are counted. A region counts for all planes and time points.",
            self.draw_region,
        )
        self.use = button(
            "Use as annotation",
            "Add the points, with your corrections, to those that you clicked, and learn from them. Yours stay as they "
            "are: a cell that you clicked already is not added again.",
            self.learn,
        )
        self.copy = button("Copy", "Copy the table, to paste it into a spreadsheet.", self.table.copy)
        save = partial(self.ask_and_save, "Save the counts", "counts.csv")
        self.save = button("Save counts …", "Save the counts of this run as one CSV file.", save)

    def _lay_out(self) -> None:
        self._form = rows(("New points are", self.kind))
        pairs = ((self.draw, self.use), (self.copy, self.save))
        stacked(self, self.table, *(beside(*pair, wide=(0, 1)) for pair in pairs), self.density, self._form, self.note)

    def _connect(self) -> None:
        viewer = self._session.viewer
        viewer.layers.events.connect(self._on_layers)
        viewer.layers.selection.events.active.connect(self._on_view)
        viewer.dims.events.current_step.connect(self._on_view)
        self._relay.event.connect(self._on_counted)
        self.table.renamed.connect(self._on_renamed)
        self.kind.value_changed.connect(self._on_kind)
        self.density.toggled.connect(self._show_density)

    def _show_density(self, wanted: bool) -> None:
        layers = self._session.viewer.layers
        for one in self.images:
            shown = [layer for layer in one.density if layer in layers]
            if wanted and not shown:
                one.density = one.add_density()
            for layer in () if wanted else shown:
                layers.remove(layer)

    def _current(self) -> CountedLayers | None:
        """Give the image that is selected, or one of whose layers is; else the last."""
        active = self._session.viewer.layers.selection.active
        here = [one for one in self.images if active in one.layers]
        return next(reversed(here or self.images), None)

    def _offer_kinds(self) -> None:
        kinds = list(dict.fromkeys(name for one in self.images for name in one.points.metadata["microforge"]["kinds"]))
        self.kind.set_choices([(name, name) for name in kinds])
        self.kind.set_value(kinds[0])
        self._form.setRowVisible(self.kind, len(kinds) > 1)
        self._on_kind(self.kind.value())

    def _on_kind(self, kind: str | None) -> None:
        for one in self.images:
            defaults: dict[str, Any] = {"confidence": np.nan}
            if "kind" in one.points.features.columns and kind:
                defaults["kind"] = kind
            one.points.feature_defaults = defaults

    def _show_parts(self) -> None:
        self.setVisible(bool(self.images))
        self.table.show_rows(self._counted())

    def _counted(self) -> list[CountRow]:
        return [row for one in self.images for row in one.rows]

    def _on_layers(self, event: Any) -> None:
        # The list passes on all that happens to its layers, so that no layer has to be watched for itself.
        if self.images and event.type in _CHANGES and not self._timer.isActive():
            self._timer.start()

    def _on_view(self, _event: Any) -> None:
        if self.images:
            self.show_text()

    def _on_counted(self, event: CountsReady | RunFailed) -> None:
        if isinstance(event, RunFailed):
            self.note.say(event.in_words, "error")
            return
        for one, counted in zip(self._asked, event.rows, strict=True):
            one.rows = list(counted)
        self._show_parts()
        self.show_text()
        self._remark()

    def _remark(self) -> None:
        found = self._counted()
        if any(row.by_hand for row in found):
            self.note.say(BY_HAND, "info")
        elif any(row.low is None for row in found):
            self.note.say(NO_INTERVAL, "info")
        elif self.note.text() in (BY_HAND, NO_INTERVAL):
            self.note.say("")

    def _on_renamed(self, number: int, name: str) -> None:
        regions = [
            next((region for k, region in enumerate(one.regions) if k == row.region), None)
            for one in self.images
            for row in one.rows
        ]
        region = regions[number]
        if region is not None and name:
            rename(region, name)
