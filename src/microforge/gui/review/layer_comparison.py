"""Base of the evaluations that compare two open layers, ground truth and result, in a background thread."""

from collections.abc import Callable, Iterator
from typing import Any

from qtpy.QtWidgets import QLabel, QWidget

from microforge.errors import MicroforgeError
from microforge.events import RunFailed
from microforge.gui.session.background import Relay
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note, Picker, button, rows, stacked
from microforge.gui.widgets.look.buttons import accent


class LayerComparison(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Choose the truth and a result among layers, compare them, show what was found.

    Parameters
    ----------
    truth, result, compare
        Tooltips of the two lists and of the button.
    needed
        Said while fewer than two layers are open.
    """

    def __init__(self, session: Session, truth: str, result: str, compare: str, needed: str) -> None:
        super().__init__()
        self._session, self._needed = session, needed
        self._relay = Relay("a comparison", self)
        self.truth, self.result = Picker(truth, "none"), Picker(result, "none")
        self.compare = accent(button("Compare", compare, self.run))
        self.note = Note()
        self.scores = QLabel()

    def refresh(self) -> None:
        """Offer the layers there are."""
        raise NotImplementedError

    def run(self) -> None:
        """Compare the chosen layers in the background."""
        raise NotImplementedError

    def show_found(self, event: Any) -> None:
        """Show what a comparison has found."""
        raise NotImplementedError

    def begin(self, make: Callable[[], Callable[[], Iterator[Any]]]) -> bool:
        """Start what `make` gives; give whether that was possible, else say why not."""
        try:
            self._relay.start(make())
        except MicroforgeError as error:
            self.note.say(str(error), "error")
            return False
        self.note.say("Comparing …", "info")
        self.compare.setEnabled(False)
        return True

    def allow(self, layers: int) -> None:
        """Let the button be pressed where there are enough layers."""
        self.compare.setEnabled(layers > 1 and not self._relay.running)
        if layers < 2:
            self.note.say(self._needed, "info")
        elif self.note.text() == self._needed:
            self.note.say("")

    def lay_out(self, *found: QWidget) -> None:
        """Put the scores and `found` below the choice, hidden until there is something to show; hear of the session."""
        form = rows(("Truth", self.truth), ("Result", self.result))
        stacked(self, form, self.compare, self.note, self.scores, *found).addStretch(1)
        for widget in (self.scores, *found):
            widget.hide()
        layers = self._session.viewer.layers
        self._sources = (layers.events.inserted, layers.events.removed, layers.events.renamed)
        for source in self._sources:
            source.connect(self.refresh)
        self._session.closing.connect(self._on_closing)
        self._relay.event.connect(self._on_event)
        self._relay.finished.connect(self.refresh)

    def _on_closing(self) -> None:
        for source in self._sources:
            source.disconnect(self.refresh)
        self._relay.end(5)

    def _on_event(self, event: Any) -> None:
        if isinstance(event, RunFailed):
            self.note.say(event.in_words, "error")
        else:
            self.show_found(event)
