"""Tools for painting labels: the Labels layer, classes, brushes."""

from functools import partial
from typing import Any

import numpy as np
from napari.layers import Image, Labels, Layer
from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QMenu

from microforge.annotations import LABELS
from microforge.errors import MicroforgeError
from microforge.gui.annotate.background_brush import BackgroundBrush
from microforge.gui.annotate.found_row import FoundRow
from microforge.gui.annotate.image_choice import ImageChoice
from microforge.gui.annotate.tools.base import AnnotationTools
from microforge.gui.annotate.tools.class_list import ClassList
from microforge.gui.annotate.tools.plane_filling import PlaneFilling
from microforge.gui.annotate.tools.tool_row import ToolRow
from microforge.gui.layers.convert import add_labels, labels_on
from microforge.gui.layers.gestures import (
    CLASS_KEYS,
    FILL_PLANES,
    GROUND_KEY,
    NEW_OBJECT,
    OF_NAPARI,
    TAKE,
    TAKE_ALL,
    TOOLS,
    Hand,
    KeyUse,
    Labelled,
    Tool,
)
from microforge.gui.layers.layer_axes import axes_of, letters_of_labels
from microforge.gui.layers.marks import class_colour, is_ground, is_result
from microforge.gui.session.annotation_watcher import Watch
from microforge.gui.session.painted_layers import annotation_of
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note, Picker, beside, button, rows, stacked, tick
from microforge.types import Unpainted

_UNPAINTED: dict[Unpainted, str] = {
    "around": "around what I paint",
    "background": "background everywhere",
    "unknown": "not looked at",
}


