"""Check what a network found one by one, the least certain first: buttons, keys, and the view that follows."""

from collections.abc import Callable
from typing import Any

import numpy as np
from napari.layers import Labels, Layer, Points
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QProgressBar, QPushButton, QWidget

from microforge.errors import MicroforgeError
from microforge.gui.layers.gestures import (
    BACK,
    IS_RIGHT,
    IS_WRONG,
    REPAIR,
    SKIP,
    BorrowedKeys,
    KeyUse,
    found_layers,
)
from microforge.gui.layers.point_results import point_layers_found
from microforge.gui.session.results_to_learn import ObjectChecking, PointChecking
from microforge.gui.session.state import Session
from microforge.gui.session.watching.front_image import image_behind
from microforge.gui.widgets.basics import Note, beside, button, stacked
from microforge.gui.widgets.canvas_view import ChosenBox, look_at, zoom_to
from microforge.gui.widgets.look.buttons import accent

#: How many times the usual object fits across the view.
_ACROSS = 6
#: Pixels between an object and the box around it, and of a canvas whose size is not known.
_MARGIN, _CANVAS = 2, 600
_REPAIRING = f"Repair it with brush and tools, then press {IS_RIGHT.key} to go on."
NOTHING_FOUND = "Show a result here first: apply a model, or train one and look at its preview."
EXPLAINED = (
    "You are shown what the model is least sure of, one by one. What you say becomes your annotation: what is right is "
    "yours, what is wrong is background; wrong cells are taken out of the result."
)


