"""What to annotate next: a short list of places in the open images, and a box around the one that is clicked."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from napari.layers import Image
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QListWidget, QSizePolicy, QWidget

from microforge.config import PredictionConfig
from microforge.errors import MicroforgeError
from microforge.evaluation.label_next import Candidate, Looked, Seen, Suggestion, look_around, ranked
from microforge.events import Preparing, RunFailed
from microforge.gui.annotate.candidates import candidates_of, place_of
from microforge.gui.session.background import Relay
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note, Picker, beside, button, stacked
from microforge.gui.widgets.canvas_view import ChosenBox, look_at
from microforge.gui.widgets.progress import Busy
from microforge.inference.protocols import make_predictor

#: So many places are listed: each is annotated, and the model trained, before others are worth asking for.
_MOST_LISTED = 5
#: Of more images whole ones are compared rather than regions.
_FEW_IMAGES = 5
#: So many images that cannot be looked at are told of.
_MOST_PROBLEMS = 3
_ORDERS = (
    ("Spread over all there is", "spread"),
    ("Where it is least sure", "doubt"),
    ("At random", "random"),
)


class LabelNext(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Ask the model what to annotate next, and go there; hidden while there is no model."""

    #: The image of the place that was clicked.
    wanted = Signal(object)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._relay = Relay("a look at the images", self)
        self._layers: list[Image] = []
        self._seen: Seen | None = None
        self._problems: list[str] = []
        self.listed: Sequence[Suggestion] = ()
        self.box = ChosenBox()
        tip = "Let the model look at all open images and name the places that are least like what is annotated yet."
        self.ask = button("Label this next", tip, self.start)
        self.order = Picker(
            "How places are chosen. Spread: so that each place looks like an annotated one. Least sure: crowded places "
            "come first, which take longer to annotate. At random is hard to beat."
        )
        self.order.set_choices(_ORDERS)
        self.order.set_value("spread")
        self.busy = Busy("Stop looking.")
        self.note = Note()
        self.list = _Places()
        stacked(self, beside(self.ask, self.order, wide=(1,)), self.busy, self.note, self.list)
        self._connect()
        self.refresh()

    def refresh(self, _: object = None) -> None:
        """Offer what can be done now."""
        self.setVisible(self._session.model_path is not None and bool(self._session.images()))
        self.ask.setEnabled(not self._relay.running)

    def start(self) -> None:
        """Look at all open images, in the background."""
        model = self._session.model_path
        if model is None or self._relay.running:
            return
        self._show_list(())
        self._seen = None
        try:
            found = candidates_of(self._session)
        except MicroforgeError as error:
            self.note.say(str(error), "error")
            return
        self._layers = [layer for layer, _ in found]
        unclear = [layer.name for layer in self._session.images() if layer not in self._layers]
        self._problems = [f"{name}: say what its dimensions are first." for name in unclear]
        self.note.say("")
        self.busy.begin("Loading the model")
        config = PredictionConfig(device=self._session.config.device)
        self._relay.start(partial(_looks, model, [candidate for _, candidate in found], config))
        self.refresh()

    def go_to(self, number: int) -> None:
        """Show a place of the list, with a box around it."""
        one = self.listed[number]
        layer, viewer = self._layers[one.number], self._session.viewer
        if layer not in viewer.layers:
            self.note.say(f"{one.name} is not open any more.", "warning")
            return
        self.wanted.emit(layer)
        middle, sides = place_of(self._session, layer, one)
        look_at(viewer, layer, middle)
        shown = [axis - viewer.dims.ndim + layer.ndim for axis in viewer.dims.displayed]
        if len(shown) == 2 and min(shown) >= 0:
            rows, columns = (sides[axis] for axis in shown)
            self.box.show(layer, list(zip(rows, columns, strict=True)), handles=False)

    def hideEvent(self, event: Any) -> None:
        """Take the box away with the tab; not where the whole window is put away."""
        super().hideEvent(event)
        if not event.spontaneous():
            self.box.hide()

    def close_down(self) -> None:
        """Stop looking, and let go of the viewer."""
        self._relay.end(10)
        self.busy.let_go()
        self.box.hide()
        self._session.model_changed.disconnect(self.refresh)
        self._session.changed.disconnect(self.refresh)

    def _connect(self) -> None:
        self.order.value_changed.connect(self._rank)
        self.list.itemClicked.connect(lambda item: self.go_to(self.list.row(item)))
        self.busy.cancelled.connect(self._relay.stop)
        self._relay.event.connect(self._on_event)
        self._relay.finished.connect(self._on_finished)
        self._session.model_changed.connect(self.refresh)
        self._session.changed.connect(self.refresh)

    def _on_event(self, event: object) -> None:
        if isinstance(event, Seen):
            self._seen = event
            self._rank()
        elif isinstance(event, Looked):
            # Noted first: napari lets later events through while its progress bar moves.
            self._problems += [event.problem] if event.problem else []
            self.busy.advance(event.done / event.total, f"Looking at {event.name}")
        elif isinstance(event, Preparing):
            self.busy.text.setText(event.text)
        elif isinstance(event, RunFailed):
            self.note.say(event.in_words, "error")

    def _on_finished(self) -> None:
        self.busy.end()
        self.refresh()

    def _rank(self, _: object = None) -> None:
        if self._seen is None:
            return
        self._show_list(ranked(self._seen, self.order.value(), _MOST_LISTED))
        told = "" if self.listed else "Nothing is left to annotate in the open images."
        self.note.say(
            "\n".join([*([told] if told else []), *self._problems[:3]]), "warning" if self._problems else "ok"
        )

    def _show_list(self, listed: Sequence[Suggestion]) -> None:
        self.box.hide()
        self.listed = listed
        self.list.show_lines([f"{rank}. {_words(one)}" for rank, one in enumerate(listed, start=1)])


class _Places(QListWidget):  # type: ignore[misc]  # qtpy has no types
    """A list that is as high as its lines, which wrap; hidden while it is empty."""

    def __init__(self) -> None:
        super().__init__()
        self.setWordWrap(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setToolTip("A click goes there and puts a box around the place: annotate what is in it.")
        self.show_lines(())

    def show_lines(self, lines: Sequence[str]) -> None:
        """Show these lines, none of them chosen."""
        self.clear()
        self.addItems(list(lines))
        self.setVisible(bool(lines))
        self._fit()

    def resizeEvent(self, event: Any) -> None:
        """Take more height where lines wrap."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.doItemsLayout()
        last = self.item(self.count() - 1)
        bottom = 0 if last is None else self.visualItemRect(last).bottom() + self.verticalOffset()
        self.setFixedHeight(bottom + self.height() - self.viewport().height() + 2)


def _looks(
    model: Path, candidates: Sequence[Candidate], config: PredictionConfig
) -> Iterator[Preparing | Looked | Seen]:
    yield Preparing("Loading the model")
    predictor = make_predictor(model, config)
    yield from look_around(predictor, candidates, whole=len(candidates) > _FEW_IMAGES)


def _words(one: Suggestion) -> str:
    plane = f", plane {(one.window[0].start + one.window[0].stop - 1) // 2}" if len(one.window) > 2 else ""
    time = f", time {one.time}" if one.time else ""
    return f"{one.name}{plane}{time}: {one.reason}"
