"""Tools for point annotation: layers to click on, cell types, point size."""

import numpy as np
from napari.layers import Image, Layer, Points
from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import QMenu, QSlider

from microforge.annotations import POINTS
from microforge.errors import MicroforgeError
from microforge.gui.annotate.image_choice import ImageChoice
from microforge.gui.annotate.tools.base import AnnotationTools
from microforge.gui.annotate.tools.class_list import KindList
from microforge.gui.annotate.tools.point_undo import PointHistory
from microforge.gui.layers.gestures import NEXT_KIND, OF_POINTS, KeyUse
from microforge.gui.layers.marks import is_result
from microforge.gui.layers.points import KIND, kind_column, outside, points_on
from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.annotation_watcher import Watch
from microforge.gui.session.cell_types import (
    add_kind,
    cell_types_on,
    move_points,
    next_kind,
    remove_kind,
    rename_kind,
    start_clicking,
)
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note, Picker, beside, button, plain_tip, rows, stacked, steady, tick
from microforge.types import Unpainted

#: Sizes of points that can be chosen, in pixels of the image.
_SIZES = (1, 60)


class PointTools(AnnotationTools):
    """Make the layers to click cells on, and say what no point means."""

    kind = POINTS

    def __init__(self, session: Session, choice: ImageChoice, watch: Watch) -> None:
        super().__init__(session, choice, watch)
        self._histories: dict[Layer, PointHistory] = {}
        self.first = self.click = button(
            "Click the cells",
            "Make a Points layer, exactly over the image: a click sets a point.",
            self._go,
            icon="point",
        )
        self.existing = button(
            "Use a layer …", "Take a Points layer that is open: its points are the cells of this image.", self._menu
        )
        self.kinds = KindList()
        self.add_kind = button(
            "Add a kind",
            "Tell several kinds of cells apart: each is clicked in a colour and a layer of its own, and counted alone.",
            self._add_kind,
        )
        self.size = steady(QSlider(Qt.Orientation.Horizontal))
        self.size.setToolTip("Size of the points on the screen. Only how it looks: nothing is learnt from it.")
        self.no_cells = tick(
            "No cells in this image",
            "Ticked: there is nothing to click, which is learnt. Else an image without points is not learnt from.",
        )
        self.unclicked = Picker(
            "What is there where you set no point. Not clicked yet: where much looks like the cells you "
            "clicked and has no point, nothing is learnt there. No cell: you clicked all there are. Inside an "
            "annotated region no point always means no cell."
        )
        self.unclicked.set_choices([("not clicked yet", "around"), ("no cell", "background")])
        self.hint = Note(tip="The shortcuts of napari's Points layer.")
        self._lay_out()
        self._connect(watch)

    def refresh(self) -> None:
        """Show the session as it is."""
        item, shown = self.current(), []
        try:
            shown = [] if item is None else [kind for _, kind in cell_types_on(item)]
        except MicroforgeError as error:
            self.session.say(str(error), "error")
        points = item is not None and any(len(layer.data) for layer in item.points)
        self.click.setEnabled(self.choice.value() is not None)
        self.click.setText("Click the cells" if item is None else "Continue clicking")
        self.kinds.show_kinds(shown)
        self.kinds.setVisible(bool(shown))
        self.add_kind.setVisible(bool(shown))
        for row in (self.size, self.unclicked):
            self._rows.setRowVisible(row, item is not None)
        self.no_cells.setVisible(item is not None and not points)
        self.hint.say("" if item is None else _HINT)
        if item is not None:
            self._show(item)
        self._remember()

    def key_uses(self) -> list[KeyUse]:
        """Give the keys and what they do."""
        return [*OF_POINTS, NEXT_KIND]

    def close_down(self) -> None:
        """Leave the layers as they were found."""
        for layer in list(self._histories):
            self._let_go(layer)

    def _remember(self) -> None:
        """Make changes of the points of all images such that they can be taken back."""
        layers = {layer for item in self.session.annotated for layer in item.points}
        for layer in self._histories.keys() - layers:
            self._let_go(layer)
        for layer in layers - self._histories.keys():
            self._histories[layer] = PointHistory(layer)
            layer.bind_key(NEXT_KIND.key, self._on_next_kind, overwrite=True)

    def _let_go(self, layer: Layer) -> None:
        layer.bind_key(NEXT_KIND.key, None, overwrite=True)
        self._histories.pop(layer).detach()

    def _on_next_kind(self, layer: Points) -> None:
        """Make the points that are selected, or else the one under the mouse, be of the next kind."""
        item = self.session.annotated_of(layer)
        under = layer.get_value(self.session.viewer.cursor.position, world=True)
        places = sorted(layer.selected_data) or ([] if under is None else [int(under)])
        layers = [] if item is None or kind_column(layer) else list(item.points)
        if len(layers) < 2 or not places:
            self.session.say("Point at a cell, or select some, where there are several kinds: Add a kind.")
            return
        target = layers[(layers.index(layer) + 1) % len(layers)]
        with self._histories[layer].one_step(self._histories[target]):
            move_points(layer, target, places)

    def _show(self, item: Annotated) -> None:
        """Show what the user has set before, without setting it again."""
        blocked = [QSignalBlocker(widget) for widget in (self.no_cells, self.size, self.unclicked)]
        self.unclicked.set_value(item.unpainted)
        self.no_cells.setChecked(item.no_cells)
        # napari keeps the size as a number or as an array.
        self.size.setValue(round(float(np.max(item.points[0].current_size))))
        for blocker in blocked:
            blocker.unblock()

    def _lay_out(self) -> None:
        self.size.setRange(*_SIZES)
        self._rows = rows(("No point means", self.unclicked), ("Size of points", self.size))
        making = beside(self.click, self.existing)
        stacked(self, making, self.no_cells, self.kinds, self.add_kind, self.hint, self._rows)

    def _connect(self, watch: Watch) -> None:
        self.kinds.picked.connect(self._pick)
        self.kinds.renamed.connect(self._rename)
        self.kinds.removed.connect(self._remove)
        self.size.valueChanged.connect(self._on_size)
        self.no_cells.toggled.connect(self._on_no_cells)
        self.unclicked.value_changed.connect(self._on_unclicked)
        # A moment after a point was set: the counts.
        watch.readiness_changed.connect(lambda _: self.refresh())

    def _go(self) -> None:
        """Make the layers for the image chosen, or go to those there are."""
        image, item = self.choice.value(), self.current()
        if image is None:
            self.session.say("Open an image first: drag a file onto the window, or File > Open Sample.", "warning")
            return
        active = self.session.viewer.layers.selection.active
        try:
            if item is None:
                self.choice.confirm()
                item = start_clicking(self.session, image)
        except MicroforgeError as error:
            self.session.say(str(error), "error")
            return
        self._select(active if active in item.points else item.points[0])

    def _add_kind(self) -> None:
        name, item = add_kind(self.session), self.current()
        if item is not None:
            names = [kind.name for _, kind in cell_types_on(item)]
            self._select(cell_types_on(item)[names.index(name)][0])
            self.kinds.ask_name(names.index(name))

    def _pick(self, number: int) -> None:
        item = self.current()
        if item is not None:
            layer, kind = cell_types_on(item)[number]
            next_kind(layer, kind.name)
            self._select(layer)

    def _rename(self, number: int, name: str) -> None:
        item = self.current()
        if item is None:
            return
        old = cell_types_on(item)[number][1].name
        problem = "" if name == old else rename_kind(self.session, item, old, name)
        if problem:
            self.session.say(problem, "warning")
        self.refresh()

    def _remove(self, number: int) -> None:
        item = self.current()
        if item is not None:
            layer, kind = cell_types_on(item)[number]
            remove_kind(self.session, item, kind.name)
            self.session.say(f"{layer.name} is not learnt from any more. The layer stays open with its points.")

    def _menu(self) -> None:
        self.offer().exec(self.existing.mapToGlobal(self.existing.rect().bottomLeft()))

    def offer(self) -> QMenu:
        """Make the menu of open Points layers; those that do not fit the image say why."""
        menu, image = QMenu(self), self.choice.value()
        menu.setToolTipsVisible(True)
        for layer in self._others():
            problem = "" if image is None else self._problem(layer, image)
            action = menu.addAction(_title(layer), lambda layer=layer: self.use(layer))
            action.setEnabled(not problem)
            action.setToolTip(plain_tip(problem))
        if menu.isEmpty():
            menu.addAction("No further Points layer is open").setEnabled(False)
        return menu

    def usable(self) -> list[Points]:
        """Give the open Points layers that may hold the points of the image chosen."""
        image = self.choice.value()
        return [layer for layer in self._others() if image is not None and not self._problem(layer, image)]

    def use(self, layer: Points) -> None:
        """Take a layer as the points of the image chosen; beside others it is a further kind of cells."""
        image = self.choice.value()
        if image is None:
            return
        self.choice.confirm()
        item = self.current()
        # Layers in which nothing was clicked yet make room.
        known = [] if item is None else [one for one in item.points if len(one.data)]
        if known:
            for one in (*known, layer):
                one.metadata[KIND] = one.metadata.get(KIND) or one.name
        self.session.annotate_points(image, (*known, layer))
        self._tell_outside(layer, image)
        self._select(layer)

    def _tell_outside(self, layer: Points, image: Image) -> None:
        letters = self.choice.letters()
        far = outside(points_on([layer], image, letters), image, letters)
        if far:
            self.session.say(
                f"{far:,} of the {len(layer.data):,} points of {layer.name} lie outside the image.", "warning"
            )

    def _others(self) -> list[Points]:
        """Give the Points layers that are not learnt from yet."""
        layers = [layer for layer in self.session.viewer.layers if isinstance(layer, Points) and not is_result(layer)]
        return [layer for layer in layers if self.session.annotated_of(layer) is None]

    def _problem(self, layer: Points, image: Image) -> str:
        try:
            points_on([layer], image, self.choice.letters())
        except MicroforgeError as error:
            return error.problem
        return ""

    def _select(self, layer: Points) -> None:
        self.session.viewer.layers.selection.active = layer
        layer.visible = True
        layer.mode = "add"

    def _on_size(self, size: int) -> None:
        item = self.current()
        for layer in () if item is None else item.points:
            layer.size = size
            layer.current_size = size

    def _on_unclicked(self, unclicked: Unpainted | None) -> None:
        item = self.current()
        if item is not None and unclicked is not None and item.unpainted != unclicked:
            self.session.change(item, unpainted=unclicked)

    def _on_no_cells(self, none: bool) -> None:
        item = self.current()
        if item is not None:
            self.session.change(item, no_cells=none)


def _title(layer: Points) -> str:
    return f"{layer.name} ({len(layer.data):,} point{'s' * (len(layer.data) != 1)})"


_HINT = "2: a click sets a point · 3: select and move · Delete: remove what is selected · Ctrl+Z: undo · ?: all keys"