class PaintTools(AnnotationTools):
    """Make the layer to paint on, and say what painting means."""

    kind = LABELS

    #: Strokes and keys are what they were where another goal is chosen.
    holds_keys = True

    def __init__(self, session: Session, choice: ImageChoice, watch: Watch) -> None:
        super().__init__(session, choice, watch)
        self._hands: dict[Layer, Hand] = {}
        self._filling = PlaneFilling(session)
        self._ground = BackgroundBrush(session, self)
        self.found = FoundRow(session)
        self.classes = ClassList(self._colour_of)
        self.first = self.annotate = button(
            "Annotate this image", "Make a Labels layer to paint on, exactly over the image.", self._go, icon="annotate"
        )
        self.existing = button(
            "Use a layer …", "Take a Labels layer that is open as this image's annotation.", self._menu
        )
        self.unpainted = Picker(
            "What is there where you painted nothing. Around what I paint: background near your objects and where it "
            "looks like that; all else teaches nothing, so a few objects of an image are enough. Background "
            "everywhere: you painted all there is. Not looked at: nothing is learnt there. Inside an annotated region "
            "it is always background."
        )
        self.fresh = tick(
            "New label for each object",
            "A stroke on empty ground is a new object with a label of its own. A stroke that lies mostly on an object, "
            f"or begins on it, goes on with that. Key {NEW_OBJECT.key}: {NEW_OBJECT.does}.",
            on=True,
        )
        self.row = ToolRow()
        self.hint = Note(tip="The key ? shows all keys.")
        self._rows = rows(("Unpainted is", self.unpainted))
        first = beside(self.annotate, self.existing)
        brush = beside(self.fresh, self.row.ground)
        stacked(self, first, self.found, self.classes, brush, self.row, self.hint, self._rows)
        self._connect()

    def refresh(self) -> None:
        """Show the session as it is."""
        item, classes = self.current(), self.session.has_classes
        for layer in [layer for layer in self._hands if layer not in self.session.viewer.layers]:
            # The layer may come back, and be taken up again.
            self._let_go(layer)
        self._meet()
        self._serve()
        if self.session.kind is not LABELS:
            return
        self.annotate.setEnabled(self.choice.value() is not None)
        self.annotate.setText("Annotate this image" if item is None else "Continue painting")
        self.existing.setVisible(item is None)
        self.classes.setVisible(classes)
        self.classes.set_value(dict(self.session.task.label_classes))
        self.fresh.setVisible(item is not None and not classes)
        self._rows.setRowVisible(self.unpainted, item is not None)
        self.hint.say("" if item is None else _hint(classes))
        self._show_unpainted(None if item is None else item.unpainted)
        self._mark_class()
        self.found.show_image(None if classes else self.choice.value())
        self._show_tools()

    def key_uses(self) -> list[KeyUse]:
        """Give the keys and what they do."""
        if self.session.has_classes:
            names = self.session.task.label_classes.values()
            own = [KeyUse(key, f"paint {name}") for key, name in zip(CLASS_KEYS, names, strict=False)]
            return [*own, *(KeyUse(tool.key, tool.does) for tool in TOOLS if tool.of_classes), *OF_NAPARI]
        tools = (KeyUse(tool.key, tool.does) for tool in TOOLS)
        return [NEW_OBJECT, GROUND_KEY, *tools, TAKE_ALL, FILL_PLANES, *OF_NAPARI]

    def close_down(self) -> None:
        """Leave the layers as they were found."""
        for layer in list(self._hands):
            self._let_go(layer)
        self._filling.close()
        self._ground.close()
        self.found.close_down()

    def follow_selection(self) -> None:
        """Show which of the brushes is in hand."""
        self._show_tools()

    def _connect(self) -> None:
        self.classes.value_changed.connect(self._on_classes)
        self.classes.picked.connect(self._pick)
        self.unpainted.value_changed.connect(self._on_unpainted)
        self.fresh.toggled.connect(lambda _: self._serve())
        self.row.picked.connect(self._take_up)
        self.row.planes_wanted.connect(self._fill_planes)
        self.row.ground_wanted.connect(self._turn_brush)
        self.found.proposed.connect(self._take_proposed)
        self.row.keys_wanted.connect(lambda: self.session.keys_wanted.emit())

    def _go(self) -> None:
        """Make the annotation of the image chosen, or go to the one there is."""
        image, item = self.choice.value(), self.current()
        if image is None:
            self.session.say("Open an image first: drag a file onto the window, or File > Open Sample.", "warning")
            return
        try:
            if item is None:
                self.choice.confirm()
                self._adopt(image, add_labels(self.session.viewer, image, self.choice.letters()))
            else:
                self._select(item.labels)
        except MicroforgeError as error:
            self.session.say(str(error), "error")

    def _menu(self) -> None:
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        layers = self._usable_labels()
        for layer in layers:
            menu.addAction(layer.name, lambda layer=layer: self._use(layer))
        if not layers:
            menu.addAction("No open Labels layer has the size of this image").setEnabled(False)
        menu.exec(self.existing.mapToGlobal(self.existing.rect().bottomLeft()))

    def _use(self, labels: Labels) -> None:
        image = self.choice.value()
        if image is not None:
            self.choice.confirm()
            self._adopt(image, labels)
            self._select(labels)

    def _usable_labels(self) -> list[Labels]:
        image = self.choice.value()
        return [layer for layer in self.session.viewer.layers if image is not None and self._fits(layer, image)]

    def _fits(self, layer: Layer, image: Image) -> bool:
        if not isinstance(layer, Labels) or is_result(layer) or is_ground(layer):
            return False
        if self.session.annotated_of(layer) is not None:
            return False
        try:
            labels_on(layer, image, self.choice.letters())
        except MicroforgeError:
            return False
        return True

    def _adopt(self, image: Image, labels: Labels) -> None:
        if isinstance(labels.data, np.ndarray) and not labels.data.flags.writeable:
            labels.data = labels.data.copy()
        self.session.annotate(image, labels)
        self.refresh()
        self.classes.refresh()

    def _meet(self) -> None:
        """Give each layer that is painted on a hand, whoever made it."""
        for item in self.session.annotated:
            for layer in (item.labels, item.ground):
                # One that was put away gets a hand when it comes back.
                here = layer in self.session.viewer.layers
                if isinstance(layer, Labels) and here and layer not in self._hands:
                    self._hands[layer] = self._hand_for(item.image, layer)

    def _hand_for(self, image: Layer, labels: Labels) -> Hand:
        session, letters = self.session, axes_of(image, self.session.axes_of(image))[0]
        axes = letters_of_labels(labels, letters)
        highest, say = partial(session.contents.highest, labels), partial(session.say, severity="info")
        hand = Hand(session.viewer, labels, axes, highest, say)
        hand.image = image
        hand.all_wanted.connect(self.found.take_all)
        hand.tool_changed.connect(self._show_tools)
        hand.planes_wanted.connect(partial(self._filling.start, hand))
        if not is_ground(labels):
            hand.class_wanted.connect(partial(self._pick_place, labels))
        labels.events.selected_label.connect(self._mark_class)
        return hand

    def _select(self, labels: Layer | None) -> None:
        if labels is not None:
            self.session.viewer.layers.selection.active = labels
            labels.mode = "paint"

    def _serve(self) -> None:
        """Let strokes and keys mean what the goal chosen needs."""
        paints = self.session.kind is LABELS
        kind = Labelled.CLASSES if self.session.has_classes else Labelled.OBJECTS
        for layer, hand in self._hands.items():
            hand.rule = self.fresh.isChecked()
            # Strokes of background are one class: they are no objects.
            hand.serve(Labelled.OTHERWISE if not paints else Labelled.CLASSES if is_ground(layer) else kind)
        self._ground.serve(objects=paints and kind is Labelled.OBJECTS)

    def _let_go(self, layer: Layer) -> None:
        layer.events.selected_label.disconnect(self._mark_class)
        self._hands.pop(layer).detach()

    def _hand(self) -> Hand | None:
        item = self.current()
        return None if item is None else self._hands.get(item.labels)

    def _show_tools(self, _: object = None) -> None:
        hand = self._hand()
        self.row.show_hand(hand, stack=hand is not None and "Z" in hand.axes, ground=self._ground.in_hand())

    def _take_up(self, tool: Tool | None) -> None:
        hand = self._hand()
        if hand is not None:
            self.session.viewer.layers.selection.active = hand.layer
            hand.take_up(tool)
        self._show_tools()

    def _take_proposed(self, image: Layer) -> None:
        """Have the tool in hand that takes what was proposed."""
        annotation_of(self.session, image)
        self.refresh()
        self._take_up(TAKE)

    def _turn_brush(self) -> None:
        item = self.current()
        if item is not None:
            self._ground.turn(item)

    def _fill_planes(self) -> None:
        hand = self._hand()
        if hand is not None:
            self._filling.start(hand)

    def _on_classes(self, names: dict[int, str]) -> None:
        if not self.session.has_classes:
            # A name was being typed when another goal was chosen.
            return
        self.session.set_config(
            task_options=self.session.config.task_options | {self.session.task_class.class_option: names}
        )

    def _pick(self, value: int) -> None:
        if self.current() is None:
            self._go()
        item = self.current()
        if item is not None and item.labels is not None:
            self._select(item.labels)
            item.labels.selected_label = value

    def _show_unpainted(self, chosen: Unpainted | None) -> None:
        # Another goal offers other choices: that is no wish of the person's.
        signals = QSignalBlocker(self.unpainted)
        self.unpainted.set_choices([(_UNPAINTED[one], one) for one in self.session.task_class.unpainted_choices])
        if chosen is not None:
            self.unpainted.set_value(chosen)
        signals.unblock()

    def _pick_place(self, labels: Labels, place: int) -> None:
        values = list(self.session.task.label_classes)
        if place < len(values):
            self._select(labels)
            labels.selected_label = values[place]

    def _mark_class(self, _event: object = None) -> None:
        item = self.current()
        self.classes.mark(0 if item is None or item.labels is None else int(item.labels.selected_label))

    def _on_unpainted(self, unpainted: Unpainted | None) -> None:
        item = self.current()
        if item is not None and unpainted is not None and item.unpainted != unpainted:
            self.session.change(item, unpainted=unpainted)

    def _colour_of(self, value: int) -> Any:
        item = self.current()
        return class_colour(value) if item is None or item.labels is None else item.labels.get_color(value)


def _hint(classes: bool) -> str:
    new = "" if classes else f"{NEW_OBJECT.key}: new object · "
    return f"Right-drag: draw round an object, it fills · {new}[\u00a0]: brush size · Ctrl+Z: undo · ?: all keys"