class CheckPanel(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Asks about the objects of the result in front, one after the other.

    Attributes
    ----------
    checking
        The queue, and what was answered.
    repairing
        Whether an object that was taken over is being repaired.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._kinds: dict[type[Layer], ObjectChecking | PointChecking] = {
            Labels: ObjectChecking(session),
            Points: PointChecking(session),
        }
        self.checking: ObjectChecking | PointChecking = self._kinds[Labels]
        self.repairing = False
        self._keys, self._box, self._zoomed = BorrowedKeys(), ChosenBox(), False
        self.start = accent(button("Check one by one", EXPLAINED, self.begin))
        self.note, self.question, self.progress = Note(), Note(), Note()
        self.bar = QProgressBar()
        self.right = self._answer("Yes", IS_RIGHT, self._on_right)
        self.wrong = self._answer("No", IS_WRONG, lambda: self.checking.wrong())
        self.repair = self._answer("Repair", REPAIR, self._on_repair)
        self.skip = self._answer("Skip", SKIP, lambda: self.checking.skip())
        self.back = self._answer("Back", BACK, self._on_back)
        self.end = button("Stop checking", "What you have said stays.", self.stop)
        self._lay_out()
        self._connect()
        self._show()

    def begin(self) -> None:
        """Find what is to be checked, and ask about the first."""
        image, layer = self._in_front()
        if image is None or layer is None:
            self.note.say(NOTHING_FOUND, "info")
            return
        try:
            self._zoomed = False
            self.checking = self._kinds[type(layer)]
            self.checking.start(image, layer)
            self.note.say("Looking for what is least certain …", "info")
        except MicroforgeError as error:
            self.note.say(str(error), "error")

    def stop(self) -> None:
        """Ask no more; what was answered stays."""
        self._let_go()
        self.note.say("")
        self.checking.stop()

    def close_down(self) -> None:
        """Let go of the viewer."""
        self._let_go()
        for one in self._kinds.values():
            one.close()
        self._session.viewer.layers.events.removed.disconnect(self._on_removed)

    def _in_front(self) -> tuple[Layer | None, Any]:
        """Give the image that is meant, and what a network found on it: the result selected, or else the top one."""
        viewer = self._session.viewer
        active = viewer.layers.selection.active
        image = image_behind(self._session, active)
        for one in [image] if image is not None else reversed(self._session.images()):
            layers = [*found_layers(viewer, one), *point_layers_found(viewer, one)]
            if layers:
                return one, active if active in layers else layers[0]
        return None, None

    def _answer(self, text: str, key: KeyUse, does: Callable[[], None]) -> QPushButton:
        made = button(f"{text} ({key.key})", f"{key.does[0].upper()}{key.does[1:]}.", does)
        # The keys are meant for the canvas; Qt would press a button that has the focus by the space bar.
        made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return made

    def _lay_out(self) -> None:
        self.bar.setTextVisible(False)
        self.bar.setMaximumHeight(6)
        self.asking = QWidget()
        pairs = ((self.right, self.wrong), (self.repair, self.skip), (self.back, self.end))
        first, second, last = (beside(*pair, wide=(0, 1)) for pair in pairs)
        stacked(self.asking, self.question, first, second, self.bar, self.progress, last)
        stacked(self, self.start, self.note, self.asking)

    def _connect(self) -> None:
        for one in self._kinds.values():
            one.changed.connect(self._show)
            one.failed.connect(lambda words: self.note.say(words, "error"))
        self._session.viewer.layers.events.removed.connect(self._on_removed)
        self._session.closing.connect(self.close_down)

    def _show(self) -> None:
        """Ask about what comes next."""
        asked = self.checking.asked
        self.start.setVisible(asked is None)
        self.asking.setVisible(asked is not None)
        if asked is None:
            self._let_go()
            if self.checking.done:
                self.note.say(_ended(len(self.checking.queue)), "ok")
            return
        self.note.say("")
        self.question.say(_REPAIRING if self.repairing else self.checking.question(), "info")
        self.progress.say(f"{self.checking.words()}.")
        self.bar.setRange(0, len(self.checking.queue))
        self.bar.setValue(self.checking.place)
        self.right.setText(f"{'Done' if self.repairing else 'Yes'} ({IS_RIGHT.key})")
        self.back.setEnabled(bool(self.checking.answers) or self.repairing)
        for one in (self.wrong, self.repair, self.skip):
            one.setEnabled(not self.repairing)
        if not self.repairing:
            self._bring(asked)

    def _bring(self, asked: Any) -> None:
        """Show it in the middle of the view, with a box around it, and listen to the keys."""
        viewer, layer = self._session.viewer, self.checking.layer
        if layer is None:
            return
        first, last = asked.corners()
        look_at(viewer, layer, (np.add(first, last) / 2).tolist())
        if not self._zoomed:
            zoom_to(viewer, layer, _ACROSS * self.checking.usual_side(), self._canvas())
            self._zoomed = True
        viewer.layers.selection.active = layer
        layer.mode = "pan_zoom"
        self._surround(layer, first, last)
        self._listen(layer)

    def _surround(self, layer: Layer, first: list[float], last: list[float]) -> None:
        shown = [axis - self._session.viewer.dims.ndim + layer.ndim for axis in self._session.viewer.dims.displayed]
        if len(shown) == 2 and min(shown) >= 0:
            reach = 0.5 + _MARGIN
            low, high = ([corner[axis] + side * reach for axis in shown] for corner, side in ((first, -1), (last, 1)))
            self._box.show(layer, [(low[0], low[1]), (high[0], high[1])])

    def _listen(self, layer: Layer) -> None:
        """Let keys answer, wherever the focus is: napari's window passes them on to the canvas."""
        self._keys.give_back()
        acts = {IS_RIGHT: self._on_right, BACK: self._on_back}
        if not self.repairing:
            acts |= {IS_WRONG: self.checking.wrong, REPAIR: self._on_repair, SKIP: self.checking.skip}
        for provider in (layer, self._session.viewer):
            self._keys.take(provider, {use.key: act for use, act in acts.items()})
        self._session.keys_now = tuple(acts)
        self.window().setFocus()

    def _let_go(self) -> None:
        self._keys.give_back()
        self._session.keys_now = ()
        self._box.hide()
        self.repairing = False

    def _on_right(self) -> None:
        if self.repairing:
            self.repairing = False
            self._show()
        else:
            self.checking.right()

    def _on_repair(self) -> None:
        """Take it over, and in hand."""
        layer = self.checking.layer
        if layer is None:
            return
        self.repairing = True
        self._box.hide()
        self._listen(layer)
        self.checking.repair()

    def _on_back(self) -> None:
        self.repairing = False
        self.checking.back()

    def _on_removed(self, event: object) -> None:
        if self.checking.asked is not None and self.checking.layer not in self._session.viewer.layers:
            self.stop()

    def _canvas(self) -> float:
        """Give the shorter side of the canvas, in pixels of the screen."""
        central = getattr(self.window(), "centralWidget", lambda: None)()
        return float(_CANVAS if central is None else min(central.width(), central.height()))


def _ended(number: int) -> str:
    if not number:
        return "There is nothing to check: you have painted all that was found here."
    return "That was the last one. What you said is your annotation now: train on it, or look at the next image."
